"""
Imports go one way: cli → pipeline → the five stages → stage, topics, rules → domain; runtime → stage, topics, rules, domain.

Only runtime and cli know brokers, stores, sockets, chance, or the time of day.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import processors
from tests.source import tree

ROOT = Path(processors.__file__).parent
STAGES = ("ingest", "dedupe", "validate", "match", "deliver")
SHARED = frozenset({"domain", "rules", "topics", "stage", "handover", "tally", "dead_letter_seal"})
MAY_IMPORT = {
    "__init__": frozenset[str](),
    "domain": frozenset({"domain"}),
    "rules": frozenset({"rules", "domain"}),
    "topics": frozenset({"domain"}),
    "stage": frozenset({"domain", "rules", "topics"}),
    "handover": frozenset({"domain", "rules", "topics", "stage"}),
    "tally": frozenset({"domain", "topics", "stage"}),
    "dead_letter_seal": frozenset({"domain", "topics", "stage"}),
    **{stage: SHARED | {stage} for stage in STAGES},
    "pipeline": SHARED | set(STAGES),
    "simulation": frozenset({"simulation"}),
    "runtime": SHARED | {"runtime"},
    "rehearsal": SHARED | {"ingest", "pipeline", "rehearsal", "runtime"},
    "providers": frozenset({"domain", "topics", "providers", "runtime"}),
    "web_headers": frozenset[str](),
    "masking": frozenset({"domain"}),
    "views": SHARED | {"runtime", "views"},
    "console": SHARED | {"console", "deliver", "masking", "pipeline", "runtime", "views", "watch", "web_headers"},
    "site": SHARED | {"ingest", "masking", "runtime", "site", "views", "web_headers"},
    "watch": SHARED | {"pipeline", "runtime", "watch"},
    "cli": SHARED
    | set(STAGES)
    | {"cli", "console", "pipeline", "providers", "rehearsal", "runtime", "simulation", "site", "views", "watch"},
    "__main__": frozenset({"cli"}),
}
# What each part of the runtime may import of the others: run → decide → kafka, wire; the rest beside them.
BESIDE = frozenset({"clock", "errors", "key_file", "metrics", "settings", "stop_signals"})
RUNTIME_MAY_IMPORT = {
    "run": BESIDE | {"run", "decide", "kafka", "wire"},
    "decide": BESIDE | {"decide", "wire"},
    "kafka": BESIDE | {"kafka", "wire"},
    "wire": BESIDE | {"wire"},
    "local": BESIDE | {"local", "kafka"},
    "clock": frozenset[str](),
    "errors": frozenset[str](),
    "metrics": frozenset[str](),
    "key_file": frozenset({"errors"}),
    "settings": frozenset({"errors", "key_file"}),
    "stop_signals": frozenset[str](),
    "certificates": frozenset({"settings"}),
}
WITH_EFFECTS = frozenset({"runtime", "rehearsal", "providers", "watch", "views", "console", "site", "cli", "__main__"})
WITHOUT_EFFECT = "urllib.parse."  # it only works on texts
EFFECTS = frozenset(
    {
        "asyncio",
        "confluent_kafka",
        "http",
        "httpx2",
        "logging",
        "multiprocessing",
        "os",
        "random",
        "redis",
        "requests",
        "secrets",
        "socket",
        "structlog",
        "subprocess",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
CLOCKS = frozenset({"now", "today", "utcnow"})

FILES = sorted(ROOT.rglob("*.py"))


def part_of(file: Path) -> str:
    """Return the part of the project a file belongs to: its folder, or its own name."""
    first = file.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


PARTS = sorted({part_of(file) for file in FILES})
every_part = pytest.mark.parametrize("part", PARTS)


def files_of(part: str) -> list[Path]:
    return [file for file in FILES if part_of(file) == part]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@every_part
def test_imports_go_one_way(part: str) -> None:
    for file in files_of(part):
        parts = {name.split(".")[1] for name in imports(file) if name.startswith("processors.")}
        assert parts <= MAY_IMPORT[part], file


def test_imports_within_the_runtime_go_one_way() -> None:
    files = [file for file in files_of("runtime") if file != ROOT / "runtime" / "__init__.py"]
    assert files
    for file in files:
        part = file.relative_to(ROOT / "runtime").parts[0].removesuffix(".py")
        parts = {name.split(".")[2] for name in imports(file) if name.startswith("processors.runtime.")}
        assert parts <= RUNTIME_MAY_IMPORT[part], file


@pytest.mark.parametrize("part", [part for part in PARTS if part not in WITH_EFFECTS])
def test_only_parts_with_effects_have_effects(part: str) -> None:
    for file in files_of(part):
        assert not {name.split(".")[0] for name in imports(file) if not name.startswith(WITHOUT_EFFECT)} & EFFECTS, file
        calls = [node.func for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
        assert not [call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in CLOCKS], file
        assert not [call.id for call in calls if isinstance(call, ast.Name) and call.id in {"open", "print", "input", "hash"}], file


def test_every_part_has_its_rule() -> None:
    assert set(PARTS) <= set(MAY_IMPORT)
    assert {"domain", "rules", "runtime", "cli", "pipeline", *STAGES} <= set(PARTS)
