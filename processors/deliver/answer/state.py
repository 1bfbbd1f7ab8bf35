"""What is kept of one submission until it is answered, and for as long as another may repeat it."""

from msgspec import Struct

from processors.domain.event import Scope


class Follower(Struct, frozen=True, gc=False, array_like=True):
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


class Sums(Struct, frozen=True, gc=False, omit_defaults=True, tag="sums"):
    """
    The sums of one submission.

    `leaves` is how many parts it has, 0 while only other submissions have referred to it; `ended` how many of them ended,
    `copies` how many of those were copies of a message sent before. `owed` is how many registrants were found less those
    who had their outcome; it is below 0 while an outcome came before the number. It closes when every part ended and
    nobody is owed; `answer_at` is when the response is sent, if one is due. It is forgotten at `forget_at`.
    """

    message_id: str = ""
    ori: str = ""
    scope: Scope = Scope()
    leaves: int = 0
    ended: int = 0
    copies: int = 0
    owed: int = 0
    failed: bool = False
    followers: tuple[Follower, ...] = ()
    closed: bool = False
    answer_at: int | None = None
    forget_at: int = 0
    trace: str | None = None

    @property
    def complete(self) -> bool:
        return self.leaves > 0 and self.ended >= self.leaves and self.owed == 0


def deadline(sums: Sums) -> int | None:
    """Return when the response is sent or the sums are forgotten; None while parts of the submission are open."""
    if sums.answer_at is not None:
        return sums.answer_at
    return sums.forget_at if sums.closed or not sums.leaves else None
