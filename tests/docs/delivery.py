"""docs/delivery.md, drawn from the tables of `processors.deliver.lifecycle`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from processors.deliver.lifecycle import ATTEMPT_TRANSITIONS, CONTACT_TRANSITIONS, OUTCOMES, AttemptState, MessageKind

PAGE: Final = """# The life of an attempt and of a notification

Made from the tables of `processors/deliver/lifecycle.py` by `python -m tests.docs.pages`; a test checks that it is current. Code, journal,
`vn explain` and this page share these tables. If a state has no arrow for an event, the event changes nothing, and such a receipt is
journaled as `late_receipt`. Only `opted_out` also applies to the address: it silences the address whenever it comes, once per attempt.

## An attempt

An attempt is one outbound record under one `reference`, with a lease: no provider begins to send it after `expires_at` (`attempt.lease`;
unless it is an emergency, never later than the start of quiet hours). The next attempt to the same contact begins only after a definite
refusal, or when the lease has ended and nobody accepted the message. So a stalled provider costs time, but never causes a duplicate. A
lease counts from when the attempt is decided, even if an outage delayed its record or timer. `lease_ended` and `wait_ended`
(`receipt.wait` after `accepted`) are timers, which survive restarts; every other event is a receipt.

```mermaid
stateDiagram-v2
    [*] --> sent
{attempt}
```

## A contact

In each notification, the states of the registrant's contacts are independent. A contact is known by its keyed digest, not by its position:
a contact that was removed gets nothing more, and a new one joins what is under way.

```mermaid
stateDiagram-v2
    [*] --> due
{contact}
```

## What the end of an attempt means for its contact

| attempt | {kinds} |
|---|{rules}|
{outcomes}

- *reached*: the contact has ended well. Once the right PIN was given on any number, the notification makes no other call:
  none that is due a second after the receipt, and none later. A call that was already handed over cannot be taken back: a provider may
  place it until its lease ends (`attempt.lease`, two minutes in an emergency).
- *again*: another attempt follows, with a new `reference` and the same `notification_id`. Texts and emails are retried after `sms.retry` or
  `email.retry`, which doubles each time, plus a small jitter derived from the reference; calls every `voice.retry`. An attempt that would
  begin after `delivery.give_up` (emergency calls: `voice.give_up`), counted from the first attempt, is not made; the contact ends as
  `gave_up`.
- *silence*: a text message was accepted, but no further receipt came. It is not sent to that contact again. The same holds for an email if
  its provider cannot know whether a vendor accepted it: it is neither sent again nor counted as reached.
- *failed*: nobody can be reached at this contact. The registrant is asked to verify it again.

A verification code is valid for 24 hours after it is created. Its text gives the expiry in the registrant's time zone, so that the text is
correct even if an attempt leaves late. No attempt leaves after the expiry.

A call with PIN allows three tries; after a wrong PIN, or none, attempts continue. Without a PIN on file, an emergency call is ended by a
person who answers or presses a key; a machine never ends an emergency.

## A notification

With `delivery.order` set to `all`, every contact is tried at once. With `escalate`, the next contact is tried when those before have ended
without success. The first final outcome is reported once per offender and registrant, in the journal and in the response to the agency:

| outcome | reason | when |
|---|---|---|
| `delivered` | `reached` | the first contact was reached; calls may still repeat |
| `undelivered` | `not_reached`, `not_reached_emergency` | every contact ended and none was reached; the second is an alert |
| `dropped` | `nobody_to_tell` | every contact was removed or opted out, or a later message withdrew the news |

A later message that changes or withdraws the news stops the attempts that are still to come. A late receipt is
harmless: `delivered` stops further attempts, `opted_out` silences the address, and everything else changes nothing.
"""


def delivery_markdown() -> str:
    """Return docs/delivery.md, whole."""
    kinds = get_args(MessageKind)
    ends = [state for state in get_args(AttemptState) if state in OUTCOMES["text"] and state != "accepted"]
    rows = (f"| `{state}` | {' | '.join(OUTCOMES[kind][state] for kind in kinds)} |" for state in ends)
    return PAGE.format(
        attempt="\n".join(arrows(ATTEMPT_TRANSITIONS)),
        contact="\n".join(arrows(CONTACT_TRANSITIONS)),
        kinds=" | ".join(kind.replace("_", " ") for kind in kinds),
        rules="|".join("---" for _ in kinds),
        outcomes="\n".join(rows),
    )


def arrows(table: Mapping[Any, Any]) -> Iterator[str]:
    """Yield an arrow for each pair of states, with every event that leads from one to the other."""
    events: dict[tuple[str, str], list[str]] = {}
    for (state, event), to in table.items():
        events.setdefault((state, to), []).append(event)
    for (state, to), names in events.items():
        yield f"    {state} --> {to} : {', '.join(names)}"
