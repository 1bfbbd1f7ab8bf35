"""docs/delivery.md, drawn from the tables of `processors.deliver.lifecycle`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from processors.deliver.lifecycle import ATTEMPT_TRANSITIONS, CONTACT_TRANSITIONS, OUTCOMES, AttemptState, MessageKind

PAGE: Final = """# The life of an attempt and of a notification

Made from the tables of `processors/deliver/lifecycle.py` by `python -m tests.docs.pages`; a test says that it is current. Code, journal,
`vn explain` and this page share them. An event for which a state has no arrow changes nothing; a receipt of that kind is journalled as
`late_receipt`. Only `opted_out` is of the address too: it silences it whenever it comes, once for each attempt.

## An attempt

An attempt is one outbound record under one `reference`, and a lease: no provider begins to send it after `expires_at` (`attempt.lease`;
of what is no emergency never past the start of quiet hours). Another attempt to that contact begins only after a definite refusal, or
when the lease has ended and nobody accepted it: a provider that stands still costs time, never a double. A lease counts from
when the attempt is decided, also of a record or a timer that an outage made late. `lease_ended` and `wait_ended`
(`receipt.wait` after `accepted`) are timers, which survive restarts; every other event is a receipt.

```mermaid
stateDiagram-v2
    [*] --> sent
{attempt}
```

## A contact

Of each notification, every contact of the registrant goes its own way. It is known by its keyed digest, not by its place: one that was
removed gets nothing more, a new one joins what is under way.

```mermaid
stateDiagram-v2
    [*] --> due
{contact}
```

## What the end of an attempt means for its contact

| attempt | {kinds} |
|---|{rules}|
{outcomes}

- *reached*: the contact has ended well. Once the right PIN was given on any number, no other call of the notification is made:
  none that is due a second after the receipt, and none later. One that has left already cannot be called back: a provider may place it
  until its lease ends (`attempt.lease`, two minutes in an emergency).
- *again*: another attempt follows, with a new `reference` and the same `notification_id`. Texts and emails after `sms.retry` or
  `email.retry`, doubling, a little later by a jitter derived from the reference; calls every `voice.retry`. What would begin after
  `delivery.give_up` (emergency calls: `voice.give_up`), counted from the first attempt, ends as `gave_up`.
- *silence*: a text message that was accepted and of which nothing more was heard is not sent again there. So is an email of
  which its provider cannot know whether a vendor accepted it: it is neither sent again nor counted as reached.
- *failed*: nobody can be reached there. The contact is asked to verify itself again.

A verification code is valid for 24 hours from when it was made. Its texts say until when, in the registrant's time zone, so that an
attempt which leaves late is right too; none leaves after that.

A call with PIN takes three tries; a wrong PIN, or none, goes on. An emergency call without a PIN on file is ended by a person who answers
or presses a key; a machine never ends an emergency.

## A notification

`delivery.order` `all` tries every contact at once; `escalate` the next one when those before have ended without success. Its first final
outcome is said once for every offender and registrant, in the journal and for the response to the agency:

| outcome | reason | when |
|---|---|---|
| `delivered` | `reached` | the first contact was reached; calls may still repeat |
| `undelivered` | `not_reached`, `not_reached_emergency` | every contact ended and none was reached; the second is an alert |
| `dropped` | `nobody_to_tell` | every contact was removed or opted out, or a later message took back what was to be told |

A later message that changes or takes back what is being told stops the attempts that are still to come. A receipt that comes late is
harmless: `delivered` stops what would follow, `opted_out` silences the address, and everything else changes nothing.
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
