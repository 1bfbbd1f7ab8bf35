"""DKIM: the canonical forms and signature of the RFCs' own examples, and signatures that verify."""

import base64
import re

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from processors.domain.seal import Seal
from processors.providers.dkim import Signer, parse_headers, relaxed_body, relaxed_header, signed_data
from processors.providers.mail import MailSender, email_of
from tests.providers.given import outbound

# RFC 8463, appendix A
BRISBANE = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
MESSAGE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
)
FIELDS = (
    "v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b="
)
SIGNATURE = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="


def sha256(text: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(text)
    return digest.finalize()


def test_the_relaxed_forms_are_those_of_rfc_6376() -> None:
    """Section 3.4.5, the example of relaxed/relaxed."""
    assert relaxed_header("A", " X") == "a:X"
    assert relaxed_header("B ".strip(), " Y\t\r\n\tZ  ") == "b:Y Z"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"") == b""


def test_the_body_hash_is_that_of_rfc_8463() -> None:
    body = MESSAGE.partition(b"\r\n\r\n")[2]
    assert base64.b64encode(sha256(relaxed_body(body))).decode() == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


def test_what_is_signed_is_what_rfc_8463_signed() -> None:
    headers = parse_headers(MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n")
    signed = signed_data(headers, ("from", "to", "subject", "date", "message-id"), FIELDS)
    key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(BRISBANE))
    key.verify(base64.b64decode(SIGNATURE), sha256(signed))
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(SIGNATURE), sha256(signed.replace(b"dinner", b"lunch")))


def verify(message: bytes, public: rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> dict[str, str]:
    """Verify the first signature of a message as a receiver would, and return its tags."""
    head, _, body = message.partition(b"\r\n\r\n")
    headers = parse_headers(head + b"\r\n")
    name, value = headers[0]
    assert name == "DKIM-Signature"
    tags = {key.strip(): re.sub(r"\s", "", text) for key, _, text in (each.partition("=") for each in value.split(";"))}
    assert base64.b64decode(tags["bh"]) == sha256(relaxed_body(body))
    unsigned = re.sub(r"(\bb=)[^;]*$", r"\1", value)
    signed = signed_data(headers[1:], tags["h"].split(":"), unsigned)
    signature = base64.b64decode(tags["b"])
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, signed, PKCS1v15(), SHA256())
    else:
        public.verify(signature, sha256(signed))
    return tags


KEYS = {"rsa-sha256": rsa.generate_private_key(65537, 2048), "ed25519-sha256": ed25519.Ed25519PrivateKey.generate()}
SENDER = MailSender("notify@vn.example.org", unsubscribe_url="https://vn.example.org/unsubscribe", seal=Seal(bytes(64)))


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signed_email_verifies_and_covers_the_unsubscribe_headers(algorithm: str) -> None:
    key = KEYS[algorithm]
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = Signer.load("vn.example.org", "k1", pem).sign(email_of(outbound(subject="Salida: José Núñez"), SENDER))
    tags = verify(signed, key.public_key())
    assert (tags["a"], tags["d"], tags["s"], tags["c"]) == (algorithm, "vn.example.org", "k1", "relaxed/relaxed")
    assert {"from", "list-unsubscribe", "list-unsubscribe-post"} <= set(tags["h"].split(":"))
    with pytest.raises((InvalidSignature, AssertionError)):
        verify(signed.replace(b"John Q Sample", b"John Q Simple"), key.public_key())
    with pytest.raises(InvalidSignature):
        verify(signed.replace(b"notify@", b"nobody@"), key.public_key())


def test_the_key_is_not_shown() -> None:
    assert repr(Signer("vn.example.org", "k1", KEYS["ed25519-sha256"])).count("key=") <= 1
    assert "PrivateKey" not in repr(Signer("vn.example.org", "k1", KEYS["rsa-sha256"]))
