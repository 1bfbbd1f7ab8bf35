"""Dedupe: one event is told once."""
