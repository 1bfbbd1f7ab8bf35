"""Addresses in the bytes of records are found in any notation, and nothing else is taken for one."""

import json

import pytest

from processors.domain.addresses import MAX_ADDRESSES, addresses_in
from processors.domain.external import InboundForm
from processors.runtime.wire.codec import Codec

NUMBER, EMAIL = "+18045559731", "planted.person@example.org"


@pytest.mark.parametrize(
    ("content", "address"),
    [
        (json.dumps({"from": "(804) 555-9731"}), NUMBER),
        (json.dumps({"from": 8045559731}), NUMBER),
        ('{"from": "\\u002b18045559731"}', NUMBER),
        ('{"from": "tel:+1-804-555-9731", broken', NUMBER),
        ("call 001 804 555 9731 on 2026-11-01", NUMBER),
        ("\uff0b\uff11\uff18\uff10\uff14\uff15\uff15\uff15\uff19\uff17\uff13\uff11", NUMBER),
        ("mobile 804·555·9731", NUMBER),
        ("[804] 555-9731", NUMBER),
        ("804_555_9731", NUMBER),
        ("Ann Muster <planted.person@example.org>", EMAIL),
        ("mailto:planted.person@example.org", EMAIL),
        ("+44 20 7946 0958, or so", "+442079460958"),
        ("<Contact>planted.person@EXAMPLE.org</Contact>", EMAIL),
        ('{"body": "mail planted.person\\u0040example.org."}', EMAIL),
    ],
)
def test_an_address_is_found_as_people_and_programs_write_it(content: str, address: str) -> None:
    assert address in addresses_in(content.encode())


def test_an_address_is_found_in_utf_16() -> None:
    assert EMAIL in addresses_in(f"<a>{EMAIL}</a>".encode("utf-16"))


@pytest.mark.parametrize("length", range(1, 60))
def test_an_address_is_found_in_avro_whatever_byte_stands_before_it(length: int) -> None:
    """An Avro string has its length before it, which may be a letter, and before that the field before."""
    email = f"{'a' * length}@example.org"
    raw = Codec().encode(InboundForm(provider="t", channel="fax", sender=NUMBER, to="12345", body=email, occurred_at=1_764_230_400_000))
    decoded = Codec().decode_external(raw)
    assert isinstance(decoded, dict)
    assert {NUMBER, email} <= set(addresses_in(decoded))


def test_an_address_is_found_in_bytes_that_cannot_be_decoded_though_a_letter_stands_next_to_it() -> None:
    assert EMAIL in addresses_in(b"\xc3\x01\x00\x034" + EMAIL.encode() + b"\x80")
    assert EMAIL in addresses_in(b"\x00" + EMAIL.encode() + b"x\x01")


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[" * 100_000, b"2026-11-01T12:00:00Z 1764230400000 VA0430000 911", b"a@b"])
def test_what_is_no_address_is_not_taken_for_one(content: bytes) -> None:
    assert addresses_in(content) == ()


def test_no_record_has_more_addresses_than_are_kept() -> None:
    assert len(addresses_in(" ".join(f"a{each}@example.org" for each in range(MAX_ADDRESSES)).encode())) == MAX_ADDRESSES
