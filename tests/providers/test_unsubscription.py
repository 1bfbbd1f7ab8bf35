"""Links to unsubscribe are good for their own email alone, and stay good when a key is added."""

from urllib.parse import parse_qs, urlsplit

import pytest

from processors.domain.seal import Seal
from processors.domain.unsubscription import is_unsubscription
from processors.providers.mail import unsubscription_url

OLD, NEW = Seal(bytes(64)), Seal(bytes(range(64)), (bytes(64),))
REFERENCE = "R-1.0a1b2c3d4e5f0a1b2c3d"


def parts(url: str) -> tuple[str, str]:
    found = parse_qs(urlsplit(url).query)
    return found["reference"][0], found["token"][0]


def test_a_link_is_good_for_its_own_email_after_a_rotation_too() -> None:
    reference, token = parts(unsubscription_url("https://vn.example.org/unsubscribe", REFERENCE, OLD))
    assert reference == REFERENCE
    assert is_unsubscription(reference, token, OLD)
    assert is_unsubscription(reference, token, NEW)


@pytest.mark.parametrize(("reference", "token"), [(REFERENCE, ""), (REFERENCE, "0" * 32), (f"{REFERENCE}0", None), (REFERENCE, "é")])
def test_a_guess_is_none(reference: str, token: str | None) -> None:
    _, good = parts(unsubscription_url("https://vn.example.org/unsubscribe", REFERENCE, OLD))
    assert not is_unsubscription(reference, good if token is None else token, OLD)
