"""
Weighs the evidence that two descriptions are of one person (contract §3.2).

- A shared strong identifier makes them one person. If another strong identifier, or both name and birth date, contradict it, it is a
  conflict, and a reviewer is asked.
- A shared weak identifier makes them one person only if a name or the birth date agrees too.
- A name with a complete birth date makes them one person unless a strong identifier contradicts.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from processors.domain.names import alike
from processors.rules.identity import PREFIX, WEAK, group_of, is_strong, lacks_issuer, readable_mark

WHOLE_DATE_LENGTH: Final = 10  # characters
CACHED: Final = 1 << 14  # people, and pairs of people; cached since one message compares the same pair several times


class Described(Protocol):
    """Anything described by marks and names: a message's person, an offender, a registration."""

    @property
    def marks(self) -> tuple[str, ...]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


class Weight(Enum):
    """The weight of the evidence, from strongest to none."""

    STRONG = "the same person, by a strong identifier"
    WEAK = "the same person, by a weak identifier or name"
    POSSIBLE = "perhaps the same person, by a strong identifier whose issuer one side does not name"
    CONFLICT = "a strong identifier agrees, but equally strong evidence contradicts it"
    NONE = "no evidence that they are the same person"


class Agreement(Enum):
    """Whether the names, or the birth dates, of two descriptions agree."""

    AGREES = "agrees"
    UNKNOWN = "is not known for both"
    CONTRADICTS = "contradicts"


class MarksAndNames(NamedTuple):
    """The part of a description that identifies a person; hashable, for the cache."""

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
        if contradicted or (
            name_agreement(one, other) is Agreement.CONTRADICTS and birth_date_agreement(one, other) is Agreement.CONTRADICTS
        ):
            return Weight.CONFLICT
        return Weight.STRONG
    if contradicted:
        return Weight.NONE
    if same_name_and_birth_date(one, other) or weak_number_and_more_agree(one, other, shared=bool(shared)):
        return Weight.WEAK
    return Weight.POSSIBLE if only_number_without_issuer_agrees(one, other) else Weight.NONE


def weak_number_and_more_agree(one: Described, other: Described, *, shared: bool) -> bool:
    """Whether a weak number agrees together with a name or birth date; if its issuer is unknown, nothing may contradict."""
    if not shared and not shares_number_without_issuer(one, other):
        return False
    agreements = {name_agreement(one, other), birth_date_agreement(one, other)}
    return Agreement.AGREES in agreements and (shared or Agreement.CONTRADICTS not in agreements)


def only_number_without_issuer_agrees(one: Described, other: Described) -> bool:
    """Whether a strong number of unknown issuer agrees, and neither name nor birth date contradicts."""
    if not any(is_strong(each) and lacks_issuer(each) for each in (*one.marks, *other.marks)) or not shares_number_without_issuer(
        one, other
    ):
        return False
    return Agreement.CONTRADICTS not in {name_agreement(one, other), birth_date_agreement(one, other)}


def is_same(one: Described, other: Described) -> bool:
    """Whether two descriptions are of the same person."""
    return weigh(one, other) in {Weight.STRONG, Weight.WEAK}


def strong_contradiction(one: Described, other: Described) -> tuple[str, str] | None:
    """Return two strong marks that contradict each other: of one scheme and scope, in which the descriptions share no mark."""
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


def shares_number_without_issuer(one: Described, other: Described) -> bool:
    """Whether they share a number whose issuer at least one of them does not name."""
    open_marks = [each for each in (*one.marks, *other.marks) if lacks_issuer(each)]
    if not open_marks:
        return False
    mine, theirs = {without_issuer(each) for each in one.marks}, {without_issuer(each) for each in other.marks}
    return any(without_issuer(each) in mine and without_issuer(each) in theirs for each in open_marks)


def without_issuer(mark: str) -> str:
    """Return scheme and number of a mark without its issuer."""
    head, _, value = mark.lstrip(WEAK).partition(":")
    scheme, scoped, _ = head.partition("@")
    return f"{scheme}:{value}" if scoped or not value[:PREFIX].isalpha() else f"{scheme}:{value[PREFIX:]}"


class NameAndBirthDate(NamedTuple):
    """A name in comparable form with the birth date given for it; either may be empty."""

    words: str
    birth_date: str


def names_and_birth_dates(described: Described) -> list[NameAndBirthDate]:
    return [NameAndBirthDate(words, birth_date) for words, _, birth_date in (each.rpartition("|") for each in described.names)]


def same_name_and_birth_date(one: Described, other: Described) -> bool:
    """Whether a name or alias agrees together with its complete birth date."""
    theirs = names_and_birth_dates(other)
    return any(
        mine.words and len(mine.birth_date) == WHOLE_DATE_LENGTH and mine.birth_date == yours.birth_date and alike(mine.words, yours.words)
        for mine in names_and_birth_dates(one)
        for yours in theirs
    )


def name_agreement(one: Described, other: Described) -> Agreement:
    """Return whether any of the names agree."""
    mine, theirs = (
        [each.words for each in names_and_birth_dates(one) if each.words],
        [each.words for each in names_and_birth_dates(other) if each.words],
    )
    if not mine or not theirs:
        return Agreement.UNKNOWN
    return Agreement.AGREES if any(alike(each, yours) for each in mine for yours in theirs) else Agreement.CONTRADICTS


def birth_date_agreement(one: Described, other: Described) -> Agreement:
    """Return whether any of the birth dates agree; an incomplete date that may be the same day neither agrees nor contradicts."""
    mine, theirs = birth_dates(one), birth_dates(other)
    if any(len(each) == WHOLE_DATE_LENGTH for each in mine & theirs):
        return Agreement.AGREES
    if not mine or not theirs or any(each.startswith(yours) or yours.startswith(each) for each in mine for yours in theirs):
        return Agreement.UNKNOWN
    return Agreement.CONTRADICTS


def birth_dates(described: Described) -> set[str]:
    return {each.birth_date for each in names_and_birth_dates(described) if each.birth_date}


def explain_evidence(one: Described, other: Described) -> str:
    """Return the evidence in one sentence, with both values of every contradiction."""
    theirs = set(other.marks)
    agreeing = [f"{readable_mark(each)} agrees" for each in one.marks if each in theirs]
    mine_by_group, theirs_by_group = by_group(one.marks), by_group(other.marks)
    contradicting = [
        f"{readable_mark(min(mine_by_group[group]))} against {readable_mark(min(theirs_by_group[group]))}"
        for group in sorted(mine_by_group.keys() & theirs_by_group.keys())
        if mine_by_group[group].isdisjoint(theirs_by_group[group])
    ]
    if not agreeing and shares_number_without_issuer(one, other):
        agreeing.append("a number agrees whose issuer is not said")
    name, birth = name_agreement(one, other), birth_date_agreement(one, other)
    if name is Agreement.AGREES:
        agreeing.append("name agrees")
    elif name is Agreement.CONTRADICTS:
        contradicting.append("name against another name")
    if birth is Agreement.AGREES:
        agreeing.append(f"birth date {min(birth_dates(one) & birth_dates(other))} agrees")
    elif birth is Agreement.CONTRADICTS:
        contradicting.append(f"birth date {min(birth_dates(one))} against {min(birth_dates(other))}")
    return "; ".join(agreeing + contradicting) or "nothing agrees"
