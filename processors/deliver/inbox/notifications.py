"""A notification is gathered with others of its event; one that overtakes what has not left takes its place."""

from msgspec.structs import replace

from processors.deliver import gathering
from processors.deliver.moment import Moment
from processors.deliver.release import review
from processors.deliver.state import Notice, Pending, Registrant, State
from processors.domain.notification import Notification
from processors.domain.time import iso
from processors.stage import Decision, combine


def gather(registrant: Registrant, notification: Notification, moment: Moment) -> Decision[State]:
    """Return the registrant with the notification among what waits, and without what it replaces."""
    event = notification.event
    code = moment.rules.book(event.jurisdiction, event.received_at).code(event.event_type, event.event_subtype)
    notice = gathering.notice_of(notification, emergency=code is not None and code.emergency)
    pending, gone, left = gathering.overtake(registrant.pending, notice)
    overtaken = superseded(registrant, gone, notice, moment)
    if left is None:
        verdicts = [moment.notice_verdict(notice, "dropped", "superseded", "what it takes back had not left yet")]
    else:
        window = moment.rules.duration("merge.window", left.scope, emergency=left.emergency)
        pending, joined = gathering.admit(pending, left, moment.at, window)
        waits = moment.notice_verdict(left, "gathered", joined.why, f"waits until {iso(joined.due_at)}")
        verdicts = [waits] if joined.due_at > moment.at else []
    after = replace(registrant, pending=pending)
    return overtaken.then(Decision(states={registrant.registrant_id: after}, verdicts=tuple(verdicts)))


def superseded(registrant: Registrant, gone: tuple[Notice, ...], by: Notice, moment: Moment) -> Decision[State]:
    """Say of what was overtaken before it left that it was, and close the reviews that nothing is left of."""
    detail = f"message {by.message_id} came before it left"
    dropped = tuple(moment.notice_verdict(each, "dropped", "superseded", detail) for each in gone)
    reviews = (
        review(each, "superseded", f"message {by.message_id} replaced it", moment)
        for each in registrant.pending
        if is_under_review(each) and set(each.notices) <= set(gone)
    )
    return combine((Decision[State](verdicts=dropped), *reviews))


def is_under_review(pending: Pending) -> bool:
    return pending.review_id is not None
