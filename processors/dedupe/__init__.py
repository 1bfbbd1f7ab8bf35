"""Dedupe: removes duplicates; holds cancellations."""
