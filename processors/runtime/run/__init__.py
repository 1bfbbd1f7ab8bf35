"""Run one unit: the batch loop, catch-up, the Redis store, supervision."""
