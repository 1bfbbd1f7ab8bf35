"""
What the name of an element, or a text about a role, says of a person's part in an event (docs/xml.md).

The last word that says something decides: `CaseDefendantParty` is a defendant, `OffenderSpouses` are spouses, and
`VictimDetails` are a victim's. Case, plurals and digits count for nothing.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import Final


class Part(Enum):
    """A person's part in what a message is about."""

    UNSAID = "the name says nothing of it"
    SUBJECT = "the person that the message is about"
    RELATED = "somebody's child, employee or the like, which an offender may be too"
    OTHER = "a victim, a judge, an officer or anybody else"
    UNCLEAR = "the name says something that is not known here"


KNOWN: Final = frozenset({Part.SUBJECT, Part.RELATED, Part.OTHER})

_WORD: Final = re.compile(r"[^\W\d_]+?(?=[A-Z][a-z]|(?<=[a-z])[A-Z]|[\W\d_]|$)")
# Words that tell a person from a thing, and words around any content: what stands before them counts.
PERSONAL: Final = frozenset({"person", "individual"})
FILLING: Final = PERSONAL | frozenset(
    {
        *("party", "people", "information", "info", "entity", "detail", "data", "list", "collection", "group"),
        *("set", "record", "role", "of", "summary", "profile", "participant", "involved"),
    }
)
# What happens to people, and what messages are put together from: what is within is about the subject.
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
SUFFERED: Final = re.compile(
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
# An association of this kind says of both persons only that they are relatives.
FAMILY: Final = frozenset(["union", "marriage", "family", "household", "sibling", "spouse", "parent", "child", "kin", "relative"])


@lru_cache(4096)
def part_of(name: str) -> Part:
    """Return the part that a name gives to a person."""
    words = [_singular(each.lower()) for each in _WORD.findall(name)]
    if words[-1:] == ["association"]:
        return Part.UNSAID if FAMILY.isdisjoint(words) else Part.RELATED
    left = list(words)
    while left and left[-1] in FILLING:
        left.pop()
    suffers = left and SUFFERED.fullmatch(left[-1]) and not PERSONAL.isdisjoint(words[len(left) :])
    if not left or (left[-1] in PROCESSES and not suffers):
        return Part.UNSAID
    return Part.SUBJECT if suffers else _part_of_role(left[-1], beside=left[-2:-1] == ["co"])


def _part_of_role(word: str, *, beside: bool) -> Part:
    """Return the part of somebody who is called so, or who is one beside the subject."""
    if word in SUBJECTS:
        return Part.OTHER if beside else Part.SUBJECT
    if word.endswith(RELATIONS):
        return Part.RELATED
    return Part.OTHER if word.endswith(OTHERS) or (word.startswith("co") and word[2:] in SUBJECTS) else Part.UNCLEAR


def _singular(word: str) -> str:
    for plural, ending in (("sses", "ss"), ("ies", "y"), ("wives", "wife"), ("children", "child"), ("bodies", "body")):
        if word.endswith(plural):
            return word.removesuffix(plural) + ending
    return word if word.endswith("ss") else word.removesuffix("s")
