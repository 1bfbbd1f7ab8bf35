"""
Match: finds everyone who registered for an event's offender and kind, and nobody else.

Reads     events.confirmed   by offender: events to be told, enrolments, merges of two offenders
          match.handover     the state of an offender who was merged into another (processors/handover.py)
Writes    notifications      one for each registrant: the event and the registrations concerned; an offender's standing, if asked
          tally              how many registrants are to be told of a submission's part
          match.handover     the state of an offender who is merged into another
Keeps     the registrations in force, with their latest choices, until they end or expire
          who was told of each event, for `duplicate.window` or, if that is later, until its date is past by `date.past`, since an
          event may be told a year ahead and cancelled after that
          an event that is being told to more than a page of registrants (pages.py): a timer that is due at once fans it out page
          by page, before anything else about the offender is decided
Flags     nothing
Rejects   nothing
Replayed  the recipients depend only on the record and the states; each is told of a change once

- News goes to every registration in force that covers the event.
- An event that was withheld from some registrants goes, once it is released, to those of them who were not told of it.
- A change goes to those who were told of the event, and to those whose registrations cover it now.
- A cancellation goes to exactly those who were told, even if their registration has ended since: deliver checks that.
- A registration covers events received after it (contract §4). If an event waited, what the registrant had chosen when it was
  received counts, not what they choose now. An event without a case number belongs to every case.

The journal counts registrants and does not name them.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.domain.event import Event
from processors.domain.merge import SameEvent
from processors.handover import Merger, with_handover
from processors.match.enrolments import enrol, forget_expired, forward_standing, keys_of_enrolment
from processors.match.merge import merge_states, rename_event, state_keys
from processors.match.notify import NAME, keys_of_next_page, notify, notify_next_page
from processors.match.pages import page_keys
from processors.match.state import FanOut, State, deadline, fan_out_key, told_events_key, told_key, told_key_of
from processors.stage import Context, Decision, Input, Record, Stage, TimerFired
from processors.topics import CONFIRMED, MATCH_HANDOVER, MATCH_STATE, NOTIFICATIONS, TALLY


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of the offender's registrations and of those told of the event; the other states only if there are any."""
    if not isinstance(given, Record):
        return (given.key, *keys_of_next_page(found.get(given.key)))
    value = given.value
    if isinstance(value, Event):
        offender, told = value.offender, told_key(value)
        if offender not in found and told not in found:
            return (offender, told)
        return (offender, told, told_events_key(offender), fan_out_key(offender), *page_keys(offender, found), *page_keys(told, found))
    if isinstance(value, SameEvent):
        both = [told_key_of(value.offender, value.ori, root) for root in (value.root, value.also)]
        pages = (page for each in both for page in page_keys(each, found))
        return (*both, told_events_key(value.offender), fan_out_key(value.offender), *pages)
    return () if value.asks else keys_of_enrolment(value, found)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on one event, enrolment or timer."""
    if not isinstance(given, Record):
        state = states.get(given.key)
        if isinstance(state, FanOut):
            return notify_next_page(given.key, state, states)
        return forget_expired(given, state) if isinstance(given, TimerFired) else Decision()
    value = given.value
    if isinstance(value, Event):
        return notify(value, states, context)
    if isinstance(value, SameEvent):
        return rename_event(value, states)
    return forward_standing(value) if value.asks else enrol(value, states, context)


STAGE: Final = with_handover(
    Stage(
        name=NAME,
        inputs=(CONFIRMED,),
        outputs=(NOTIFICATIONS, TALLY),
        changelog=MATCH_STATE,
        state=State,
        keys=keys,
        decide=decide,
        deadline=deadline,
    ),
    Merger(MATCH_HANDOVER, None, state_keys, merge_states, timed=True),
)
