"""What every kind of store must do, whichever database it runs on."""
