"""The vocabulary of victim notification: frozen values without input or output. Times are milliseconds since the epoch, UTC."""
