"""Simulated mishaps: duplicates, redeliveries, corrections, cancellations, wrong order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from processors.simulation.case_log import CaseLog
from processors.simulation.message import DUPLICATE, ExpectedOutcome, Message, Notified, Redelivered, Withheld, action_time
from processors.simulation.times import DAY, HOUR, MINUTE

CANCEL_HOLD: Final = 15 * MINUTE  # contract §6
LONGEST: Final = 14 * HOUR  # from a message to the last one of its mishap
PROMPT: Final = 7 * HOUR


class PlannedMessage(NamedTuple):
    """
    A message about to be added, with its expected outcome.

    `gap` is the time until the next message about the offender. An `independent` message is one that no later message
    builds on, so that it may be cancelled.
    """

    at: int
    message: Message
    outcome: ExpectedOutcome
    gap: int
    independent: bool = False


def add_with_mishap(log: CaseLog, planned: PlannedMessage) -> None:
    """Add the message, and with the configured probability one mishap that befalls it."""
    at, message, outcome = planned[:3]
    for name, mishap, applies in MISHAPS:
        if planned.gap >= LONGEST and at + LONGEST < log.end and applies(planned) and log.occurs(name):
            mishap(log, at, message, outcome)
            return
    log.add(at, message, outcome)


def any_message(planned: PlannedMessage) -> bool:
    return not isinstance(planned.outcome, Withheld) or planned.outcome.stage == "validate"


def notified_at_once(planned: PlannedMessage) -> bool:
    """Whether registrants are notified on receipt, early enough that a later correction is in time as well."""
    at, message, outcome = planned[:3]
    return isinstance(outcome, Notified) and outcome.at == at and message.action.past > at - PROMPT


def can_be_changed(planned: PlannedMessage) -> bool:
    return notified_at_once(planned) and (planned.message.location is not None or not planned.message.action.is_whole_day)


def can_be_withdrawn(planned: PlannedMessage) -> bool:
    return planned.independent and notified_at_once(planned)


def duplicate(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """The same event is sent in other messages, which differ only in inconsequential ways."""
    log.add(at, message, outcome)
    for _ in range(log.random.between(1, 2)):
        at += log.random.between(MINUTE, 6 * HOUR)
        log.add(at, message.as_duplicate(log.new_id(), log.random), DUPLICATE)


def redeliver(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """The very same message arrives twice."""
    log.add(at, message, outcome)
    log.add(at + log.random.between(MINUTE, 6 * HOUR), message, Redelivered())


def resubmit(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """It is cancelled and resubmitted within `cancel.hold`: registrants are notified of neither."""
    silent = Withheld("dedupe", "suppressed", "resubmitted")
    cancelled = at + log.random.between(5 * MINUTE, 6 * HOUR)
    log.add(at, message, outcome)
    log.add(cancelled, message.as_cancel(log.new_id()), silent)
    log.add(cancelled + log.random.between(MINUTE, CANCEL_HOLD - MINUTE), message.as_duplicate(log.new_id(), log.random), silent)


def cancel(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """It is cancelled, of which registrants are notified; sometimes it is then sent again and is news once more."""
    log.add(at, message, outcome)
    at += log.random.between(5 * MINUTE, 8 * HOUR)
    log.add(at, message.as_cancel(log.new_id()), Notified(at + CANCEL_HOLD, "cancellation", message.message_id))
    if log.random.happens(0.3):
        at += log.random.between(CANCEL_HOLD + MINUTE, 5 * HOUR)
        log.add(at, replace(message.as_duplicate(log.new_id(), log.random), upper_case=False), Notified(at))


def change(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """An Update corrects something that registrants were told."""
    log.add(at, message, outcome)
    at += log.random.between(5 * MINUTE, 10 * HOUR)
    log.add(at, correct(log, message), Notified(at, "change", message.message_id))


def correct(log: CaseLog, message: Message) -> Message:
    """Return an Update with another location, or another action time."""
    if message.location is not None:
        return message.as_update(log.new_id(), location=(message.location[0], f"{message.location[1]} Annex"))
    return message.as_update(log.new_id(), action=action_time(message.action.at + 17 * MINUTE, message.agency.zone))


def inconsequential(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """An Update changes only what registrants are not told."""
    log.add(at, message, outcome)
    update = replace(message.as_update(log.new_id()), remarks="reviewed", upper_case=True)
    log.add(at + log.random.between(5 * MINUTE, 10 * HOUR), update, Withheld("dedupe", "suppressed", "inconsequential"))


def update_first(log: CaseLog, at: int, message: Message, _outcome: ExpectedOutcome) -> None:
    """Its Update arrives first; only the Update is sent."""
    log.add(at - log.random.between(MINUTE, CANCEL_HOLD - MINUTE), correct(log, message), Notified(at, "news", message.message_id))
    log.add(at, message, Withheld("dedupe", "suppressed", "superseded"))


def cancel_first(log: CaseLog, at: int, message: Message, _outcome: ExpectedOutcome) -> None:
    """Its Cancel arrives first; nothing is sent at all."""
    cancel = message.as_cancel(log.new_id())
    log.add(at - log.random.between(MINUTE, CANCEL_HOLD - MINUTE), cancel, Withheld("dedupe", "suppressed", "nothing_told"))
    log.add(at, message, Withheld("dedupe", "suppressed", "superseded"))


def unknown_reference(log: CaseLog, at: int, message: Message, outcome: ExpectedOutcome) -> None:
    """An Update or Cancel of a message that was never sent arrives as well."""
    log.add(at, message, outcome)
    stray = replace(message, message_id=f"{message.message_id}-lost", action=action_time(at - DAY, message.agency.zone))
    derive = stray.as_cancel if log.random.happens(0.5) else stray.as_update
    log.add(at + log.random.between(MINUTE, HOUR), derive(log.new_id()), Withheld("dedupe", "flagged", "unknown_reference"))


Mishap = Callable[[CaseLog, int, Message, ExpectedOutcome], None]
Applies = Callable[[PlannedMessage], bool]

MISHAPS: Final[tuple[tuple[str, Mishap, Applies], ...]] = (
    ("duplicate", duplicate, any_message),
    ("redelivered", redeliver, any_message),
    ("resubmitted", resubmit, any_message),
    ("unknown reference", unknown_reference, any_message),
    ("cancelled", cancel, can_be_withdrawn),
    ("cancel first", cancel_first, can_be_withdrawn),
    ("changed", change, can_be_changed),
    ("update first", update_first, can_be_changed),
    ("inconsequential", inconsequential, notified_at_once),
)
