"""
Dedupe: one event is told once (contract §3.1.1; specification §4, "Duplicate messages will not be delivered").

Reads     events            by offender: events, enrolments, review actions
Writes    events.distinct   what registrants may have to be told, as news, change or cancellation; enrolments and the
                            review actions of later stages untouched, in their place
          reviews           what is flagged here, and what became of it
Keeps     per event of one agency: the message ids that name it, what it has been said to be, and the newest message
          told of it; a message that waits, or is in review. An event is recognised for `duplicate.window` from when it
          was told; it can be changed and cancelled until then and, if that is later, until its date is past by
          `date.past`, since an event may be told a year ahead
Flags     a Cancel or Update of nothing known, after `out_of_order.hold` (`unknown_reference`)
Rejects   nothing
Replayed  a decision depends on the record and the states alone: read again before its states were kept, it comes out
          the same; read again after, it is a copy of itself and suppressed

What a message does depends on how its event stands (`_EFFECTS`): not heard of, told, its Cancel held, or cancelled.
Corners, each with a test that names it:

- The same event means the same content (fingerprint.py), from one agency. A message id used again for something else
  is another event; the same content under another id is the same event, and from then on has that name too.
- After A was changed to B, A sent again as an Add is a copy that came late, not a change back: it was told. Only an
  Update, which says so, changes an event back.
- A Cancel cancels the event, whichever of its messages it names, with the values told last. Held, it is taken back by
  the event sent again as it was ever told; by an Update too. What then differs from what was told last is a change.
  Anything else sent meanwhile is an event of its own, and the cancellation is told as well.
- After a cancellation was told, the same event is news, and an Update brings the event back as news.
- A Cancel or Update that came before its target is a later word than it. When the target comes, the last of those that
  waited decides: an Update is told as news in its place, after a Cancel nothing is told at all.
- The same Cancel or Update twice is a duplicate, also while it waits, is in review, or was overtaken since.
- Once flagged, a message does nothing until a reviewer releases it; then it does what it says at once.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Final, Literal

from msgspec.structs import replace

from processors.dedupe.fingerprint import changes
from processors.dedupe.ledger import NAME, Ledger, Word, closed
from processors.dedupe.state import Held, Kept, Sighting, Sightings, State, Waiting, deadline, lengthened, reworded, shelf
from processors.domain.event import Change, Event, Operation, Telling
from processors.domain.journal import Verdict
from processors.domain.review import Review, ReviewAction, ReviewState
from processors.domain.time import iso
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import DEDUPE_STATE, DISTINCT, EVENTS, REVIEWS

Stands = Literal["unheard", "told", "faded", "held", "cancelled", "judged"]


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's document, and the kept messages that the input may have to be compared with."""
    offender = _offender(given)
    if offender is None:
        return ()
    document = found.get(offender)
    if not isinstance(document, Sightings):
        return (offender,)
    return (offender, *[shelf(offender, seq) for seq in _needed(given, document)])


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what follows from one event, enrolment, review action or timer."""
    if isinstance(given, Wake):
        return _woken(given, states, context)
    if isinstance(given, Resettle):
        return Decision()
    value = given.value
    if isinstance(value, Event):
        ledger = Ledger(value.offender, value.received_at, context.rules, states)
        _heard(ledger, ledger.word(value))
        return ledger.decision()
    if isinstance(value, ReviewAction) and (offender := _offender(given)) is not None:
        return _judged(value, Ledger(offender, value.received_at, context.rules, states))
    return Decision((Output(DISTINCT, given.key, value),))


def _offender(given: Input) -> str | None:
    """Return whose document the input is about; None where it only passes through."""
    if not isinstance(given, Record):
        return given.key
    if isinstance(given.value, Event):
        return given.value.offender
    if isinstance(given.value, ReviewAction):
        stage, _, rest = (given.value.review_id or "").partition("-")
        return rest.partition("-")[0] if stage == NAME else None
    return None


def _needed(given: Input, document: Sightings) -> Iterable[int]:
    """Return which kept messages are read: of a timer those due, of an Add those whose Cancel is held."""
    if isinstance(given, Resettle):
        return ()
    if isinstance(given, Wake):
        held = (each.seq for each in document.sightings if each.held is not None and each.held.due <= given.due_at)
        return (*held, *(each.seq for each in document.waiting if each.review_id is None and each.due <= given.due_at))
    if isinstance(given.value, Event):
        operation = given.value.operation
        if operation == "Cancel":
            return ()
        if operation == "Add" and not document.waiting:
            return (each.seq for each in document.sightings if each.standing == "held")
    told = (each.seq for each in document.sightings if each.standing != "cancelled")
    return (*told, *(each.seq for each in document.waiting))


# a message


def _heard(ledger: Ledger, word: Word) -> None:
    event = word.event
    if ledger.repeated(word):
        ledger.say(event, "suppressed", "duplicate", f"this {event.operation} of message {word.reference} was heard before")
    elif (sighting := _meant(ledger, word)) is not None:
        _settle(ledger, sighting, [word, *ledger.followers(event)])
    else:
        _wait(ledger, word)


def _meant(ledger: Ledger, word: Word) -> Sighting | None:
    """Return the sighting that the message is about; an Add that is about none opens one."""
    event = word.event
    if event.operation == "Cancel":
        return ledger.referred(word)
    if event.operation == "Update":
        return ledger.judged(event) or ledger.referred(word)
    return ledger.same(word) or ledger.judged(event) or Sighting(seq=event.seq, ori=event.ori, root=event.message_id, standing="unheard")


def _settle(ledger: Ledger, sighting: Sighting, words: list[Word]) -> None:
    """The last of the words takes effect on the sighting; those before it were overtaken and only lend it their names."""
    *overtaken, last = words
    ledger.settled(words)
    for word in overtaken:
        sighting = _overtaken(ledger, sighting, word)
    _take_effect(ledger, sighting, last, last.event.operation)


def _take_effect(ledger: Ledger, sighting: Sighting, word: Word, operation: Operation) -> None:
    _EFFECTS[_stands(ledger, sighting, word, operation), operation](ledger, sighting, word)


def _stands(ledger: Ledger, sighting: Sighting, word: Word, operation: Operation) -> Stands:
    """Return how the event stands as this message finds it."""
    if sighting.unseen == word.event.message_id and operation != "Cancel":
        return "judged"
    if sighting.standing == "told" and operation == "Add" and not ledger.recognised(sighting, word):
        return "faded"
    return sighting.standing


def _overtaken(ledger: Ledger, sighting: Sighting, word: Word) -> Sighting:
    """Return the sighting with the names of a message that a later one replaced before it was told."""
    event = word.event
    ledger.say(event, "suppressed", "superseded", f"a later message about {sighting.root} had come before it could be told")
    if event.operation == "Cancel":
        return sighting.cancelled_by(event.message_id)
    return _said_before(ledger, sighting, word)


def _said_before(ledger: Ledger, sighting: Sighting, word: Word) -> Sighting:
    """Return the sighting with a wording older than the one it has."""
    named = sighting.named(word.event.message_id)
    if word.fingerprint in named.versions:
        return named
    until = ledger.at + ledger.rules.duration("duplicate.window", word.event.scope)
    return replace(named, versions={word.fingerprint: until} | named.versions)


# what a message does, by how its event stands


def _news(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    _tell(ledger, sighting, word, "news")
    ledger.say(word.event, "passed", "first_sighting", f"no message of {word.event.ori} about this event is known")


def _again(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """The event is told anew, and goes by its old names too: what is said of those is about this one from now on."""
    event = word.event
    why = "was told as cancelled" if sighting.standing == "cancelled" else "was told longer ago than duplicate.window"
    ledger.drop(sighting)
    heir = Sighting(
        seq=event.seq, ori=event.ori, root=event.message_id, names=sighting.names, versions=sighting.versions, cancels=sighting.cancels
    )
    _tell(ledger, heir, word, "news")
    ledger.say(event, "passed", "first_sighting", f"the event of message {sighting.root} {why}")


def _duplicate(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    event = word.event
    if event.operation == "Cancel":
        ledger.put(sighting.cancelled_by(event.message_id))
        ledger.say(event, "suppressed", "duplicate", f"the event of message {sighting.root} is cancelled already")
        return
    if event.message_id not in sighting.names:
        ledger.put(sighting.named(event.message_id))
    ledger.say(event, "suppressed", "duplicate", f"the same event as message {sighting.root} of {sighting.ori}")


def _update(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """An Update is told as a change if it changes what tells events apart (contract §3.1.1)."""
    event = word.event
    if changed := changes(ledger.message(sighting.seq), event, ledger.book(event)):
        _tell(ledger, sighting, word, "change", changed)
        ledger.say(event, "passed", "changed", f"message {sighting.root} is changed: {_listed(changed)}")
        return
    ledger.put(sighting.named(event.message_id))
    ledger.say(event, "suppressed", "inconsequential", f"nothing that tells events of this kind apart differs from message {sighting.root}")


def _hold(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """A Cancel waits for its resubmission, unless a reviewer has judged it."""
    event = word.event
    sighting = sighting.cancelled_by(event.message_id)
    if event.released_by is not None:
        _cancelled(ledger, sighting, event)
        return
    due = max(event.received_at + ledger.rules.duration("cancel.hold", event.scope), ledger.at)
    ledger.put(replace(sighting, standing="held", held=Held(due, replace(event, submission=b""))))
    ledger.say(event, "waiting", "cancel_hold", f"the event of message {sighting.root} may be sent again until {iso(due)}")


def _resubmitted(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """The event stands as it was told; neither its Cancel nor its resubmission is told (specification §4)."""
    lifted = _lifted(ledger, sighting, "resubmitted", f"the event was sent again as message {word.event.message_id}")
    ledger.put(lifted.named(word.event.message_id))
    ledger.say(word.event, "suppressed", "resubmitted", f"the event of message {sighting.root} was told and its Cancel taken back")


def _taken_up(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """An Update, or an older wording sent again, takes the Cancel back as a resubmission does; what it changes is told."""
    if not changes(ledger.message(sighting.seq), word.event, ledger.book(word.event)):
        _resubmitted(ledger, sighting, word)
        return
    _update(ledger, _lifted(ledger, sighting, "superseded", f"the event was changed by message {word.event.message_id}"), word)


def _never_told(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """What was cancelled before it was heard of is not told, nor is its cancellation."""
    event = word.event
    until = ledger.at + ledger.rules.duration("duplicate.window", event.scope)
    ledger.put(replace(sighting.cancelled_by(event.message_id), standing="cancelled", until=until))
    ledger.say(event, "suppressed", "nothing_told", f"message {sighting.root} came after its Cancel and was not told")


def _too_late(ledger: Ledger, sighting: Sighting, word: Word) -> None:
    """A message came when a reviewer had already released one that is about it."""
    ledger.put(replace(_said_before(ledger, sighting, word), unseen=None))
    ledger.say(word.event, "suppressed", "superseded", "a reviewer had released a later message about it before it came")


Effect = Callable[[Ledger, Sighting, Word], None]

_EFFECTS: Final[Mapping[tuple[Stands, Operation], Effect]] = {
    ("unheard", "Add"): _news,
    ("unheard", "Update"): _news,
    ("unheard", "Cancel"): _never_told,
    ("told", "Add"): _duplicate,
    ("told", "Update"): _update,
    ("told", "Cancel"): _hold,
    ("faded", "Add"): _again,
    ("held", "Add"): _taken_up,
    ("held", "Update"): _taken_up,
    ("held", "Cancel"): _duplicate,
    ("cancelled", "Update"): _again,
    ("cancelled", "Cancel"): _duplicate,
    ("judged", "Add"): _too_late,
    ("judged", "Update"): _too_late,
}


def _tell(ledger: Ledger, sighting: Sighting, word: Word, telling: Telling, changed: tuple[Change, ...] = ()) -> None:
    """The message goes on, and is what the event was last said to be."""
    event = word.event
    scope = event.scope
    until = ledger.at + ledger.rules.duration("duplicate.window", scope)
    past = event.past_from + ledger.rules.duration("date.past", scope)
    ledger.put(
        replace(
            sighting,
            standing="told",
            names=lengthened(sighting.names, event.message_id),
            versions=reworded(sighting.versions, word.fingerprint, until),
            until=max(until, past, sighting.until),
        )
    )
    ledger.keep(sighting.seq, event)
    if telling == "news" and sighting.root == event.message_id:
        ledger.send(event)  # itself, so that its bytes pass untouched
    else:
        ledger.send(replace(event, telling=telling, changes=changed, root=sighting.root))


def _lifted(ledger: Ledger, sighting: Sighting, reason: str, detail: str) -> Sighting:
    """Return the sighting without its held Cancel, whose end the journal tells."""
    if sighting.held is not None:
        ledger.say(sighting.held.cancel, "suppressed", reason, detail)
    return replace(sighting, standing="told", held=None)


def _cancelled(ledger: Ledger, sighting: Sighting, cancel: Event) -> None:
    """
    The cancellation goes on with the values that were told last, so that the words can say what was cancelled.

    `part` is that of the message told, since it is that message's submission which names the offender.
    """
    ledger.send(
        replace(
            ledger.message(sighting.seq),
            **{name: getattr(cancel, name) for name in _OF_THE_CANCEL},
            telling="cancellation",
            changes=(),
            root=sighting.root,
        )
    )
    ledger.put(replace(sighting, standing="cancelled", held=None))
    ledger.forget(sighting.seq)
    ledger.say(cancel, "passed", "cancelled", f"the event of message {sighting.root} was not sent again")


_OF_THE_CANCEL: Final = (
    "seq",
    "received_at",
    "message_id",
    "operation",
    "refers_to",
    "validate",
    "do_not_validate",
    "expect",
    "asked",
    "waived",
    "released_by",
)


def _listed(changed: tuple[Change, ...]) -> str:
    """Return the changes as the journal may name them: of courts, cases and places only that they changed."""
    return ", ".join(
        f"{each.field} from {each.old or 'nothing'} to {each.new or 'nothing'}" if each.field in _SAYABLE else each.field
        for each in changed
    )


_SAYABLE: Final = {"event_type", "event_subtype", "notification_type", "action_at", "status", "location_kind"}


# what waits for what it is about


def _wait(ledger: Ledger, word: Word) -> None:
    event = word.event
    due = event.received_at + ledger.rules.duration("out_of_order.hold", event.scope)
    ledger.wait(
        Waiting(
            seq=event.seq,
            ori=event.ori,
            message_id=event.message_id,
            reference=word.reference,
            fingerprint=word.fingerprint,
            due=due,
        )
    )
    ledger.keep(event.seq, event)
    ledger.say(event, "waiting", "out_of_order_hold", f"message {word.reference} of {event.ori} is not known; it may come until {iso(due)}")


def _woken(wake: Wake, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what follows from time: cancellations are told, references given up, old events forgotten."""
    ledger = Ledger(wake.key, wake.due_at, context.rules, states)
    for each in ledger.before.waiting:
        if each.review_id is None and each.due <= wake.due_at:
            _flag(ledger, each)
    for sighting in ledger.before.sightings:
        if sighting.held is not None and sighting.held.due <= wake.due_at:
            _cancelled(ledger, sighting, sighting.held.cancel)
    for sighting in tuple(ledger.sightings):
        if sighting.held is None and sighting.until <= wake.due_at:
            ledger.drop(sighting)
    return ledger.decision()


def _flag(ledger: Ledger, waiting: Waiting) -> None:
    event = ledger.message(waiting.seq)
    review = _review(event, waiting)
    ledger.wait(replace(waiting, review_id=review.review_id))
    ledger.review(review)
    ledger.say(event, "flagged", review.reason, review.detail, review.review_id)


def _review(event: Event, waiting: Waiting) -> Review:
    """Return the open review of a message that refers to nothing known."""
    reason = "unknown_reference"
    parts = (event.ori, event.message_id, str(event.part), reason, str(event.seq))
    return Review(
        review_id=f"{NAME}-{event.offender}-{blake2b(chr(0).join(parts).encode(), digest_size=6).hexdigest()}",
        message_id=event.message_id,
        ori=event.ori,
        stage=NAME,
        offender=event.offender,
        state="open",
        reason=reason,
        detail=f"the {event.operation} is about message {waiting.reference}, which {event.ori} has not sent by {iso(waiting.due)}",
        since=waiting.due,
        jurisdiction=event.jurisdiction,
        event_type=event.event_type,
        event_subtype=event.event_subtype,
    )


# what a reviewer decides


def _judged(action: ReviewAction, ledger: Ledger) -> Decision[State]:
    """Return what follows from a reviewer's decision on a message that was flagged here."""
    waiting = next((each for each in ledger.waiting if each.review_id == action.review_id), None)
    if waiting is None:
        return Decision(verdicts=(_unknown_review(action, ledger),))
    event = ledger.message(waiting.seq)
    state: ReviewState = "discarded" if action.action == "discard" else "released"
    comment = f"{state} by {action.reviewer}: {action.reason}"
    ledger.settled((Word(event, waiting.fingerprint),))
    ledger.review(closed(_review(event, waiting), state, action.reviewer, action.reason))
    if state == "discarded":
        ledger.say(event, "suppressed", state, comment, action.review_id)
    else:
        ledger.say(event, "noted", state, comment, action.review_id)
        _released(ledger, Word(replace(event, released_by=action.reviewer), waiting.fingerprint))
    return ledger.decision()


def _released(ledger: Ledger, word: Word) -> None:
    """What was flagged does what it says, whether or not what it is about has come meanwhile."""
    event = word.event
    sighting = ledger.referred(word)
    if sighting is not None:
        _settle(ledger, sighting, [word])
        return
    unseen = None if word.reference == event.message_id else word.reference
    opened = Sighting(seq=event.seq, ori=event.ori, root=word.reference, standing="unheard", names=(word.reference,), unseen=unseen)
    if event.operation == "Update":  # all that is known of the event, and so told as if it were its first message
        _take_effect(ledger, ledger.same(word) or opened, word, "Add")
        return
    until = ledger.at + ledger.rules.duration("duplicate.window", event.scope)
    ledger.put(replace(opened.cancelled_by(event.message_id), standing="cancelled", until=until))
    ledger.send(replace(event, telling="cancellation", root=word.reference))
    ledger.say(event, "passed", "cancelled", f"message {word.reference} is not known here; those who were told of it are told")


def _unknown_review(action: ReviewAction, ledger: Ledger) -> Verdict:
    """Return the note that an action came to nothing, under the name of the review since it names no message."""
    return Verdict(
        stage=NAME,
        message_id=action.review_id or "",
        outcome="noted",
        reason="unknown_review",
        detail=f"there is no open review {action.review_id} to {action.action}",
        at=action.received_at,
        offender=ledger.offender,
        rules=ledger.rules.version,
        review_id=action.review_id,
    )


STAGE: Final[Stage[State]] = Stage(
    name=NAME,
    inputs=(EVENTS,),
    outputs=(DISTINCT, REVIEWS),
    changelog=DEDUPE_STATE,
    state=Sightings | Kept,
    keys=keys,
    decide=decide,
    deadline=deadline,
)
