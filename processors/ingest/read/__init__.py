"""Read: the first half of ingest. Parses, checks and accepts or rejects what outsiders send; keeps no state."""
