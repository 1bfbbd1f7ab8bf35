"""Simulated agencies and registrants, with an oracle that computes the expected notifications without the pipeline."""
