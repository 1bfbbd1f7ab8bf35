"""Who is the same person: the numbers by which people are known, and the values that are not numbers."""

from processors.rules.document.parts import Part, join, yes_or_blank
from processors.rules.identity import OTHER
from processors.rules.rule_set import RuleSet

ISSUERS = {"nation": "the nation", "state": "the issuing state", "agency": "the issuing agency"}


def identity_part(rule_set: RuleSet) -> Part:
    """Return the part on the meaning of equal numbers, and on values that are not numbers."""
    rules = rule_set.identity
    fillers = join(tuple(f"{name} ({least} or more)" for name, least, _ in rules.fillers), " or ")
    return Part(
        "Who is the same person",
        (
            "Two messages are about one person if a strong number agrees, unless another, or name and birth date both, contradict.",
            "Or a weak number agrees with name or birth date, or name and birth date alone do, and no strong number contradicts.",
            f"These words stand for no number: {join(sorted(rules.words))}.",
            f"A value only fills its field, and is no number, if it is {fillers}.",
        ),
        ("Number", "Is the same within", "Strong", "Form", "Length", "Meaning"),
        tuple(
            (
                "any other" if each.name == OTHER else each.name,
                ISSUERS[each.scope],
                yes_or_blank(each.strong),
                each.pattern.pattern,
                f"{each.length[0]} to {each.length[1]}",
                each.meaning,
            )
            for each in rules.schemes.values()
        ),
    )
