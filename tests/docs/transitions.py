"""docs/duplicates.md and docs/checks.md, drawn from the stages' own tables."""

from collections.abc import Iterator
from typing import Final

from processors.dedupe.transitions import DEADLINE_TRANSITIONS, TRANSITIONS
from processors.domain.reasons import REASONS
from processors.validate.checks import CHECK_RULES
from processors.validate.incoming import MESSAGE_HANDLING

DUPLICATES: Final = """# The states of an event, and what a message does to it

Made from `TRANSITIONS` and `DEADLINE_TRANSITIONS` in [`dedupe/transitions.py`](../processors/dedupe/transitions.py) by
`python -m tests.docs.pages`; a test checks that it is current.

An event belongs to one agency: the same content under another message id is the same event (contract §3.1.1). The states *told*, *held*
and *cancelled* are stored. *New* means that nothing is known about the event; *expired* means that registrants were notified of it longer
ago than `duplicate.window`; *overtaken* means that a reviewer released a later message about it before this one arrived. A Cancel or
Update that refers to no known event is not in this table: it waits for `out_of_order.hold`, then goes to a reviewer
(`unknown_reference`).

```mermaid
stateDiagram-v2
{diagram}
```

| the event is | what arrives | the event becomes | reason |
|---|---|---|---|
{rows}

A pair that is not in the table cannot occur. If it did, the stage would stop with `MissingTransitionError` instead of guessing.
"""

CHECKS: Final = """# Which checks a message meets

Made from `MESSAGE_HANDLING` in [`validate/incoming.py`](../processors/validate/incoming.py) and `CHECK_RULES` in
[`validate/checks.py`](../processors/validate/checks.py) by `python -m tests.docs.pages`; a test checks that it is current.

What is checked depends on whether registrants were notified of the event (contract §3.1.1, §3.1.5):

```mermaid
stateDiagram-v2
{diagram}
```

| registrants were | what arrives | it is checked and passed on as |
|---|---|---|
{arrivals}

The checks run in this order. The first failed check decides, and all failed checks are reported. A check runs if it belongs to the
notification type, or if its validation is tied to a Validate tag. It does not run if that validation is tied to Do Not Validate (contract
§3.1.2, §3.1.3).

| check | validation | notification types | with a tag |
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
        yield f"| {known} | {telling} | {found.goes_on_as or 'nothing: it only reverts what the event changed'} |"


def check_rows() -> Iterator[str]:
    for rule in CHECK_RULES:
        types = "all" if rule.types is None else ", ".join(rule.types) or "none"
        asked = "always, even with Do Not Validate" if rule.always else "also if a tag asks for it" if rule.asked else ""
        yield f"| {rule.name} | {rule.validation or ''} | {types} | {asked} |"
