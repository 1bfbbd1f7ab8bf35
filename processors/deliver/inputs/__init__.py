"""The inputs of deliver, a file for each kind; every one returns a partial decision."""
