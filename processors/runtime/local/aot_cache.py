"""
The JVM's cache of Kafka's classes, loaded and linked, with the method profiles of an earlier run (Java 25; JEP 483, 514 and 515).

A broker that finds it needs half the CPU to start. It is recorded while a broker runs, and the JVM writes it when that broker stops.
The JVM ignores a cache that does not fit.
"""

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from typing import Final

OLDEST_JAVA: Final = 25
RECORDING: Final = "recording.aot"  # what the JVM writes, in the broker's folder
TARGET: Final = "recording.target"  # the path of the cache that it becomes; exists while a broker records


def cache_path(java: Path, jars: Sequence[Path]) -> Path | None:
    """Return where the cache of this JVM and these jars belongs, beside their folder; None if the JVM is too old for one."""
    release = java.resolve().parents[1] / "release"
    text = release.read_text() if release.is_file() else ""
    version = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    if not version or int(version[1]) < OLDEST_JAVA:
        return None
    key = hashlib.sha256("\n".join([text, *map(str, jars)]).encode()).hexdigest()
    return jars[0].parents[1] / f"broker-{key[:8]}.aot"


def record_for(cache: Path, home: Path) -> str:
    """Return the JVM option by which a broker in this folder records the cache."""
    (home / TARGET).write_text(str(cache))
    return f"-XX:AOTCacheOutput={RECORDING}"


def is_recording(home: Path) -> bool:
    """Whether the broker of this folder records a cache."""
    return (home / TARGET).exists()


def keep_recording(home: Path) -> None:
    """Put what a stopped broker has recorded in its place."""
    recording, cache = home / RECORDING, Path((home / TARGET).read_text())
    if recording.exists() and cache.parent.exists():
        with tempfile.TemporaryDirectory(dir=cache.parent) as staging:  # whoever starts a broker meanwhile must not find half of it
            copyfile(recording, Path(staging) / cache.name).replace(cache)
    forget_recording(home)


def forget_recording(home: Path) -> None:
    """Remove what is left of a recording, such as that of a broker that was killed."""
    for name in (RECORDING, TARGET):
        (home / name).unlink(missing_ok=True)
