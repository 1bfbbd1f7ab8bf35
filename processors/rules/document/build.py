"""The rules of one jurisdiction as a document that its administrator can read and sign."""

from collections.abc import Iterable
from datetime import date

from processors.domain.event import Scope
from processors.rules.book import Jurisdiction, Rules
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


def document(rules: Rules, files: Iterable[RuleFile], jurisdiction: str, day: date, sample: Sample) -> Document:
    """Return the rules of `jurisdiction` ("" for the default rules) on `day`, and the files that make them."""
    book = rules.book(jurisdiction, midnight(day, rules.history(jurisdiction).books[-1].zone))
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
            *event_parts(book),
            action_date_part(book),
            status_part(book),
            location_part(book),
            narrower_part(book),
            order_part(book),
            previous_part(book),
            transfer_part(book, rules.duration("transfer.hold", Scope(jurisdiction or None))),
            duplicate_part(book),
            identity_part(book),
            *compact_parts(book),
            business_days_part(book, day),
            zone_part(book),
            hotline_part(book),
            text_part(book, sample),
            dates_part(files),
            signature_part(rules.version, whose, day),
        ),
    )
