"""
What must come out: who is told what, what is told to nobody and why, and what is refused.

Computed from what the world knows (which message is a copy of which, what each is) and from the contract alone: who is
registered for it (§4), for how long a registrant's messages of one event are gathered, and when that registrant is not
to be disturbed (§6).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from processors.simulation.message import Message, Refused, Saying, Silent, Told
from processors.simulation.people import Offender
from processors.simulation.registrants import Registration
from processors.simulation.times import DAY, HOUR, SECOND, local, midnight

MERGE: Final = 30 * SECOND
MERGE_EMERGENCY: Final = 5 * SECOND
QUIET_FROM: Final = 21
QUIET_UNTIL: Final = 7


@dataclass(frozen=True, slots=True)
class Piece:
    """What one registrant is to be told of one offender; `ids` are the registrations by which."""

    at: int
    message: Message
    offender: Offender
    root: str
    telling: str
    ids: frozenset[str]

    @property
    def event(self) -> tuple[object, ...]:
        """What is told in one message: the agency's event, told in one way."""
        message = self.message
        changed = message.message_id if self.telling == "change" else ""
        return message.agency.ori, message.subtype, message.action.at, message.action.whole_day, self.telling, changed


@dataclass(slots=True)
class Gathering:
    """Pieces of one event that leave together."""

    leaves: int
    pieces: list[Piece] = field(default_factory=list)


class Oracle:
    """Knows every registration, and with it who hears of what."""

    def __init__(self, registrations: Sequence[Registration]) -> None:
        self.of: dict[int, list[Registration]] = defaultdict(list)
        self.by: dict[str, list[Registration]] = defaultdict(list)
        for each in registrations:
            self.of[each.offender.number].append(each)
            self.by[each.registrant.registrant_id].append(each)
        self.known: dict[tuple[str, int], dict[str, frozenset[str]]] = {}
        self.pieces: dict[str, list[Piece]] = defaultdict(list)
        self.held: list[dict[str, str]] = []
        self.refused: Counter[str] = Counter()

    def key(self, sayings: Iterable[Saying]) -> dict[str, Any]:
        """Return the key: what each registrant is told, what nobody is told, what is refused."""
        said = list(sayings)
        for saying in said:
            if isinstance(saying.fate, Refused):
                self.refused[saying.fate.reason] += 1
            elif isinstance(saying.fate, Silent) and saying.message is not None:
                self.hold(saying.message, saying.fate)
        tellings = [(saying.fate, saying) for saying in said if isinstance(saying.fate, Told)]
        for fate, saying in sorted(tellings, key=lambda each: (each[0].at, -each[1].at)):
            if saying.message is not None:
                self.tell(saying.message, fate, saying.at)
        told: dict[str, list[dict[str, Any]]] = {}
        for registrant in sorted(self.by):
            if found := [*self.verifications(registrant), *self.heard(registrant)]:
                told[registrant] = found
        return {
            "told": told,
            "held": sorted(self.held, key=lambda each: each["message_id"]),
            "rejected": dict(sorted(self.refused.items())),
        }

    def hold(self, message: Message, fate: Silent) -> None:
        self.held.append({"message_id": message.message_id, "stage": fate.stage, "outcome": fate.outcome, "reason": fate.reason})

    # --- whom a message concerns

    def tell(self, message: Message, fate: Told, received: int) -> None:
        """Everybody whom the message concerns has a piece of it."""
        root, anybody = fate.root or message.message_id, False
        for offender in message.offenders:
            before = self.known.get((root, offender.number), {})
            now = {} if fate.telling == "cancellation" else self.registered(message, offender, received)
            to = (
                now
                if fate.telling == "news"
                else {each: before.get(each, frozenset()) | now.get(each, frozenset()) for each in {*before, *now}}
            )
            for registrant in sorted(to):
                self.pieces[registrant].append(Piece(fate.at, message, offender, root, fate.telling, to[registrant]))
            anybody = anybody or bool(to)
            self.known[root, offender.number] = {} if fate.telling == "cancellation" else {**before, **to}
        if not anybody:
            reason = "nothing_told" if fate.telling == "cancellation" else "no_registration"
            self.hold(message, Silent("match", "unmatched", reason))

    def registered(self, message: Message, offender: Offender, received: int) -> dict[str, frozenset[str]]:
        """Return who chose to hear of such a message when it came in, each with the registrations that say so."""
        found: dict[str, set[str]] = defaultdict(set)
        for each in self.of[offender.number]:
            version = each.at(received)
            if version is None or (version.subtypes and message.subtype not in version.subtypes):
                continue
            if version.cases and message.case is not None and message.case[0] not in version.cases:
                continue
            found[each.registrant.registrant_id].add(each.registration_id)
        return {registrant: frozenset(ids) for registrant, ids in found.items()}

    # --- what a registrant hears

    def heard(self, registrant: str) -> list[dict[str, Any]]:
        """Return what leaves for a registrant: gathered by event, taken back where it had not left, at a time they are awake."""
        zone = self.by[registrant][0].registrant.zone
        waiting: list[Gathering] = []
        left: list[Gathering] = []
        for piece in sorted(self.pieces[registrant], key=lambda each: each.at):
            left += [each for each in waiting if each.leaves <= piece.at]
            waiting = [each for each in waiting if each.leaves > piece.at]
            self.admit(piece, waiting, zone)
        told = [self.entry(registrant, each) for each in sorted((*left, *waiting), key=lambda each: each.leaves) if each.pieces]
        return [each for each in told if each is not None]

    def admit(self, piece: Piece, waiting: list[Gathering], zone: str) -> None:
        """The piece waits with others of its event, or takes the place of what it corrects or cancels."""
        telling = piece.telling
        if telling != "news":
            unsent = [
                (gathering, each)
                for gathering in waiting
                for each in gathering.pieces
                if (each.root, each.offender) == (piece.root, piece.offender) and each.telling != "cancellation"
            ]
            for gathering, each in unsent:
                gathering.pieces.remove(each)
            if any(each.telling == "news" for _, each in unsent):
                if telling == "cancellation":
                    return
                piece = Piece(piece.at, piece.message, piece.offender, piece.root, "news", piece.ids)
        same = next((each for each in waiting if each.pieces and each.pieces[0].event == piece.event), None)
        if same is not None:
            same.pieces.append(piece)
            return
        emergency = piece.message.emergency
        due = piece.at + (MERGE_EMERGENCY if emergency else MERGE)
        waiting.append(Gathering(due if emergency else awake(due, zone), [piece]))

    def entry(self, registrant: str, gathering: Gathering) -> dict[str, Any] | None:
        """Return what is told when a gathering leaves; None where no registration for it stands, or nobody can be reached."""
        stands = {each.registration_id: version for each in self.by[registrant] if (version := each.at(gathering.leaves + 1)) is not None}
        pieces = [each for each in gathering.pieces if each.ids & stands.keys()]
        reached = {(channel, address) for version in stands.values() for channel, address, verified in version.contacts if verified}
        if not pieces or not reached:
            return None
        return {
            "kind": "notification" if pieces[0].telling == "news" else "correction",
            "event_subtype": pieces[0].message.subtype,
            "message_ids": sorted({each.message.message_id for each in pieces}),
            "offenders": sorted({each.offender.name for each in pieces}),
            "channels": sorted(channel for channel, _ in reached),
        }

    def verifications(self, registrant: str) -> Iterable[dict[str, Any]]:
        """Yield the requests to verify: one for every contact that came in unverified, once."""
        asked: set[str] = set()
        for each in self.by[registrant]:
            for version in each.versions:
                for channel, address, verified in version.contacts:
                    if not verified and address not in asked:
                        asked.add(address)
                        yield {"kind": "verification", "event_subtype": "", "message_ids": [], "offenders": [], "channels": [channel]}


def awake(at: int, zone: str) -> int:
    """Return the next time at which somebody in a zone may be disturbed."""
    clock = local(at, zone)
    if QUIET_UNTIL <= clock.hour < QUIET_FROM:
        return at
    day = clock.date() if clock.hour < QUIET_UNTIL else local(midnight(clock.date(), zone) + DAY + DAY // 2, zone).date()
    noon = midnight(day, zone) + 12 * HOUR
    return next(each for each in (noon - hours * HOUR for hours in (6, 5, 4)) if local(each, zone).hour == QUIET_UNTIL)
