"""
One offender's document while one input is decided: what is looked up in it, what changes, what is said about it.

It lives for one decision and is the only thing in this room that changes; what dedupe means is in decide.py.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.dedupe.fingerprint import fingerprint
from processors.dedupe.state import Kept, Sighting, Sightings, State, Waiting, shelf
from processors.domain.event import Event
from processors.domain.journal import Outcome, Verdict
from processors.domain.review import Review, ReviewState
from processors.rules.book import Book, Rules
from processors.stage import Decision, Output
from processors.topics import DISTINCT, REVIEWS

NAME: Final = "dedupe"
NOTHING: Final = Sightings()


class Word(Struct, frozen=True):
    """What an agency says about an event: a message, and how it compares."""

    event: Event
    fingerprint: str

    @property
    def reference(self) -> str:
        """The message it is about; without a reference it can only be about the message whose id it bears."""
        return self.event.refers_to or self.event.message_id


class Ledger:
    """The document, the time to decide by, and what has been decided so far."""

    def __init__(self, offender: str, at: int, rules: Rules, found: Mapping[str, State]) -> None:
        document = found.get(offender)
        self.before = document if isinstance(document, Sightings) else NOTHING
        self.offender = offender
        self.at = at
        self.rules = rules
        self.found = found
        self.sightings = list(self.before.sightings)
        self.waiting = list(self.before.waiting)
        self.changed = False
        self.outputs: list[Output] = []
        self.verdicts: list[Verdict] = []
        self.kept: dict[str, State | None] = {}

    # what is known

    def book(self, event: Event) -> Book:
        return self.rules.book(event.jurisdiction, event.received_at)

    def word(self, event: Event) -> Word:
        return Word(event, fingerprint(event, self.book(event)))

    def message(self, seq: int) -> Event:
        """Return the message kept for a sighting, or one that waits."""
        kept = self.found[shelf(self.offender, seq)]
        if not isinstance(kept, Kept):
            raise TypeError(f"no message lies under {shelf(self.offender, seq)}")
        return kept.event

    def repeated(self, word: Word) -> bool:
        """Whether this very Cancel or Update was heard before."""
        event = word.event
        if event.operation == "Add":
            return False
        if any((each.ori, each.message_id, each.fingerprint) == (event.ori, event.message_id, word.fingerprint) for each in self.waiting):
            return True
        ours = [each for each in self.sightings if each.ori == event.ori]
        if event.operation == "Cancel":
            return any(event.message_id in each.cancels for each in ours)
        return any(
            event.message_id in each.names and word.fingerprint in each.versions and event.message_id != each.unseen for each in ours
        )

    def recognised(self, sighting: Sighting, word: Word) -> bool:
        """Whether the sighting was said to be just this, within `duplicate.window`."""
        return sighting.versions.get(word.fingerprint, self.at) > self.at

    def same(self, word: Word) -> Sighting | None:
        """
        Return the sighting that is the same event by its content.

        That is one of which this was told, lately or as the last that was said of it, and not cancelled since.
        """
        alike = [each for each in self.sightings if word.fingerprint in each.versions and each.ori == word.event.ori]
        faded = None
        for each in reversed(alike):
            if each.standing in {"told", "held"} and self.recognised(each, word):
                return each
            if each.standing != "cancelled" and each.newest == word.fingerprint:
                if each.standing == "held":
                    return each
                faded = faded or each
        return faded

    def referred(self, word: Word) -> Sighting | None:
        """Return the sighting that a Cancel or Update is about: of several with that message id the newest that still stands."""
        meant = [each for each in self.sightings if each.ori == word.event.ori and word.reference in each.names]
        return next((each for each in reversed(meant) if each.standing != "cancelled"), meant[-1] if meant else None)

    def judged(self, event: Event) -> Sighting | None:
        """Return the sighting on which a reviewer decided before this message of it arrived."""
        return next((each for each in self.sightings if each.unseen == event.message_id and each.ori == event.ori), None)

    def followers(self, event: Event) -> list[Word]:
        """Return what waited for this message, and for what waited for it, in an order in which each follows what it is about."""
        if not self.waiting or event.operation == "Cancel":
            return []
        known, found = {event.message_id}, list[Word]()
        still = [each for each in self.waiting if each.review_id is None and each.ori == event.ori]
        while (ready := next((each for each in still if each.reference in known), None)) is not None:
            still.remove(ready)
            word = Word(self.message(ready.seq), ready.fingerprint)
            found.append(word)
            if word.event.operation != "Cancel":
                known.add(ready.message_id)
        return found

    # what changes

    def put(self, sighting: Sighting) -> None:
        """The sighting is as given from now on."""
        self.changed = True
        for place, each in enumerate(self.sightings):
            if each.seq == sighting.seq:
                self.sightings[place] = sighting
                return
        self.sightings.append(sighting)

    def drop(self, sighting: Sighting) -> None:
        """The sighting and its message are forgotten."""
        self.changed = True
        self.sightings = [each for each in self.sightings if each.seq != sighting.seq]
        self.forget(sighting.seq)

    def keep(self, seq: int, event: Event) -> None:
        self.kept[shelf(self.offender, seq)] = Kept(event)

    def forget(self, seq: int) -> None:
        self.kept[shelf(self.offender, seq)] = None

    def wait(self, waiting: Waiting) -> None:
        """A message waits, or waits otherwise than before."""
        self.changed = True
        self.waiting = [*(each for each in self.waiting if each.seq != waiting.seq), waiting]

    def settled(self, words: Iterable[Word]) -> None:
        """These messages wait no longer."""
        if not self.waiting:
            return
        seqs = {word.event.seq for word in words}
        for each in self.waiting:
            if each.seq in seqs:
                self.changed = True
                self.forget(each.seq)
        self.waiting = [each for each in self.waiting if each.seq not in seqs]

    # what is said

    def send(self, event: Event) -> None:
        self.outputs.append(Output(DISTINCT, self.offender, event))

    def review(self, review: Review) -> None:
        self.outputs.append(Output(REVIEWS, review.review_id, review))

    def say(self, event: Event, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> None:
        """The journal tells what was decided about `event`, and why."""
        self.verdicts.append(
            Verdict(
                stage=NAME,
                message_id=event.message_id,
                outcome=outcome,
                reason=reason,
                detail=detail,
                at=self.at,
                ori=event.ori,
                offender=self.offender,
                part=event.part,
                rules=self.rules.version,
                review_id=review_id,
            )
        )

    def decision(self) -> Decision[State]:
        """Return what follows."""
        if not self.changed:
            return Decision(tuple(self.outputs), verdicts=tuple(self.verdicts))
        after = Sightings(sightings=tuple(self.sightings), waiting=tuple(self.waiting))
        states: dict[str, State | None] = {self.offender: after if self.sightings or self.waiting else None, **self.kept}
        return Decision(tuple(self.outputs), states, tuple(self.verdicts))


def closed(review: Review, state: ReviewState, reviewer: str, comment: str) -> Review:
    """Return the review as a reviewer closed it."""
    return replace(review, state=state, reviewer=reviewer, comment=comment)
