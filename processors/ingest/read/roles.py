"""
The role that the name of an element, or a text about a role, gives to a person (docs/xml.md).

The last word that names a role decides: `CaseDefendantParty` is a defendant, `OffenderSpouses` are spouses, and
`VictimDetails` are a victim's; but `AttorneyForDefendant` is an attorney, and "Victim, juvenile" a victim. Case, plurals and
digits are ignored.
"""

import re
from enum import Enum
from functools import lru_cache
from itertools import takewhile
from typing import Final


class Role(Enum):
    """A person's role in what a message is about."""

    UNSTATED = "the name states no role"
    SUBJECT = "the person that the message is about"
    RELATED = "somebody's child, employee or the like, who may also be an offender"
    OTHER = "a victim, a judge, an officer or anybody else"
    UNCLEAR = "the name states a role that is not in the lists below"


KNOWN: Final = frozenset({Role.SUBJECT, Role.RELATED, Role.OTHER})
ASIDE: Final = frozenset({Role.RELATED, Role.OTHER})

_WORD: Final = re.compile(r"[^\W\d_]+?(?=[A-Z][a-z]|(?<=[a-z])[A-Z]|[\W\d_]|$)")
_SIGNS: Final = re.compile(r"[,;:/()]|\s-+\s")
PREPOSITIONS: Final = frozenset({"of", "for", "against", "in"})  # what comes after them is somebody or something else
# Words that only mean a person, and words that only wrap content: the word before them decides.
PERSONAL: Final = frozenset({"person", "individual"})
WRAPPING: Final = PERSONAL | frozenset(
    {
        *("party", "people", "information", "info", "entity", "detail", "data", "list", "collection", "group"),
        *("set", "record", "ref", "link", "pointer", "id", "role", "of", "summary", "profile", "participant", "involved"),
    }
)
# What happens to people, and what messages consist of: a person within such an element is the subject.
PROCESSES: Final = frozenset(
    {
        *("event", "activity", "case", "association", "message", "envelope", "body", "payload", "content", "compact"),
        *("release", "custody", "supervision", "supervised", "arrest", "booking", "charge", "offense", "incident", "sentence"),
        *("hearing", "detention", "incarceration", "commitment", "conviction", "disposition", "transfer", "movement", "warrant"),
        *("sentencing", "probation", "parole", "escape"),
    }
)
SUBJECTS: Final = frozenset(
    {
        *("subject", "defendant", "offender", "inmate", "prisoner", "detainee", "arrestee", "probationer", "parolee", "suspect"),
        *("respondent", "convict", "felon", "escapee", "absconder", "fugitive", "accused", "juvenile", "youth", "patient"),
    }
)
# Words before "person" and "individual" that make somebody the subject.
UNDERGONE: Final = re.compile(
    "supervision|supervised|releas(e|ed)|custody|arrested|detained|sentenced|incarcerated|imprisoned|convicted|charged|committed|"
    "transferred|paroled|wanted"
)
RELATIONS: Final = (
    *("parent", "guardian", "relative", "contact", "spouse", "wife", "husband", "fiance", "fiancee", "partner", "child", "dependent"),
    *("sibling", "brother", "sister", "mother", "father", "friend", "kin", "sponsor", "employer", "employee", "registrant", "cohabitant"),
)
OTHERS: Final = (
    *("victim", "survivor", "witness", "judge", "official", "officer", "attorney", "counsel", "counselor", "lawyer", "defender"),
    *("prosecutor", "supervisor", "surety", "bondsman", "magistrate", "clerk", "interpreter", "translator", "juror", "physician"),
    *("doctor", "nurse", "therapist", "psychologist", "reporter", "complainant", "petitioner", "plaintiff", "claimant", "author"),
    *("submitter", "recipient", "creator", "agent", "manager", "caseworker", "warden", "sheriff", "deputy", "trooper", "notary"),
    *("accomplice", "associate", "coconspirator", "conspirator", "advocate", "investigator", "detective", "coroner", "chaplain", "staff"),
    *("landlord", "host", "roommate", "neighbor", "commissioner", "examiner", "administrator", "superintendent", "director"),
    *("custodian", "protected", "injured", "payee", "visitor", "dispatcher", "responder"),
)
# Words before a subject that make somebody another one, not the one that the message is about.
BESIDE: Final = frozenset(["co", "joint", "other", "related", "associated"])
# An association of this kind states only that both persons are relatives.
FAMILY: Final = frozenset(["union", "marriage", "family", "household", "sibling", "spouse", "parent", "child", "kin", "relative"])


@lru_cache(4096)
def role_of(name: str) -> Role:
    """Return the role that a name gives to a person: the first that comes before a preposition or a sign, otherwise the last."""
    heads = [list(takewhile(lambda each: each not in PREPOSITIONS, _words(part))) for part in _SIGNS.split(name)]
    return next((role for head in heads if (role := _role_of_words(head)) in KNOWN), None) or _role_of_words(_words(name))


def _words(name: str) -> list[str]:
    return [_singular(each.lower()) for each in _WORD.findall(name)]


def _role_of_words(words: list[str]) -> Role:
    if words[-1:] == ["association"]:
        return Role.UNSTATED if FAMILY.isdisjoint(words) else Role.RELATED
    left = list(words)
    while left and left[-1] in WRAPPING:
        left.pop()
    undergoes = left and UNDERGONE.fullmatch(left[-1]) and not PERSONAL.isdisjoint(words[len(left) :])
    if not left or (left[-1] in PROCESSES and not undergoes):
        return Role.UNSTATED
    return Role.SUBJECT if undergoes else _role_named(left[-1], beside=not BESIDE.isdisjoint(left[-2:-1]))


@lru_cache(4096)
def role_of_association(name: str) -> Role:
    """Return the role of the only person in an association: the one role that its name names, as `OffenseVictimAssociation` does."""
    roles = roles_in_association(name)
    return next(iter(roles)) if len(roles) == 1 and PERSONAL.isdisjoint(_words(name)) else Role.UNSTATED


def roles_in_association(name: str) -> set[Role]:
    """Return all roles that the name of an association names."""
    return {role for each in _words(name) if (role := _role_named(each, beside=False)) in KNOWN}


def _role_named(word: str, *, beside: bool) -> Role:
    """Return the role that a word names; if `beside`, of somebody beside the subject, such as a co-defendant."""
    if word in SUBJECTS:
        return Role.OTHER if beside else Role.SUBJECT
    if word.endswith(RELATIONS):
        return Role.RELATED
    return Role.OTHER if word.endswith(OTHERS) or (word.startswith("co") and word[2:] in SUBJECTS) else Role.UNCLEAR


def _singular(word: str) -> str:
    for plural, ending in (("sses", "ss"), ("ies", "y"), ("wives", "wife"), ("children", "child"), ("bodies", "body")):
        if word.endswith(plural):
            return word.removesuffix(plural) + ending
    return word if word.endswith("ss") else word.removesuffix("s")
