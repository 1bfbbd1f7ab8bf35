"""
Weighs whether two descriptions are of one person (contract §3.2).

A shared strong identifier makes them one person, unless another strong identifier, or both name and birth date, contradict it:
then it is a conflict, and a reviewer is asked. A shared weak identifier makes them one only if a name or the birth date
agrees too. Without a shared identifier a name with its whole birth date does, unless a strong identifier contradicts.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from processors.domain.names import alike
from processors.rules.identity import PREFIX, WEAK, group_of, is_open, is_strong, readable_mark

WHOLE: Final = 10  # characters of a whole date
CACHED: Final = 1 << 14  # people, and pairs of them: whoever is compared with somebody is compared several times for one message


class Described(Protocol):
    """Anything described by marks and names: a message's person, an offender, a registration."""

    @property
    def marks(self) -> tuple[str, ...]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


class Weight(Enum):
    """The weight of the evidence, from the strongest link to none."""

    STRONG = "the same person, by a strong identifier"
    WEAK = "the same person, by a weak identifier or name"
    OPEN = "perhaps the same person, by a strong identifier whose issuer one side does not say"
    CONFLICT = "a strong identifier agrees, and what contradicts it weighs as much"
    APART = "nothing says that they are the same person"


class Facet(Enum):
    """Whether names, or birth dates, of two descriptions agree."""

    AGREES = "agrees"
    UNKNOWN = "is not known of both"
    CONTRADICTS = "contradicts"


class MarksAndNames(NamedTuple):
    """What of a description says who it is about."""

    marks: tuple[str, ...]
    names: tuple[str, ...]


def weigh(one: Described, other: Described) -> Weight:
    """Return the weight of the evidence that two descriptions are of one person."""
    return _weigh(MarksAndNames(one.marks, one.names), MarksAndNames(other.marks, other.names))


@lru_cache(CACHED)
def _weigh(one: MarksAndNames, other: MarksAndNames) -> Weight:
    shared = set(one.marks).intersection(other.marks)
    contradicted = strong_contradiction(one, other) is not None
    if any(map(is_strong, shared)):
        if contradicted or (name_facet(one, other) is Facet.CONTRADICTS and birth_facet(one, other) is Facet.CONTRADICTS):
            return Weight.CONFLICT
        return Weight.STRONG
    if contradicted:
        return Weight.APART
    if same_name_and_birth_date(one, other) or number_and_more(one, other, shared=bool(shared)):
        return Weight.WEAK
    return Weight.OPEN if is_open_number_alone(one, other) else Weight.APART


def number_and_more(one: Described, other: Described, *, shared: bool) -> bool:
    """Whether a weak number agrees, with a name or birth date; if its issuer is not known, nothing may contradict."""
    if not shared and not shares_open_number(one, other):
        return False
    facets = {name_facet(one, other), birth_facet(one, other)}
    return Facet.AGREES in facets and (shared or Facet.CONTRADICTS not in facets)


def is_open_number_alone(one: Described, other: Described) -> bool:
    """Whether a strong number agrees, whoever issued it, and nothing else agrees or contradicts."""
    if not any(is_strong(each) and is_open(each) for each in (*one.marks, *other.marks)) or not shares_open_number(one, other):
        return False
    return Facet.CONTRADICTS not in {name_facet(one, other), birth_facet(one, other)}


def is_same(one: Described, other: Described) -> bool:
    """Whether two descriptions are of the same person."""
    return weigh(one, other) in {Weight.STRONG, Weight.WEAK}


def strong_contradiction(one: Described, other: Described) -> tuple[str, str] | None:
    """Return two strong marks of one scheme and scope in which the descriptions have none in common."""
    if not one.marks or not other.marks:
        return None
    mine, theirs = by_group(one.marks), by_group(other.marks)
    for group in mine.keys() & theirs.keys():
        if mine[group].isdisjoint(theirs[group]):
            return min(mine[group]), min(theirs[group])
    return None


@lru_cache(CACHED)
def by_group(marks: tuple[str, ...]) -> Mapping[str, set[str]]:
    """Return the strong marks by scheme and scope."""
    groups: dict[str, set[str]] = {}
    for each in marks:
        if is_strong(each):
            groups.setdefault(group_of(each), set()).add(each)
    return groups


def shares_open_number(one: Described, other: Described) -> bool:
    """Whether they share a number whose issuer one side does not give."""
    open_marks = [each for each in (*one.marks, *other.marks) if is_open(each)]
    if not open_marks:
        return False
    mine, theirs = {without_issuer(each) for each in one.marks}, {without_issuer(each) for each in other.marks}
    return any(without_issuer(each) in mine and without_issuer(each) in theirs for each in open_marks)


def without_issuer(mark: str) -> str:
    """Return scheme and number of a mark, whoever issued it."""
    head, _, value = mark.lstrip(WEAK).partition(":")
    scheme, scoped, _ = head.partition("@")
    return f"{scheme}:{value}" if scoped or not value[:PREFIX].isalpha() else f"{scheme}:{value[PREFIX:]}"


class NamedAt(NamedTuple):
    """A name and a birth date that were given together; either may be empty."""

    words: str
    birth_date: str


def given_names(described: Described) -> list[NamedAt]:
    return [NamedAt(words, birth_date) for words, _, birth_date in (each.rpartition("|") for each in described.names)]


def same_name_and_birth_date(one: Described, other: Described) -> bool:
    """Whether a name or alias agrees together with its whole birth date."""
    theirs = given_names(other)
    return any(
        mine.words and len(mine.birth_date) == WHOLE and mine.birth_date == yours.birth_date and alike(mine.words, yours.words)
        for mine in given_names(one)
        for yours in theirs
    )


def name_facet(one: Described, other: Described) -> Facet:
    """Return whether any of the names agree."""
    mine, theirs = [each.words for each in given_names(one) if each.words], [each.words for each in given_names(other) if each.words]
    if not mine or not theirs:
        return Facet.UNKNOWN
    return Facet.AGREES if any(alike(each, yours) for each in mine for yours in theirs) else Facet.CONTRADICTS


def birth_facet(one: Described, other: Described) -> Facet:
    """Return whether any of the birth dates agree; incomplete ones that may be the same day neither agree nor contradict."""
    mine, theirs = birth_dates(one), birth_dates(other)
    if any(len(each) == WHOLE for each in mine & theirs):
        return Facet.AGREES
    if not mine or not theirs or any(each.startswith(yours) or yours.startswith(each) for each in mine for yours in theirs):
        return Facet.UNKNOWN
    return Facet.CONTRADICTS


def birth_dates(described: Described) -> set[str]:
    return {each.birth_date for each in given_names(described) if each.birth_date}


def explain_evidence(one: Described, other: Described) -> str:
    """Return the evidence in one sentence, with both values of what contradicts."""
    theirs = set(other.marks)
    agreeing = [f"{readable_mark(each)} agrees" for each in one.marks if each in theirs]
    mine_by_group, theirs_by_group = by_group(one.marks), by_group(other.marks)
    contradicting = [
        f"{readable_mark(min(mine_by_group[group]))} against {readable_mark(min(theirs_by_group[group]))}"
        for group in sorted(mine_by_group.keys() & theirs_by_group.keys())
        if mine_by_group[group].isdisjoint(theirs_by_group[group])
    ]
    if not agreeing and shares_open_number(one, other):
        agreeing.append("a number agrees whose issuer is not said")
    name, birth = name_facet(one, other), birth_facet(one, other)
    if name is Facet.AGREES:
        agreeing.append("name agrees")
    elif name is Facet.CONTRADICTS:
        contradicting.append("name against another name")
    if birth is Facet.AGREES:
        agreeing.append(f"birth date {min(birth_dates(one) & birth_dates(other))} agrees")
    elif birth is Facet.CONTRADICTS:
        contradicting.append(f"birth date {min(birth_dates(one))} against {min(birth_dates(other))}")
    return "; ".join(agreeing + contradicting) or "nothing agrees"
