"""People are forgotten on every deal: who they are, what is taken away, what is remembered."""
