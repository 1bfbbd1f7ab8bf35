"""What agencies, sites and spreadsheets really send, processed by the whole pipeline."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer

from processors.domain.notification import Outbound
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.schemas import Version

EXAMPLES = Path(__file__).parents[2] / "examples"
DEPARTURE = (EXAMPLES / "xml" / "icots-departure.xml").read_text().replace("2026-10-", "2026-11-").replace("2026-11-20", "2026-11-02")


def insert_before(text: str, before: str, addition: str) -> str:
    """The text with something inserted before the only place that reads so."""
    assert text.count(before) == 1, before
    return text.replace(before, addition + before)


def swap_text(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def messages_sent(driver: PipelineDriver) -> list[Outbound]:
    """Return what left within a day."""
    driver.advance(timedelta(days=1))
    return driver.outbound()


def registrants_told(driver: PipelineDriver) -> list[str]:
    """Return who was told within a day."""
    return sorted({each.registrant_id for each in messages_sent(driver)})


def reasons(driver: PipelineDriver, message_id: str) -> list[str]:
    return [each.reason for each in driver.verdicts(message_id)]


def dead_letters(driver: PipelineDriver) -> list[tuple[str, str]]:
    """Return stage and reason of every dead letter."""
    return [(each.stage, each.reason) for each in driver.records("dead-letters")]


class Schemas:
    """A registry that has one schema of an outsider's own, under the id 1, and takes all others."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.version = Version(schema["name"], schema)
        self.taken = 1

    def register(self, version: Version) -> int:  # noqa: ARG002
        self.taken += 1
        return self.taken

    def schema(self, identity: int) -> Version | None:
        return self.version if identity == 1 else None


def sent_as_avro(schema: dict[str, Any], datum: Any) -> dict[str, Any]:
    """Return the document that `read` gets for a record in an outsider's own schema, in Confluent framing."""
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schema), datum)
    found = Codec(registry=Schemas(schema)).decode_external(b"\0\0\0\0\1" + out.getvalue())
    assert isinstance(found, dict), found
    return found
