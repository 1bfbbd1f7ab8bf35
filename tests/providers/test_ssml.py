"""Calls as SSML: well-formed, with pauses, said twice, with what can be keyed in."""

import pytest
from lxml import etree

from processors.deliver.wording.templates import call_prompt
from processors.providers.ssml import ssml_of
from processors.rules.load import load_rules
from tests.providers.given import AT, outbound, prompt

SPEAK = "{http://www.w3.org/2001/10/synthesis}"
CALL = outbound(channel="voice", body="John has left Virginia. Case 26-001432. In an emergency, call 911.", confirm=True)


def test_a_call_says_everything_twice_with_pauses() -> None:
    tree = etree.fromstring(ssml_of(CALL, prompt).encode())
    assert tree.tag == f"{SPEAK}speak"
    assert tree.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    paragraphs = ["".join(each.itertext()) for each in tree.iter(f"{SPEAK}p")]
    text = "John has left Virginia.Case 26-001432.In an emergency, call 911."
    assert paragraphs == [text, "Enter your PIN (en).", text, "Enter your PIN (en)."]
    assert len(list(tree.iter(f"{SPEAK}break"))) == 4 + 4


def test_numbers_are_read_digit_by_digit() -> None:
    tree = etree.fromstring(ssml_of(CALL, prompt).encode())
    assert [each.text for each in tree.iter(f"{SPEAK}say-as")] == ["26-001432", "911"] * 2


def test_what_agencies_write_is_text() -> None:
    tree = etree.fromstring(ssml_of(outbound(body='<break/> & "x" </speak>'), prompt).encode())
    assert '<break/> & "x" </speak>' in "".join(tree.itertext())


@pytest.mark.parametrize(
    ("language", "confirm", "begins"),
    [
        ("en", True, "To confirm that you have received this message, enter your four digit PIN"),
        ("es", True, "Para confirmar que recibió este mensaje, marque ahora su PIN"),
        ("en", False, "To stop calls to this number, press 9"),
        ("es-MX", False, "Para no recibir más llamadas en este número, oprima 9"),
        ("fr", False, "To stop calls to this number, press 9"),
    ],
)
def test_the_prompts_are_texts_of_the_rules(language: str, confirm: bool, begins: str) -> None:  # noqa: FBT001
    assert call_prompt(load_rules().rule_set("", AT), language, confirm=confirm).startswith(begins)
