"""Deliveries: attempts, and the outbound record of each."""
