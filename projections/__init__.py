"""Read models: folds of the log into tables, which can always be thrown away and rebuilt."""
