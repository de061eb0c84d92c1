"""Personal data in text: found with checksums where the kind of number has one, so that few plain numbers are taken.

Left out: names, addresses and dates of birth, which patterns can't tell from other words, and numbers of countries
that are not listed here. Addresses and domains reserved for examples are nobody's, and stay.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clearsight.data.curation.extras import require

KINDS = ("e-mail address", "IBAN", "card number", "social security number", "IP address", "phone number")

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_RESERVED = re.compile(r"(?:^|[@.])(?:example\.(?:com|net|org)|[\w-]+\.(?:example|invalid|test|localhost))$")
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_CARD = re.compile(r"(?<![\d.,-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\d]|[.,-]\d)")
_US_SECURITY = r"(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}"
_GB_INSURANCE = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"
_SECURITY = re.compile(rf"(?<![\w-])(?:{_US_SECURITY}|{_GB_INSURANCE})(?![\w-])")
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_VERSION = re.compile(r"(?:\bversions?|\brelease|\bv\.?|\bsections?|§)\s*$", re.IGNORECASE)
_SEVEN_DIGITS = re.compile(r"(?:\d[^\w\n]{0,3}){7}")
_SEPARATOR = re.compile(r"\d[^\d]+\d|^\(")

# Length of an IBAN by country, of the registry's larger members; others are held to the checksum alone.
_IBAN_LENGTHS = {
    "AT": 20,
    "BE": 16,
    "CH": 21,
    "CZ": 24,
    "DE": 22,
    "DK": 18,
    "ES": 24,
    "FI": 18,
    "FR": 27,
    "GB": 22,
    "GR": 27,
    "HU": 28,
    "IE": 22,
    "IT": 27,
    "LU": 20,
    "NL": 18,
    "NO": 15,
    "PL": 28,
    "PT": 25,
    "SE": 24,
}


@dataclass(frozen=True)
class Finding:
    """One piece of personal data: its kind and where it stands in the text."""

    kind: str
    start: int
    end: int


def find(text: str, phone_regions: Sequence[str] = ()) -> list[Finding]:
    """Every piece of personal data, in order, without overlaps.

    Phone numbers count in international form, and in the national form of `phone_regions` (ISO 3166, "US").
    """
    taken: list[Finding] = []
    for finding in _candidates(text, phone_regions):
        if all(finding.end <= other.start or finding.start >= other.end for other in taken):
            taken.append(finding)
    return sorted(taken, key=lambda finding: finding.start)


def masked(text: str, phone_regions: Sequence[str] = ()) -> str:
    """The text with each piece of personal data replaced by its kind in square brackets."""
    for finding in reversed(find(text, phone_regions)):
        text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    return text


def mask_record(record: dict[str, Any], phone_regions: Sequence[str] = ()) -> dict[str, Any]:
    """A record's JSON with its messages, truths and rejected answer masked; provenance and hashes stay."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return masked(value, phone_regions)
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {k: v if k in ("type", "sha256", "role", "kind") else clean(v) for k, v in value.items()}
        return value

    return record | {k: clean(record[k]) for k in ("messages", "truths", "rejected") if k in record}


def _candidates(text: str, phone_regions: Sequence[str]) -> Iterator[Finding]:
    """The most certain kinds first: what they take is not taken again."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not _RESERVED.search(match[0].lower()):
                yield Finding("e-mail address", *match.span())
    for match in _IBAN.finditer(text):
        length = _iban_length(match[0])
        if length:
            yield Finding("IBAN", match.start(), match.start() + length)
    for match in _CARD.finditer(text):
        if is_card(match[0]):
            yield Finding("card number", *match.span())
    for match in _SECURITY.finditer(text):
        yield Finding("social security number", *match.span())
    for pattern in (_IP4, _IP6):
        for match in pattern.finditer(text):
            if _is_public_address(match[0]) and not _VERSION.search(text[: match.start()]):
                yield Finding("IP address", *match.span())
    if _SEVEN_DIGITS.search(text):
        yield from _phone_numbers(text, phone_regions)


def is_card(number: str) -> bool:
    """Whether a number has a card's first digits and length, and Luhn's check digit (ISO/IEC 7812-1)."""
    digits = [int(character) for character in number if character.isdigit()]
    first_four = int("".join(map(str, digits[:4])))
    lengths = {3: (14, 15), 4: (13, 16, 19), 5: (16,), 6: (16, 17, 18, 19)}[digits[0]]
    known = digits[0] != 5 or 5100 <= first_four < 5600
    if len(digits) not in lengths or not known or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(number: str) -> bool:
    """Whether letters and digits pass the check of ISO 13616: modulo 97 of the rearranged number is 1."""
    number = number.replace(" ", "")
    if len(number) != _IBAN_LENGTHS.get(number[:2], len(number)) or not 15 <= len(number) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def _iban_length(match: str) -> int:
    """Characters of a match that are an IBAN, for a word in capitals may follow it; 0 when none is."""
    ends = [position for position, c in enumerate(match) if c == " "] + [len(match)]
    return next((end for end in reversed(ends) if is_iban(match[:end])), 0)


def _is_public_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _phone_numbers(text: str, regions: Sequence[str]) -> Iterator[Finding]:
    phonenumbers = require("phonenumbers", "to find phone numbers")
    for region in (None, *regions):
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if region is None or _SEPARATOR.search(match.raw_string):  # ten digits in a row are any number
                yield Finding("phone number", match.start, match.end)
