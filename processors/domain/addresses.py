"""
Addresses in canonical form (contract §4).

Removes what copying and pasting leaves behind: spaces, quotation marks and punctuation around an address, a name before it,
and invisible characters. Telephone numbers become E.164. A possible number in a range that the library does not know is
accepted, since area codes open faster than libraries are updated. A number that no person answers is refused.
"""

import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from html import unescape
from itertools import islice
from typing import Any, Final

import msgspec
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from processors.domain.normalize import without_invisible
from processors.domain.registration import Channel, address_digest
from processors.domain.seal import Seal

DEFAULT_REGION: Final = "US"  # for a number without a country code
NORTH_AMERICA: Final = 1  # the country code that the United States shares with Canada and the Caribbean
MAX_EMAIL: Final = 254
MAX_NUMBER: Final = 64
MAX_EMAIL_INPUT: Final = 4 * MAX_EMAIL  # an email address with whatever was copied along with it
# Area code and exchange begin with 2 to 9 and are not service codes such as 911; 976 is the local premium exchange.
# Also excluded: placeholders (one repeated digit, a run of digits) and directory assistance.
_NORTH_AMERICAN: Final = re.compile(r"(?!.11)(?!(\d)\1{9}|2345678901|9876543210|...5551212)[2-9]\d\d(?!.11|976)[2-9]\d{6}")
_DASHES: Final = str.maketrans(
    {"\u2212": "-", "\u02d7": "-", "\u2043": "-", "\u00b7": ".", "\u2022": ".", "\u22c5": ".", "_": "-", "\t": " "}
    | {"[": "(", "]": ")", "{": "(", "}": ")"}
)
# Characters around a number, including a spreadsheet's text marker and telephone emoji.
_QUOTES: Final = " '\"=\t\n\r~\u2018\u2019\u201c\u201d\u260e\u260f\u2706\U0001f4de\U0001f4f1"
_AFTER: Final = f"{_QUOTES}.,;:"
_COUNTRY: Final = re.compile(r"^\((\+\d{1,3})\)")  # (+1) 804 555 1007
_FRACTION: Final = re.compile(r"(?<=\d{7})\.0+$")  # added by a spreadsheet that took the number for a quantity
_MEXICAN: Final = re.compile(
    r"^(\+[\s().-]*52)[\s().-]*1(?=(?:[\s().-]*\d){10}$)"
)  # the mobile prefix dropped in 2019, still in many address books
_EXCHANGE_CODE: Final = re.compile(r"^00(?=[\s().-]*[1-9])")  # how most of the world calls abroad
# The kind of telephone; a fax number is not accepted, since nobody answers it.
_KIND: Final = r"(?:tel(?:ephone|[eé]fono)?|phone|ph|cell(?:ular|phone)?|mobile|m[oó]vil|celular|home)"
_KIND_BEFORE: Final = re.compile(rf"^(?:\((?:{_KIND}|[chmpt])\)|(?:{_KIND}|[chmpt])\b)[.:#\s]*(?=[+(\d])", re.IGNORECASE)
_KIND_AFTER: Final = re.compile(rf"(?<=\d)[\s-]*(?:\((?:{_KIND}|[chmpt])\)|(?<=[\s-]){_KIND})$", re.IGNORECASE)
# Exactly one number as people write it. The library would parse the first of two and silently drop the other.
_ONE_NUMBER: Final = re.compile(
    r"(?:(?:tel|sms):)?\s*\+?(?:[\s().\-\u2010-\u2015/]*\d){3,15}\)?(?:[\s,;]*(?:x|ext|extension|#)[.:\s]*\d{1,7})?", re.IGNORECASE
)
# Characters around an address that was copied from a letter, a web page or a list.
_AROUND_EMAIL: Final = " \t\r\n'\"<>()[],;:.=\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_NAMED: Final = re.compile(r"[^<>@]*<(?P<address>[^<>\s]+)>?")
_MAILTO: Final = re.compile(r"^(?:mailto|smtp|e-?mail|correo(?: electr[oó]nico)?):\s*", re.IGNORECASE)
# The same address repeated as a link (as mail programs copy it); a remark in parentheses after it; a link's query string.
_TWICE: Final = re.compile(r"(?P<address>[^\s<>()\[\]]+@[^\s<>()\[\]]+)[\s<>()\[\]]+(?:mailto:)?(?P=address)", re.IGNORECASE)
_AFTER_EMAIL: Final = re.compile(r"\s+\([^()@<>]*$|(?<=\w)\?(?:subject|body)=.*$", re.IGNORECASE)
# Mailboxes typed only to fill in a form, and mailboxes that nobody reads.
NO_MAILBOX: Final = frozenset(
    {"noreply", "donotreply", "noemail", "nomail", "noaddress", "none", "null", "unknown", "na", "notavailable", "noemailaddress"}
    | {"notprovided", "notgiven", "refused", "declined", "undefined", "donotemail", "mailerdaemon", "noresponder", "sinemail", "sincorreo"}
)
# Patterns that find addresses in a text or in the bytes of a record.
_NUMBERS_IN: Final = (
    re.compile(r"(?<![\d+])(?:\+|00)[\s().-]*[1-9](?:[\s().\-/]*\d){6,14}(?!\d)"),
    re.compile(r"(?<!\d)(?:1[\s.-]*)?\(?\d{3}\)?[\s./-]*\d{3}[\s.-]*\d{4}(?!\d)"),
)
_EMAILS_IN: Final = re.compile(r"[^\s\x00-\x1f\"'<>(),;:\\\[\]@]{1,65}@[\w-]+(?:\.[\w-]+)+")
MAX_ADDRESSES: Final = 100  # found in one record
_PREMIUM: Final = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})
_NOBODY: Final = frozenset({PhoneNumberType.VOICEMAIL, PhoneNumberType.PAGER, PhoneNumberType.UAN})


class UnusableAddress(Exception):
    """The address cannot be used. The message is a predicate that follows the contact's name: "is an emergency number"."""


class UnreadableAddress(UnusableAddress):
    """The text is not an address, is only part of one, or contains several; a usable address may have been meant."""


def normalize(channel: Channel, address: str) -> str | None:
    """Return the address in canonical form; None if it is not an address of the channel."""
    try:
        return NORMALIZE[channel](address)
    except UnusableAddress:
        return None


def normalize_telephone(number: str) -> str:
    """Return the number in E.164."""
    return phonenumbers.format_number(parse_telephone(number), phonenumbers.PhoneNumberFormat.E164)


def parse_telephone(number: str) -> PhoneNumber:
    """Parse a telephone number; raises UnusableAddress if it is not one, or not one that a registrant could answer."""
    written = unicodedata.normalize("NFKC", without_invisible(number)).translate(_DASHES).lstrip(_QUOTES).rstrip(_AFTER)
    written = _KIND_AFTER.sub("", _KIND_BEFORE.sub("", written))
    plain = _FRACTION.sub("", _MEXICAN.sub(r"\1", _COUNTRY.sub(r"\1", _EXCHANGE_CODE.sub("+", written))))
    if len(plain) > MAX_NUMBER or not _ONE_NUMBER.fullmatch(plain):
        raise UnreadableAddress("is no telephone number, or more than one")
    if phonenumbers.connects_to_emergency_number(plain, DEFAULT_REGION):
        raise UnusableAddress("is an emergency number")
    try:
        parsed = phonenumbers.parse(plain, DEFAULT_REGION)
    except NumberParseException:
        raise UnreadableAddress("is no telephone number, or more than one") from None
    if parsed.extension:
        raise UnusableAddress("has an extension, which others than the registrant may answer")
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        raise UnreadableAddress("has too few or too many digits for a telephone number")
    kind = phonenumbers.number_type(parsed)
    national = phonenumbers.national_significant_number(parsed)
    north_american = parsed.country_code == NORTH_AMERICA
    if kind in _PREMIUM or (north_american and (national.startswith(("900", "976")) or national[3:6] == "976")):
        raise UnusableAddress("is a premium-rate number")
    if kind in _NOBODY or (north_american and not _NORTH_AMERICAN.fullmatch(national)):
        raise UnusableAddress("is a number that no person answers")
    return parsed


def normalize_email(address: str) -> str:
    """Return the address with its domain in lower case, without a display name or characters around it."""
    if len(address) > MAX_EMAIL_INPUT:
        raise UnreadableAddress("is no email address")
    written = unescape(address) if "&#" in address else address  # reg7&#64;example.org, copied from a web page
    plain = unicodedata.normalize("NFKC", without_invisible(written)).strip(_AROUND_EMAIL)
    if (named := _NAMED.fullmatch(plain)) is not None:
        plain = named["address"]
    plain = _AFTER_EMAIL.sub("", _MAILTO.sub("", plain)).strip(_AROUND_EMAIL)
    if (twice := _TWICE.fullmatch(plain)) is not None:
        plain = twice["address"]
    try:
        found = validate_email(plain, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise UnreadableAddress("is no email address") from None
    if len(found.normalized) > MAX_EMAIL or len(found.domain.rpartition(".")[2]) == 1:
        raise UnreadableAddress("is no email address")
    if "".join(filter(str.isalnum, found.local_part.casefold())) in NO_MAILBOX:
        raise UnusableAddress("is an address that no person reads")
    return found.normalized


NORMALIZE: Final[Mapping[Channel, Callable[[str], str]]] = {
    "sms": normalize_telephone,
    "voice": normalize_telephone,
    "email": normalize_email,
}


def address_digests(content: bytes | Mapping[str, Any], seal: Seal) -> tuple[str, ...]:
    """Return the keyed digests of the addresses found in a record, given as bytes or decoded."""
    return tuple(dict.fromkeys(address_digest(each, seal) for each in addresses_in(content)))


def addresses_in(content: bytes | Mapping[str, Any]) -> tuple[str, ...]:
    """
    Return the addresses found in a record, in canonical form, at most MAX_ADDRESSES.

    In bytes that could not be decoded, a stray byte may touch an email address: the address is returned with it and without it.
    """
    text = unicodedata.normalize("NFKC", without_invisible(plain_text(content)))
    written: list[tuple[Channel, str]] = [("sms", found[0]) for each in _NUMBERS_IN for found in each.finditer(text.translate(_DASHES))]
    for found in _EMAILS_IN.finditer(text):
        email = found[0]
        written += [("email", each) for each in (email, email[1:], email[:-1], email[1:-1])]
    canonical = (normalize(channel, each) for channel, each in dict.fromkeys(written))
    return tuple(islice(dict.fromkeys(each for each in canonical if each is not None), MAX_ADDRESSES))


def plain_text(content: bytes | Mapping[str, Any]) -> str:
    """Return a record as text; JSON without its escapes."""
    if not isinstance(content, bytes):
        return msgspec.json.encode(content, enc_hook=str).decode()
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return msgspec.json.encode(msgspec.json.decode(content)).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return content.decode("utf-8", "replace")
