"""Messages without an event: verification codes, confirmations, and answers to opting out or in."""

from processors.deliver.contacts import Destination
from processors.deliver.moment import Moment
from processors.deliver.state import Delivery
from processors.deliver.verification import code_of
from processors.deliver.wording.templates import Message, plain_message


def message_about(delivery: Delivery, to: Destination, moment: Moment) -> Message | None:
    """Return the message; None if the rules have no text for it. It names no offender: the address may be a stranger's."""
    code = code_of(moment.registrant_id, to.name, delivery.created_at, moment.seal) if delivery.content == "verification" else ""
    book = moment.rules.book("", delivery.created_at)
    return plain_message(book, f"*{delivery.content}", to.language, to.channel, {"code": code, "spoken_code": " ".join(code)})
