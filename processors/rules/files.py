"""Reads rule files (TOML) into validated entries; every error names the file, the entry and the remedy."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from processors.rules.sections import SECTIONS, Entry

BUILT_IN: Final = Path(__file__).parent
HEADER_KEYS: Final = frozenset({"jurisdictions", "language"})


class BadRules(ValueError):
    """A rule file cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleFile:
    """One rule file. `where` is its name in messages; `jurisdictions` are those it applies to (empty: all)."""

    where: str
    jurisdictions: tuple[str, ...]
    entries: Mapping[str, tuple[Entry, ...]]
    sha: str


def read_files(directory: Path) -> tuple[RuleFile, ...]:
    """Return the rule files in `directory`, sorted by name."""
    if not directory.is_dir():
        raise BadRules(f"{directory} is no directory: make it, or correct VN_RULES_DIR.")
    return tuple(read_file(path) for path in sorted(directory.glob("*.toml")))


def read_file(path: Path) -> RuleFile:
    """Return one rule file with its entries validated one by one; raises BadRules."""
    where = path.name
    try:
        raw = path.read_bytes()
        tables = tomllib.loads(raw.decode())
    except OSError as error:
        raise BadRules(f"{where} cannot be read ({error.strerror}): make it readable.") from error
    except UnicodeDecodeError as error:
        raise BadRules(f"{where} is not UTF-8 text: save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadRules(f"{where} is not TOML: fix it there: {error}.") from error
    entries = {name: section(where, name, tables) for name in tables if name not in HEADER_KEYS}
    return RuleFile(where, jurisdictions_of(where, path.stem, tables), entries, blake2b(raw, digest_size=16).hexdigest())


def jurisdictions_of(where: str, stem: str, tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the jurisdictions of a file: those it lists, otherwise the one in its name, otherwise all (empty)."""
    listed = tables.get("jurisdictions", [stem.upper()] if re.fullmatch(r"[A-Za-z]{2}", stem) else "all")
    if listed == "all":
        return ()
    if isinstance(listed, list) and listed and all(isinstance(each, str) and re.fullmatch(r"[A-Z]{2}", each) for each in listed):
        return tuple(listed)
    raise BadRules(f'{where}: `jurisdictions` must be "all" or a list of two-letter codes: write it like ["VA", "NC"].')


def section(where: str, name: str, tables: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return the entries of one section."""
    if name not in SECTIONS:
        raise BadRules(f"{where}: there is no section [[{name}]]: use one of {', '.join(sorted(SECTIONS))}.")
    rows = tables[name]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRules(f"{where}: [{name}] is not a list of entries: begin each entry with [[{name}]].")
    language = tables.get("language")
    return tuple(
        entry(f"{where}, [[{name}]] {number} {entry_label(row)}".rstrip(), name, row, language) for number, row in enumerate(rows, 1)
    )


def entry_label(row: Mapping[str, Any]) -> str:
    """Return a label by which a person finds the entry in its file."""
    words = [str(row[key]) for key in ("name", "subtype", "zone", "rule") if key in row]
    return f"({', '.join(words)})" if words else ""


def entry(where: str, name: str, row: Mapping[str, Any], language: Any) -> Entry:
    """Return one validated entry; raises BadRules with a sentence about the first error."""
    model = SECTIONS[name].entry
    filled = {"language": language, **row} if language is not None and "language" in model.model_fields else row
    try:
        found = model.model_validate(filled)
    except ValidationError as error:
        raise BadRules(f"{where}: {sentence(error, model)}") from error
    if found.since is not None and found.until is not None and found.until < found.since:
        raise BadRules(f"{where}: it ends on {found.until}, before it begins on {found.since}: correct `from` or `until`.")
    return found


def sentence(error: ValidationError, model: type[Entry]) -> str:
    """Return the first validation error as a sentence."""
    first = error.errors(include_url=False)[0]
    named = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(sorted(field.alias or key for key, field in model.model_fields.items()))
            return f"there is no `{named}` here: use {known}."
        case "missing":
            return f"`{named}` is missing: add it."
        case "value_error":
            return f"`{named}`: {first['ctx']['error']}." if named else f"{first['ctx']['error']}."
        case _:
            return f"`{named}` cannot be {first['input']!r}: {first['msg'].removeprefix('Input ').lower()}."
