"""What writes messages down, each with its fate, and with the mishaps that befall messages on their way."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from processors.simulation.agencies import agency
from processors.simulation.chance import Chance
from processors.simulation.message import (
    DUPLICATE,
    Agency,
    Fate,
    Form,
    Message,
    Repeated,
    Saying,
    Silent,
    Told,
    When,
    moment,
)
from processors.simulation.people import Offender
from processors.simulation.rates import SHARES
from processors.simulation.times import DAY, HOUR, MINUTE

CANCEL_HOLD: Final = 15 * MINUTE  # contract §6
ROOM: Final = 14 * HOUR  # what a mishap takes at most
PROMPT: Final = 7 * HOUR


@dataclass(slots=True)
class Pen:
    """What is said of one case. Nothing is said after `end`; what says `free` may be taken back and nobody's next step minds."""

    name: str
    chance: Chance
    end: int
    sayings: list[Saying] = field(default_factory=list)
    used: int = 0

    def new_id(self) -> str:
        self.used += 1
        return f"{self.name}-{self.used}"

    def write(self, at: int, message: Message, fate: Fate) -> None:
        """The message is in the feed."""
        self.sayings.append(Saying(at, message, fate))

    def rolled(self, name: str) -> bool:
        """Whether what has this share of all cases happens here."""
        return self.chance.happens(SHARES[name])

    def message(self, event_type: str, subtype: str, notification_type: str, sender: Agency, **fields: Any) -> Message:
        form: Form = "xml" if self.rolled("xml") else "json"
        return Message(self.new_id(), sender, event_type, subtype, notification_type, form=form, **fields)

    def happened(self, at: int, zone: str, delay: int) -> When:
        """Return the action time of what happened a while before it is told."""
        return moment(at - delay, zone, self.chance.one_of(("offset", "utc", "plain")))

    def sender(self, event_type: str, offender: Offender) -> Agency:
        return agency(event_type, offender.state)

    def say(self, at: int, message: Message, fate: Fate, room: int, *, free: bool = False) -> None:
        """The message is in the feed, with what befalls it; `room` is how long nothing else is said of the person."""
        for name, mishap, applies in MISHAPS:
            if room >= ROOM and at + ROOM < self.end and applies(at, message, fate, free) and self.rolled(name):
                mishap(self, at, message, fate)
                return
        self.write(at, message, fate)


def anything(_at: int, _message: Message, fate: Fate, _free: bool) -> bool:  # noqa: FBT001
    return not isinstance(fate, Silent) or fate.stage == "validate"


def at_once(at: int, message: Message, fate: Fate, _free: bool) -> bool:  # noqa: FBT001
    """Whether the message is told as it comes, soon enough that later words about it are in time too."""
    return isinstance(fate, Told) and fate.at == at and message.action.past > at - PROMPT


def changeable(at: int, message: Message, fate: Fate, free: bool) -> bool:  # noqa: FBT001
    return at_once(at, message, fate, free) and (message.location is not None or not message.action.whole_day)


def withdrawable(at: int, message: Message, fate: Fate, free: bool) -> bool:  # noqa: FBT001
    return free and at_once(at, message, fate, free)


def duplicate(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """The same event comes in other messages, edited where it does not matter."""
    pen.write(at, message, fate)
    for _ in range(pen.chance.between(1, 2)):
        at += pen.chance.between(MINUTE, 6 * HOUR)
        pen.write(at, message.again(pen.new_id(), pen.chance), DUPLICATE)


def redelivered(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """The very same message comes twice."""
    pen.write(at, message, fate)
    pen.write(at + pen.chance.between(MINUTE, 6 * HOUR), message, Repeated())


def resubmitted(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """It is cancelled, and sent again before `cancel.hold` is over: nobody hears of either."""
    silent = Silent("dedupe", "suppressed", "resubmitted")
    cancelled = at + pen.chance.between(5 * MINUTE, 6 * HOUR)
    pen.write(at, message, fate)
    pen.write(cancelled, message.cancelling(pen.new_id()), silent)
    pen.write(cancelled + pen.chance.between(MINUTE, CANCEL_HOLD - MINUTE), message.again(pen.new_id(), pen.chance), silent)


def cancelled(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """It is cancelled, which is told; sometimes it is sent again after that, and is news once more."""
    pen.write(at, message, fate)
    at += pen.chance.between(5 * MINUTE, 8 * HOUR)
    pen.write(at, message.cancelling(pen.new_id()), Told(at + CANCEL_HOLD, "cancellation", message.message_id))
    if pen.chance.happens(0.3):
        at += pen.chance.between(CANCEL_HOLD + MINUTE, 5 * HOUR)
        pen.write(at, replace(message.again(pen.new_id(), pen.chance), shouted=False), Told(at))


def changed(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """It is corrected in what registrants are told."""
    pen.write(at, message, fate)
    at += pen.chance.between(5 * MINUTE, 10 * HOUR)
    pen.write(at, corrected(pen, message), Told(at, "change", message.message_id))


def corrected(pen: Pen, message: Message) -> Message:
    """Return an Update that matters: another place, or another time."""
    if message.location is not None:
        return message.updating(pen.new_id(), location=(message.location[0], f"{message.location[1]} Annex"))
    return message.updating(pen.new_id(), action=moment(message.action.at + 17 * MINUTE, message.agency.zone))


def inconsequential(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """It is updated in what registrants are not told."""
    pen.write(at, message, fate)
    update = replace(message.updating(pen.new_id()), remarks="reviewed", shouted=True)
    pen.write(at + pen.chance.between(5 * MINUTE, 10 * HOUR), update, Silent("dedupe", "suppressed", "inconsequential"))


def update_first(pen: Pen, at: int, message: Message, _fate: Fate) -> None:
    """Its Update overtakes it: that is told once it has come, and it is not."""
    pen.write(at - pen.chance.between(MINUTE, CANCEL_HOLD - MINUTE), corrected(pen, message), Told(at, "news", message.message_id))
    pen.write(at, message, Silent("dedupe", "suppressed", "superseded"))


def cancel_first(pen: Pen, at: int, message: Message, _fate: Fate) -> None:
    """Its Cancel overtakes it: nothing is told at all."""
    cancel = message.cancelling(pen.new_id())
    pen.write(at - pen.chance.between(MINUTE, CANCEL_HOLD - MINUTE), cancel, Silent("dedupe", "suppressed", "nothing_told"))
    pen.write(at, message, Silent("dedupe", "suppressed", "superseded"))


def unknown_reference(pen: Pen, at: int, message: Message, fate: Fate) -> None:
    """Beside it comes an Update or Cancel of a message that nobody ever saw."""
    pen.write(at, message, fate)
    stray = replace(message, message_id=f"{message.message_id}-lost", action=moment(at - DAY, message.agency.zone))
    word = stray.cancelling if pen.chance.happens(0.5) else stray.updating
    pen.write(at + pen.chance.between(MINUTE, HOUR), word(pen.new_id()), Silent("dedupe", "flagged", "unknown_reference"))


Mishap = Callable[[Pen, int, Message, Fate], None]
Applies = Callable[[int, Message, Fate, bool], bool]

MISHAPS: Final[tuple[tuple[str, Mishap, Applies], ...]] = (
    ("duplicate", duplicate, anything),
    ("redelivered", redelivered, anything),
    ("resubmitted", resubmitted, anything),
    ("unknown reference", unknown_reference, anything),
    ("cancelled", cancelled, withdrawable),
    ("cancel first", cancel_first, withdrawable),
    ("changed", changed, changeable),
    ("update first", update_first, changeable),
    ("inconsequential", inconsequential, at_once),
)
