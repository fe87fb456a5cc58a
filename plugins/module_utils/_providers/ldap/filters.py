# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search filters as RFC 4511 section 4.5.1.7 encodes them, from the text of RFC 4515 or from raw bytes.

Filters for keys are built from bytes and never pass through text, so that no value can be taken for filter syntax.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable

from ..._model.errors import ConfigError
from . import ber

# Servers refuse deep filters long before; a limit of our own keeps the parser off Python's recursion limit.
MAX_DEPTH: t.Final = 100

_AND: t.Final = 0xA0
_OR: t.Final = 0xA1
_NOT: t.Final = 0xA2
_EQUALS: t.Final = 0xA3
_SUBSTRINGS: t.Final = 0xA4
_AT_LEAST: t.Final = 0xA5
_AT_MOST: t.Final = 0xA6
_PRESENT: t.Final = 0x87
_APPROXIMATE: t.Final = 0xA8
_EXTENSIBLE: t.Final = 0xA9

_LISTS: t.Final = {"&": _AND, "|": _OR}
_COMPARISONS: t.Final = {"=": _EQUALS, ">=": _AT_LEAST, "<=": _AT_MOST, "~=": _APPROXIMATE}

# RFC 4512 section 2.5, and the underscore, which some servers have in names.
_DESCRIPTION: t.Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9_-]+)*")
_RULE: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+")
_COMPARISON: t.Final = re.compile(r"[<>~:]?=")
_SPACE: t.Final = re.compile(r"[ \t\r\n]*")
_VALUE: t.Final = re.compile(r"[^()*\\\0]*")
_ESCAPE: t.Final = re.compile(r"\\([0-9A-Fa-f]{2})")
_UNSAFE_TEXT: t.Final = re.compile(r"[\0-\x1f\x7f()*\\]")


def equals(attribute: str, value: bytes) -> bytes:
    """Give the filter for entries that have this value, by the attribute's own equality."""
    return _comparison(_EQUALS, attribute, value)


def at_least(attribute: str, value: bytes) -> bytes:
    """Give the filter for entries with a value that is this one or orders after it."""
    return _comparison(_AT_LEAST, attribute, value)


def at_most(attribute: str, value: bytes) -> bytes:
    """Give the filter for entries with a value that is this one or orders before it."""
    return _comparison(_AT_MOST, attribute, value)


def present(attribute: str) -> bytes:
    """Give the filter for entries that have the attribute at all."""
    return ber.tlv(_PRESENT, attribute.encode())


def all_of(filters: Iterable[bytes]) -> bytes:
    """Give the filter that is true where all of these are; of none it is always true (RFC 4526)."""
    return ber.tlv(_AND, b"".join(filters))


def any_of(filters: Iterable[bytes]) -> bytes:
    """Give the filter that is true where one of these is; of none it is never true (RFC 4526)."""
    return ber.tlv(_OR, b"".join(filters))


def negate(filter_bytes: bytes) -> bytes:
    """Give the filter that is true where this one is false. Where this one is undefined, so is that."""
    return ber.tlv(_NOT, filter_bytes)


def escape_value(value: str | bytes) -> str:
    """Give a value as it may stand in a filter's text (RFC 4515 section 3); of bytes, all but ASCII is escaped."""
    if isinstance(value, bytes):
        return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b"()*\\" else f"\\{byte:02x}" for byte in value)
    return _UNSAFE_TEXT.sub(lambda found: f"\\{ord(found[0]):02x}", value)


def parse(text: str) -> bytes:
    """Encode a filter's text. White space between the parts is allowed, so that a long filter can have lines.

    Raises:
        ConfigError: names the filter, the position (from 1) and what was expected there.
    """
    parser = _Parser(text)
    at = parser.skip_space(0)
    encoded, at = parser.filter(at, 0)
    at = parser.skip_space(at)
    if at < len(text):
        raise parser.error(at, "the end; to combine filters write (&(...)(...)) or (|(...)(...))")
    return encoded


def _comparison(tag: int, attribute: str, value: bytes) -> bytes:
    return ber.tlv(tag, ber.text(attribute) + ber.octets(value))


class _Parser:
    """The text of one filter; each method takes a position and gives what it read and the position after it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, at: int, expected: str) -> ConfigError:
        got = repr(self.text[at]) if at < len(self.text) else "the end"
        return ConfigError(
            f"the filter {self.text!r} is not valid at position {at + 1}: got {got}, expected {expected}."
            " Filters are written as in RFC 4515, such as (&(objectClass=person)(mail=*))."
        )

    def skip_space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def char(self, at: int) -> str:
        return self.text[at : at + 1]

    def filter(self, at: int, depth: int) -> tuple[bytes, int]:
        if self.char(at) != "(":
            raise self.error(at, "'('")
        if depth > MAX_DEPTH:
            raise self.error(at, f"a filter of at most {MAX_DEPTH} levels")
        at = self.skip_space(at + 1)
        first = self.char(at)
        if first in _LISTS:
            encoded, at = self.filters(at + 1, depth)
            encoded = ber.tlv(_LISTS[first], encoded)
        elif first == "!":
            inner, at = self.filter(self.skip_space(at + 1), depth + 1)
            encoded, at = negate(inner), self.skip_space(at)
        else:
            encoded, at = self.item(at)
        if self.char(at) != ")":
            raise self.error(at, "')'; within a value write ( as \\28, ) as \\29, * as \\2a and \\ as \\5c")
        return encoded, at + 1

    def filters(self, at: int, depth: int) -> tuple[bytes, int]:
        parts: list[bytes] = []
        at = self.skip_space(at)
        while self.char(at) == "(":
            encoded, at = self.filter(at, depth + 1)
            parts.append(encoded)
            at = self.skip_space(at)
        return b"".join(parts), at

    def item(self, at: int) -> tuple[bytes, int]:
        found = _DESCRIPTION.match(self.text, at)
        if found is None:
            if self.char(at) == ":":
                return self.extensible(None, at)
            raise self.error(at, "an attribute name, '&', '|' or '!'")
        attribute = found[0]
        at = found.end()
        sign = _COMPARISON.match(self.text, at)
        if sign is None or sign[0] == ":=":
            if self.char(at) == ":":
                return self.extensible(attribute, at)
            raise self.error(at, "'=', '>=', '<=', '~=' or ':='")
        if sign[0] == "=":
            return self.equality(attribute, sign.end())
        value, at = self.value(sign.end())
        return _comparison(_COMPARISONS[sign[0]], attribute, value), at

    def equality(self, attribute: str, at: int) -> tuple[bytes, int]:
        """Presence, equality, or substrings: only the asterisks tell."""
        start = at
        value, at = self.value(at)
        if self.char(at) != "*":
            return equals(attribute, value), at
        if at == start and self.char(at + 1) == ")":
            return present(attribute), at + 1
        parts = [ber.tlv(0x80, value)] if at > start else []
        while True:
            at += 1
            before = at
            value, at = self.value(at)
            if self.char(at) != "*":
                break
            if at == before:
                raise self.error(at, "something between two asterisks")
            parts.append(ber.tlv(0x81, value))
        if at > before:
            parts.append(ber.tlv(0x82, value))
        return ber.tlv(_SUBSTRINGS, ber.text(attribute) + ber.tlv(ber.SEQUENCE, b"".join(parts))), at

    def extensible(self, attribute: str | None, at: int) -> tuple[bytes, int]:
        """`attribute:dn:rule:=value`, of which `attribute` or `rule` may be left out, and `dn` always."""
        by_dn = re.compile(":dn(?=:)", re.IGNORECASE).match(self.text, at)
        if by_dn:
            at = by_dn.end()
        rule: str | None = None
        if self.char(at) == ":" and self.char(at + 1) != "=":
            found = _RULE.match(self.text, at + 1)
            if found is None:
                raise self.error(at + 1, "a matching rule or '='")
            rule, at = found[0], found.end()
        if attribute is None and rule is None:
            raise self.error(at, "a matching rule, for no attribute is named")
        if self.text[at : at + 2] != ":=":
            raise self.error(at, "':='")
        value, at = self.value(at + 2)
        content = ber.tlv(0x81, rule.encode()) if rule else b""
        content += ber.tlv(0x82, attribute.encode()) if attribute else b""
        content += ber.tlv(0x83, value)
        # DEFAULT FALSE is left out (RFC 4511 section 5.1).
        content += ber.boolean(True, 0x84) if by_dn else b""
        return ber.tlv(_EXTENSIBLE, content), at

    def value(self, at: int) -> tuple[bytes, int]:
        """Read up to a parenthesis or an asterisk, and undo the escapes."""
        parts: list[bytes] = []
        while True:
            plain = _VALUE.match(self.text, at)
            if plain:
                parts.append(self.encode(plain[0], at))
                at = plain.end()
            if self.char(at) != "\\":
                return b"".join(parts), at
            escape = _ESCAPE.match(self.text, at)
            if escape is None:
                raise self.error(at + 1, "two hexadecimal digits, such as \\28 for ( and \\5c for \\")
            parts.append(bytes.fromhex(escape[1]))
            at = escape.end()

    def encode(self, plain: str, at: int) -> bytes:
        try:
            return plain.encode()
        except UnicodeEncodeError as failure:
            raise self.error(at + failure.start, "text that is valid Unicode") from None
