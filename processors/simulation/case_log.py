"""The messages of one simulated case, each with its expected outcome."""

from dataclasses import dataclass, field
from typing import Any, Final

from processors.simulation.agencies import agency
from processors.simulation.message import ActionTime, Agency, ExpectedOutcome, FeedItem, Form, Message, action_time
from processors.simulation.people import Offender
from processors.simulation.randomness import RandomStream
from processors.simulation.rates import SHARES

DISORDER: Final = ("filler", "misspelt number", "weak number")  # errors in the numbers by which a message names an offender


@dataclass(slots=True)
class CaseLog:
    """Collects the messages of one case; nothing happens in it after `end`."""

    name: str
    random: RandomStream
    end: int
    feed_items: list[FeedItem] = field(default_factory=list)
    used_ids: int = 0

    def new_id(self) -> str:
        self.used_ids += 1
        return f"{self.name}-{self.used_ids}"

    def add(self, at: int, message: Message, outcome: ExpectedOutcome) -> None:
        """Append the message to the feed."""
        self.feed_items.append(FeedItem(at, message, outcome))

    def occurs(self, name: str) -> bool:
        """Whether an event of that probability (`rates.SHARES`) occurs now."""
        return self.random.happens(SHARES[name])

    def message(self, event_type: str, subtype: str, notification_type: str, sender: Agency, **fields: Any) -> Message:
        form: Form = "xml" if self.occurs("xml") else "json"
        message_id = self.new_id()
        numbers = self.random.child("numbers", message_id)
        disorder = tuple(each for each in DISORDER if numbers.happens(SHARES[each]))
        return Message(message_id, sender, event_type, subtype, notification_type, form=form, disorder=disorder, **fields)

    def action_time_before(self, at: int, zone: str, delay: int) -> ActionTime:
        """Return the action time of an event that happened `delay` before its message."""
        return action_time(at - delay, zone, self.random.choice(("offset", "utc", "plain")))

    def sender(self, event_type: str, offender: Offender) -> Agency:
        return agency(event_type, offender.state)
