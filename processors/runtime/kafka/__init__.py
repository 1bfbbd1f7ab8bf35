"""Kafka clients, broadcast topics, topic administration."""
