"""Simulates agencies and registrants; an oracle computes the expected notifications independently of the pipeline."""
