"""The domain model of victim notification: immutable values, no I/O. Times are milliseconds since the epoch (UTC)."""
