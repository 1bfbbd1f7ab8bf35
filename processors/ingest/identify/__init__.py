"""Identify: who each record is about, and where it goes."""
