"""One target under atheris, in a process of its own: `python -m tests.fuzz.one TARGET [libFuzzer options]`."""

import sys

import atheris

INSTRUMENTED = [
    "processors.ingest.read",
    "processors.cli.documents",
    "processors.cli.spreadsheet",
    "processors.rules.setting_values",
    "processors.rules.settings",
    "processors.runtime.wire.compatibility",
    "processors.runtime.wire.outsiders",
]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.targets import TARGETS

target, _ = TARGETS[sys.argv[1]]
atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
atheris.Fuzz()
