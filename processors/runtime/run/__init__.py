"""Runs stages: the batch loop, transactions, catch-up, the Redis store, supervision; moves their states while they are stopped."""
