"""The pages and pictures made from code and tables: `python -m tests.docs.pages` writes them, a test says that they are current."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from processors.domain.journal import JOURNAL_STAGES
from processors.domain.reasons import REASONS
from processors.pipeline import PIPELINE
from processors.rules.setting_table import SETTINGS
from tests.docs.delivery import delivery_markdown
from tests.docs.figures import FIGURES
from tests.docs.pictures import PICTURES
from tests.docs.transitions import checks_markdown, duplicates_markdown
from tests.source import texts, tree

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
DEFAULT: Final = "processors/rules/default"
STAGES: Final = frozenset(PIPELINE)

RULES_PAGE: Final = """# Every rule, where it lives and what shows it

Made from [rules.toml](rules.toml) by `python -m tests.docs.pages`; a test says that it is current, that the code named here is there, and
that the tests named here are. Code is named below `processors/`, rule files below `{default}/`, tests below `tests/`.

The rules are told in our own words; the section numbers are those of the specification and of the contract.
"""

REASONS_PAGE: Final = """# Every reason code

Made from `processors/domain/reasons.py` by `python -m tests.docs.pages`; a test says that it is current and that every code is given
somewhere and shown by some test. The journal (`vn.decisions`), reviews and dead letters use no others.

| code | meaning | given by |
|---|---|---|
{rows}
"""

DECODING: Final = "every unit, of what it cannot decode"
COUNTED: Final = ("runtime", "run", "telemetry.py")  # it counts the reasons that others give
SHARED: Final = {"runtime": (DECODING,), "handover.py": ("dedupe", "validate", "match")}  # what several units are made of
# A word that is a reason code may also be the state of something, or the kind of a receipt or record; there it is none.
STATES: Final = frozenset({"counted_from", "outcome", "standing", "state", "status", "telling"})
REASON: Final = "reason"
OTHER_WORDS: Final = {("deliver", "accepted"), ("deliver", "confirmed"), ("read", "receipt"), ("read", "review_action")}


@dataclass(frozen=True)
class Rule:
    """One line of the table: what is asked, where it is done, what shows it."""

    id: str
    rule: str
    where: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    title: str
    intro: str
    rules: tuple[Rule, ...]


def parts() -> tuple[Part, ...]:
    read = tomllib.loads((DOCS / "rules.toml").read_text())
    return tuple(Part(each["title"], each.get("intro", ""), tuple(map(rule, each["rule"]))) for each in read["part"])


def rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(entry["id"], entry["rule"], tuple(entry["where"]), tuple(entry["tests"]))


def rules_markdown() -> str:
    return "\n".join((RULES_PAGE.format(default=DEFAULT), *(line for part in parts() for line in section(part))))


def section(part: Part) -> Iterator[str]:
    yield f"## {part.title}\n"
    if part.intro:
        yield f"{part.intro}\n"
    yield "| | rule | where | tests |"
    yield "|---|---|---|---|"
    for each in part.rules:
        where = "<br>".join(link(named, file_of(named)) for named in each.where)
        tests = "<br>".join(link(test.partition("::")[2], f"tests/{test.partition('::')[0]}") for test in each.tests)
        yield f"| {each.id} | {each.rule} | {where} | {tests} |"
    yield ""


def link(text: str, path: str) -> str:
    return f"[`{text}`](../{path})"


def file_of(named: str) -> str:
    """Return the file, from the root of the repository, that a code location is in."""
    if "[[" in named:
        return f"{DEFAULT}/{named.split(' ', maxsplit=1)[0]}"
    return f"processors/{named.partition(':')[0].replace('.', '/')}.py"


def missing_code(named: str) -> str | None:
    """Return why a code location is none."""
    try:
        if "[[" in named:
            file, _, entry = named.partition(" ")
            key, _, inner = entry.strip("[]").partition(".")
            entries = tomllib.loads((ROOT / DEFAULT / file).read_text()).get(key, [])
            return None if any(not inner or inner in each for each in entries) else f"{file} has no {entry}"
        module, _, name = named.partition(":")
        attrgetter(name)(importlib.import_module(f"processors.{module}"))
    except (ImportError, AttributeError, OSError) as error:
        return str(error)
    return None


def missing_test(named: str) -> str | None:
    """Return why a test is none that pytest collects."""
    file, _, name = named.partition("::")
    path = ROOT / "tests" / file
    if not path.is_file() or not path.name.startswith("test_"):
        return f"there is no file {file}"
    return None if name in tests_of(path) else f"{file} has no test {name}"


@cache
def tests_of(path: Path) -> frozenset[str]:
    module = tree(path)
    return frozenset(each.name for each in module.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"))


def reasons_markdown() -> str:
    given = given_by()
    rows = (f"| `{code}` | {meaning} | {', '.join(given.get(code, ()))} |" for code, meaning in sorted(REASONS.items()))
    return REASONS_PAGE.format(rows="\n".join(rows))


@cache
def given_by() -> dict[str, list[str]]:
    """Return the units that give each reason, in the order of the pipeline; every unit for what the runtime gives for it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "processors").rglob("*.py")):
        parts = path.relative_to(ROOT / "processors").parts
        if parts == COUNTED:
            continue
        units = SHARED.get(parts[0]) or [part for part in parts[:2] if part in JOURNAL_STAGES][:1]
        for code in codes_in(tree(path)) if units else ():
            found.setdefault(code, set()).update(unit for unit in units if (unit, code) not in OTHER_WORDS)
    return {code: [unit for unit in (*JOURNAL_STAGES, DECODING) if unit in units] for code, units in found.items()}


def codes_in(module: ast.AST) -> Iterator[str]:
    """Yield the reason codes that a module's code names, leaving out words that are states of something there."""
    nodes = list(ast.walk(module))
    states = {id(constant) for node in nodes for each in stateful(node) for constant in ast.walk(each)}
    for node in nodes:
        if isinstance(node, ast.Constant) and node.value in REASONS and id(node) not in states:
            yield node.value
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="journal"), attr=str(code))) if code in REASONS:
                yield code  # a method of `Journal` that is named for the reason that it gives


def stateful(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node that holds states of things: literal types, fields of such a name, comparisons with them."""
    match node:
        case ast.Subscript(value=ast.Name(id="Literal")):
            yield node
        case ast.keyword(arg=str(name)) if name in STATES:
            yield node
        case ast.Compare() if any(isinstance(each, ast.Attribute) and each.attr in STATES for each in ast.walk(node)):
            yield node


def codes_in_tests() -> frozenset[str]:
    """Return the reason codes that some test expects."""
    return frozenset(code for path in sorted((ROOT / "tests").rglob("*.py")) for code in codes_expected(tree(path)))


def codes_expected(module: ast.Module) -> Iterator[str]:
    """
    Yield the codes that a test module asserts, compares a reason with, or is parametrized by; a word elsewhere shows nothing.

    Tables of cases that stand apart are looked at where `parametrize` names them.
    """
    tables = {name.id: node for node in module.body for name in assigned(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Compare) and REASON in map(attribute, ast.walk(node))):
            yield from codes_in(node)
        elif isinstance(node, ast.Call) and attribute(node.func) == "parametrize":
            yield from codes_in(node)
            for each in ast.walk(node):
                if isinstance(each, ast.Name) and each.id in tables:
                    yield from codes_in(tables[each.id])


def assigned(node: ast.stmt) -> Iterator[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (each for each in targets if isinstance(each, ast.Name))


def attribute(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None


@cache
def settings_asked_for() -> frozenset[str]:
    """Return the settings that some stage asks for."""
    code = ROOT / "processors"
    sources = (path for path in sorted(code.rglob("*.py")) if path.relative_to(code).parts[0] in STAGES)
    return frozenset(SETTINGS).intersection(frozenset[str]().union(*map(texts, sources)))


VOCABULARY: Final = ("domain", "stage.py", "topics.py", "rules", "runtime")
GLOSSARY: Final = DOCS / "glossary.md"
CLASS: Final = re.compile(r"^class (\w+)", re.MULTILINE)
TYPE: Final = re.compile(r"\| \[?`(\w+)`(?:\]\([^)]*\))? \|$", re.MULTILINE)


def named_types() -> tuple[str, ...]:
    """Return the types that the glossary names."""
    return tuple(TYPE.findall(GLOSSARY.read_text()))


@cache
def classes() -> Mapping[str, str]:
    """Return the file that defines each class, the vocabulary before what else has a class of that name."""
    found: dict[str, str] = {}
    paths = sorted((ROOT / "processors").rglob("*.py"), key=lambda path: (rank(path), "local" in path.parts, path))
    for path in paths:
        for name in CLASS.findall(path.read_text()):
            found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def rank(path: Path) -> int:
    part = path.relative_to(ROOT / "processors").parts[0]
    return VOCABULARY.index(part) if part in VOCABULARY else len(VOCABULARY)


def glossary_markdown(page: str | None = None) -> str:
    """Return the glossary with a link from each type to the file that defines it."""

    def linked(found: re.Match[str]) -> str:
        name = found[1]
        return f"| [`{name}`](../{classes()[name]}) |" if name in classes() else f"| `{name}` |"

    return TYPE.sub(linked, GLOSSARY.read_text() if page is None else page)


PAGES: Final = {
    "glossary.md": glossary_markdown,
    "rules.md": rules_markdown,
    "reasons.md": reasons_markdown,
    "duplicates.md": duplicates_markdown,
    "checks.md": checks_markdown,
    "delivery.md": delivery_markdown,
    **PICTURES,
    **FIGURES,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make())
