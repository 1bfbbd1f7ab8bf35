"""Every cited section of the contract or the specification exists, and every cited file is in the repository."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

from tests.docs.pages import DOCS, ROOT, parts

FOLDERS: Final = ("processors", "tests", "docs", "schemas", "deploy", "bench")
KINDS: Final = frozenset({".py", ".toml", ".md", ".yaml", ".yml", ".avsc"})
# What defines or tabulates sections instead of citing them, and the tests of that.
APART: Final = frozenset(
    {"docs/contract.md", "docs/rules.toml", "docs/rules.md", "tests/docs/test_pages.py", "tests/docs/test_citations.py"}
)
CITED: Final = re.compile(r"§\s?(\d+(?:\.\d+)*)(?:–(\d+))?")
AUTHORITY: Final = re.compile(r"\b(contract|specification)\b", re.IGNORECASE)
NEAR: Final = 400  # characters within which the work cited must be named: a list of sections names it once


class Citation(NamedTuple):
    """A section as some file cites it."""

    file: str
    authority: str
    section: str


def citations(file: str, text: str) -> Iterator[Citation]:
    for found in CITED.finditer(text):
        named = AUTHORITY.findall(text[max(0, found.start() - NEAR) : found.start()])
        authority = named[-1].lower() if named else "nobody"
        chapter, _, first = found[1].rpartition(".")
        last = int(found[2] or first)
        for number in range(int(first), last + 1):
            yield Citation(file, authority, f"{chapter}.{number}" if chapter else str(number))


def files() -> dict[str, str]:
    paths = (*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")))
    kept = {str(path.relative_to(ROOT)): path for path in paths if path.suffix in KINDS and path.is_file()}
    return {name: path.read_text() for name, path in kept.items() if name not in APART}


def contract() -> set[str]:
    return set(re.findall(r"^#+ §(\d+(?:\.\d+)*) ", (DOCS / "contract.md").read_text(), re.MULTILINE))


def specification() -> set[str]:
    """Every section of the specification that the table of rules traces, and the chapters that these are in."""
    traced = {
        found for part in parts() if part.title.startswith("The specification") for rule in part.rules for found in CITED.findall(rule.id)
    }
    return {".".join(section.split(".")[:length]) for section, _ in traced for length in range(1, section.count(".") + 2)}


def broken(cited: Iterator[Citation]) -> list[Citation]:
    known = {"contract": contract(), "specification": specification(), "nobody": set()}
    return [each for each in cited if each.section not in known[each.authority]]


def test_every_section_that_is_cited_exists() -> None:
    cited = [each for name, text in files().items() for each in citations(name, text)]
    assert len(cited) > 100
    assert broken(iter(cited)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(contract §9.9)", [Citation("x", "contract", "9.9")]),
        ("Contract §3.1.2–4 and §3.1.9", [Citation("x", "contract", "3.1.9")]),
        ("specification §4.9.1, contract §3", [Citation("x", "specification", "4.9.1")]),
        ("reliability §6", [Citation("x", "nobody", "6")]),
    ],
)
def test_a_section_that_is_not_there_is_found(text: str, found: list[Citation]) -> None:
    assert broken(citations("x", text)) == found


def test_nobody_cites_what_is_not_in_the_repository() -> None:
    elsewhere = re.compile(r"\bissues? \d+\b|\b(?:reliability|design|domain|protocols|cases|performance)(?:\.md)? §", re.IGNORECASE)
    found = {name: elsewhere.findall(text) for name, text in files().items()}
    assert elsewhere.findall("reliability §6; issue 4; design.md §2") == ["reliability §", "issue 4", "design.md §"]
    assert {name: each for name, each in found.items() if each} == {}


def test_the_contract_refers_to_sections_of_its_own() -> None:
    own = set(re.findall(r"\(§(\d+(?:\.\d+)*)\)", (DOCS / "contract.md").read_text()))
    assert len(own) >= 4
    assert own <= contract()


def test_every_part_of_the_table_of_rules_that_names_the_contract_names_a_section_of_it() -> None:
    cited = [each for part in parts() for each in citations(part.title, part.title) if each.authority == "contract"]
    assert len(cited) > 4
    assert broken(iter(cited)) == []
