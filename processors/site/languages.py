"""Every text of the pages, one TOML file per language; `VN_SITE_LANGUAGES` adds more."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from processors.runtime.errors import UserError

BUILT_IN: Final = Path(__file__).parent / "languages"
DEFAULT_LANGUAGE: Final = "en"
Words = Mapping[str, Any]


def read_languages(folder: Path | None) -> dict[str, Words]:
    """
    Return the texts of each language by its code.

    Raises UserError for a folder without languages and for a file with other keys than the English one.
    """
    added = sorted(folder.glob("*.toml")) if folder else []
    if folder is not None and not added:
        raise UserError(f"{folder} is no directory with language files such as fr.toml: correct VN_SITE_LANGUAGES, or leave it out")
    files = [*BUILT_IN.glob("*.toml"), *added]
    found: dict[str, Words] = {}
    for file in files:
        try:
            found[file.stem] = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UserError(f"{file} cannot be read as a language: {error}") from None
    wanted = set(paths(found[DEFAULT_LANGUAGE]))
    for code, words in found.items():
        if other := wanted ^ set(paths(words)):
            raise UserError(
                f"the language {code} lacks or adds {', '.join(sorted(other)[:5])}: use exactly the keys of {DEFAULT_LANGUAGE}.toml"
            )
    return found


def paths(words: Words, before: str = "") -> list[str]:
    """Return the dotted key of every text."""
    return [
        name
        for key, each in words.items()
        for name in (paths(each, f"{before}{key}.") if isinstance(each, Mapping) else (f"{before}{key}",))
    ]
