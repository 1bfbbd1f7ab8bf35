"""Pins what the other systems of the benchmark need: `python -m bench.peers.lock` (`make lock`)."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.peers.systems import HERE, QUIX_LOCK, STREAMS, STREAMS_LOCK
from processors.runtime.local.jars import write_lock

COMPILE: Final = ("pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate", "--python-version", "3.11")


def main() -> None:
    write_lock(STREAMS_LOCK, "kafka-streams", *STREAMS)
    uv = Path(sys.executable).with_name("uv")
    command = ("--custom-compile-command", "make lock", str(HERE / "quix.in"), "--output-file", str(QUIX_LOCK))
    subprocess.run([uv, *COMPILE, *command], check=True)


if __name__ == "__main__":
    main()
