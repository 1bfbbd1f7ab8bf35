"""Match: finds the registrants to be notified of each event."""
