"""The `vn` command, a file a command group."""
