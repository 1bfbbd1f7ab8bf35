"""
Match: finds everyone who registered for an event's offender and kind, and nobody else.

Reads     events.confirmed   by offender: events to be told, enrolments, merges of two offenders
          match.handover     what was kept of an offender who was merged into another (processors/handover.py)
Writes    notifications      one for each registrant: the event, and the registrations concerned; where an offender stands, if asked
          tally              how many registrants a submission's part is to be told to
          match.handover     what is kept of an offender who is merged into another
Keeps     the registrations in force, each as it stood over time, until they end or expire; and who was told of each
          event, for `duplicate.window` and, if that is later, until its date is past by `date.past`, since an event
          may be told a year ahead and cancelled after that
          an event that is being told to more than a page of registrants (pages.py): the rest of them follows page by page, by
          a timer that is due at once, before anything else about the offender is decided
Flags     nothing
Rejects   nothing
Replayed  who is told follows from the record and the states; those told before are told of a change once each

News goes to every registration in force that chose it; a change to those told of the event and those in force now; a
cancellation to exactly those told, whether or not their registration still stands: deliver knows whether it does.
A registration is in force for events received after it (contract §4), also for one that waited since: what it chose
then counts, not what it chooses now. An event without a case number is in every case.
The journal counts registrants and names none.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.domain.event import Event
from processors.domain.merge import SameEvent
from processors.handover import Merger, with_handover
from processors.match.enrolments import answer, enrol, forget_expired, keys_of_enrolment
from processors.match.merge import documents, fold, rename_event
from processors.match.pages import page_keys
from processors.match.state import State, Telling, deadline, key_of_told, list_key, telling_key, told_key
from processors.match.telling import NAME, keys_of_next_page, notify, tell_next_page
from processors.stage import Context, Decision, Input, Record, Stage, Wake
from processors.topics import CONFIRMED, MATCH_HANDOVER, MATCH_STATE, NOTIFICATIONS, TALLY


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's registrations and who was told of the event; if there are any, what else is known of the offender."""
    if not isinstance(given, Record):
        return (given.key, *keys_of_next_page(found.get(given.key)))
    value = given.value
    if isinstance(value, Event):
        offender, told = value.offender, told_key(value)
        if offender not in found and told not in found:
            return (offender, told)
        return (offender, told, list_key(offender), telling_key(offender), *page_keys(offender, found), *page_keys(told, found))
    if isinstance(value, SameEvent):
        both = [key_of_told(value.offender, value.ori, root) for root in (value.root, value.also)]
        pages = (page for each in both for page in page_keys(each, found))
        return (*both, list_key(value.offender), telling_key(value.offender), *pages)
    return () if value.asks else keys_of_enrolment(value, found)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on one event, enrolment or timer."""
    if not isinstance(given, Record):
        state = states.get(given.key)
        if isinstance(state, Telling):
            return tell_next_page(given.key, state, states)
        return forget_expired(given, state) if isinstance(given, Wake) else Decision()
    value = given.value
    if isinstance(value, Event):
        return notify(value, states, context)
    if isinstance(value, SameEvent):
        return rename_event(value, states)
    return answer(value) if value.asks else enrol(value, states, context)


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
    Merger(MATCH_HANDOVER, None, documents, fold, timed=True),
)
