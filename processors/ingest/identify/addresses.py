"""
Addresses, by their keyed digests: whose they are, and on which channels they opted out (contract §5).

After a STOP, nothing more is sent to that address under any registration that has it, including later ones, until a START comes from
the same address. A message that is delivered or replayed a second time changes nothing, nor does a START that was sent before
the STOP and arrives after it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import structs

from processors.domain.event import EVERYWHERE
from processors.domain.inbound import Inbound, Keyword
from processors.domain.intake import Intake
from processors.domain.registration import Channel, Verification, VerificationPermit, VerificationRequest
from processors.ingest.identify import pages
from processors.ingest.identify.journal import intake_verdict
from processors.ingest.identify.state import (
    Address,
    CurrentRegistration,
    State,
    States,
    address_key,
    find,
    registration_key,
    registrations_key,
)
from processors.stage import Context, Decision, Output, Record
from processors.topics import DAY, REGISTRANTS

PHONE_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "voice")
REQUESTS_A_DAY: Final = 3
REMEMBERED_KEYWORDS: Final[tuple[Keyword, ...]] = ("stop", "start")  # remembered even if nobody registered the address
MAX_KNOWN_MESSAGES: Final = 20  # the latest messages from an address, to recognize repeated ones

_verification = msgspec.json.Decoder(Verification).decode
_request = msgspec.json.Decoder(VerificationRequest).decode
_inbound = msgspec.json.Decoder(Inbound).decode


def verification_keys(record: Record, _states: States) -> Iterator[str]:
    yield registration_key(record.value.message_id)


def decide_verification(record: Record, states: States, context: Context) -> Decision[State]:
    """Route a verification code to the registrant of its registration."""
    intake: Intake = record.value
    verification = structs.replace(_verification(intake.body), seq=record.offset)
    current = find(states, registration_key(verification.registration_id), CurrentRegistration)
    if current is None:
        return Decision(verdicts=(intake_verdict(intake, context, "unknown_registration", "No such registration is in force."),))
    verdict = intake_verdict(
        intake, context, "verification", "The code goes to the registrant whose contact was sent one.", current.registrant_id
    )
    return Decision((Output(REGISTRANTS, current.registrant_id, verification),), verdicts=(verdict,))


def inbound_keys(record: Record, states: States) -> Iterator[str]:
    key = address_key(_inbound(record.value.body).address)
    yield key
    yield from pages.all_page_keys(registrations_key(key), states)
    yield from map(registration_key, pages.items(states, registrations_key(key)))


def decide_inbound(record: Record, states: States, context: Context) -> Decision[State]:
    """Route a message to every registrant who has its address (only the first is to reply), and record whether the address opted out."""
    intake: Intake = record.value
    inbound = structs.replace(_inbound(intake.body), seq=record.offset)
    key = address_key(inbound.address)
    before = find(states, key, Address) or Address()
    if inbound.id and inbound.id in before.heard:
        return Decision(
            verdicts=(intake_verdict(intake, context, "repeated_inbound", f"The message says {inbound.keyword} and was taken before."),)
        )
    if inbound.keyword == "start" and inbound.channel in before.silenced and inbound.occurred_at < before.stopped_at:
        return Decision(
            verdicts=(intake_verdict(intake, context, "late_inbound", "The message says start and was sent before the address said stop."),)
        )
    listed = (find(states, registration_key(each), CurrentRegistration) for each in pages.items(states, registrations_key(key)))
    registrants = dict.fromkeys(each.registrant_id for each in listed if each is not None)
    outputs = tuple(
        Output(REGISTRANTS, each, structs.replace(inbound, answered=inbound.answered or number > 0))
        for number, each in enumerate(registrants)
    )
    detail = f"The address says {inbound.keyword}; registrants who have it: {len(registrants)}."
    after = address_after_keyword(before, inbound, context)
    if inbound.id and (registrants or inbound.keyword in REMEMBERED_KEYWORDS):
        after = structs.replace(after, heard=(*after.heard, inbound.id)[-MAX_KNOWN_MESSAGES:])
    changed: dict[str, State | None] = {} if after == before else {key: None if after == Address() else after}
    return Decision(outputs, changed, (intake_verdict(intake, context, "inbound", detail),))


def address_after_keyword(before: Address, inbound: Inbound, context: Context) -> Address:
    """Return the address after a STOP or START; for a telephone, `opt_out.scope` decides which channels are concerned."""
    whole = inbound.channel in PHONE_CHANNELS and context.rules.text("opt_out.scope", EVERYWHERE) == "phone"
    channels = PHONE_CHANNELS if whole else (inbound.channel,)
    without: tuple[Channel, ...] = tuple(each for each in before.silenced if each not in channels)
    if inbound.keyword == "stop":
        stopped_at = max(before.stopped_at, min(inbound.occurred_at, inbound.received_at))
        return structs.replace(before, silenced=(*without, *channels), stopped_at=stopped_at)
    return structs.replace(before, silenced=without, stopped_at=0) if inbound.keyword == "start" else before


def request_keys(record: Record, _states: States) -> Iterator[str]:
    yield address_key(_request(record.value.body).contact.partition(":")[2])


def decide_request(record: Record, states: States, context: Context) -> Decision[State]:
    """Permit at most three verification codes per day and address, across all registrations (contract §4)."""
    intake: Intake = record.value
    request = _request(intake.body)
    key = address_key(request.contact.partition(":")[2])
    before = find(states, key, Address) or Address()
    lately = tuple(each for each in before.asked if each > intake.received_at - DAY)
    not_before = lately[0] + DAY if len(lately) >= REQUESTS_A_DAY else None
    permit = VerificationPermit(
        registrant_id=request.registrant_id, contact=request.contact, received_at=intake.received_at, not_before=not_before
    )
    asked = lately if not_before is not None else (*lately, intake.received_at)
    verdict = intake_verdict(
        intake, context, "verification", f"Requests to verify the address within a day: {len(asked)}.", request.registrant_id
    )
    output = Output(REGISTRANTS, request.registrant_id, permit)
    return Decision((output,), {key: structs.replace(before, asked=asked)}, (verdict,))


def silenced_addresses(states: States, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses that opted out, as `channel:digest`."""
    return tuple(
        f"{channel}:{address}"
        for address in addresses
        if (found := find(states, address_key(address), Address))
        for channel in found.silenced
    )
