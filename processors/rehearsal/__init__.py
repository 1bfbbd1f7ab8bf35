"""Rehearsals: feeds are played through the pipeline, in memory or on a real broker, and compared with their answer keys."""
