"""`python -m processors` is the `vn` command, whichever way it was installed."""

from processors.cli.main import run

run()
