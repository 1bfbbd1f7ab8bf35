"""Makes `python -m processors` the `vn` command."""

from processors.cli.main import run

run()
