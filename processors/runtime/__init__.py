"""The shell: Kafka, Redis, clocks and processes; the only place with effects."""
