"""`vn texts preview`, and a third language in another script that is one file."""

import json
import re
from pathlib import Path

import pytest

from processors.cli.texts import ABOUT_REGISTRATIONS
from processors.deliver.sample import full_notice, sample_message
from processors.deliver.wording.segments import encoding, segments
from processors.rules.check import check
from processors.rules.load import load_rules, read_rules
from tests.cli.given import Run

AT = 1_793_628_000_000


def test_a_preview_shows_every_channel(vn: Run) -> None:
    code, out, err = vn("texts", "preview", "Departure")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("---")] == ["--- text message, GSM7, 1 segment", "--- email", "--- call"]
    assert "VN: John Sample" in out
    assert "Subject: Departure" in out
    assert out.count("enter your four digit PIN") == 2
    assert "<speak" in out


def test_one_channel_in_another_language(vn: Run) -> None:
    code, out, _ = vn("texts", "preview", "Jail/Escape", "--language", "es", "--channel", "sms", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["channel"], found["language"], found["encoding"], found["segments"]) == ("sms", "es", "gsm7", 1)
    assert found["body"].startswith("VN: ")


@pytest.mark.parametrize("kind", ["news", "change", "cancellation"])
def test_every_kind_of_news_has_a_text(kind: str, vn: Run) -> None:
    code, out, _ = vn("texts", "preview", "Intake", "--kind", kind)
    assert code == 0
    assert len(out) > 300


@pytest.mark.parametrize("subject", ABOUT_REGISTRATIONS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_message_about_a_registration_has_a_text_on_every_channel(subject: str, language: str, vn: Run) -> None:
    code, out, _ = vn("texts", "preview", subject, "--language", language)
    assert code == 0
    assert [line.split(",")[0] for line in out.splitlines() if line.startswith("---")] == ["--- text message", "--- email", "--- call"]
    assert ("048210" in out) == (subject == "verification")
    assert "John Sample" not in out, "the address may be a stranger's"


def test_the_html_of_an_email_is_a_document(vn: Run) -> None:
    code, out, _ = vn("texts", "preview", "Departure", "--language", "es", "--html")
    assert code == 0
    assert out.startswith('<!DOCTYPE html>\n<html lang="es" dir="ltr">')


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("Teleportation",), 2, "vn: there is no event subtype Teleportation: `vn rules show` lists those there are"),
        (
            ("Departure", "--language", "ru"),
            2,
            "vn: there is no text in 'ru': the languages are en, es",
        ),
        (("Departure", "--channel", "pigeon"), 2, "vn: --channel is sms or email or voice"),
        (("Departure", "--kind", "rumour"), 2, "vn: --kind is news or change or cancellation"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(words: tuple[str, ...], code: int, sentence: str, vn: Run) -> None:
    assert vn("texts", "preview", *words) == (code, "", f"{sentence}\n")


# --- a third language


def russian(*, without: tuple[str, ...] = ()) -> str:
    """Return one rule file with every text in Russian: one sentence for every subtype, and the texts around it."""
    rule_set = load_rules().rule_set("", AT)
    subtypes = {code.subtype for code in rule_set.codes.values() if set(code.notification_types) != {"Internal"}}
    entries = [
        f'[[text]]\nsubtype = "{name}"\nnoun = "событие: {{{{ names }}}}"\nsms = "{{{{ names }}}}: новое событие, {{{{ when }}}}."\n'
        'subject = "Новое событие: {{ names }}"\nbody = "{{ names }}: новое событие, {{ when }}."\nvoice = "{{ names }}: новое событие."'
        for name in sorted(subtypes - set(without))
    ]
    for (name, language), text in sorted(rule_set.texts.items()):
        if language != "en" or not name.startswith("*") or name.startswith(("*state.", "*at.")) or name in without:
            continue
        fields = {field: in_cyrillic(getattr(text, field)) for field in ("noun", "sms", "subject", "body", "voice")}
        entries.append(
            "\n".join((f'[[text]]\nsubtype = "{name}"', *(f"{field} = '''{value}'''" for field, value in fields.items() if value)))
        )
    return "\n".join(('language = "ru"', *entries))


def in_cyrillic(text: str) -> str:
    """Return a template with its own words in Cyrillic letters, as long as they were; what jinja reads stays."""
    letters = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопярстувшхыз")
    parts = re.split(r"(\{\{.*?\}\}|\{%.*?%\})", text)
    return "".join(part if part.startswith(("{{", "{%")) else part.lower().translate(letters) for part in parts)


def test_a_third_language_in_another_script_is_one_file(tmp_path: Path, vn: Run) -> None:
    (tmp_path / "texts.ru.toml").write_text(russian(), encoding="utf-8")
    assert [str(each) for each in check(read_rules(tmp_path))] == []
    rules = load_rules(tmp_path)
    message = sample_message(rules, full_notice(rules.rule_set("", AT).codes["Interstate Compact", "Departure"], AT), "ru", "sms")
    assert message is not None
    assert "новое событие, 2 нояб. 2026" in message.body
    assert "?" not in message.body
    assert encoding(message.body) == "ucs2"
    assert 1 < segments(message.body) <= 4
    done, out, _ = vn("texts", "preview", "Departure", "--language", "ru", "--channel", "sms", VN_RULES_DIR=str(tmp_path))
    assert done == 0
    assert out.startswith(f"--- text message, UCS2, {segments(message.body)} segments\n")


def test_rules_check_names_what_a_language_lacks(tmp_path: Path) -> None:
    (tmp_path / "texts.ru.toml").write_text(russian(without=("Departure", "*call.confirm")), encoding="utf-8")
    lacking = "its text in 'ru' lacks noun, sms, subject, body, voice: add a [[text]]; until then it is flagged, never told."
    found = [str(each) for each in check(read_rules(tmp_path))]
    assert any(each.endswith(f"event Interstate Compact/Departure: {lacking}") for each in found)
    assert any("*call.confirm/ru: it lacks voice: add it to the language's file" in each for each in found)
