"""A feed's output compared with its answer key."""

from typing import Any

from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Outbound
from processors.rehearsal.answer_key import differences, messages_held, notifications_told
from tests.cli.given import letter, outbound, verdict

KEY: dict[str, Any] = {
    "told": {
        "R-1": [
            {
                "kind": "notification",
                "event_subtype": "Escape",
                "message_ids": ["M-1"],
                "offenders": ["Dean Colton"],
                "channels": ["email", "sms"],
            }
        ]
    },
    "held": [{"message_id": "M-2", "stage": "validate", "outcome": "suppressed", "reason": "past"}],
    "rejected": {"unknown_code": 1},
}


def out() -> tuple[list[Outbound], list[Verdict], list[DeadLetter]]:
    return (
        [outbound("sms"), outbound("email")],
        [verdict("identify", "passed", message_id="M-2"), verdict("validate", "suppressed", "past", message_id="M-2")],
        [letter("unknown_code")],
    )


def test_nothing_differs_if_everything_is_as_it_should_be() -> None:
    assert differences(KEY, *out()) == []


def test_a_notification_is_told_once_whatever_the_number_of_channels() -> None:
    assert notifications_told([outbound("sms"), outbound("email")]).total() == 1
    assert notifications_told([outbound("sms"), outbound("sms", notification_id="N-2")]).total() == 2


def test_what_is_missing_and_what_is_too_much_is_said() -> None:
    messages, journal, dead = out()
    assert differences(KEY, [], journal, dead) == ["missing: R-1 notification Escape by email, sms on Dean Colton (M-1)"]
    twice = [*messages, outbound("sms", notification_id="N-2")]
    assert differences(KEY, twice, journal, dead) == ["too many: R-1 notification Escape by sms on Dean Colton (M-1)"]


def test_a_message_held_back_for_another_reason_is_said() -> None:
    messages, journal, dead = out()
    assert differences(KEY, messages, journal[:1], dead) == ["M-2: held back as None, not as ('validate', 'suppressed', 'past')"]


def test_dead_letters_are_counted_by_reason() -> None:
    messages, journal, _ = out()
    assert differences(KEY, messages, journal, []) == ["rejected as unknown_code: 0, not 1"]
    assert differences(KEY, messages, journal, [letter("unknown_code"), letter("too_large")]) == ["rejected as too_large: 1, not 0"]


def test_the_furthest_stage_has_the_last_word() -> None:
    journal = [
        verdict("validate", "flagged", "order"),
        verdict("match", "matched"),
        verdict("deliver", "sent"),
        verdict("dedupe", "passed"),
    ]
    assert messages_held(journal) == {}
    assert messages_held(journal[:1]) == {"M-1": ("validate", "flagged", "order")}
