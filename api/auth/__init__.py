"""Who asks over the network: API keys, and tokens of an identity provider."""
