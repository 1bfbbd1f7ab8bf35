"""Decides batches in memory: tasks, states, timers, the in-memory driver. No Kafka, no Redis."""
