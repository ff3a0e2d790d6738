"""Running the service: its metrics, log and traces, how it ends, and what it bears of clients."""
