"""Verification codes (contract §4), derived with the key, so that the same request always has the same code."""

import hmac
from typing import Final

from processors.domain.registration import verification_digest
from processors.domain.seal import Seal

HOUR: Final = 3_600_000
VALID: Final = 24 * HOUR
DIGITS: Final = 6


def code_of(registrant_id: str, contact: str, asked_at: int, seal: Seal) -> str:
    """Return the six digits that a contact was sent at `asked_at`."""
    number = int(seal.fingerprint(f"{registrant_id}\0{contact}\0{asked_at}", "verification-code"), 16)
    return f"{number % 10**DIGITS:0{DIGITS}}"


def is_digest_of(given: str, code: str, registration_id: str, seal: Seal) -> bool:
    """Whether the keyed digest `given` is that of the code."""
    return hmac.compare_digest(given, verification_digest(code, registration_id, seal))
