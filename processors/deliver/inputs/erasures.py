"""Erases a registrant: destroys their key, drops everything that waits for them, and leaves only a mark (contract §4)."""

from collections.abc import Iterable

from processors.deliver.due import drop_notices, review_of_pending
from processors.deliver.inputs.replies import review_of_reply
from processors.deliver.keys import destroy_key
from processors.deliver.outcome import end_notice
from processors.deliver.situation import Situation
from processors.deliver.state import Delivery, KnownRegistration, Registrant, State, delivery_key
from processors.domain.erasure import Erasure
from processors.stage import Decision, Output, combine
from processors.topics import REGISTRATION_STATUS

DETAIL = "the registrant was erased before it was told"


def erase(registrant: Registrant, erasure: Erasure, deliveries: Iterable[Delivery], situation: Situation) -> Decision[State]:
    """End everything about a registrant, and leave marks so that late records are recognized as outdated."""
    marks = {each: KnownRegistration(registration_id=each, seq=known.seq, ended=True) for each, known in registrant.registrations.items()}
    left = Registrant(registrant_id=registrant.registrant_id, registrations=marks)
    detail = f"{erasure.requested_by} asked for it: {erasure.reason}"
    subjects = (registrant.registrant_id, *(each for each, known in registrant.registrations.items() if known.sealed))
    journaled = Decision[State](verdicts=tuple(situation.verdict(each, "noted", "erased", detail) for each in subjects))
    return combine(
        (
            *(end_pending(registrant, situation)),
            *(end_delivery(each, situation) for each in deliveries),
            Decision(outputs=tuple(review_of_reply(reply, "superseded", situation) for reply in registrant.replies)),
            Decision(outputs=tuple(Output(REGISTRATION_STATUS, each, None) for each in registrant.registrations)),
            Decision(states={registrant.registrant_id: left}),
            destroy_key(left, erasure.seq, situation),
            journaled,
        )
    )


def end_pending(registrant: Registrant, situation: Situation) -> Iterable[Decision[State]]:
    """Yield the end of everything that waits, with its reviews."""
    for pending in registrant.pending:
        yield drop_notices(pending.notices, "erased", DETAIL, situation)
        yield review_of_pending(pending, "superseded", DETAIL, situation)


def end_delivery(delivery: Delivery, situation: Situation) -> Decision[State]:
    """End a delivery: no further attempts are made, and its receipts are no longer known."""
    if delivery.result is None:
        verdicts = [situation.notice_verdict(each, "dropped", "erased", DETAIL) for each in delivery.notices]
        over = combine(end_notice(each, "nobody", verdict) for each, verdict in zip(delivery.notices, verdicts, strict=True))
    else:
        over = Decision()
    return over.then(Decision(states={delivery_key(situation.registrant_id, delivery.notification_id): None}))
