"""Match: finds the registrants of each event."""
