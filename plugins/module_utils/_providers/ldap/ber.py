# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subset of BER that LDAP speaks (RFC 4511 section 5.1): definite lengths, one-byte tags, primitive strings.

Encoders give bytes and know no classes. Decoders work on one `bytes` object with positions, and give positions or plain
values; whatever they cannot take is a `MalformedError`, never an IndexError and never a guess.
"""

from __future__ import annotations

import typing as t

# A length beyond this is an attack or a lost frame, not an entry.
MAX_LENGTH: t.Final = 1 << 30

BOOLEAN: t.Final = 0x01
INTEGER: t.Final = 0x02
OCTETS: t.Final = 0x04
ENUMERATED: t.Final = 0x0A
SEQUENCE: t.Final = 0x30
SET: t.Final = 0x31

_OCTETS_HEADERS: t.Final = tuple(bytes((OCTETS, size)) for size in range(128))


class MalformedError(ValueError):
    """The peer sent what is not a valid LDAP message; the rest of its stream cannot be trusted."""


def encode_length(size: int) -> bytes:
    """Give the length octets, as few as can be."""
    if size < 0x80:
        return bytes((size,))
    if size < 0x100:
        return bytes((0x81, size))
    if size < 0x10000:
        return bytes((0x82, size >> 8, size & 0xFF))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    """Give one element: tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    return bytes((tag,)) + encode_length(size) + content


def octets(value: bytes) -> bytes:
    """Give an OCTET STRING: the element there are most of, hence its own short way."""
    size = len(value)
    if size < 0x80:
        return _OCTETS_HEADERS[size] + value
    return b"\x04" + encode_length(size) + value


def text(value: str | bytes) -> bytes:
    """Give an LDAPString or LDAPDN: UTF-8, or the bytes the server itself used."""
    return octets(value if isinstance(value, bytes) else value.encode())


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Give an INTEGER, or an ENUMERATED with its tag."""
    if 0 <= value < 0x80:
        return bytes((tag, 1, value))
    # One bit more than the number, for the sign: 128 takes two octets, -128 one.
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    """Give a BOOLEAN; RFC 4511 section 5.1 wants TRUE as FF."""
    return bytes((tag, 1, 0xFF if value else 0))


def message_end(data: bytes, at: int, limit: int = MAX_LENGTH) -> int:
    """Give where the message that begins at `at` ends; 0 when not even its length is there yet.

    The end may lie beyond the data: then that many bytes are still to come.
    """
    there = len(data) - at
    if there < 1:
        return 0
    if data[at] != SEQUENCE:
        raise MalformedError(f"an LDAP message must begin with the byte 30, not {data[at]:02x}")
    if there < 2:
        return 0
    size = data[at + 1]
    start = at + 2
    if size >= 0x80:
        start += size & 0x7F
        _check_length_form(size)
        if start > len(data):
            return 0
        size = int.from_bytes(data[at + 2 : start], "big")
        if size > limit:
            raise MalformedError(f"a message of {size} bytes is longer than {limit}")
    return start + size


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Give a length and where its content starts. The caller compares the end with what surrounds it.

    Raises IndexError at the end of the data, which the callers in this package turn into a `MalformedError`.
    """
    size = data[at]
    at += 1
    if size < 0x80:
        return size, at
    if size == 0x82:
        return data[at] << 8 | data[at + 1], at + 2
    _check_length_form(size)
    start = at + (size & 0x7F)
    if start > len(data):
        raise MalformedError(f"the length at byte {at} is cut off")
    return int.from_bytes(data[at:start], "big"), start


def _check_length_form(first: int) -> None:
    # X.690 8.1.3.5; four octets are what Active Directory always uses, and more than MAX_LENGTH needs.
    if first == 0x80:
        raise MalformedError("a length of indefinite form, which RFC 4511 section 5.1 forbids")
    if first > 0x84:
        raise MalformedError(f"a length of {first & 0x7F} octets")


def read_header(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Give tag, start and end of the content of the element at `at`, which must end at or before `stop`."""
    if at + 2 > stop:
        raise MalformedError(f"an element should begin at byte {at}, but what surrounds it ends at {stop}")
    size, start = read_length(data, at + 1)
    if start + size > stop:
        raise MalformedError(f"the element at byte {at} ends at {start + size}, what surrounds it at {stop}")
    return data[at], start, start + size


def read_element(data: bytes, at: int, stop: int, tag: int, what: str) -> tuple[int, int]:
    """Give start and end of the content of an element that must have this tag; `what` names it in the complaint."""
    found, start, end = read_header(data, at, stop)
    if found != tag:
        raise MalformedError(f"{what} at byte {at} must have the tag {tag:02x}, not {found:02x}")
    return start, end


def read_octets(data: bytes, at: int, stop: int, what: str, tag: int = OCTETS) -> tuple[bytes, int]:
    """Give the bytes of a string and where the next element begins."""
    start, end = read_element(data, at, stop, tag, what)
    return data[start:end], end


def read_text(data: bytes, at: int, stop: int, what: str, tag: int = OCTETS) -> tuple[str, int]:
    """Give the text of a string and where the next element begins.

    Servers put bytes of other encodings into diagnostics; those are shown escaped, for such text is only for people.
    """
    value, end = read_octets(data, at, stop, what, tag)
    return value.decode(errors="backslashreplace"), end


def read_integer(data: bytes, at: int, stop: int, what: str, tag: int = INTEGER) -> tuple[int, int]:
    """Give a number of at most 32 bits, the most RFC 4511 has (maxInt), and where the next element begins."""
    start, end = read_element(data, at, stop, tag, what)
    if not 1 <= end - start <= 4:
        raise MalformedError(f"{what} at byte {at} must be a number of 1 to 4 octets, not {end - start}")
    return int.from_bytes(data[start:end], "big", signed=True), end
