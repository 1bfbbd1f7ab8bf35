"""Which event needs which earlier or later one: hearings, previous events, transfers."""

from processors.rules.document.parts import Part, duration_in_words, join, unique
from processors.rules.rule_set import RuleSet


def order_part(rule_set: RuleSet) -> Part:
    """Return the part on what a hearing must come after."""
    return Part(
        "Order of hearings (specification 4.1.1.2)",
        ("A hearing notice about somebody already known must come after one of the events, or while one of the statuses holds.",),
        ("Hearing", "Comes after", "Or while", "Because"),
        tuple(
            (f"{code.event_type}: {code.subtype}", join(order.events), join(order.statuses), order.why)
            for code in rule_set.codes.values()
            for order in code.order
        ),
    )


def previous_part(rule_set: RuleSet) -> Part:
    """Return the part on the events that meet a Previous Event tag."""
    return Part(
        "Previous events (specification 4.3.3)",
        ("A Previous Event tag on one of these is met by an earlier message of the events named that carried Expect Subsequent Event.",),
        ("Event", "Follows"),
        tuple((f"{code.event_type}: {code.subtype}", join(code.follows, " or ")) for code in rule_set.codes.values() if code.follows),
    )


def transfer_part(rule_set: RuleSet, hold: int) -> Part:
    """Return the part on the releases that wait for an intake."""
    custodial = [each.name for each in unique(rule_set.locations.values()) if each.custodial]
    wait = duration_in_words(hold)
    return Part(
        "Releases and intakes (specification 4.1.4.3)",
        (
            f"A release whose location is {join(custodial, ' or ')} is a transfer to another facility.",
            f"It waits {wait} for the intake of the same offender at the same kind of location, which may also come first.",
            "The intake is then told and the release is not; without an intake the release is told.",
        ),
        ("Releases that wait", "Intakes that are told instead"),
        (
            (
                join(f"{code.event_type}: {code.subtype}" for code in rule_set.codes.values() if code.release),
                join(f"{code.event_type}: {code.subtype}" for code in rule_set.codes.values() if code.intake),
            ),
        ),
    )
