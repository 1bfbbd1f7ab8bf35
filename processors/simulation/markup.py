"""A message as XML, in the form of the specification's examples (§3; contract §3)."""

from html import escape
from typing import Any, Final

NAMESPACES: Final = (
    'xmlns:vn="http://example.org/vn/1.0" xmlns:vn-ext="http://example.org/vn/extension/1.0" '
    'xmlns:vn-structures="http://example.org/vn/structures/1.0" xmlns:nc="http://niem.gov/niem/niem-core/2.0" '
    'xmlns:j="http://niem.gov/niem/domains/jxdm/4.1" xmlns:s="http://niem.gov/niem/structures/2.0"'
)
NUMBERS: Final = {
    "SID": "j:PersonStateFingerprintIdentification",
    "FBI": "j:PersonFBIIdentification",
    "ICOTS": "nc:PersonOtherIdentification",
    "BOOKING": "j:SubjectIdentification",
    "DOC": "j:SubjectCorrectionsIdentification",
}


def xml(document: dict[str, Any]) -> str:
    """Return the XML of a message given as a JSON object."""
    head = (
        element("nc:DocumentCreationDate", date_or_time(document.get("sent_at")))
        + element("nc:DocumentIdentification", identification(document["message_id"]))
        + element("nc:DocumentReferencedIdentification", identification(document.get("refers_to")))
        + element("nc:MessageOperationCode", text(document.get("operation")))
        + submitter(document["agency"])
    )
    body = event(document) + case(document.get("case") or {}) + "".join(map(person, document["offenders"]))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<vn:SubmitMessage {NAMESPACES}>{head}{body}{associations(document)}</vn:SubmitMessage>'


def element(name: str, content: str, attributes: str = "") -> str:
    """Return an element, or nothing if it would be empty."""
    return f"<{name}{attributes}>{content}</{name}>" if content else ""


def text(value: str | None) -> str:
    return escape(value or "", quote=False)


def identification(value: str | None) -> str:
    return element("nc:IdentificationID", text(value))


def date_or_time(value: str | None) -> str:
    return element("nc:DateTime" if value and "T" in value else "nc:Date", text(value))


def submitter(agency: dict[str, str]) -> str:
    state = element("nc:LocationStateUSPostalServiceCode", text(agency.get("state")))
    return element(
        "nc:DocumentSubmitter",
        element("nc:OrganizationName", text(agency.get("name")))
        + element("nc:OrganizationLocation", state)
        + element("j:OrganizationORIIdentification", identification(agency["ori"])),
    )


def event(document: dict[str, Any]) -> str:
    date = (
        "j:CourtAppearanceDate"
        if (document["event_type"], document["event_subtype"]) == ("Prosecution", "Court Hearing")
        else "nc:ActivityDate"
    )
    compact = document.get("compact") or {}
    tags = "".join(
        element("vn-ext:NotificationSubtype", text(each["subtype"]), f' s:id="S{index}"')
        for index, each in enumerate(document["notification_subtypes"])
    ) + "".join(
        element("vn-ext:NotificationValidation", text(validation), f' s:id="V{index}-{which}"')
        for index, each in enumerate(document["notification_subtypes"])
        for which, validation in enumerate(each["validations"])
    )
    return element(
        f"vn-ext:{document['event_type'].replace(' ', '')}Event",
        element("nc:ActivityIdentification", identification(document.get("event_id")))
        + element(date, date_or_time(document["action_at"]))
        + element("nc:ActivityDescriptionText", text(document.get("remarks")))
        + location("nc:ActivityLocation", document.get("location") or {})
        + location("vn-ext:PreviousLocation", document.get("from_location") or {})
        + element("nc:SupervisionCustodyStatus", element("nc:StatusDescriptionText", text(document.get("status"))))
        + element(
            "vn-ext:CompactCase",
            element("vn-ext:CaseNumber", text(compact.get("case_number")))
            + element("vn-ext:SendingStateCode", text(compact.get("sending_state")))
            + element("vn-ext:ReceivingStateCode", text(compact.get("receiving_state")))
            + element("vn-ext:ReportByDate", date_or_time(compact.get("report_by"))),
        )
        + element("vn-ext:EventType", text(document["event_type"]))
        + element("vn-ext:EventSubtype", text(document["event_subtype"]))
        + element("vn-ext:NotificationType", text(document["notification_type"]))
        + tags,
        ' s:id="ACTIVITY"',
    )


def location(name: str, value: dict[str, str]) -> str:
    kind = element("nc:LocationCategoryText", text(value.get("kind")))
    return element(name, kind + element("nc:LocationName", text(value.get("name"))))


def case(value: dict[str, str]) -> str:
    court = element("j:CourtName", text(value.get("court")))
    return element("nc:Case", element("nc:CaseDocketID", text(value.get("number"))) + element("j:CaseCourt", court))


def person(value: dict[str, Any]) -> str:
    names = element("nc:PersonName", person_name(value["name"]))
    aliases = "".join(element("nc:PersonAlternateName", person_name(each)) for each in value.get("aliases", ()))
    numbers = "".join(map(number, value["identifiers"]))
    born = element("nc:PersonBirthDate", date_or_time(value.get("birth_date")))
    return element("nc:Person", born + names + aliases + numbers)


def number(value: dict[str, str]) -> str:
    """Return a number in the element of its scheme; of another scheme, with its name."""
    if value["scheme"] in NUMBERS:
        return element(NUMBERS[value["scheme"]], identification(value["value"]))
    source = element("nc:IdentificationSourceText", text(value["scheme"]))
    return element("nc:PersonOtherIdentification", identification(value["value"]) + source)


def person_name(name: dict[str, str]) -> str:
    return element("nc:PersonGivenName", text(name.get("given"))) + element("nc:PersonSurName", text(name.get("sur")))


def associations(document: dict[str, Any]) -> str:
    """Return the associations that tie validations to notification subtypes (specification §2.5)."""
    pairs = [(index, which) for index, each in enumerate(document["notification_subtypes"]) for which, _ in enumerate(each["validations"])]
    return element(
        "vn-structures:RelatedAssociations",
        "".join(
            element(
                "vn-ext:NotificationSubtypeValidationAssociation",
                f'<vn-ext:NotificationSubtypeReference s:ref="S{index}"/>'
                f'<vn-ext:NotificationValidationReference s:ref="V{index}-{which}"/>',
            )
            for index, which in pairs
        ),
    )
