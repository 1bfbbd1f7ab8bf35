"""The `vn` command: one file per command group."""
