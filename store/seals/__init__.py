"""The Merkle log over the events: tiles, checkpoints, receipts, and how they are verified."""
