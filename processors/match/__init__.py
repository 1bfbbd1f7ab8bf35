"""Match: who registered for this offender and event."""
