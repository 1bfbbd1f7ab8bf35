"""Simulated agencies and registrants, and an oracle that computes the expected notifications without running the pipeline."""
