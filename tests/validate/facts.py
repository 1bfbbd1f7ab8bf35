"""The facts that checks use, for tests of their findings."""

import msgspec

from processors.domain.event import Event
from processors.validate.checks import facts_for
from processors.validate.facts import Facts, rules_in_force
from processors.validate.state import OffenderState
from tests.validate.scene import OFFENDER, Scene


def facts(one: Event, before: tuple[Event, ...] = (), now: int | None = None) -> Facts:
    """Return what the checks know of an event after those before it, at `now` or when it is received."""
    scene = Scene()
    for each in before:
        scene.receive(msgspec.structs.replace(each, validate=False, do_not_validate=True))
    known = scene.known if OFFENDER in scene.documents else OffenderState()
    one = msgspec.structs.replace(one, message_id="last", seq=99)
    return facts_for(one, known, rules_in_force(one, scene.rules, one.received_at if now is None else now))
