"""What surrounds every route: who is let in, how much is taken on, how answers go out."""
