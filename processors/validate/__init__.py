"""What an event may follow, where it may lead, and when it must be told (contract §3.1)."""
