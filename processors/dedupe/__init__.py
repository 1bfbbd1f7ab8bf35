"""Dedupe: removes duplicates and holds cancellations."""
