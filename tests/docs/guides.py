"""Parses the guides: blocks of commands, each with its expected output."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docs.pages import DOCS, ROOT

GUIDES: Final = (ROOT / "README.md", *sorted((DOCS / "guides").glob("*.md")))
BLOCK: Final = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# The block that starts a pipeline and the one that stops it, the same on every page.
START: Final = """\
make install
eval "$(.venv/bin/vn local up)"
export PATH=$PWD/.venv/bin:$PATH
vn topics create
vn run all >.vn/run.log 2>&1 &
"""
STOP: Final = """\
kill $!
vn local down
"""
# What may be run again until it prints what it should: these only look.
LOOKS: Final = re.compile(
    r"^vn (explain|tail|top|audit|review (list|show)|dead-letters list|expected list|policy show|topics list|local status)\b"
)


@dataclass(frozen=True, slots=True)
class Block:
    """The commands of one block, and the lines that its output must hold, in their order."""

    page: str
    commands: str
    expected: tuple[str, ...] = ()

    @property
    def looks(self) -> bool:
        return all(LOOKS.match(line) for line in self.commands.splitlines())

    def missing(self, output: str) -> str | None:
        """Return the first expected line that is not in the output after the one before; blanks count as one."""
        rest = " ".join(output.split())
        for line in self.expected:
            before, found, after = rest.partition(" ".join(line.split()))
            if not found:
                return f"{self.page}: {line!r} is not in\n{output}"
            rest = after
            del before
        return None


def plain(commands: str) -> str:
    """Return the commands without the comments that explain them."""
    return re.sub(r" +# .*$", "", commands, flags=re.MULTILINE)


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    for kind, content in BLOCK.findall(page.read_text()):
        if kind == "sh":
            found.append(Block(page.name, plain(content)))
        elif found:
            found[-1] = Block(page.name, found[-1].commands, tuple(line for line in content.splitlines() if line.strip()))
    return found


def needs_broker(page: Path) -> bool:
    return any(block.commands == START for block in blocks(page))
