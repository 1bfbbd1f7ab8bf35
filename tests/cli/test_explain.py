"""The life of one message, from the journal."""

from msgspec import structs

from processors.cli.explain import message_history
from processors.domain.notification import Response
from tests.cli.given import AT, verdict


def test_decisions_in_the_order_of_time_and_road() -> None:
    journal = [
        (AT + 5, verdict("deliver", "sent")),
        (AT, verdict("validate", "passed")),
        (AT, verdict("read", "accepted")),
        (AT, verdict("dedupe", "passed")),
        (AT, verdict("match", "matched", message_id="M-2")),
    ]
    found = message_history("M-1", journal)
    assert [each["stage"] for each in found["decisions"]] == ["read", "dedupe", "validate", "deliver"]
    assert found["decisions"][0]["at"].startswith("2026-")
    assert "registrant_id" not in found["decisions"][0], "nothing is said that there is not"


def test_what_a_reviewer_released_goes_on_after_the_release() -> None:
    journal = [
        (AT, verdict("validate", "flagged", "workflow", at=AT)),
        (AT + 60_001, verdict("match", "matched", at=AT)),
        (AT + 60_000, verdict("validate", "passed", "released", at=AT + 59_999)),
    ]
    assert [each["outcome"] for each in message_history("M-1", journal)["decisions"]] == ["flagged", "passed", "matched"]


def test_notifications_with_their_attempts_and_receipts() -> None:
    sent = [
        verdict("deliver", "sent", notification_id="N-1", registrant_id="R-1", reference=f"R-1.{channel}", channel=channel)
        for channel in ("sms", "email")
    ]
    answer = verdict("deliver", "receipt", "delivered", message_id="R-1.sms", reference="R-1.sms", ori=None, offender=None)
    other = verdict("deliver", "receipt", "delivered", message_id="R-9.sms", reference="R-9.sms", ori=None, offender=None)
    (notification,) = message_history("M-1", ((AT, each) for each in (*sent, answer, other)))["notifications"]
    assert (notification["notification_id"], notification["registrant_id"]) == ("N-1", "R-1")
    assert [(each["channel"], len(each["receipts"])) for each in notification["attempts"]] == [("sms", 1), ("email", 0)]


def test_an_attempt_and_its_receipts_are_shown_once_however_much_was_told_together() -> None:
    attempt = {"notification_id": "N-1", "registrant_id": "R-1", "reference": "R-1.a", "channel": "sms"}
    journal = [
        *(verdict("deliver", "sent", offender=offender, **attempt) for offender in ("o1", "o2")),
        verdict("deliver", "sent", message_id="M-2", **attempt),
        *(verdict("deliver", "receipt", message_id=message_id, offender=None, **attempt) for message_id in ("M-1", "M-2")),
    ]
    (notification,) = message_history("M-1", ((AT, each) for each in journal))["notifications"]
    assert [(each["reference"], len(each["receipts"])) for each in notification["attempts"]] == [("R-1.a", 1)]


def test_of_an_unknown_message_nothing_is_known() -> None:
    assert message_history("M-9", [(AT, verdict("read", "accepted"))]) == {
        "message_id": "M-9",
        "decisions": [],
        "responses": [],
        "notifications": [],
    }


def test_the_state_of_an_attempt_a_send_in_doubt_and_the_response() -> None:
    attempt = {"notification_id": "N-1", "registrant_id": "R-1", "reference": "R-1.a", "channel": "email"}
    journal = [
        verdict("deliver", "sent", status="sent", **attempt),
        verdict("deliver", "receipt", "ambiguous_send", status="accepted", **attempt),
        verdict("deliver", "noted", "receipt_wait", status="unanswered", **attempt),
        verdict("deliver", "delivered", "reached"),
    ]
    answered = Response(
        message_id="M-1",
        ori="VA0430000",
        event_type="Message Response",
        event_subtype="Message Successfully Delivered",
        notification_type="Internal",
        responded_at=AT,
    )
    found = message_history("M-1", ((AT, each) for each in journal), [answered, structs.replace(answered, message_id="M-2")])
    ((attempted,),) = [each["attempts"] for each in found["notifications"]]
    assert attempted["status"] == "unanswered"
    assert [each["reason"] for each in attempted["receipts"]] == ["ambiguous_send"]
    assert [each["event_subtype"] for each in found["responses"]] == ["Message Successfully Delivered"]
    assert found["decisions"][-1]["outcome"] == "delivered"
