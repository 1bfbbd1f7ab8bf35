"""The context of a decision in dedupe: one offender's events, the time and the rules, with queries."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from processors.dedupe.fingerprint import compared_fields, earlier_fingerprint, fingerprint
from processors.dedupe.state import KnownEvent, KnownEvents, State, StoredMessage, message_key
from processors.domain.event import Event, Scope
from processors.domain.journal import Journal
from processors.rules.rule_set import Rules, RuleSet

NAME: Final = "dedupe"
NO_EVENTS: Final = KnownEvents()


class Message(Struct, frozen=True, gc=False):
    """An agency's message about an event, with the fingerprint of its content."""

    event: Event
    fingerprint: str

    @property
    def reference(self) -> str:
        """The id of the message that it refers to; without a reference, its own id."""
        return self.event.refers_to or self.event.message_id


class Situation(Struct, frozen=True, gc=False):
    """The offender's events and stored messages before the decision, and the time of the decision."""

    offender: str
    at: int
    rules: Rules
    states: Mapping[str, State]
    known: KnownEvents

    @property
    def journal(self) -> Journal:
        return Journal(NAME, self.at, self.rules.version)

    def rule_set(self, event: Event) -> RuleSet:
        return self.rules.rule_set(event.jurisdiction, event.received_at)

    def message(self, event: Event) -> Message:
        """Return the message with its fingerprint; with the earlier version's fingerprint if only that one is known."""
        compared = compared_fields(event, self.rule_set(event))
        found = fingerprint(event, compared)
        known = [each for known in self.known.events if known.ori == event.ori for each in known.fingerprints]
        if known and found not in known and (earlier := earlier_fingerprint(event, compared)) in known:
            return Message(event, earlier)
        return Message(event, found)

    def window_end(self, scope: Scope) -> int:
        """Return until when content that is told now is recognized (contract §6, `duplicate.window`)."""
        return self.at + self.rules.duration("duplicate.window", scope)

    def stored_message(self, seq: int) -> Event:
        """Return a stored message: the newest about a known event, or one that waits."""
        key = message_key(self.offender, seq)
        found = self.states[key]
        if not isinstance(found, StoredMessage):
            raise TypeError(f"no message is stored under {key}")
        return found.event

    def is_repeated(self, message: Message) -> bool:
        """Whether this Cancel or Update was received before."""
        event = message.event
        if event.operation == "Add":
            return False
        this = (event.ori, event.message_id, message.fingerprint)
        if any((each.ori, each.message_id, each.fingerprint) == this for each in self.known.waiting):
            return True
        ours = [each for each in self.known.events if each.ori == event.ori]
        if event.operation == "Cancel":
            return any(event.message_id in each.cancel_ids for each in ours)
        return any(
            event.message_id in each.message_ids and message.fingerprint in each.fingerprints and event.message_id != each.overtaken
            for each in ours
        )

    def is_recognized(self, known: KnownEvent, message: Message) -> bool:
        """Whether the event had this content, within `duplicate.window`."""
        return known.fingerprints.get(message.fingerprint, self.at) > self.at

    def event_with_same_content(self, message: Message) -> KnownEvent | None:
        """
        Return the event with the same content as the message.

        That is an event, not cancelled, that was told with this content within `duplicate.window`, or has it as its last content.
        """
        alike = [each for each in self.known.events if message.fingerprint in each.fingerprints and each.ori == message.event.ori]
        expired = None
        for each in reversed(alike):
            if each.state in {"told", "held"} and self.is_recognized(each, message):
                return each
            if each.state != "cancelled" and each.newest == message.fingerprint:
                if each.state == "held":
                    return each
                expired = expired or each
        return expired

    def event_referred_to(self, message: Message) -> KnownEvent | None:
        """Return the event that a Cancel or Update refers to; of several with that message id, the newest that is not cancelled."""
        meant = [each for each in self.known.events if each.ori == message.event.ori and message.reference in each.message_ids]
        return next((each for each in reversed(meant) if each.state != "cancelled"), meant[-1] if meant else None)

    def event_that_overtook(self, event: Event) -> KnownEvent | None:
        """Return the event for which a reviewer released a later message before this one arrived."""
        return next((each for each in self.known.events if each.overtaken == event.message_id and each.ori == event.ori), None)

    def messages_waiting_for(self, event: Event) -> list[Message]:
        """Return the messages that waited for this one, directly or through each other; each follows the one it refers to."""
        if not self.known.waiting or event.operation == "Cancel":
            return []
        ids, found = {event.message_id}, list[Message]()
        left = [each for each in self.known.waiting if each.review_id is None and each.ori == event.ori]
        while (ready := next((each for each in left if each.reference in ids), None)) is not None:
            left.remove(ready)
            message = Message(self.stored_message(ready.seq), ready.fingerprint)
            found.append(message)
            if message.event.operation != "Cancel":
                ids.add(ready.message_id)
        return found


def target_event(situation: Situation, message: Message) -> KnownEvent | None:
    """Return the event that the message is about, None if it is unknown; an Add of an unknown event opens a new one."""
    event = message.event
    if event.operation == "Cancel":
        return situation.event_referred_to(message)
    if event.operation == "Update":
        return situation.event_that_overtook(event) or situation.event_referred_to(message)
    opened = KnownEvent(seq=event.seq, ori=event.ori, root=event.message_id, state="new")
    return situation.event_with_same_content(message) or situation.event_that_overtook(event) or opened


def situation_of(offender: str, at: int, rules: Rules, states: Mapping[str, State]) -> Situation:
    """Return the situation of the offender at that time."""
    found = states.get(offender)
    return Situation(offender, at, rules, states, found if type(found) is KnownEvents else NO_EVENTS)
