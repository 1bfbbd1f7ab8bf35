"""Feeds and their answer keys: played through the pipeline in memory or on a real broker, and compared."""
