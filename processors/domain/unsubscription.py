"""
The token of an unsubscribe link, so that only a recipient of the email can unsubscribe, and nobody who guesses its reference.

The token is a keyed digest of the reference with the oldest key of `VN_KEY_FILE`, so that links stay valid when keys are rotated.
The site has no keys of the pipeline: it passes the token on as the detail of its receipt, and `read` verifies it.
"""

import hmac
from typing import Final

from processors.domain.seal import Seal

SITE: Final = "site"  # the provider in the receipts of unsubscriptions
LENGTH: Final = 32  # hex digits, 128 bits


def unsubscription_token(reference: str, seal: Seal) -> str:
    """Return the token of the attempt with this reference."""
    return seal.fingerprint(reference, "unsubscribe")[:LENGTH]


def is_unsubscription(reference: str, token: str, seal: Seal) -> bool:
    """Whether the token is that of the reference."""
    return hmac.compare_digest(unsubscription_token(reference, seal).encode(), token.encode())
