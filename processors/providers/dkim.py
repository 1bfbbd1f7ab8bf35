"""
DKIM signatures (RFC 6376): relaxed canonicalization of headers and body, RSA with SHA-256 or Ed25519 (RFC 8463).

Implemented here because `dkimpy` is not published as a wheel. Signs only, does not verify.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# From (which must be signed) and the headers that receivers act on. The unsubscribe headers must be signed (RFC 8058, section 4).
SIGNED_HEADERS: Final = (
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-language"),
    *("list-unsubscribe", "list-unsubscribe-post", "auto-submitted"),
)

WHITE_SPACE: Final = re.compile(r"[ \t]+")

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain and selector; the repr does not show the key."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, domain: str, selector: str, pem: bytes) -> "Signer":
        """Return the signer of a PEM private key; raises ValueError if it is neither RSA nor Ed25519."""
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise ValueError("a DKIM key is RSA or Ed25519")  # noqa: TRY004  the file is wrong, not the call
        return cls(domain, selector, key)

    def sign(self, message: bytes) -> bytes:
        """Return the message with a DKIM-Signature in front of it; its lines must end in CRLF."""
        head, _, body = message.partition(b"\r\n\r\n")
        headers = parse_headers(head + b"\r\n")
        named = [name for name in SIGNED_HEADERS if any(each.lower() == name for each, _ in headers)]
        body_hash = base64.b64encode(sha256(relaxed_body(body)).digest()).decode()
        algorithm = "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"
        fields = (
            f"v=1; a={algorithm}; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f"\th={':'.join(named)};\r\n\tbh={body_hash};\r\n\tb="
        )
        signature = base64.b64encode(self._signature(signed_data(headers, named, fields))).decode()
        folded = "\r\n\t".join(signature[start : start + 70] for start in range(0, len(signature), 70))
        return f"DKIM-Signature: {fields}{folded}\r\n".encode() + message

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(signed, PKCS1v15(), SHA256())
        return self.key.sign(sha256(signed).digest())  # RFC 8463, section 3: Ed25519 signs the hash


def signed_data(headers: Sequence[Header], named: Sequence[str], fields: str) -> bytes:
    """Return the data to sign: the last of each named header, and the signature header without its value."""
    last = {name.lower(): (name, value) for name, value in headers}
    lines = [relaxed_header(*last[name]) for name in named]
    return ("".join(f"{line}\r\n" for line in lines) + relaxed_header("DKIM-Signature", fields)).encode()


def parse_headers(head: bytes) -> list[Header]:
    """Return the headers unchanged, including folded lines."""
    return [(name, value) for name, value in re.findall(r"([!-9;-~]+):((?:.*?)(?:\r\n[ \t].*?)*)\r\n", head.decode("utf-8"))]


def relaxed_header(name: str, value: str) -> str:
    """Return a header in relaxed form (RFC 6376, section 3.4.2)."""
    unfolded = value.replace("\r\n", "")
    return f"{name.lower()}:{WHITE_SPACE.sub(' ', unfolded).strip(' ')}"


def relaxed_body(body: bytes) -> bytes:
    """Return a body in relaxed form (RFC 6376, section 3.4.4): no blanks at line ends, single blanks within, no empty lines at the end."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
