"""What a deal is: values, facts, folds and decisions, without clock, randomness or I/O."""
