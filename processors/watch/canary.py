"""
A canary: a test message that the watch sends through the whole pipeline, from submission to outbound record.

It is an emergency from an agency of its own (`VNCANARY0`), about a new offender each day, for a registrant whose
messages go only to `vn.outbound.canary`, which no provider reads. A new offender each day keeps the states of one
offender small.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from processors.domain.registration import CANARY
from processors.domain.time import iso

ORI: Final = "VNCANARY0"
REGISTRANT: Final = "vn-canary"
DAY: Final = 86_400_000


def registration(at: int) -> tuple[str, bytes]:
    """Return the id and the JSON of the day's registration, which expires two days later."""
    day = iso(at)[:10]
    registration_id = f"vn-canary-{day}"
    document: Mapping[str, Any] = {
        "registration_id": registration_id,
        "registrant_id": REGISTRANT,
        "source": CANARY,
        "offender": _offender(day),
        "contacts": [{"channel": "sms", "address": "+12025550100", "verified": True}],
        "time_zone": "Etc/UTC",
        "expires_at": iso(at + 2 * DAY),
    }
    return registration_id, json.dumps(document).encode()


def submission(at: int) -> tuple[str, bytes]:
    """Return the message id and the JSON of one canary: an escape at time `at`, exempt from validation."""
    message_id = f"canary-{at}"
    document: Mapping[str, Any] = {
        "message_id": message_id,
        "agency": {"ori": ORI, "name": "vn watch"},
        "event_type": "Jail",
        "event_subtype": "Escape",
        "notification_type": "Status Update",
        "notification_subtypes": [{"subtype": "Do Not Validate"}],
        "action_at": iso(at),
        "offenders": [_offender(iso(at)[:10])],
    }
    return message_id, json.dumps(document).encode()


def receipt(reference: str, at: int) -> bytes:
    """Return the JSON of the receipt that ends an attempt: no provider sends one for a canary."""
    return json.dumps({"reference": reference, "status": "delivered", "occurred_at": iso(at), "provider": "vn watch"}).encode()


def _offender(day: str) -> Mapping[str, Any]:
    return {
        "identifiers": [{"scheme": "CANARY", "value": f"C{day.replace('-', '')}"}],
        "name": {"given": "Canary", "sur": f"Of {day}"},
        "birth_date": "1970-01-01",
    }
