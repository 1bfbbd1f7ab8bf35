"""The domain model of victim notification: frozen values, no I/O. Times are milliseconds since the epoch, UTC."""
