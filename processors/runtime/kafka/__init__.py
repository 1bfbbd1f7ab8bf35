"""Kafka clients, group membership, broadcast topics, topic administration."""
