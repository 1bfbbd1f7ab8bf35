"""Validate: checks each event against what is known of the offender before registrants are told (contract §3.1)."""
