"""Who asks over the network: API keys, tokens of an identity provider, and what they are good for."""
