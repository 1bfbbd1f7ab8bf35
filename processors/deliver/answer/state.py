"""The state of one submission until it is answered, and for as long as another submission may repeat it."""

from msgspec import Struct

from processors.domain.event import Scope


class RepeatingPart(Struct, frozen=True, gc=False, array_like=True):
    """A part of another submission that repeats this one."""

    submission: str
    message_id: str
    ori: str
    leaves: int
    received_at: int
    jurisdiction: str | None
    notification_type: str | None
    event_subtype: str | None
    trace: str | None = None


class SubmissionTally(Struct, frozen=True, gc=False, omit_defaults=True, tag="sums"):
    """
    The counts of one submission.

    `leaves` is the number of its parts, 0 while only other submissions have referred to it; `ended` is how many of them ended,
    `copies` how many of those were copies of an earlier message. `owed` is the number of registrants found minus the number of
    outcomes; it is negative while an outcome has arrived before the number. The submission is closed when every part has ended
    and nothing is owed. `followers` are the parts that repeat it. `answer_at` is when a held response is sent. The tally is
    forgotten at `forget_at`.
    """

    message_id: str = ""
    ori: str = ""
    scope: Scope = Scope()
    leaves: int = 0
    ended: int = 0
    copies: int = 0
    owed: int = 0
    failed: bool = False
    followers: tuple[RepeatingPart, ...] = ()
    closed: bool = False
    answer_at: int | None = None
    forget_at: int = 0
    trace: str | None = None

    @property
    def complete(self) -> bool:
        return self.leaves > 0 and self.ended >= self.leaves and self.owed == 0


def deadline(tally: SubmissionTally) -> int | None:
    """Return when the response is sent or the tally is forgotten; None while parts of the submission are open."""
    if tally.answer_at is not None:
        return tally.answer_at
    return tally.forget_at if tally.closed or not tally.leaves else None
