"""
The oracle: which notifications each registrant must get, which messages are withheld and why, and which are rejected.

It uses only the simulated world (which message is a copy of which) and the contract: who is registered (§4), how long a registrant's
messages about one event are gathered, and quiet hours (§6).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from processors.simulation.message import FeedItem, Message, Notified, Rejected, Withheld
from processors.simulation.people import Offender
from processors.simulation.registrants import Registration
from processors.simulation.times import DAY, HOUR, SECOND, local, midnight

MERGE: Final = 30 * SECOND
MERGE_EMERGENCY: Final = 5 * SECOND
QUIET_FROM: Final = 21
QUIET_UNTIL: Final = 7


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notification due for one registrant and offender; `ids` are the registrations that cover it."""

    at: int
    message: Message
    offender: Offender
    root: str
    kind: str
    ids: frozenset[str]

    @property
    def event(self) -> tuple[object, ...]:
        """The key by which notices are merged: the agency event and the kind of news."""
        message = self.message
        changed = message.message_id if self.kind == "change" else ""
        return message.agency.ori, message.subtype, message.action.at, message.action.is_whole_day, self.kind, changed


@dataclass(slots=True)
class MergedNotices:
    """Notices of one event that are sent as one."""

    leaves: int
    notices: list[DueNotice] = field(default_factory=list)


class Oracle:
    """Computes the key from all registrations and messages."""

    def __init__(self, registrations: Sequence[Registration]) -> None:
        self.of: dict[int, list[Registration]] = defaultdict(list)
        self.by: dict[str, list[Registration]] = defaultdict(list)
        for each in registrations:
            self.of[each.offender.number].append(each)
            self.by[each.registrant.registrant_id].append(each)
        self.known: dict[tuple[str, int], dict[str, frozenset[str]]] = {}
        self.notices: dict[str, list[DueNotice]] = defaultdict(list)
        self.held: list[dict[str, str]] = []
        self.refused: Counter[str] = Counter()

    def key(self, feed_items: Iterable[FeedItem]) -> dict[str, Any]:
        """Return the key: what each registrant is told, which messages are withheld, how many are rejected."""
        items = list(feed_items)
        for item in items:
            if isinstance(item.outcome, Rejected):
                self.refused[item.outcome.reason] += 1
            elif isinstance(item.outcome, Withheld) and item.message is not None:
                self.withhold(item.message, item.outcome)
        kinds = [(item.outcome, item) for item in items if isinstance(item.outcome, Notified)]
        for outcome, item in sorted(kinds, key=lambda each: (each[0].at, -each[1].at)):
            if item.message is not None:
                self.notify(item.message, outcome, item.at)
        told: dict[str, list[dict[str, Any]]] = {}
        for registrant in sorted(self.by):
            if found := [*self.verifications(registrant), *self.confirmations(registrant), *self.messages_to(registrant)]:
                told[registrant] = found
        return {
            "told": told,
            "held": sorted(self.held, key=lambda each: each["message_id"]),
            "rejected": dict(sorted(self.refused.items())),
        }

    def withhold(self, message: Message, outcome: Withheld) -> None:
        self.held.append({"message_id": message.message_id, "stage": outcome.stage, "outcome": outcome.outcome, "reason": outcome.reason})

    def notify(self, message: Message, outcome: Notified, received: int) -> None:
        """Add a notice for every registrant whom the message concerns."""
        root, anybody = outcome.root or message.message_id, False
        for offender in message.offenders:
            before = self.known.get((root, offender.number), {})
            now = {} if outcome.kind == "cancellation" else self.entitled_registrants(message, offender, received, outcome.at)
            to = (
                now
                if outcome.kind == "news"
                else {each: before.get(each, frozenset()) | now.get(each, frozenset()) for each in {*before, *now}}
            )
            for registrant in sorted(to):
                self.notices[registrant].append(DueNotice(outcome.at, message, offender, root, outcome.kind, to[registrant]))
            anybody = anybody or bool(to)
            self.known[root, offender.number] = {} if outcome.kind == "cancellation" else {**before, **to}
        if not anybody:
            reason = "nothing_told" if outcome.kind == "cancellation" else "no_registration"
            self.withhold(message, Withheld("match", "unmatched", reason))

    def entitled_registrants(self, message: Message, offender: Offender, received: int, at: int) -> dict[str, frozenset[str]]:
        """
        Return the registrants entitled to the message, each with their registrations.

        What they had chosen when it was received counts; a registration that ended while the message waited no longer counts.
        """
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.of[offender.number]:
            version = each.version_at(received)
            if version is None or each.version_at(at) is None or (version.subtypes and message.subtype not in version.subtypes):
                continue
            if not offender.is_same_to(message.knowledge, each.knowledge, received):
                continue
            if version.cases and message.case is not None and message.case[0] not in version.cases:
                continue
            found[each.registrant.registrant_id].add(each.registration_id)
        return {registrant: frozenset(ids) for registrant, ids in found.items()}

    def messages_to(self, registrant: str) -> list[dict[str, Any]]:
        """Return what is sent to a registrant: merged by event, outside quiet hours, without what was cancelled before it left."""
        zone = self.by[registrant][0].registrant.zone
        waiting: list[MergedNotices] = []
        left: list[MergedNotices] = []
        for notice in sorted(self.notices[registrant], key=lambda each: each.at):
            left += [each for each in waiting if each.leaves <= notice.at]
            waiting = [each for each in waiting if each.leaves > notice.at]
            self.merge(notice, waiting, zone)
        told = [self.key_entry(registrant, each) for each in sorted((*left, *waiting), key=lambda each: each.leaves) if each.notices]
        return [each for each in told if each is not None]

    def merge(self, notice: DueNotice, waiting: list[MergedNotices], zone: str) -> None:
        """Merge the notice with those of its event that wait, or replace the waiting notice that it corrects or cancels."""
        kind = notice.kind
        if kind != "news":
            unsent = [
                (merged, each)
                for merged in waiting
                for each in merged.notices
                if (each.root, each.offender) == (notice.root, notice.offender) and each.kind != "cancellation"
            ]
            for merged, each in unsent:
                merged.notices.remove(each)
            if any(each.kind == "news" for _, each in unsent):
                if kind == "cancellation":
                    return
                notice = DueNotice(notice.at, notice.message, notice.offender, notice.root, "news", notice.ids)
        same = next((each for each in waiting if each.notices and each.notices[0].event == notice.event), None)
        if same is not None:
            same.notices.append(notice)
            return
        emergency = notice.message.emergency
        due = notice.at + (MERGE_EMERGENCY if emergency else MERGE)
        waiting.append(MergedNotices(due if emergency else end_of_quiet_hours(due, zone), [notice]))

    def key_entry(self, registrant: str, merged: MergedNotices) -> dict[str, Any] | None:
        """Return the key's entry for one message; None if no registration is in force or no contact is verified."""
        versions = {each.registration_id: each.version_at(merged.leaves + 1) for each in self.by[registrant]}
        in_force = {registration_id: version for registration_id, version in versions.items() if version is not None}
        notices = [each for each in merged.notices if each.ids & in_force.keys()]
        reached = {(channel, address) for version in in_force.values() for channel, address, verified in version.contacts if verified}
        if not notices or not reached:
            return None
        return {
            "kind": "notification" if notices[0].kind == "news" else "correction",
            "event_subtype": notices[0].message.subtype,
            "message_ids": sorted({each.message.message_id for each in notices}),
            "offenders": sorted({each.offender.name for each in notices}),
            "channels": sorted(channel for channel, _ in reached),
        }

    def verifications(self, registrant: str) -> Iterable[dict[str, Any]]:
        """Yield the requests to verify: one for each unverified contact, outside quiet hours."""
        asked: set[str] = set()
        for each in self.by[registrant]:
            for version in each.versions:
                leaves = end_of_quiet_hours(version.at, each.registrant.zone)
                here = {address for other in self.by[registrant] for _, address, _ in other.contacts_at(leaves + 1)}
                for channel, address, verified in version.contacts:
                    if not verified and address not in asked and address in here:
                        asked.add(address)
                        yield about_registration("verification", channel)

    def confirmations(self, registrant: str) -> Iterable[dict[str, Any]]:
        """Yield the confirmation of each registration, by its first verified contact, outside quiet hours, if it is still in force then."""
        for each in self.by[registrant]:
            for version in each.versions:
                first = next(((channel, address) for channel, address, verified in version.contacts if verified), None)
                if version.ended or first is None or (version.expires_at is not None and version.expires_at <= version.at):
                    continue
                leaves = end_of_quiet_hours(version.at, each.registrant.zone)
                here = {(channel, address) for other in self.by[registrant] for channel, address, _ in other.contacts_at(leaves + 1)}
                if first in here and each.version_at(leaves + 1) is not None:
                    yield about_registration("confirmation", first[0])
                break


def about_registration(kind: str, channel: str) -> dict[str, Any]:
    """Return the key's entry for a message that tells of no event."""
    return {"kind": kind, "event_subtype": "", "message_ids": [], "offenders": [], "channels": [channel]}


def end_of_quiet_hours(at: int, zone: str) -> int:
    """Return `at`, or the end of the quiet hours that it falls into."""
    clock = local(at, zone)
    if QUIET_UNTIL <= clock.hour < QUIET_FROM:
        return at
    day = clock.date() if clock.hour < QUIET_UNTIL else local(midnight(clock.date(), zone) + DAY + DAY // 2, zone).date()
    noon = midnight(day, zone) + 12 * HOUR
    return next(each for each in (noon - hours * HOUR for hours in (6, 5, 4)) if local(each, zone).hour == QUIET_UNTIL)
