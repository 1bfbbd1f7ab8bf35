"""The texts that registrants get: the reviewed texts, and what every text must satisfy whatever an agency writes."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from processors.deliver.sample import sample_about_registration
from processors.deliver.wording.about_registrations import FactsOfRegistration
from processors.deliver.wording.facts import facts_of, full_name, initials_of
from processors.deliver.wording.gsm7 import septets, transliterate
from processors.deliver.wording.segments import SINGLE, fits
from processors.deliver.wording.style import Style
from processors.deliver.wording.templates import context_of, fill, message_for
from processors.domain.event import Change
from processors.domain.offender import OffenderStanding
from processors.domain.person import Identifier, Name
from processors.domain.registration import Channel
from processors.rules.check_texts import TEXT_VARIABLES
from processors.rules.load import load_rules
from processors.rules.rule_set import Text
from tests.deliver import golden_texts
from tests.deliver.given import HOUR, JANE, JOHN, NOON, RULES, notice
from tests.deliver.golden_texts import LANGUAGES, RULE_SET, texts
from tests.examples import examples, fourth

TEXTS = texts()
LONG = Name(given="Maximiliano", middle="Bartolomeo", sur="Featherstonehaugh")
CHANNELS = ("sms", "email", "voice")
BIDI_AND_CONTROL = re.compile("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
LONG_WORDS = {"en": ("escap", "hearing", "custody", "released"), "es": ("fug", "audiencia", "custodia", "libertad")}
HELP = {"en": "In an emergency call 911.", "es": "En una emergencia llame al 911."}


def told(*notices: Any, language: str = "en", channel: Any = "sms") -> str:
    message = message_for(notices, RULES, NOON, language, channel)
    assert message is not None
    return message.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_what_was_reviewed(language: str) -> None:
    for name, code in TEXTS.items():
        assert golden_texts.golden_text(*code, language) == golden_texts.path(name, language).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_changes_cancellations_and_verifications_say_what_was_reviewed(language: str) -> None:
    assert golden_texts.frames(language) == golden_texts.path("_frames", language).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_subtype_of_the_code_lists_has_a_reviewed_text_and_no_text_is_for_nothing(language: str) -> None:
    for code in RULE_SET.codes:
        assert RULE_SET.text(*code, language) is not None, code
    reviewed = {path.name for path in (golden_texts.FOLDER / language).glob("*.txt")}
    assert reviewed == {golden_texts.path(name, language).name for name in (*TEXTS, "_frames")}
    assert {name for name, spoken in RULE_SET.texts if spoken == language and not name.startswith("*")} == set(TEXTS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("telling", ["news", "change", "cancellation"])
def test_a_text_message_with_a_long_name_and_long_states_is_one_whole_segment(language: str, telling: Any) -> None:
    change = (Change("action_at", "2026-12-10T15:45:00Z", "2026-12-14T15:30:00Z"),) if telling == "change" else ()
    for code in TEXTS.values():
        given = notice(
            *code,
            name=LONG,
            sending_state="DC",
            receiving_state="SC",
            place="Northern Virginia Regional Detention Center",
            origin="Northern Virginia Regional Detention Center",
            court="Court of General Sessions of Spotsylvania County",
            telling=telling,
            changes=change,
            action_at=1_797_262_200_000,
        )
        text = told(given, language=language)
        assert septets(text) <= SINGLE["gsm7"], text
        assert text == transliterate(text)
        assert text.startswith("VN: ")
        assert ("Feathersto" if telling == "change" else "Featherstonehaugh") in text
        assert text.endswith((".", HELP[language])), text
        assert (HELP[language] in text) == given.emergency, code
        if telling != "change":
            assert "2026" in text


def test_a_text_message_names_in_full_whom_it_has_room_for() -> None:
    for code in TEXTS.values():
        assert "John Q Sample" in told(notice(*code, sending_state="VA", receiving_state="NC")), code


NAMES = st.builds(Name, given=st.text(max_size=20), middle=st.none() | st.text(max_size=10), sur=st.text(max_size=20))


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    code=st.sampled_from(sorted(RULE_SET.codes)),
    language=st.sampled_from(LANGUAGES),
    names=st.lists(NAMES, min_size=1, max_size=4),
    telling=st.sampled_from(["news", "change", "cancellation"]),
    text=st.text(max_size=80),
)
def test_whatever_an_agency_writes_a_text_message_is_one_line_that_fits(
    code: tuple[str, str], language: str, names: list[Name], telling: Any, text: str
) -> None:
    changes = (Change("court", text, text + "x"), Change("action_at", "2026-12-10", "2026-12-14T15:30:00Z")) if telling == "change" else ()
    notices = tuple(
        notice(
            *code,
            part=part,
            name=name,
            identifiers=(Identifier("SID", f"VA{part}"),),
            telling=telling,
            changes=changes,
            place=text,
            origin=text,
            court=text,
            sending_state="DC",
            receiving_state=text or None,
            report_by=text,
        )
        for part, name in enumerate(names)
    )
    said = told(*notices, language=language)
    assert fits(said)
    assert "\n" not in said
    assert "\r" not in said
    for channel in ("email", "voice"):
        assert not BIDI_AND_CONTROL.search(told(*notices, language=language, channel=channel))


@pytest.mark.parametrize("channel", CHANNELS)
def test_line_breaks_and_direction_marks_in_names_never_leave(channel: str) -> None:
    name = Name(given="John\r\nBcc: x@example.org", sur="Sam\u202eple\u0000")
    message = message_for((notice("Jail", "Escape", name=name),), RULES, NOON, "en", channel)  # type: ignore[arg-type]
    assert message is not None
    assert "John Bcc: x@example.org Sample" in message.body
    assert message.subject is None or not re.search(r"[\r\n\u202e]", message.subject)


def test_what_an_agency_writes_is_never_a_template() -> None:
    assert "{{ 7*7 }} Sample" in told(notice("Jail", "Escape", name=Name(given="{{ 7*7 }}", sur="Sample")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_death_is_never_told_as_a_release(language: str, channel: str) -> None:
    for event_type, subtype in RULE_SET.codes:
        if subtype == "Death":
            for telling in ("news", "cancellation"):
                said = told(notice(event_type, subtype, telling=telling), language=language, channel=channel)
                assert not re.search(r"releas|libert|salid|salió", said, re.IGNORECASE)
                assert re.search(r"died|death|falleci", said)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", ["email", "voice"])
@pytest.mark.parametrize("subtype", ["Request ICOTS Transfer", "Subsequent State Request", "Return Request"])
def test_a_request_to_transfer_states_the_right_to_be_heard_and_its_clock(language: str, channel: str, subtype: str) -> None:
    said = told(notice("Interstate Compact", subtype, sending_state="VA"), language=language, channel=channel)
    for needed in ("3.108", "15", "5", "Virginia", {"en": "5th business day", "es": "quinto día hábil"}[language]):
        assert needed in said


@pytest.mark.parametrize("channel", ["email", "voice"])
def test_email_and_voice_say_number_and_both_states(channel: str) -> None:
    said = told(notice("Interstate Compact", "Arrival", sending_state="VA", receiving_state="NC"), channel=channel)
    for needed in ("John Q Sample", "ICOTS 1203344", "Virginia", "North Carolina", "911"):
        assert needed in said


def test_spanish_keeps_its_accents_except_if_a_text_message_has_none() -> None:
    given = notice("Interstate Compact", "Departure", name=Name(given="José", sur="Núñez Peña"), sending_state="NC")
    assert "José Núñez Peña salió de Carolina del Norte" in told(given, language="es", channel="email")
    assert "José Nuñez Peña salio de Carolina del Norte" in told(given, language="es").replace("Jose", "José")


@pytest.mark.parametrize("channel", CHANNELS)
def test_spanish_without_states_still_joins_preposition_and_article(channel: str) -> None:
    for code in TEXTS.values():
        said = told(notice(*code, name=Name(full="X")), language="es", channel=channel)
        assert not re.search(r"\b[Dd]e el (?!lunes)|\b[Aa] el (?!lunes)", said), said


def test_a_language_without_texts_is_told_in_english() -> None:
    message = message_for((notice("Jail", "Escape"),), RULES, NOON, "vi", "sms")
    assert message is not None
    assert message.language == "en"


def test_a_regional_language_is_told_in_its_language() -> None:
    message = message_for((notice("Jail", "Escape"),), RULES, NOON, "es-MX", "sms")
    assert message is not None
    assert message.language == "es"


def test_a_subtype_without_a_text_is_not_told() -> None:
    assert message_for((notice("Jail", "Haircut"),), RULES, NOON, "en", "sms") is None


def test_an_event_types_own_words_come_first() -> None:
    assert "from supervision" in told(notice("Supervision", "Release"))
    assert "from immigration custody" in told(notice("Immigration Enforcement", "Release"))
    assert "released from custody" in told(notice("Jail", "Release"))


@pytest.mark.parametrize(
    ("ori", "jurisdiction", "expected"),
    [
        ("VA0430000", "VA", "Dec 14, 2026 10:00 AM EST"),
        ("PR0010000", "PR", "Dec 14, 2026 11:00 AM AST"),
        ("HI0010000", "HI", "Dec 14, 2026 5:00 AM HST"),
    ],
)
def test_a_hearing_is_told_in_the_agencys_own_time(ori: str, jurisdiction: str, expected: str) -> None:
    given = notice("Court", "Court Hearing", ori=ori, jurisdiction=jurisdiction, action_at=1_797_260_400_000)
    assert expected in told(given)


@pytest.mark.parametrize(("ori", "jurisdiction", "offset"), [("PR0010000", "PR", 4), ("HI0010000", "HI", 10), ("VA0430000", "VA", 4)])
def test_a_date_without_time_is_that_day_wherever_it_is_read(ori: str, jurisdiction: str, offset: int) -> None:
    midnight = 1_793_491_200_000 + offset * HOUR  # 2026-11-01, the day clocks go back in Virginia
    given = notice("Court", "Court Hearing", ori=ori, jurisdiction=jurisdiction, action_at=midnight, date_only=True)
    assert "on Nov 1, 2026." in told(given)
    assert "Sunday, November 1, 2026." in told(given, channel="email")
    assert "el domingo, 1 de noviembre de 2026." in told(given, channel="voice", language="es").replace("para el", "el")


@pytest.mark.parametrize(
    ("language", "hour", "said"),
    [
        ("es", 15, "el lunes, 2 de noviembre de 2026, a las 10:00 a.m. EST"),
        ("es", 18, "el lunes, 2 de noviembre de 2026, a la 1:00 p.m. EST"),
        ("es", 6, "el lunes, 2 de noviembre de 2026, a la 1:00 a.m. EST"),
        ("en", 18, "on Monday, November 2, 2026, 1:00 PM EST"),
    ],
)
def test_a_time_is_joined_to_its_day_as_the_language_does(language: str, hour: int, said: str) -> None:
    at = NOON - 17 * HOUR + hour * HOUR
    assert said in told(notice("Jail", "Escape", action_at=at), language=language, channel="email")


def test_a_date_ahead_is_not_told_as_past() -> None:
    assert "is to be released" in told(notice("Jail", "Release", action_at=NOON + HOUR))
    assert "was released" in told(notice("Jail", "Release", action_at=NOON - HOUR))


def test_a_change_says_what_was_and_what_is() -> None:
    changes = (Change("action_at", "2026-12-10T15:00:00Z", "2026-12-14T15:00:00Z"), Change("court", "Richmond Court", "Henrico Court"))
    given = notice("Court", "Court Hearing", telling="change", changes=changes)
    said = told(given, channel="email")
    assert "the date was Thursday, December 10, 2026, 10:00 AM EST, is now Monday, December 14, 2026, 10:00 AM EST" in said
    assert "the court was Richmond Court, is now Henrico Court" in said


def test_a_changed_time_keeps_both_times_and_a_changed_day_both_days_when_it_must_be_short() -> None:
    def short(old: str, new: str) -> str:
        changes = (Change("action_at", old, new), Change("court", "A" * 60, "B" * 60))
        return told(notice("Court", "Court Hearing", telling="change", changes=changes))

    same_day = short("2026-12-15T02:00:00Z", "2026-12-15T03:00:00Z")
    assert "was 9:00 PM EST, is now Dec 14, 2026 10:00 PM EST" in same_day
    assert "Further changes: 1." in same_day
    assert "was Dec 14, 2026, is now Dec 15, 2026 10:00 PM EST" in short("2026-12-15T02:00:00Z", "2026-12-16T03:00:00Z")


def test_a_changed_field_without_a_word_of_its_own_is_not_told_by_its_name_in_the_code() -> None:
    said = told(notice("Court", "Court Hearing", telling="change", changes=(Change("bail_total", "1", "2"),)))
    assert "a detail was 1, is now 2" in said


def test_every_offender_is_named_once() -> None:
    john, jane = notice("Jail", "Escape"), notice("Jail", "Escape", part=1, name=JANE.name, identifiers=JANE.identifiers)
    again = notice("Jail", "Escape", message_id="M-2", offender="o2", name=Name(given="JOHN", middle="Q", sur="SAMPLE"))
    assert "John Q Sample and Jane Specimen escaped" in told(john, jane, again)
    assert told(john, jane, channel="email").count("Name: ") == 2


def test_more_offenders_than_fit_are_counted() -> None:
    many = [notice("Jail", "Escape", part=n, name=Name(given=f"Bartholomew{n}", sur=f"Featherstonehaugh{n}")) for n in range(5)]
    assert re.search(r"VN: B\. Featherstonehaugh0 and 4 more escaped", told(*many))
    assert re.search(r"B\. Featherstonehaugh0 y 4 más".replace("á", "a"), told(*many, language="es"))


def test_spanish_says_e_before_the_sound_of_i() -> None:
    john = notice("Jail", "Escape", name=Name(given="Ana"))
    for called, expected in (("Inés", "Ana e Inés"), ("Hilda", "Ana e Hilda"), ("Yolanda", "Ana y Yolanda"), ("Hierro", "Ana y Hierro")):
        other = notice("Jail", "Escape", part=1, name=Name(given=called))
        assert f"{expected} se fugaron" in told(john, other, language="es", channel="email")


def test_a_name_that_gsm7_cannot_write_is_told_by_number() -> None:
    given = notice("Jail", "Escape", name=Name(full="Алексей Иванов"))
    assert told(given).startswith("VN: ICOTS 1203344 escaped")
    assert "Алексей Иванов escaped" in told(given, channel="email")


def test_an_offender_without_name_is_told_by_number() -> None:
    assert told(notice("Jail", "Escape", name=None)).startswith("VN: ICOTS 1203344 escaped")
    assert told(notice("Jail", "Escape", name=None, identifiers=())).startswith(
        "VN: An offender whose name was not given".replace("An", "an")
    )


def test_a_text_may_use_nothing_that_is_not_there() -> None:
    text = Text("n", "{{ victims }}", "", "", "")
    facts = facts_of((notice("Jail", "Escape"),), Style("en", RULES, RULE_SET, RULE_SET.zone, brief=True), NOON)
    with pytest.raises(UndefinedError):
        fill("sms", facts, RULE_SET.texts["*news", "en"], RULE_SET.texts["*about", "en"], text)


@pytest.mark.parametrize("sms", ["{{ victims }}", "{{ n('one') }}", "{{ names.__class__ }}", "{% if %}"])
def test_a_text_that_cannot_be_filled_in_is_none(sms: str, tmp_path: Path) -> None:
    (tmp_path / "va.toml").write_text(f'[[text]]\nsubtype = "Escape"\nlanguage = "en"\nsms = "{sms}"\n', encoding="utf-8")
    assert message_for((notice("Jail", "Escape"),), load_rules(tmp_path), NOON, "en", "sms") is None


def test_the_check_of_rule_files_knows_what_a_text_may_name() -> None:
    facts = facts_of((notice("Jail", "Escape"),), Style("en", RULES, RULE_SET, RULE_SET.zone, brief=True), NOON)
    about_registration = FactsOfRegistration("", None, RULES, NOON, RULE_SET.zone, brief=True).in_words("en")
    assert {*context_of(facts), *about_registration} == TEXT_VARIABLES - {"text", "noun", "about"}


def test_john_and_his_full_name_are_one() -> None:
    assert full_name(Name(full="John Q Sample")) == full_name(JOHN.name) == "John Q Sample"


def test_email_gives_the_compact_offices_telephones_if_the_rules_have_them(tmp_path: Path) -> None:
    (tmp_path / "va.toml").write_text(
        '[[jurisdiction]]\ncompact_office = "Virginia Compact Office"\ncompact_office_phone = "+1 804 555 0100"\n', encoding="utf-8"
    )
    given = notice("Interstate Compact", "Arrival", sending_state="VA", receiving_state="NC")
    message = message_for((given,), load_rules(tmp_path), NOON, "en", "email")
    assert message is not None
    assert "Virginia Compact Office: +1 804 555 0100" in message.body


def test_a_rule_file_in_another_language_is_used_if_it_has_all_it_needs(tmp_path: Path) -> None:
    entries = "".join(
        f"[[text]]\nlanguage = 'vi'\nsubtype = '{subtype}'\nnoun = 'x'\nsms = '{sms}'\n"
        for subtype, sms in (("*about", ""), ("*news", "VN: {{ text }}"), ("Escape", "{{ names }} {{ when }}"))
    )
    (tmp_path / "vietnamese.toml").write_text(entries, encoding="utf-8")
    message = message_for((notice("Jail", "Escape"),), load_rules(tmp_path), NOON, "vi", "sms")
    assert message is not None
    assert (message.language, message.body[:17]) == ("vi", "VN: John Q Sample")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_lock_screen_shows_of_a_discreet_message_names_nobody_and_no_event(language: str) -> None:
    for name, code in fourth(list(TEXTS.items()), LANGUAGES.index(language)):
        notices = (notice(*code, name=LONG), notice(*code, part=1, name=Name(given="Ana", sur="Peña")))
        for channel in ("sms", "email"):
            message = message_for(notices, RULES, NOON, f"{language}-x-discreet", channel)
            plain = message_for(notices, RULES, NOON, language, channel)
            assert message is not None and plain is not None, name  # noqa: PT018
            assert message.language == language  # as voices and mail programs know it
            shown = message.body if channel == "sms" else f"{message.subject} {message.body.partition(chr(10))[0]}"
            assert not any(each in shown for each in ("Featherston", "Maximiliano", "Peña", "Pena", *LONG_WORDS[language])), (name, shown)
            assert shown.startswith("M.F., A.P.")
            if channel == "sms":
                assert fits(shown)
            else:
                assert plain.body.strip() in message.body, name


def test_a_discreet_message_says_where_to_ask(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text('[[jurisdiction]]\ncompact_office_phone = "804-555-0100"\n', encoding="utf-8")
    message = message_for((notice("Jail", "Escape", sending_state="VA"),), load_rules(tmp_path), NOON, "en-x-discreet", "sms")
    assert message is not None
    assert message.body.endswith("In an emergency call 911. Ask: 804-555-0100")
    plain = message_for((notice("Jail", "Escape", sending_state="VA"),), load_rules(tmp_path), NOON, "en", "sms")
    assert plain is not None
    assert "804-555" not in plain.body


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        (Name(given="Tom", middle="Q", sur="Walker"), "T.W."),
        (Name(full="WALKER, THOMAS"), "W.T."),
        (Name(full="Cher"), "C."),
        (None, "N.N."),
    ],
)
def test_initials(name: Name | None, initials: str) -> None:
    assert initials_of(name) == initials


CHANNELS: tuple[Channel, Channel] = ("sms", "email")


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_confirmation_says_every_status_and_kind_of_place_in_words_of_its_language_and_fits_one_text_message(language: str) -> None:
    statuses = [each.name for each in RULES.rule_set("", NOON).entries["status"].values()]
    kinds = [each.name for each in RULES.rule_set("", NOON).entries["location"].values()]
    assert len(statuses) > 15
    assert len(kinds) > 10
    for status in statuses:
        for kind in kinds:
            standing = OffenderStanding(offender="o1", status=status, status_since=NOON, kind=kind, jurisdiction="VA")
            sms, email = (sample_about_registration(RULES, "registered", language, each, NOON, standing) for each in CHANNELS)
            assert sms is not None
            assert email is not None
            assert fits(sms.body), sms.body
            words = FactsOfRegistration("", standing, RULES, NOON, RULE_SET.zone, brief=False).in_words(language)
            assert words["status"] != status
            assert words["kind"] != kind
            assert words["status"] in email.body
            assert words["kind"] in email.body


def test_a_discreet_confirmation_says_where_the_offender_stands_only_in_what_a_lock_screen_does_not_show() -> None:
    standing = OffenderStanding(offender="o1", status="Escapee", status_since=NOON, jurisdiction="VA")
    sms, email = (sample_about_registration(RULES, "registered", "en-x-discreet", each, NOON, standing) for each in CHANNELS)
    assert sms is not None
    assert email is not None
    assert "escaped" not in sms.body
    assert "escaped" not in f"{email.subject} {email.body.partition(chr(10))[0]}"
    assert "escaped" in email.body
