"""Run one stage: the batch loop, catch-up, the Redis store, supervision."""
