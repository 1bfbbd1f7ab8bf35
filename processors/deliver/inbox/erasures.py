"""A registrant is erased: their key is destroyed, what waits for them is told to nobody, and only a mark is left (contract §4)."""

from collections.abc import Iterable

from processors.deliver.inbox.replies import review_of
from processors.deliver.keys import destroy_key
from processors.deliver.moment import Moment
from processors.deliver.outcome import end_notice
from processors.deliver.release import drop, review
from processors.deliver.state import Delivery, KnownRegistration, Registrant, State, delivery_key
from processors.domain.erasure import Erasure
from processors.stage import Decision, Output, combine
from processors.topics import REGISTRATION_STATUS

DETAIL = "the registrant was erased before it was told"


def erase(registrant: Registrant, erasure: Erasure, deliveries: Iterable[Delivery], moment: Moment) -> Decision[State]:
    """Return the end of everything about a registrant, and the marks by which what comes late is known to be over."""
    marks = {each: KnownRegistration(registration_id=each, seq=known.seq, ended=True) for each, known in registrant.registrations.items()}
    left = Registrant(registrant_id=registrant.registrant_id, registrations=marks)
    detail = f"{erasure.requested_by} asked for it: {erasure.reason}"
    said = Decision[State](verdicts=(moment.verdict(registrant.registrant_id, "noted", "erased", detail),))
    return combine(
        (
            *(end_pending(registrant, moment)),
            *(end_delivery(each, moment) for each in deliveries),
            Decision(outputs=tuple(review_of(reply, "superseded", moment) for reply in registrant.replies)),
            Decision(outputs=tuple(Output(REGISTRATION_STATUS, each, None) for each in registrant.registrations)),
            Decision(states={registrant.registrant_id: left}),
            destroy_key(left, erasure.seq, moment),
            said,
        )
    )


def end_pending(registrant: Registrant, moment: Moment) -> Iterable[Decision[State]]:
    """Yield the end of what waits, with its reviews."""
    for pending in registrant.pending:
        yield drop(pending.notices, "erased", DETAIL, moment)
        yield review(pending, "superseded", DETAIL, moment)


def end_delivery(delivery: Delivery, moment: Moment) -> Decision[State]:
    """Return the end of what was being told: nothing more of it leaves, and receipts for it are unknown."""
    if delivery.result is None:
        verdicts = [moment.notice_verdict(each, "dropped", "erased", DETAIL) for each in delivery.notices]
        over = combine(end_notice(each, "nobody", verdict) for each, verdict in zip(delivery.notices, verdicts, strict=True))
    else:
        over = Decision()
    return over.then(Decision(states={delivery_key(moment.registrant_id, delivery.notification_id): None}))
