"""
Identify: every event is under its offender's key, in the one order of the front door.

Reads     intake          everything let in, in one order
Writes    events          by offender: an event an offender, registrations, actions on reviews
          registrants     by registrant: where they can be reached, receipts
          reviews         people tied together who were known apart; surges
          expectations    agencies that fell silent, and were heard again
Keeps     identifiers and names -> offenders; registrations -> where they went; message -> offenders, for `duplicate.window`;
          the pace of each agency and event subtype; when each agency was last heard; open reviews with what waits for them
Flags     what is beyond `surge.limit`
Rejects   nothing
Replayed  keys and ids are digests of what was read, and the order is the intake's
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.notification import Receipt
from processors.domain.registration import Registration
from processors.ingest.identify import registrations, silence
from processors.ingest.identify.identity import identity
from processors.ingest.identify.memory import page_keys, put_away
from processors.ingest.identify.reviews import action_keys, decide_action
from processors.ingest.identify.state import Desk, MemoryPage, State, deadline
from processors.ingest.identify.submissions import decide_submission, submission_keys
from processors.ingest.identify.verdicts import STAGE, noted
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import DEAD_LETTERS, EVENTS, EXPECTATIONS, IDENTIFY_STATE, INTAKE, REGISTRANTS, REVIEWS

_registration = msgspec.json.Decoder(Registration).decode
_receipt = msgspec.json.Decoder(Receipt).decode


def keys(record: Input, states: Mapping[str, State]) -> Iterable[str]:
    """Return the states that the record needs, as far as those found so far tell."""
    if isinstance(record, Wake):
        return page_keys(record.key, states)
    if isinstance(record, Resettle):
        return (record.key,)
    return KEYS[record.value.kind](record, states)


def decide(record: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return where the record goes and what is known after it; a timer forgets messages or notices a silence."""
    desk = Desk(states)
    if isinstance(record, Wake):
        return decide_wake(record, desk, context)
    if isinstance(record, Resettle):
        return decide_resettle(record, desk, context)
    intake: Intake = record.value
    verdicts = tuple(DECIDE[intake.kind](record, desk, context))
    return Decision(tuple(desk.outputs), desk.changed, verdicts)


def decide_wake(given: Wake, desk: Desk, context: Context) -> Decision[State]:
    """An agency may have fallen silent; messages are forgotten."""
    if (page := desk.get(given.key, MemoryPage)) is not None:
        put_away(desk, page, given)
    verdicts = tuple(silence.wake(desk, given.key, given.due_at, context))
    return Decision(tuple(desk.outputs), desk.changed, verdicts)


def decide_resettle(given: Resettle, desk: Desk, context: Context) -> Decision[State]:
    """An agency may have been silent for too long by the settings of now."""
    verdicts = tuple(silence.wake(desk, given.key, given.at, context))
    return Decision(tuple(desk.outputs), desk.changed, verdicts)


def registration_keys(record: Record, states: Mapping[str, State]) -> Iterator[str]:
    registration = _registration(record.value.body)
    return registrations.registration_keys(registration.registration_id, identity(registration.offender), states)


def removal_keys(record: Record, states: Mapping[str, State]) -> Iterator[str]:
    return registrations.registration_keys(record.value.message_id, None, states)


def no_keys(_record: Record, _states: Mapping[str, State]) -> Iterator[str]:
    return iter(())


def decide_registration(record: Record, desk: Desk, context: Context) -> Iterator[Verdict]:
    """The registration is in force wherever it is meant, now or later."""
    registration = _registration(record.value.body)
    enrolled = registrations.take(desk, registration, record.offset, record.value.received_at)
    detail = f"Offenders known so far that it means: {len(enrolled.offenders)}."
    yield noted(record.value, context, "registered", detail, enrolled.registrant_id)


def decide_removal(record: Record, desk: Desk, context: Context) -> Iterator[Verdict]:
    """The registration has ended wherever it had gone."""
    before = registrations.remove(desk, record.value.message_id, record.offset, record.value.received_at)
    if before is None:
        yield noted(record.value, context, "registration_removed", "No such registration was in force.")
    else:
        detail = f"Offenders that it had meant: {len(before.offenders)}."
        yield noted(record.value, context, "registration_removed", detail, before.registrant_id)


def decide_receipt(record: Record, desk: Desk, context: Context) -> Iterator[Verdict]:
    """The receipt goes to the registrant whose attempt it names."""
    receipt = _receipt(record.value.body)
    registrant_id = receipt.reference.rpartition(".")[0]
    desk.outputs.append(Output(REGISTRANTS, registrant_id, receipt))
    verdict = noted(record.value, context, "receipt", f"A provider says {receipt.status}.", registrant_id)
    yield structs.replace(verdict, reference=receipt.reference)


KEYS: Final[Mapping[str, Callable[[Record, Mapping[str, State]], Iterable[str]]]] = {
    "submission": submission_keys,
    "registration": registration_keys,
    "removal": removal_keys,
    "receipt": no_keys,
    "review_action": action_keys,
}
DECIDE: Final[Mapping[str, Callable[[Record, Desk, Context], Iterator[Verdict]]]] = {
    "submission": decide_submission,
    "registration": decide_registration,
    "removal": decide_removal,
    "receipt": decide_receipt,
    "review_action": decide_action,
}

IDENTIFY: Final[Stage[State]] = Stage(
    name=STAGE,
    inputs=(INTAKE,),
    outputs=(EVENTS, REGISTRANTS, REVIEWS, EXPECTATIONS, DEAD_LETTERS),
    changelog=IDENTIFY_STATE,
    state=State,
    keys=keys,
    decide=decide,
    deadline=deadline,
    resettles=True,
)
