"""Identify: finds out whom each record is about, and routes the record."""
