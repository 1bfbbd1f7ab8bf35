"""
Downloads jars once per user and verifies them against a lock file, Kafka's against `kafka.lock.toml`.

They come from Maven Central, from repositories in the user's jgo settings, or from Maven's local repository.
`python -m processors.runtime.local.jars` (`make lock`) regenerates the lock file.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Final

import requests
from jgo.config import GlobalSettings
from jgo.constants import default_maven_repo
from jgo.env import Environment, LockedDependency, LockFile
from jgo.maven import MavenContext

from processors.runtime.errors import UserError
from processors.runtime.local.broker import VERSION

Progress = Callable[[str], None]

KAFKA: Final = f"org.apache.kafka:kafka_2.13:{VERSION}"
# Connects Kafka's logging API to log4j. Raw (the !), or the versions of log4j's own build would replace Kafka's.
LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5!"
LOCK: Final = Path(__file__).with_name("kafka.lock.toml")


def kafka_jars(progress: Progress) -> list[Path]:
    """Return Kafka's class path, downloading and verifying its jars as needed."""
    return locked_jars(f"Kafka {VERSION}", LOCK, progress)


def locked_jars(program: str, lock: Path, progress: Progress) -> list[Path]:
    """Return the class path of a program whose jars a lock file names, downloading and verifying them as needed."""
    home = cache_folder() / f"{program.lower().replace(' ', '-')}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:8]}"
    environment = Environment(home)
    try:
        environment.jars_dir.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as busy:
            fcntl.flock(busy, fcntl.LOCK_EX)
            wanted = LockFile.load(lock).dependencies
            missing = [jar for jar in wanted if not _checksum_matches(environment.jars_dir / _name(jar), jar)]
            _fetch(program, missing, len(wanted), environment, progress)
    except requests.RequestException as error:
        message = f"cannot fetch {program} from Maven Central ({type(error).__name__}): check the network connection and try again"
        raise UserError(message) from error
    except OSError as error:
        raise UserError(f"cannot store the jars of {program} in {home}: {error.strerror}; set XDG_CACHE_HOME to another folder") from error
    return environment.all_jars


def _fetch(program: str, missing: list[LockedDependency], total: int, environment: Environment, progress: Progress) -> None:
    """Download the missing jars, reporting to `progress` once a second."""
    if not missing:
        return
    done, fetched, reported_at = total - len(missing), 0, 0.0
    progress(f"{program}: fetching {len(missing)} files")
    with tempfile.TemporaryDirectory(dir=environment.path) as staging, ThreadPoolExecutor(max_workers=8) as pool:
        for size in pool.map(lambda jar: _download(program, jar, environment.jars_dir, Path(staging)), missing):
            done, fetched = done + 1, fetched + size
            if monotonic() - reported_at >= 1 or done == total:
                progress(f"{program}: {done} of {total} files, {fetched / 1e6:.1f} MB fetched")
                reported_at = monotonic()


def _download(program: str, jar: LockedDependency, jars: Path, staging: Path) -> int:
    """Download and verify one jar; return its size."""
    repositories = GlobalSettings.load().repositories | MavenContext().remote_repos
    for local in ([default_maven_repo()], []):  # first Maven's local copy; if that is damaged, the original
        context = MavenContext(repo_cache=staging, local_repos=local, remote_repos=repositories, timeout=30)
        try:
            found = context.create_dependency(f"{jar.groupId}:{jar.artifactId}:{jar.version}").artifact.resolve()
        except RuntimeError as error:
            raise UserError(f"Maven Central does not have {_name(jar)}, a part of {program}") from error
        if _checksum_matches(found, jar):
            partial = staging / _name(jar)
            shutil.copyfile(found, partial)
            partial.replace(jars / _name(jar))
            return found.stat().st_size
    raise UserError(
        f"{_name(jar)} does not have the checksum in its lock file: try again, or check the proxy between here and the repository"
    )


def _checksum_matches(path: Path, jar: LockedDependency) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _name(jar: LockedDependency) -> str:
    return f"{jar.artifactId}-{jar.version}.jar"


def cache_folder() -> Path:
    """Return the user's folder for downloads."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vn"


def write_lock(lock: Path, name: str, *artifacts: str) -> None:
    """Write a lock file with the exact version and checksum of the artifacts and everything they need."""
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=30)
        inputs, transitive = context.resolver.resolve([context.create_dependency(each) for each in artifacts])
        needed = (each for each in inputs + transitive if each.scope in {None, "compile", "runtime"})
        jars = sorted(needed, key=lambda each: (each.groupId, each.artifactId))
        LockFile.from_resolved_dependencies(jars, environment_name=name).save(lock)


if __name__ == "__main__":
    write_lock(LOCK, "kafka", KAFKA, LOGGING)
