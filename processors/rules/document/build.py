"""The rules of one jurisdiction as a document that its administrator can read and sign."""

from collections.abc import Iterable
from datetime import date

from processors.domain.event import Scope
from processors.rules.document.codes import action_date_part, duplicate_part, event_parts, location_part, narrower_part, status_part
from processors.rules.document.compact import business_days_part, compact_parts, zone_part
from processors.rules.document.identity import identity_part
from processors.rules.document.overview import dates_part, hotline_part, method_part, scope_part, signature_part
from processors.rules.document.parts import Document
from processors.rules.document.sequence import order_part, previous_part, transfer_part
from processors.rules.document.settings import settings_part
from processors.rules.document.texts import Sample, text_part
from processors.rules.files import RuleFile
from processors.rules.load import midnight
from processors.rules.rule_set import Jurisdiction, Rules


def document(rules: Rules, files: Iterable[RuleFile], jurisdiction: str, day: date, sample: Sample) -> Document:
    """Return the rules of `jurisdiction` ("" for the default rules) on `day`, and the files that make them."""
    rule_set = rules.rule_set(jurisdiction, midnight(day, rules.history(jurisdiction).rule_sets[-1].zone))
    files = tuple(files)
    whose = rules.jurisdictions.get(jurisdiction) or Jurisdiction(jurisdiction, "Default rules")
    title = f"Victim notification rules: {whose.name}" + (f" ({whose.code})" if whose.code else "")
    return Document(
        title,
        rules.version,
        (
            scope_part(rules, whose, files, day),
            method_part(),
            settings_part(rules, jurisdiction),
            *event_parts(rule_set),
            action_date_part(rule_set),
            status_part(rule_set),
            location_part(rule_set),
            narrower_part(rule_set),
            order_part(rule_set),
            previous_part(rule_set),
            transfer_part(rule_set, rules.duration("transfer.hold", Scope(jurisdiction or None))),
            duplicate_part(rule_set),
            identity_part(rule_set),
            *compact_parts(rule_set),
            business_days_part(rule_set, day),
            zone_part(rule_set),
            hotline_part(rule_set),
            text_part(rule_set, sample),
            dates_part(files),
            signature_part(rules.version, whose, day),
        ),
    )
