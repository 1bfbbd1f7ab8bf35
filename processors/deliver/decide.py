"""
Deliver: what each registrant is told, once, in words they understand, where they can be reached.

Reads     notifications, registrants     by registrant
Writes    outbound.sms, outbound.email, outbound.voice: one record an attempt
Keeps     a registrant's registrations (contacts sealed), what waits for its merge window or the end of quiet hours; the
          attempts of each notification
Flags     a notification whose registration was not seen within `out_of_order.hold`, until `delivery.give_up`; one that the
          rules have no text for, until a reviewer decides or there is one
Releases  the first by whatever other registration the registrant has in force, the second once there is a text; what
          cannot be told yet stays in review, and the journal says why
Rejects   a receipt that refers to no attempt of ours
Replayed  every id is a digest of what is told and to whom: the same attempt has the same reference, a new one another
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from processors.deliver import attempts, gather, words
from processors.deliver.attempts import Reach
from processors.deliver.quiet import quiet_end
from processors.deliver.state import Attempt, Held, Piece, Registrant, Sent, State, Waiting, deadline, sent_key
from processors.domain.event import Scope
from processors.domain.journal import DeadLetter, Outcome, Verdict
from processors.domain.notification import (
    Notification,
    Outbound,
    OutboundAgency,
    OutboundEvent,
    OutboundKind,
    OutboundOffender,
    Receipt,
)
from processors.domain.registration import Channel, Reachable
from processors.domain.review import Review, ReviewAction, ReviewState
from processors.domain.time import iso
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import DAY, DEAD_LETTERS, DELIVER_STATE, NOTIFICATIONS, OUTBOUND, REGISTRANTS, REVIEWS

NAME: Final = "deliver"
RECEIPTS_AFTER: Final = 30 * DAY  # how long after an attempt expired its receipts are still understood
EVERYWHERE: Final = Scope()
Spoken = tuple[str, Channel]  # a language and a channel


def keys(given: Input, _: Mapping[str, State]) -> Iterable[str]:
    """Name the registrant that the input is about; for a receipt also what it may be about."""
    if not given.key:
        return ()
    if isinstance(given, Record) and isinstance(given.value, Receipt):
        return given.key, sent_key(given.key, given.value.reference)
    return (given.key,)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what follows for one registrant."""
    if isinstance(given, Resettle):
        return resettled(given, states, context)
    key = given.key or ""
    before = states.get(key)
    if isinstance(before, Sent):  # no receipt can be about it any more
        return Decision(states={key: None})
    at = given.due_at if isinstance(given, Wake) else given.timestamp
    turn = Turn(at, context, before or Registrant(registrant_id=key))
    if isinstance(given, Record):
        turn.take(given, states)
    turn.let_go()
    if isinstance(given, Wake):
        turn.forget()
    return turn.decision(before)


def resettled(given: Resettle, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what leaves at once, or at another time, by the settings of now."""
    before = states.get(given.key)
    if not isinstance(before, Registrant):
        return Decision()
    turn = Turn(given.at, context, before)
    turn.resettle()
    turn.let_go()
    return turn.decision(before)


@dataclass(slots=True)
class Turn:
    """One decision in the making: the registrant as it is by now, what left, and what was found so far."""

    at: int
    context: Context
    registrant: Registrant
    states: dict[str, State] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def decision(self, before: Registrant | None) -> Decision[State]:
        """Return the decision; the registrant is named only where it changes."""
        after = self.registrant
        if after != before and (before is not None or after.registrations or after.waiting):
            self.states[after.registrant_id] = after
        return Decision(tuple(self.outputs), self.states, tuple(self.verdicts))

    # --- what comes in -----------------------------------------------------------------------------------------------

    def take(self, record: Record, states: Mapping[str, State]) -> None:
        """Let one record change what is known and what waits."""
        match record.value:
            case Notification() as notification:
                self.notify(notification)
            case Reachable() as reachable:
                self.reach(reachable)
            case Receipt() as receipt:
                self.settle(receipt, record, states.get(sent_key(self.registrant.registrant_id, receipt.reference)))
            case ReviewAction() as action:
                self.judge(action)
            case other:
                raise TypeError(f"deliver reads no {type(other).__name__}")

    def notify(self, notification: Notification) -> None:
        """Gather a notification with others of its event; one that overtakes what has not left takes its place."""
        event = notification.event
        book = self.context.rules.book(event.jurisdiction, event.received_at)
        code = book.code(event.event_type, event.event_subtype)
        piece = gather.piece_of(notification, emergency=code is not None and code.emergency)
        waiting, gone, left = gather.overtake(self.registrant.waiting, piece)
        for each in gone:
            self.note(each, "dropped", "superseded", f"message {piece.message_id} came before it left")
        for flagged in self.registrant.waiting:
            if flagged.review_id is not None and set(flagged.pieces) <= set(gone):
                self.review(flagged, flagged.pieces[0], "superseded", f"message {piece.message_id} replaced it")
        if left is None:
            self.note(piece, "dropped", "superseded", "what it takes back had not left yet")
        else:
            window = self.context.rules.merge_window(left.scope, emergency=left.emergency)
            waiting, joined = gather.admit(waiting, left, self.at, window)
            if joined.due_at > self.at:
                self.note(left, "gathered", joined.why, f"waits until {iso(joined.due_at)}")
        if waiting is not self.registrant.waiting:
            self.registrant = replace(self.registrant, waiting=waiting)

    def reach(self, reachable: Reachable) -> None:
        """Take a registration, its change or its end, and ask contacts that are not verified to verify themselves."""
        known = self.registrant.registrations.get(reachable.registration_id)
        if known is not None and reachable.seq <= known.seq:
            self.observe(reachable.registration_id, "superseded", "a later state of the registration is known")
            return
        held = self.hold(reachable, known)
        asked = () if held.ended else tuple(self.unasked(held))
        registrations = {**self.registrant.registrations, held.registration_id: held}
        self.registrant = replace(self.registrant, registrations=registrations, waiting=self.hurried(held.registration_id))
        if held.ended:
            self.observe(held.registration_id, "registration_removed", "its contact data is forgotten after retention.contacts")
        else:
            self.observe(held.registration_id, "registered", f"{len(asked)} contacts are to be verified")
        for reach in asked:
            self.ask(reach)

    def hold(self, reachable: Reachable, known: Held | None) -> Held:
        """Return what is kept of a registration; of an ended one the contacts it had, until they are to be forgotten."""
        retention = self.context.rules.duration("retention.contacts", EVERYWHERE)
        end = self.at if reachable.ended else reachable.expires_at
        sealed = reachable.sealed if not reachable.ended else known.sealed if known is not None else b""
        return Held(
            registration_id=reachable.registration_id,
            seq=reachable.seq,
            language=reachable.language,
            time_zone=reachable.time_zone,
            expires_at=reachable.expires_at,
            ended=reachable.ended,
            forget_at=end + retention if end is not None and sealed else None,
            sealed=sealed,
        )

    def hurried(self, registration_id: str) -> tuple[Waiting, ...]:
        """Return what waits, with what waited for this registration due now."""
        return tuple(
            replace(each, due_at=self.at)
            if each.why in {"out_of_order_hold", "unknown_registration"}
            and any(registration_id in piece.registration_ids for piece in each.pieces)
            else each
            for each in self.registrant.waiting
        )

    def unasked(self, held: Held) -> Iterable[Reach]:
        """Return the unverified contacts of a registration that no registration in force has named before."""
        others = [each for each in self.active() if each.sealed != held.sealed]
        known = {reach.address for reach in self.reaches(others)}
        if held.active(self.at) and held.sealed not in {each.sealed for each in self.active()}:
            for reach in self.reaches([held]):
                if not reach.contact.verified and reach.address not in known:
                    known.add(reach.address)
                    yield reach

    def settle(self, receipt: Receipt, record: Record, sent: State | None) -> None:
        """Let a provider's receipt take its attempt further; one for no attempt of ours is a dead letter."""
        attempt = sent.attempts.get(receipt.reference) if isinstance(sent, Sent) else None
        if not isinstance(sent, Sent) or attempt is None or receipt.status not in attempts.STATUSES:
            self.refuse(receipt, record)
            return
        status = attempts.status_of(receipt, self.pin(attempt))
        settled = attempts.settle(attempt, status, receipt.occurred_at)
        said = f"attempt {attempt.number} is {status}" + ("" if status == receipt.status else f": the provider says {receipt.status}")
        if settled is None:
            reason, said = "late_receipt", f"the provider says {receipt.status}; the attempt stays {attempt.status}"
        else:
            reason = "receipt"
            key = sent_key(self.registrant.registrant_id, attempt.reference)
            self.states[key] = replace(sent, attempts={**sent.attempts, attempt.reference: settled})
        for message_id in attempt.message_ids:
            self.verdict(
                message_id,
                "receipt",
                reason,
                said,
                notification_id=attempt.notification_id,
                reference=attempt.reference,
                channel=attempt.channel,
            )

    def judge(self, action: ReviewAction) -> None:
        """Do what a reviewer decided: tell what can be told now, or put it aside."""
        due = next((each for each in self.registrant.waiting if each.review_id == action.review_id is not None), None)
        if due is None:
            detail = f"{action.reviewer} asked to {action.action} a review that is not open here"
            self.observe(action.review_id or "", "unknown_review", detail)
            return
        self.registrant = replace(self.registrant, waiting=tuple(each for each in self.registrant.waiting if each is not due))
        said = f"{action.reviewer} {action.action}d it: {action.reason}"
        if action.action == "discard":
            for piece in due.pieces:
                self.note(piece, "dropped", "discarded", said, review_id=due.review_id or "")
            self.review(due, due.pieces[0], "discarded", said, action)
            return
        still = self.released(due, said, action)
        self.registrant = replace(self.registrant, waiting=(*self.registrant.waiting, *still))

    def released(self, due: Waiting, said: str, action: ReviewAction) -> tuple[Waiting, ...]:
        """Tell what a reviewer let go by every registration in force; what cannot be told yet stays in review."""
        ids = tuple(sorted(held.registration_id for held in self.active()))
        pieces = tuple(replace(piece, registration_ids=ids) for piece in due.pieces)
        lacking = "unknown_registration" if not ids else "no_text" if self.lacks_words(pieces) else None
        if lacking is not None:
            for piece in due.pieces:
                self.note(piece, "flagged", lacking, f"{said}; but {DETAILS[lacking]}", review_id=due.review_id or "")
            return (due,)
        for piece in pieces:
            self.note(piece, "noted", "released", said, review_id=due.review_id or "")
        self.review(due, due.pieces[0], "released", said, action)
        return self.told(replace(due, pieces=pieces, review_id=None))

    def refuse(self, receipt: Receipt, record: Record) -> None:
        """Put a receipt that refers to nothing aside; sealed, since a provider's words may hold an address."""
        original = record.raw if record.raw is not None else msgspec.json.encode(receipt)
        dead_letter_id = f"{record.topic}-{record.partition}-{record.offset}"
        detail = f"no attempt of ours is known under this reference; the provider says {receipt.status}"
        letter = DeadLetter(
            dead_letter_id=dead_letter_id,
            reason="unknown_receipt",
            detail=detail,
            stage=NAME,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            received_at=record.timestamp,
            sha256=hashlib.sha256(original).hexdigest(),
            encrypted=True,
            original=self.context.seal.close(original, "dead-letter"),
            key=record.key,
        )
        self.outputs.append(Output(DEAD_LETTERS, dead_letter_id, letter))
        self.verdict(receipt.reference, "rejected", "unknown_receipt", detail, reference=receipt.reference)

    # --- what leaves -------------------------------------------------------------------------------------------------

    def let_go(self) -> None:
        """Decide about everything that is due."""
        waiting = self.registrant.waiting
        if any(each.due_at <= self.at for each in waiting):
            left = tuple(still for each in waiting for still in (self.leave(each) if each.due_at <= self.at else (each,)))
            self.registrant = replace(self.registrant, waiting=left)

    def resettle(self) -> None:
        """What waits for the end of quiet hours waits for the end that they have now; what waits for a text leaves once there is one."""
        waiting = tuple(replace(each, due_at=self.due_now(each)) for each in self.registrant.waiting)
        self.registrant = replace(self.registrant, waiting=waiting)

    def due_now(self, waiting: Waiting) -> int:
        """Return when something that waits is to be decided by the settings of now."""
        if waiting.why == "quiet_hours":
            return quiet_end(self.at, self.context.rules.quiet_hours(waiting.pieces[0].scope), self.zone(waiting))
        return self.at if waiting.why == "no_text" and not self.lacks_words(waiting.pieces) else waiting.due_at

    def leave(self, due: Waiting) -> tuple[Waiting, ...]:
        """Tell what can be told now; return what goes on waiting. Registrations are looked at once more, at the last metre."""
        told, unseen = [], []
        for piece in due.pieces:
            registrations = [self.registrant.registrations.get(each) for each in piece.registration_ids]
            if any(held is not None and held.active(self.at) for held in registrations):
                told.append(piece)
            elif None in registrations:
                unseen.append(piece)
            else:
                self.note(piece, "dropped", "registration_ended", "every registration it was for ended before it left")
        if due.review_id is not None and not unseen:
            if told and self.lacks_words(tuple(told)):
                return (replace(due, pieces=tuple(told), due_at=self.again(told[0])),)
            self.review(due, due.pieces[0], "superseded", "what it lacked came, or its registration ended, after it was flagged")
        still = self.told(replace(due, pieces=tuple(told), review_id=None)) if told else ()
        return (*still, *self.unseen(due, unseen)) if unseen else still

    def unseen(self, due: Waiting, pieces: list[Piece]) -> tuple[Waiting, ...]:
        """Hold pieces whose registration has not been seen; flag them when that lasts, and give them up in the end."""
        first, rules = pieces[0], self.context.rules
        until = due.since + rules.duration("out_of_order.hold", first.scope)
        held = replace(due, pieces=tuple(pieces))
        if self.at < until:
            for piece in pieces:
                self.note(piece, "waiting", "out_of_order_hold", f"its registration has not been seen; waits until {iso(until)}")
            return (replace(held, due_at=until, why="out_of_order_hold"),)
        end = until + rules.duration("delivery.give_up", first.scope)
        if due.review_id is not None and self.at < end:
            return (replace(held, due_at=end),)
        if self.at >= end:
            for piece in pieces:
                self.note(piece, "dropped", "unknown_registration", "its registration was not seen before delivery.give_up")
            self.review(due, pieces[0], "discarded", "its registration was not seen before delivery.give_up")
            return ()
        return (replace(held, due_at=end, why="unknown_registration", review_id=self.flag(held, "unknown_registration")),)

    def told(self, due: Waiting) -> tuple[Waiting, ...]:
        """Send one message to every contact, unless it is to wait for the end of quiet hours."""
        first = due.pieces[0]
        if not due.emergency:
            until = quiet_end(self.at, self.context.rules.quiet_hours(first.scope), self.zone(due))
            if until > self.at:
                for piece in due.pieces:
                    self.note(piece, "gathered", "quiet_hours", f"waits until {iso(until)}")
                return (replace(due, due_at=until, why="quiet_hours"),)
        found = attempts.distinct(self.reaches(self.active()))
        if not found:
            for piece in due.pieces:
                self.note(piece, "dropped", "no_verified_contact", "no registration in force has a verified contact")
            return ()
        if self.context.rules.text("delivery.order", first.scope) == "escalate":
            found = found[:1]
        said = self.wording(due.pieces, found)
        if said is None:
            return (replace(due, due_at=self.again(first), why="no_text", review_id=self.flag(due, "no_text")),)
        self.send(due, found, said)
        return ()

    def again(self, first: Piece) -> int:
        """Return when to look for a text again that was not there, should no reviewer decide."""
        return self.at + self.context.rules.duration("delivery.give_up", first.scope)

    def wording(self, pieces: tuple[Piece, ...], found: Iterable[Reach]) -> Mapping[Spoken, words.Message] | None:
        """Return the message for each language and channel; None where one has no text: general words are told to nobody."""
        said: dict[Spoken, words.Message] = {}
        for reach in found:
            spoken = (reach.held.language, reach.channel)
            if spoken not in said:
                message = words.tell(pieces, self.context.rules, self.at, *spoken)
                if message is None:
                    return None
                said[spoken] = message
        return said

    def lacks_words(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether some contact could not be told yet."""
        return self.wording(pieces, self.reaches(self.active())) is None

    def send(self, due: Waiting, found: tuple[Reach, ...], said: Mapping[Spoken, words.Message]) -> None:
        """Write one attempt a contact."""
        pieces, first = due.pieces, due.pieces[0]
        rules = self.context.rules
        notification_id = attempts.notification_id(self.registrant.registrant_id, pieces)
        emergency = due.emergency
        kind: OutboundKind = "notification" if first.telling == "news" else "correction"
        event = OutboundEvent(first.event_type, first.event_subtype, first.action_at)
        offenders = named(pieces)
        agency = OutboundAgency(words.clean(first.agency or ""), first.ori)
        message_ids = tuple(dict.fromkeys([piece.message_id for piece in pieces]))
        expires_at = self.at + rules.duration("delivery.give_up", first.scope)
        for reach in found:
            spoken = (reach.held.language, reach.channel)
            message = said[spoken]
            outbound = self.outbound(
                reach,
                message,
                notification_id,
                kind=kind,
                emergency=emergency,
                event=event,
                offenders=offenders,
                agency=agency,
                message_ids=message_ids,
                expires_at=expires_at,
            )
            self.attempt(reach, outbound, message_ids)
            told_in = "" if spoken[0].startswith(message.language) else f" (there is no text in {spoken[0]!r})"
            for piece in pieces:
                self.note(
                    piece,
                    "sent",
                    "attempted",
                    f"attempt 1 by {reach.channel} in {message.language}{told_in}, {len(pieces)} told together",
                    notification_id=notification_id,
                    reference=outbound.reference,
                    channel=reach.channel,
                )

    def ask(self, reach: Reach) -> None:
        """Send a contact that is not verified the request to verify itself, and nothing else."""
        rules, held = self.context.rules, reach.held
        message = words.ask(rules.book("", self.at), held.language, reach.channel)
        notification_id = attempts.digest(16, self.registrant.registrant_id, "verification", held.registration_id, held.seq, reach.place)
        expires_at = self.at + rules.duration("delivery.give_up", EVERYWHERE)
        outbound = self.outbound(reach, message, notification_id, kind="verification", expires_at=expires_at)
        self.attempt(reach, outbound, (held.registration_id,))
        self.verdict(
            held.registration_id,
            "sent",
            "verification_sent",
            f"asked by {reach.channel}",
            notification_id=notification_id,
            reference=outbound.reference,
            channel=reach.channel,
        )

    def outbound(  # noqa: PLR0913  the record's own fields
        self,
        reach: Reach,
        message: words.Message,
        notification_id: str,
        *,
        kind: OutboundKind,
        expires_at: int,
        emergency: bool = False,
        event: OutboundEvent | None = None,
        offenders: tuple[OutboundOffender, ...] | None = None,
        agency: OutboundAgency | None = None,
        message_ids: tuple[str, ...] = (),
    ) -> Outbound:
        """Return the first attempt to tell one contact."""
        return Outbound(
            reference=attempts.reference(self.registrant.registrant_id, notification_id, reach, 1),
            notification_id=notification_id,
            attempt=1,
            registrant_id=self.registrant.registrant_id,
            kind=kind,
            channel=reach.channel,
            to=reach.contact.address,
            language=message.language,
            subject=message.subject,
            body=message.body,
            emergency=emergency,
            event=event,
            offenders=offenders,
            agency=agency,
            message_ids=message_ids,
            created_at=self.at,
            not_before=None,
            expires_at=expires_at,
            confirm=emergency and reach.channel == "voice" and reach.pin is not None,
        )

    def attempt(self, reach: Reach, outbound: Outbound, message_ids: tuple[str, ...]) -> None:
        """Let an attempt leave, and remember it for its receipts."""
        kept = Attempt(
            reference=outbound.reference,
            notification_id=outbound.notification_id,
            channel=outbound.channel,
            registration_id=reach.held.registration_id,
            contact=reach.place,
            message_ids=message_ids,
            sent_at=self.at,
            expires_at=outbound.expires_at,
            confirm=outbound.confirm,
        )
        key = sent_key(self.registrant.registrant_id, kept.reference)
        sent = self.states.get(key)
        others = sent.attempts if isinstance(sent, Sent) else {}
        self.states[key] = Sent(attempts={**others, kept.reference: kept}, forget_at=kept.expires_at + RECEIPTS_AFTER)
        self.outputs.append(Output(OUTBOUND[outbound.channel], self.registrant.registrant_id, outbound))

    # --- what is forgotten -------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget contact data of registrations that ended long enough ago."""
        over = [each for each in self.registrant.registrations.values() if each.forget_at is not None and each.forget_at <= self.at]
        if over:
            marks = {each.registration_id: replace(each, ended=True, forget_at=None, sealed=b"") for each in over}
            self.registrant = replace(self.registrant, registrations={**self.registrant.registrations, **marks})
            for each in over:
                self.observe(each.registration_id, "contacts_forgotten", "retention.contacts has passed since it ended")

    # --- looking things up -------------------------------------------------------------------------------------------

    def active(self) -> list[Held]:
        return [held for held in self.registrant.registrations.values() if held.active(self.at)]

    def reaches(self, held: Iterable[Held]) -> tuple[Reach, ...]:
        return attempts.reaches(held, self.registrant.registrant_id, self.context.seal)

    def zone(self, due: Waiting) -> ZoneInfo:
        """Return where the registrant lives, as the latest registration that this is for says."""
        named_ids = {each for piece in due.pieces for each in piece.registration_ids}
        return ZoneInfo(max((held for held in self.active() if held.registration_id in named_ids), key=lambda held: held.seq).time_zone)

    def pin(self, attempt: Attempt) -> str | None:
        """Return what a confirmation of this attempt must show, None where nothing is asked for."""
        held = self.registrant.registrations.get(attempt.registration_id)
        if held is None or not held.sealed or not attempt.confirm:
            return None
        return next((reach.pin for reach in self.reaches([held])), None)

    # --- saying so ---------------------------------------------------------------------------------------------------

    def flag(self, due: Waiting, reason: str) -> str:
        """Put pieces that wait together before a reviewer; return the review's id."""
        first = due.pieces[0]
        registrant = self.registrant.registrant_id
        review_id = f"{NAME}-{registrant}-{attempts.digest(6, registrant, first.message_id, first.part, reason)}"
        detail = DETAILS[reason]
        self.review(replace(due, review_id=review_id, why=reason), first, "open", detail)
        for piece in due.pieces:
            self.note(piece, "flagged", reason, detail, review_id=review_id)
        return review_id

    def review(self, due: Waiting, first: Piece, state: ReviewState, detail: str, action: ReviewAction | None = None) -> None:
        if due.review_id is None:
            return
        review = Review(
            review_id=due.review_id,
            message_id=first.message_id,
            ori=first.ori,
            stage=NAME,
            offender=first.offender,
            state=state,
            reason=due.why,
            detail=detail,
            since=self.at,
            jurisdiction=first.jurisdiction,
            event_type=first.event_type,
            event_subtype=first.event_subtype,
            reviewer=None if action is None else action.reviewer,
            comment=None if action is None else action.reason,
        )
        self.outputs.append(Output(REVIEWS, due.review_id, review))

    def note(self, piece: Piece, outcome: Outcome, reason: str, detail: str, **more: str) -> None:
        """Write down what was decided about one offender's part of one message."""
        self.verdict(piece.message_id, outcome, reason, detail, piece=piece, **more)

    def observe(self, registration_id: str, reason: str, detail: str) -> None:
        self.verdict(registration_id, "noted", reason, detail)

    def verdict(self, message_id: str, outcome: Outcome, reason: str, detail: str, piece: Piece | None = None, **more: str) -> None:
        self.verdicts.append(
            Verdict(
                stage=NAME,
                message_id=message_id,
                outcome=outcome,
                reason=reason,
                detail=detail,
                at=self.at,
                ori=piece.ori if piece is not None else None,
                offender=piece.offender if piece is not None else None,
                part=piece.part if piece is not None else None,
                rules=self.context.rules.version,
                registrant_id=self.registrant.registrant_id,
                **more,
            )
        )


DETAILS: Final[Mapping[str, str]] = {
    "unknown_registration": "a registration it is for was not seen within out_of_order.hold, and no other is in force",
    "no_text": "the rules have no text for this event subtype",
}


def named(pieces: tuple[Piece, ...]) -> tuple[OutboundOffender, ...]:
    """Return every offender once, by name, with all identifiers."""
    found: dict[str, OutboundOffender] = {}
    for piece in pieces:
        name = words.full_name(piece.name) or words.number_of(piece.identifiers)
        before = found.get(name.casefold(), OutboundOffender(name, ()))
        found[name.casefold()] = OutboundOffender(before.name, tuple(dict.fromkeys((*before.identifiers, *piece.identifiers))))
    return tuple(found.values())


STAGE: Final[Stage[State]] = Stage(
    name=NAME,
    inputs=(NOTIFICATIONS, REGISTRANTS),
    outputs=(*OUTBOUND.values(), REVIEWS, DEAD_LETTERS),
    changelog=DELIVER_STATE,
    state=Registrant | Sent,
    keys=keys,
    decide=decide,
    deadline=deadline,
    resettles=True,
)
