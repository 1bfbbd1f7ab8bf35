"""Feeds with a key: played to a pipeline in memory or to a real one, and compared."""
