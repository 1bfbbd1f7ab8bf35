"""The contract names every topic, setting and command that outsiders use, and no others."""

import re

from processors.runtime.settings import Settings
from processors.topics import TOPICS
from tests.docs.pages import DOCS

CONTRACT = (DOCS / "contract.md").read_text()


def section(number: int) -> str:
    return re.split(r"^## §", CONTRACT, flags=re.MULTILINE)[number]


def first_column(text: str) -> set[str]:
    return {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}


def test_sections_are_found_by_their_number() -> None:
    assert [section(number).split(maxsplit=1)[0] for number in range(1, 9)] == [str(number) for number in range(1, 9)]


def test_every_topic_that_outsiders_write_or_read_is_named() -> None:
    assert first_column(section(2)) == {f"vn.{topic.name}" for topic in TOPICS if topic.external}


def test_every_setting_of_a_process_is_named() -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert first_column(section(7)) - {"KAFKA_*"} == known
