"""
Validate: what contradicts nothing known, and is neither past nor too far ahead, goes on.

Reads     events.distinct    events, registrations resolved to an offender, reviewers' actions; by offender
Writes    events.confirmed   what is to be told, byte for byte where nothing was changed; registrations untouched
          reviews            what is flagged, and every later state of its review
          expectations       what somebody said would follow, and what the law sets a deadline for
Keeps     a dossier an offender: history by action time, what was told, what is expected, the compact workflow and its clocks
          a message that waits or is in review, whole, under a key of its own
Waits     a Previous Event for `out_of_order.hold`, a release to another facility for `transfer.hold`
Flags     what fails a check (contract §3.1.2–8, in the order of `checks.TABLE`); what is too far ahead lets itself go
Suppresses  what is past, internal, told by an intake, or cancels what nobody was told of
Rejects   nothing
Replayed  the same record on the same dossier decides the same: ids are digests, and time is the receive time
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.journal import Outcome, Verdict
from processors.domain.registration import Enrolment
from processors.domain.review import ReviewAction, ReviewState
from processors.rules.book import EventCode, Rules
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import CONFIRMED, DISTINCT, EXPECTATIONS, REVIEWS, VALIDATE_STATE
from processors.validate import checks, compact, effect, ledger, reviews
from processors.validate.facts import Terms
from processors.validate.finding import Finding
from processors.validate.state import Dossier, Held, Pending, State, chain_of, deadline, is_later

STRANGER: Final = Dossier()
AWAY: Final = frozenset({"past", "internal"})  # suppressed, and still took effect


class Ruling(Struct, frozen=True):
    """What one message comes to now: on its way where nothing was found."""

    terms: Terms
    found: Finding | None
    detail: str

    @property
    def takes_effect(self) -> bool:
        return self.found is None or self.found.reason in AWAY


def keys(given: Input, states: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's dossier, then the messages in it that this input may free, replace or decide."""
    offender = owner(given)
    if offender is None:
        return ()
    dossier = states.get(offender)
    if not isinstance(dossier, Dossier) or not dossier.pending:
        return (offender,)
    return (offender, *(pending.key for pending in dossier.pending if concerns(given, pending)))


def owner(given: Input) -> str | None:
    """Return the offender an input is about, None where nothing need be known."""
    if not isinstance(given, Record):
        return given.key
    if isinstance(given.value, Event):
        return given.value.offender
    if isinstance(given.value, ReviewAction):
        return reviews.offender_of(given.value.review_id or "")
    return None


def concerns(given: Input, pending: Pending) -> bool:
    """Whether an input may change what becomes of a pending message: whatever happens may free one that waits."""
    if pending.review_id is None:
        return True
    if isinstance(given, Wake):
        return pending.due is not None and pending.due <= given.due_at
    if isinstance(given, Resettle):
        return pending.due is not None
    if isinstance(given.value, Event):
        return pending.chain == chain_of(given.value)
    return isinstance(given.value, ReviewAction) and pending.review_id == given.value.review_id


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what becomes of an event, a registration, a reviewer's action, or a deadline."""
    if isinstance(given, Wake):
        return woken(given, states, context.rules)
    if isinstance(given, Resettle):
        return resettled(given, states, context.rules)
    value = given.value
    if isinstance(value, Event):
        return heard(value, states, context.rules)
    if isinstance(value, Enrolment):
        return Decision(outputs=(Output(CONFIRMED, given.key, value),))
    if isinstance(value, ReviewAction):
        return reviewed(value, given, states, context.rules)
    raise TypeError(f"validate reads no {type(value).__name__}")


def heard(event: Event, states: Mapping[str, State], rules: Rules) -> Decision[State]:
    """Judge an event on what is known now; whatever it takes the place of in review or in wait is superseded."""
    desk = Desk(event.offender, states, rules, event.received_at)
    if desk.dossier.pending and is_later(event):
        desk.supersede(event)
    if event.telling == "cancellation":
        desk.cancel(event)
    elif event.telling == "change" and not ledger.told(desk.dossier.told, event):
        desk.rule(replace(event, telling="news", changes=()))
    elif event.telling == "change":
        desk.change(event)
    else:
        desk.rule(event)
    return desk.decision()


def woken(wake: Wake, states: Mapping[str, State], rules: Rules) -> Decision[State]:
    """Judge again every message whose time has come, in the order of their times, and move the legal clocks on."""
    desk = Desk(wake.key, states, rules, wake.due_at)
    due = [pending for pending in desk.dossier.pending if pending.due is not None and pending.due <= wake.due_at]
    for pending in sorted(due, key=lambda each: (each.due, each.key)):
        desk.rejudge(pending)
    if desk.dossier.clock_due is not None and desk.dossier.clock_due <= wake.due_at:
        desk.strike()
    return desk.decision()


def resettled(given: Resettle, states: Mapping[str, State], rules: Rules) -> Decision[State]:
    """Judge again every message that has a time to wait for: by the settings of now that may be another, or have come."""
    desk = Desk(given.key, states, rules, given.at)
    for pending in desk.dossier.pending:
        if pending.due is not None:
            desk.rejudge(pending)
    return desk.decision()


def reviewed(action: ReviewAction, given: Record, states: Mapping[str, State], rules: Rules) -> Decision[State]:
    """Do what a reviewer decided: tell the message, or close it; an action on no open review is noted."""
    desk = Desk(owner(given) or "", states, rules, action.received_at)
    pending = next((each for each in desk.dossier.pending if each.review_id == action.review_id and each.review_id is not None), None)
    if pending is None:
        return Decision(verdicts=(unknown_review(action, rules),))
    if action.action == "release":
        desk.release(pending, action)
    else:
        desk.discard(pending, action)
    return desk.decision()


def unknown_review(action: ReviewAction, rules: Rules) -> Verdict:
    return Verdict(
        stage=reviews.STAGE,
        message_id=action.review_id or action.group or "",
        outcome="noted",
        reason="unknown_review",
        detail=f"{action.reviewer} asked to {action.action} a review that is not open here",
        at=action.received_at,
        rules=rules.version,
        review_id=action.review_id,
    )


def judge(event: Event, dossier: Dossier, rules: Rules, now: int) -> Ruling:
    """Return what becomes of an event on what is known: the first check that fails decides, all that fail are told of."""
    terms = terms_for(event, rules, now)
    if event.notification_type == "Internal" and not rules.flag("internal.forward", event.scope):
        found = Finding("suppressed", "internal", "the notification type is Internal and internal.forward is false")
        return Ruling(terms, found, found.detail)
    facts = checks.gather(event, dossier, terms)
    applied = checks.applying(event)
    failed = checks.failures(facts, applied)
    if failed:
        return Ruling(terms, failed[0], "; ".join(found.detail for found in failed))
    return Ruling(terms, None, checks.passed(facts, applied))


def terms_for(event: Event, rules: Rules, now: int) -> Terms:
    """Return what holds for an event now; a code that has left the lists since it was accepted implies nothing."""
    book = rules.book(event.jurisdiction, now)
    code = book.code(event.event_type, event.event_subtype)
    return Terms(code or EventCode(event.event_type, event.event_subtype, (event.notification_type,)), book, rules, now)


class Desk:
    """
    One decision in the making, on one offender's dossier.

    Nothing outside it changes: what it gathers leaves as one Decision.
    """

    __slots__ = ("before", "dossier", "held", "now", "offender", "outputs", "rules", "states", "stirred", "verdicts")

    def __init__(self, offender: str, states: Mapping[str, State], rules: Rules, now: int) -> None:
        found = states.get(offender)
        self.dossier = self.before = found if isinstance(found, Dossier) else STRANGER
        self.offender = offender
        self.states = states
        self.rules = rules
        self.now = now
        self.held: dict[str, Held | None] = {}
        self.outputs: list[Output] = []
        self.verdicts: list[Verdict] = []
        self.stirred = False  # something took effect that a waiting message may have waited for

    # --- an event

    def rule(self, event: Event) -> None:
        """Let a new message go on, wait, be flagged, or end here."""
        ruling = judge(event, self.dossier, self.rules, self.now)
        if ruling.found is not None and ruling.found.outcome != "suppressed":
            self.hold(event, ruling.found, ruling.detail)
        else:
            self.finish(event, ruling, "confirmed", ruling.detail)

    def change(self, event: Event) -> None:
        """Tell a change from what was told last; one back to it takes effect and is silent."""
        heard, event = event, ledger.since_told(self.dossier.owed, event)
        if event is heard or event.changes:
            self.rule(event)
            return
        self.apply(event, terms_for(event, self.rules, self.now), told=True)
        detail = f"it says what registrants were told of message {event.root}; what had changed since was not told"
        self.verdict(event, "suppressed", "inconsequential", detail)

    def cancel(self, event: Event) -> None:
        """Take back what the cancelled message brought about, and tell those who were told of it."""
        told = ledger.told(self.dossier.told, event)
        terms = terms_for(event, self.rules, self.now)
        event = ledger.as_told(self.dossier.owed, event, terms.book.zone_of(event.ori))
        self.dossier, published = effect.taken_back(self.dossier, event, terms)
        self.publish(published)
        self.stirred = True
        original = event.root or event.refers_to
        if told:
            self.tell(event, self.dossier, terms)
            self.verdict(event, "passed", "confirmed", f"message {original} was told and is taken back")
        else:
            self.verdict(event, "suppressed", "nothing_told", f"nobody had been told of message {original}")

    def supersede(self, event: Event) -> None:
        """Close whatever waits or is in review about the same agency event: a later message replaces it."""
        for pending in self.dossier.pending:
            if pending.chain == chain_of(event):
                held = self.take(pending)
                self.close(pending, held, "superseded")
                detail = f"message {event.message_id} ({event.operation}) replaced it before it was told; it was held as {pending.reason}"
                self.verdict(held.event, "suppressed", "superseded", detail, pending.review_id)

    # --- a pending message

    def rejudge(self, pending: Pending) -> None:
        """Judge a pending message again; nothing is written where nothing has changed but the time."""
        held = self.held_by(pending)
        ruling = judge(held.event, self.dossier, self.rules, self.now)
        found = ruling.found
        if found is not None and found.reason == pending.reason:
            if found.due != pending.due:
                self.pend(replace(pending, due=found.due))
            return
        self.take(pending)
        self.close(pending, held, "released" if found is None else "superseded")
        if found is not None and found.outcome != "suppressed":
            self.hold(held.event, found, ruling.detail)
        else:
            came = "in_range" if pending.reason == "too_far_ahead" else "confirmed"
            self.finish(held.event, ruling, came, f"{ruling.detail}; held since then as {pending.reason}: {held.detail}", pending.review_id)

    def release(self, pending: Pending, action: ReviewAction) -> None:
        """Tell what a reviewer let go, whatever the checks said; only words must be there to tell it in."""
        held = self.held_by(pending)
        event = replace(held.event, released_by=action.reviewer)
        ruling = judge(event, self.dossier, self.rules, self.now)
        said = f"{action.reviewer} released it: {action.reason}"
        if ruling.found is not None and ruling.found.outcome != "suppressed":
            self.verdict(held.event, "flagged", ruling.found.reason, f"{said}; but {ruling.detail}", pending.review_id)
            return
        self.take(pending)
        self.close(pending, held, "released", action)
        self.finish(event, ruling, "released", f"{said}; it was held as {pending.reason}: {held.detail}", pending.review_id)

    def discard(self, pending: Pending, action: ReviewAction) -> None:
        """Close a review without telling; what the message says changes nothing."""
        held = self.take(pending)
        self.close(pending, held, "discarded", action)
        detail = f"{action.reviewer} discarded it: {action.reason}; it was held as {pending.reason}: {held.detail}"
        self.verdict(held.event, "suppressed", "discarded", detail, pending.review_id)

    # --- ends and beginnings

    def finish(self, event: Event, ruling: Ruling, reason: str, detail: str, review_id: str | None = None) -> None:
        """End a message here: on its way, or suppressed; it takes effect unless the intake already did in its place."""
        found, before = ruling.found, self.dossier
        if ruling.takes_effect:
            self.apply(event, ruling.terms, told=found is None)
        if found is None:
            self.tell(event, before, ruling.terms)
            self.verdict(event, "passed", reason, detail, review_id)
        else:
            self.owe(event)
            self.verdict(event, "suppressed", found.reason, detail + ledger.still_held(event), review_id)

    def apply(self, event: Event, terms: Terms, *, told: bool) -> None:
        """Let a message change what is known, and those that wait for that be judged again."""
        self.dossier, published = effect.taken(self.dossier, event, terms, told=told)
        self.publish(published)
        self.stirred = True

    def owe(self, event: Event) -> None:
        """Remember a change that is not told, so that the next is told from what registrants hold."""
        owed = ledger.owing(self.dossier.owed, event, self.dossier.told)
        if owed != self.dossier.owed:
            self.dossier = replace(self.dossier, owed=owed)

    def tell(self, event: Event, before: Dossier, terms: Terms) -> None:
        """Pass the event on, with the way that a journey takes from where its case stood before."""
        way = compact.way(event, before.compact, terms.code, terms.book)
        self.outputs.append(Output(CONFIRMED, event.offender, event if way is None else replace(event, way=way)))

    def hold(self, event: Event, found: Finding, detail: str) -> None:
        """Keep a message until its time comes or a reviewer decides."""
        pending = reviews.opened(event, found, self.now)
        detail += ledger.still_held(event)
        held = Held(event, detail)
        self.owe(event)
        self.held[pending.key] = held
        self.dossier = replace(self.dossier, pending=(*self.dossier.pending, pending))
        if pending.review_id is not None:
            self.outputs.append(Output(REVIEWS, pending.review_id, reviews.review(pending, held, "open")))
        self.verdict(event, "flagged" if found.outcome == "flagged" else "waiting", found.reason, detail, pending.review_id)

    def close(self, pending: Pending, held: Held, state: ReviewState, action: ReviewAction | None = None) -> None:
        if pending.review_id is not None:
            self.outputs.append(Output(REVIEWS, pending.review_id, reviews.review(pending, held, state, action)))

    def held_by(self, pending: Pending) -> Held:
        found = self.held[pending.key] if pending.key in self.held else self.states[pending.key]
        if not isinstance(found, Held):
            raise TypeError(f"{pending.key} holds no message")
        return found

    def take(self, pending: Pending) -> Held:
        """Strike a pending message from the dossier and return it."""
        held = self.held_by(pending)
        self.held[pending.key] = None
        self.dossier = replace(self.dossier, pending=tuple(each for each in self.dossier.pending if each.key != pending.key))
        return held

    def pend(self, pending: Pending) -> None:
        lines = tuple(pending if each.key == pending.key else each for each in self.dossier.pending)
        self.dossier = replace(self.dossier, pending=lines)

    def strike(self) -> None:
        """Move the legal clocks on to now."""
        self.dossier, published = effect.struck(self.dossier, self.now, self.rules)
        self.publish(published)

    def publish(self, expectations: Iterable[Expectation]) -> None:
        self.outputs.extend(Output(EXPECTATIONS, each.expectation_id, each) for each in expectations)

    def verdict(self, event: Event, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> None:
        self.verdicts.append(
            Verdict(
                stage=reviews.STAGE,
                message_id=event.message_id,
                outcome=outcome,
                reason=reason,
                detail=detail,
                at=self.now,
                ori=event.ori,
                offender=event.offender,
                part=event.part,
                rules=self.rules.version,
                review_id=review_id,
            )
        )

    def decision(self) -> Decision[State]:
        """Return it all, after those that waited for what took effect have been judged again."""
        while self.stirred:
            self.stirred = False
            for pending in self.dossier.pending:
                if pending.review_id is None and not self.stirred:
                    self.rejudge(pending)
        states: dict[str, State | None] = dict(self.held)
        if self.dossier is not self.before:
            states[self.offender] = self.dossier
        return Decision(tuple(self.outputs), states, tuple(self.verdicts))


STAGE: Final[Stage[State]] = Stage(
    name=reviews.STAGE,
    inputs=(DISTINCT,),
    outputs=(CONFIRMED, REVIEWS, EXPECTATIONS),
    changelog=VALIDATE_STATE,
    state=State,
    keys=keys,
    decide=decide,
    deadline=deadline,
    resettles=True,
)
