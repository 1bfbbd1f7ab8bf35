"""Every sentence of the pages, one TOML file a language; a further language is one more file (`VN_SITE_LANGUAGES`)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from processors.runtime.errors import UserError

BUILT_IN: Final = Path(__file__).parent / "languages"
FIRST: Final = "en"
Words = Mapping[str, Any]


def read_languages(folder: Path | None) -> dict[str, Words]:
    """Return the words of each language by its code; raises UserError for a file that has fewer or more sentences than the English one."""
    files = [*BUILT_IN.glob("*.toml"), *(sorted(folder.glob("*.toml")) if folder else ())]
    found: dict[str, Words] = {}
    for file in files:
        try:
            found[file.stem] = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UserError(f"{file} cannot be read as a language: {error}") from None
    wanted = set(paths(found[FIRST]))
    for code, words in found.items():
        if other := wanted ^ set(paths(words)):
            raise UserError(f"the language {code} lacks or adds {', '.join(sorted(other)[:5])}: it must say just what {FIRST}.toml says")
    return found


def paths(words: Words, before: str = "") -> list[str]:
    """Return the place of every sentence."""
    return [
        place
        for key, each in words.items()
        for place in (paths(each, f"{before}{key}.") if isinstance(each, Mapping) else (f"{before}{key}",))
    ]
