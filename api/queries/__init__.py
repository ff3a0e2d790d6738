"""What can be asked of a store. The command line and HTTP ask the same and get the same shapes."""
