"""The keys of a store, apart from its log: kept wrapped, handed out by name, destroyed for good."""
