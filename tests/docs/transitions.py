"""docs/duplicates.md and docs/checks.md, drawn from the stages' own tables."""

from collections.abc import Iterator
from typing import Final

from processors.dedupe.transitions import DEADLINE_TRANSITIONS, TRANSITIONS
from processors.domain.reasons import REASONS
from processors.validate.checks import CHECK_RULES
from processors.validate.incoming import MESSAGE_HANDLING

DUPLICATES: Final = """# The states of an event, and what a message does to it

Drawn from `TRANSITIONS` and `DEADLINE_TRANSITIONS` in [`dedupe/transitions.py`](../processors/dedupe/transitions.py) by
`python -m tests.docs.pages`; a test says that it is current.

An event is one agency's: the same content under another message id is the same event (contract §3.1.1). *New* means that nothing is known
of it, *expired* that it was told longer ago than `duplicate.window`, *overtaken* that a reviewer released a later message about it before
this one came; the other states are kept. A Cancel or Update about nothing known does not come here: it waits `out_of_order.hold`, then a
reviewer is asked (`unknown_reference`).

```mermaid
stateDiagram-v2
{diagram}
```

| the event is | and what comes is | then it is | because |
|---|---|---|---|
{rows}

A pair that is not in the table cannot happen; if it did, the stage would stop with `MissingTransitionError` rather than guess.
"""

CHECKS: Final = """# Which checks a message meets

Drawn from `MESSAGE_HANDLING` in [`validate/incoming.py`](../processors/validate/incoming.py) and `CHECK_RULES` in
[`validate/checks.py`](../processors/validate/checks.py) by `python -m tests.docs.pages`; a test says that it is current.

What is checked depends on whether registrants were told of the event (contract §3.1.1, §3.1.5):

```mermaid
stateDiagram-v2
{diagram}
```

| registrants were | and what comes is | then it is checked and goes on as |
|---|---|---|
{arrivals}

The checks run in this order: the first that fails decides, and all that fail are reported. A check runs if it belongs to the notification
type, or if its validation is tied to a Validate tag; it does not run if that validation is tied to Do Not Validate (contract §3.1.2,
§3.1.3).

| check | its validation | notification types it belongs to | tied to a tag |
|---|---|---|---|
{checks}
"""


def duplicates_markdown() -> str:
    return DUPLICATES.format(diagram="\n".join(dict.fromkeys(duplicate_edges())), rows="\n".join(duplicate_rows()))


def duplicate_edges() -> Iterator[str]:
    yield "    [*] --> new"
    for (state, operation), found in TRANSITIONS.items():
        for to in found.to:
            yield f"    {state} --> {to}: {operation}"
    yield "    told --> expired: duplicate.window is over"
    yield "    told --> overtaken: a later message was released"
    for state, deadline in DEADLINE_TRANSITIONS.items():
        for end in deadline.to:
            yield f"    {state} --> {'[*]' if end == 'forgotten' else end}: {'cancel.hold is over' if state == 'held' else 'forgotten'}"


def duplicate_rows() -> Iterator[str]:
    for (state, operation), found in TRANSITIONS.items():
        why = "<br>".join(f"`{each}`: {REASONS[each]}" for each in found.reasons)
        yield f"| {state} | {operation} | {' or '.join(found.to)} | {why} |"


def checks_markdown() -> str:
    return CHECKS.format(diagram="\n".join(arrival_edges()), arrivals="\n".join(arrival_rows()), checks="\n".join(check_rows()))


def arrival_edges() -> Iterator[str]:
    yield '    state "not told" as untold'
    yield "    [*] --> untold"
    for (known, telling), found in MESSAGE_HANDLING.items():
        to = {"cancellation": "untold", None: "untold"}.get(found.goes_on_as, "told")
        yield f"    {'told' if known == 'told' else 'untold'} --> {to}: {telling}{'' if found.goes_on_as else ', not told'}"


def arrival_rows() -> Iterator[str]:
    for (known, telling), found in MESSAGE_HANDLING.items():
        yield f"| {known} | {telling} | {found.goes_on_as or 'nothing: it only takes back what the event changed'} |"


def check_rows() -> Iterator[str]:
    for rule in CHECK_RULES:
        types = "all" if rule.types is None else ", ".join(rule.types) or "none"
        asked = "always, Do Not Validate or not" if rule.always else "also where a tag asks for it" if rule.asked else ""
        yield f"| {rule.name} | {rule.validation or ''} | {types} | {asked} |"
