"""
Feed files: what agencies, registration sites and others send, and when; one JSON object a line.

    {"at": "2026-11-02T09:00:00-05:00", "submission": {...}}     as JSON, keyed by the agency's ORI
    {"at": ..., "xml": "icots-departure.xml"}                    a file of the folder `xml` beside the feed
    {"at": ..., "registration": {...}}, {"unregister": id}       a registration, or the end of one
    {"at": ..., "raw": "text", "pad": 1100000}                   bytes as given, padded to a size
    {"at": ..., "base64": "..."}                                 bytes that are not text
    {"at": ...}                                                  only time passes
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from processors.domain.time import millis
from processors.ingest.submission_ids import submission_ids
from processors.runtime.errors import UserError
from processors.topics import REGISTRATIONS, SUBMISSIONS, Topic

KEY: Final = frozenset({"told", "held", "rejected"})


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One record for an external topic."""

    topic: Topic
    key: str | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Step:
    """Everything sent at one moment, in milliseconds."""

    at: int
    records: tuple[FeedRecord, ...]


def read_feed(path: Path) -> Iterator[Step]:
    """Yield the steps of a feed in order of time; raises UserError if it cannot be read."""
    try:
        with path.open(encoding="utf-8") as lines:
            moments = groupby(map(json.loads, lines), key=lambda line: str(line["at"]))
            for at, together in moments:
                yield Step(millis(at), tuple(record for line in together if (record := _feed_record(line, path.parent)) is not None))
    except OSError as error:
        raise UserError(f"the feed {path} cannot be read ({error.strerror}): name the folder that holds it") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is no feed: it has one JSON object a line, each with the time `at`") from None


def read_key(path: Path) -> dict[str, Any]:
    """Return a feed's answer key; raises UserError if it cannot be read."""
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"the key {path} cannot be read ({error.strerror}): name the folder that holds it") from None
    except ValueError:
        key = None
    if not isinstance(key, dict) or not key.keys() >= KEY:
        raise UserError(f"{path} is no key: it is a JSON object with {', '.join(sorted(KEY))}") from None
    return key


def _feed_record(line: dict[str, Any], folder: Path) -> FeedRecord | None:
    if (registration := line.get("registration")) is not None:
        return FeedRecord(REGISTRATIONS, registration["registration_id"], json.dumps(registration, ensure_ascii=False).encode())
    if (ended := line.get("unregister")) is not None:
        return FeedRecord(REGISTRATIONS, ended, None)
    if (content := _content(line, folder)) is None:
        return None
    return FeedRecord(SUBMISSIONS, submission_ids(content)[1], content)


def _content(line: dict[str, Any], folder: Path) -> bytes | None:
    if (submission := line.get("submission")) is not None:
        return json.dumps(submission, ensure_ascii=False).encode()
    if (name := line.get("xml")) is not None:
        return (folder / "xml" / str(name)).read_bytes()
    if (raw := line.get("raw")) is not None:
        return str(raw).encode().ljust(line.get("pad", 0))
    if (encoded := line.get("base64")) is not None:
        return base64.b64decode(encoded)
    return None
