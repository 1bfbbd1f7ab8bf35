"""Shorten a text message step by step until it fits: one segment of GSM-7, or a few of UCS-2."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from processors.deliver.wording import gsm7
from processors.deliver.wording.facts import Facts, readable
from processors.deliver.wording.segments import encode, fits

Step = Callable[[Facts], Facts]


def cut_places(length: int) -> Step:
    def step(facts: Facts) -> Facts:
        return replace(
            facts,
            place=gsm7.cut(facts.place, length),
            origin=gsm7.cut(facts.origin, length),
            court=gsm7.cut(facts.court, length),
        )

    return step


def cut_names(length: int) -> Step:
    def step(facts: Facts) -> Facts:
        changes = (
            each if each.whole else replace(each, old=gsm7.cut(each.old, length), new=gsm7.cut(each.new, length)) for each in facts.changes
        )
        names = (gsm7.cut(name, length) for name in facts.names)
        return replace(facts, names=tuple(names), changes=tuple(changes), agency=gsm7.cut(facts.agency, length))

    return step


def shorten_old_dates(facts: Facts) -> Facts:
    return replace(facts, changes=tuple(replace(each, old=each.old_brief) for each in facts.changes))


def abbreviate_names(facts: Facts) -> Facts:
    short = {readable(each): each.short if gsm7.legible(each.short) else readable(each) for each in facts.offenders}
    return replace(facts, names=tuple(short[name] for name in facts.names))


# What is shortened for a text message, in this order, each on top of those before it.
SHORTER: Final[tuple[Step, ...]] = (
    cut_places(24),  # the names of places and courts
    lambda facts: replace(facts, place="", origin="", court=""),  # they go
    lambda facts: replace(facts, sending=facts.codes[0], receiving=facts.codes[1]),  # states by their postal codes
    shorten_old_dates,  # of a changed date, the old day; of a changed time, the old time
    abbreviate_names,  # given names
    lambda facts: replace(facts, names=facts.names[:1]),  # one offender, and how many others
    lambda facts: replace(facts, changes=facts.changes[:1], unsaid=max(0, len(facts.changes) - 1)),  # one change
    cut_names(26),  # names and changed values
    cut_names(14),
    lambda facts: replace(facts, sending="", receiving="", report_by=""),  # the states go
)


def shortest(render: Callable[[Facts], str], facts: Facts) -> str:
    """Return the rendered text as it leaves, shortened no further than its encoding needs."""
    text = encode(render(facts))
    for step in SHORTER:
        if fits(text):
            return text
        facts = step(facts)
        text = encode(render(facts))
    while not fits(text):
        text = text[:-1]
    return text
