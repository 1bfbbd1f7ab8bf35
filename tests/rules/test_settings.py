"""The administrative settings: defaults, values, errors, and which of several values counts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import processors
from processors.domain.event import Scope
from processors.domain.policy import Policy
from processors.rules.rule_set import QuietHours, Rules, Surge
from processors.rules.setting_table import SETTINGS
from processors.rules.setting_values import BadSetting
from processors.rules.settings import Settings, check_setting, parse
from processors.rules.settings_page import settings_markdown
from tests.source import texts

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
ANYWHERE = Scope()
PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
ROOT = Path(processors.__file__).parent


@pytest.mark.parametrize(
    ("key", "kind", "expected"),
    [
        ("date.future", "Hearing Notice", 60 * DAY),
        ("date.future", "Movement", 365 * DAY),
        ("date.past", "Hearing Notice", 0),
        ("date.past", "Status Update", DAY),
        ("duplicate.window", "Information", 90 * DAY),
        ("cancel.hold", "Information", 15 * MINUTE),
        ("transfer.hold", "Status Update", 8 * HOUR),
        ("merge.window", "Status Update", 30 * SECOND),
        ("out_of_order.hold", "Information", 15 * MINUTE),
        ("voice.retry", "Information", 2 * HOUR),
        ("voice.give_up", "Information", DAY),
        ("sms.retry", "Information", 5 * MINUTE),
        ("email.retry", "Information", 5 * MINUTE),
        ("delivery.give_up", "Information", DAY),
        ("feed.silence", "Information", DAY),
        ("retention.contacts", "Information", 30 * DAY),
        ("attempt.lease", "Information", 15 * MINUTE),
        ("contact.reverify", "Information", 365 * DAY),
        ("response.hold", "Information", 0),
        ("notify.within", "Information", 15 * MINUTE),
    ],
)
def test_default_durations(built_in: Rules, key: str, kind: str, expected: int) -> None:
    assert built_in.duration(key, Scope("VA", kind, "Escape")) == expected


def test_the_other_defaults(built_in: Rules) -> None:
    assert built_in.flag("internal.forward", ANYWHERE) is False
    assert built_in.flag("responses", ANYWHERE) is True
    assert built_in.surge(ANYWHERE) == Surge(500, 10 * MINUTE)
    assert built_in.quiet_hours(ANYWHERE) == QuietHours(21 * 60, 7 * 60)
    assert built_in.text("delivery.order", ANYWHERE) == "all"
    assert built_in.text("opt_out.scope", ANYWHERE) == "channel"
    assert built_in.verify_attempts() == Surge(5, HOUR)
    assert built_in.settings.value("review.four_eyes", ANYWHERE) == 25
    assert built_in.version.endswith(".p0")


@pytest.mark.parametrize(("channel", "wait"), [("sms", 72 * HOUR), ("email", DAY), ("voice", 15 * MINUTE)])
def test_each_channel_waits_as_long_for_its_receipts_as_it_needs_until_somebody_sets_it(built_in: Rules, channel: str, wait: int) -> None:
    assert built_in.duration("receipt.wait", ANYWHERE, channel=channel) == wait
    rules = built_in.with_policies([Policy(key="receipt.wait", value="1h")])
    assert rules.duration("receipt.wait", ANYWHERE, channel=channel) == HOUR


@pytest.mark.parametrize(
    ("key", "ordinary", "emergency"), [("attempt.lease", 15 * MINUTE, 2 * MINUTE), ("notify.within", 15 * MINUTE, MINUTE)]
)
def test_emergencies_have_shorter_times(built_in: Rules, key: str, ordinary: int, emergency: int) -> None:
    assert built_in.duration(key, ANYWHERE) == ordinary
    assert built_in.duration(key, ANYWHERE, emergency=True) == emergency


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_a_number_is_whole_and_at_least_one(text: str) -> None:
    with pytest.raises(BadSetting, match="whole number"):
        parse("review.four_eyes", text)


def test_emergencies_are_gathered_for_less_time_until_somebody_sets_it(built_in: Rules) -> None:
    assert built_in.duration("merge.window", ANYWHERE, emergency=True) == 5 * SECOND
    assert built_in.duration("merge.window", ANYWHERE, emergency=False) == 30 * SECOND
    rules = built_in.with_policies([Policy(key="merge.window", value="1m")])
    assert rules.duration("merge.window", ANYWHERE, emergency=True) == MINUTE


def test_a_set_value_beats_the_default_of_a_notification_type(built_in: Rules) -> None:
    rules = built_in.with_policies([Policy(key="date.future", value="10d")])
    assert rules.duration("date.future", Scope("VA", "Hearing Notice", None)) == 10 * DAY


def test_values_of_every_kind_can_be_set(built_in: Rules) -> None:
    rules = built_in.with_policies(
        [
            Policy(key="internal.forward", value="true", jurisdiction="VA"),
            Policy(key="surge.limit", value="none", event_subtype="Release"),
            Policy(key="quiet.hours", value="22:30-06:00"),
            Policy(key="quiet.hours", value="none", jurisdiction="PR"),
            Policy(key="delivery.order", value="escalate"),
        ]
    )
    assert rules.flag("internal.forward", Scope("VA")) is True
    assert rules.flag("internal.forward", Scope("NC")) is False
    assert rules.surge(Scope("VA", "Status Update", "Release")) is None
    assert rules.surge(Scope("VA", "Status Update", "Escape")) == Surge(500, 10 * MINUTE)
    assert rules.quiet_hours(Scope("VA")) == QuietHours(22 * 60 + 30, 6 * 60)
    assert rules.quiet_hours(Scope("PR")) is None
    assert rules.text("delivery.order", ANYWHERE) == "escalate"


def test_with_policies_forgets_those_before(built_in: Rules) -> None:
    rules = built_in.with_policies([Policy(key="cancel.hold", value="1h")])
    assert rules.with_policies([]).version == built_in.version
    assert rules.with_policies([]).duration("cancel.hold", ANYWHERE) == 15 * MINUTE
    assert built_in.duration("cancel.hold", ANYWHERE) == 15 * MINUTE


# --- which value counts -------------------------------------------------------------------------------------------------

PLACES = [
    (None, None, None),
    ("VA", None, None),
    (None, "Movement", None),
    ("VA", "Movement", None),
    (None, None, "Arrival"),
    ("VA", None, "Arrival"),
    (None, "Movement", "Arrival"),
    ("VA", "Movement", "Arrival"),
]  # from the least specific to the most


def policy_at(rank: int) -> Policy:
    state, kind, subtype = PLACES[rank]
    return Policy(key="cancel.hold", value=f"{rank + 1}h", jurisdiction=state, notification_type=kind, event_subtype=subtype)


@given(st.lists(st.sampled_from(range(len(PLACES))), unique=True, min_size=1))
def test_the_most_specific_value_counts(ranks: list[int]) -> None:
    settings = Settings.of([policy_at(rank) for rank in ranks])
    assert settings.value("cancel.hold", Scope("VA", "Movement", "Arrival")) == (max(ranks) + 1) * HOUR


@given(st.lists(st.sampled_from(range(len(PLACES))), unique=True))
def test_a_value_set_elsewhere_does_not_count(ranks: list[int]) -> None:
    settings = Settings.of([policy_at(rank) for rank in ranks])
    counting = [rank for rank in ranks if PLACES[rank][0] is None and PLACES[rank][2] is None]
    expected = (max(counting) + 1) * HOUR if counting else 15 * MINUTE
    assert settings.value("cancel.hold", Scope("NC", "Movement", "Departure")) == expected


@given(st.permutations(range(len(PLACES))))
def test_the_version_does_not_depend_on_the_order_of_setting(ranks: list[int]) -> None:
    settings = Settings.of([policy_at(rank) for rank in ranks])
    assert settings.version == Settings.of([policy_at(rank) for rank in range(len(PLACES))]).version != "0"


def test_another_value_has_another_version() -> None:
    one, other = (Settings.of([Policy(key="cancel.hold", value=value)]) for value in ("1h", "2h"))
    assert one.version != other.version


# --- values that cannot be used -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("date.soon", "1d", "there is no setting 'date.soon': the settings are attempt.lease, cancel.hold, "),
        ("cancel.hold", "15", "cancel.hold cannot be '15': write a whole number and s, m, h or d, such as 30s, 15m, 8h or 60d."),
        ("cancel.hold", "-1m", "cancel.hold cannot be '-1m': write a whole number"),
        ("cancel.hold", "1.5h", "cancel.hold cannot be '1.5h': write a whole number"),
        ("cancel.hold", "٣h", "cancel.hold cannot be '٣h': write a whole number"),
        ("cancel.hold", "999999d", "cancel.hold cannot be '999999d': the longest is 30d."),
        ("responses", "yes", "responses cannot be 'yes': write true or false."),
        ("surge.limit", "500", "surge.limit cannot be '500': write a number of messages and a time, such as 500/10m, or none."),
        ("surge.limit", "0/10m", "surge.limit cannot be '0/10m': write a number of messages and a time"),
        ("surge.limit", "5/0s", "surge.limit cannot be '0s': the shortest is 1s."),
        ("surge.limit", "999999999/10m", "surge.limit cannot be '999999999/10m': the most is 100000."),
        ("verify.attempts", "0/1h", "verify.attempts cannot be '0/1h': write a number of wrong codes and a time, such as 5/1h, or none."),
        ("verify.attempts", "101/1h", "verify.attempts cannot be '101/1h': the most is 100."),
        ("review.four_eyes", "999999999", "review.four_eyes cannot be '999999999': the most is 10000."),
        ("surge.limit", "5/ten", "surge.limit cannot be 'ten': write a whole number"),
        ("quiet.hours", "9-5", "quiet.hours cannot be '9-5': write two times of day, such as 21:00-07:00, or none."),
        ("quiet.hours", "24:00-07:00", "quiet.hours cannot be '24:00-07:00': write two times of day"),
        ("quiet.hours", "07:00-07:00", "quiet.hours cannot be '07:00-07:00': the two times must differ"),
        ("delivery.order", "random", "delivery.order cannot be 'random': write all or escalate."),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(key: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as told:
        parse(key, value)
    assert str(told.value).startswith(sentence)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize(
    "key",
    [
        *("attempt.lease", "contact.reverify", "delivery.give_up", "duplicate.window", "email.retry", "feed.silence", "notify.within"),
        *("receipt.wait", "sms.retry", "voice.give_up", "voice.retry"),
    ],
)
def test_a_duration_that_must_not_be_nothing_is_at_least_a_second(built_in: Rules, key: str) -> None:
    with pytest.raises(BadSetting, match=rf"^{key} cannot be '0s': the shortest is 1s\.$"):
        parse(key, "0s")
    assert parse(key, "1s") == SECOND
    on_topic = built_in.with_policies([Policy(key=key, value="0s")])
    assert on_topic.settings.value(key, ANYWHERE) == built_in.settings.value(key, ANYWHERE)
    assert len(on_topic.refused) == 1


@pytest.mark.parametrize(
    "key",
    [
        "cancel.hold",
        "date.future",
        "date.past",
        "merge.window",
        "out_of_order.hold",
        "response.hold",
        "retention.contacts",
        "transfer.hold",
    ],
)
def test_a_duration_of_nothing_means_at_once_or_off(key: str) -> None:
    assert parse(key, "0s") == 0


@pytest.mark.parametrize("key", sorted(key for key, setting in SETTINGS.items() if setting.kind in {"duration", "rate"}))
def test_every_duration_has_a_longest_that_can_be_set(key: str) -> None:
    setting = SETTINGS[key]
    number = "1/" if setting.kind == "rate" else ""
    assert parse(key, number + setting.longest)
    with pytest.raises(BadSetting, match=f"the longest is {setting.longest}"):
        parse(key, f"{number}{int(setting.longest[:-1]) + 1}d")


@pytest.mark.parametrize(
    ("scope", "key", "sentence"),
    [
        (
            Scope("VA"),
            "retention.contacts",
            "retention.contacts cannot be set for one jurisdiction: it can be set only for everything at once.",
        ),
        (
            Scope(None, "Movement"),
            "feed.silence",
            "feed.silence cannot be set for one notification type: it can be set only for each jurisdiction.",
        ),
        (Scope("Virginia"), "cancel.hold", "'Virginia' is no jurisdiction: write the two capital letters of a state, such as VA."),
        (
            Scope(None, "Movment"),
            "cancel.hold",
            "no rule file knows the notification type 'Movment': write it as the code lists do, such as 'Movement'.",
        ),
        (
            Scope(None, None, "escape"),
            "cancel.hold",
            "no rule file knows the event subtype 'escape': write it as the code lists do, such as 'Escape'.",
        ),
    ],
)
def test_a_scope_that_cannot_be_used_is_told_in_a_sentence(built_in: Rules, scope: Scope, key: str, sentence: str) -> None:
    with pytest.raises(BadSetting) as told:
        check_setting(key, "1h", scope, built_in)
    assert str(told.value) == sentence


def test_a_jurisdiction_without_a_rule_file_is_refused(built_in: Rules) -> None:
    with pytest.raises(BadSetting, match=r"^no rule file is for 'XX': write one of AK, AL, AR, .*\.$"):
        check_setting("cancel.hold", "1h", Scope("XX"), built_in)


def test_a_good_setting_passes(built_in: Rules) -> None:
    check_setting("cancel.hold", "1h", Scope("VA", "Movement", "Arrival"), built_in)


def test_a_policy_that_cannot_be_used_is_left_out_and_told(built_in: Rules) -> None:
    rules = built_in.with_policies([Policy(key="cancel.hold", value="soon"), Policy(key="transfer.hold", value="1h")])
    assert rules.duration("cancel.hold", ANYWHERE) == 15 * MINUTE
    assert rules.duration("transfer.hold", ANYWHERE) == HOUR
    assert [sentence.partition(":")[0] for sentence in rules.refused] == ["cancel.hold cannot be 'soon'"]


@given(st.sampled_from(sorted(SETTINGS)), st.text(max_size=12))
def test_any_text_is_a_value_or_a_sentence(key: str, text: str) -> None:
    settings = Settings.of([Policy(key=key, value=text)])
    assert len(settings.values) + len(settings.refused) == 1
    assert all(sentence.endswith(".") for sentence in settings.refused)


def test_the_page_of_settings_is_the_code_s() -> None:
    assert PAGE.read_text() == settings_markdown(), "regenerate docs/settings.md with processors.rules.settings_page.settings_markdown()"


def test_every_setting_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert all(f"| `{key}` | {setting.default_text} |" in page for key, setting in SETTINGS.items())


def read_by_the_pipeline() -> set[str]:
    """Return the keys that occur as a string in the code, apart from the table of settings and the names of topics."""
    sources = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).as_posix() not in {"rules/setting_table.py", "topics.py"}]
    constants = frozenset[str]().union(*map(texts, sources))
    return {key for key in SETTINGS if key in constants}


def test_every_setting_is_read() -> None:
    assert set(SETTINGS) == read_by_the_pipeline()
