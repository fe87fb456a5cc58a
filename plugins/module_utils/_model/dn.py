# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names in their text form (RFC 4514): read, write, compare, and find out what lies below what.

A DN is text in *canonical spelling*: no blanks around `,`, `+` and `=`, every special character escaped by a
backslash, letters as they were given. Two spellings name one entry exactly when `fold_dn` makes them equal.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Sequence

Assertion: t.TypeAlias = tuple[str, str]
"""One attribute type and its value, the value unescaped."""
Rdn: t.TypeAlias = tuple[Assertion, ...]

_SPECIAL = frozenset('"+,;<>\\=')
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*")
_PLAIN_RDN = r"[A-Za-z][A-Za-z0-9-]*=[^\\\"+,;<>=#\s\0]+(?: [^\\\"+,;<>=#\s\0]+)*"
_PLAIN = re.compile(f"{_PLAIN_RDN}(?:,{_PLAIN_RDN})*")
_BLANKS = re.compile(r"\s+")


def parse_dn(text: str) -> tuple[Rdn, ...]:
    """Read a DN from the entry itself up to the root; `()` for the empty DN.

    Takes what RFC 4514 section 3 allows, and blanks around separators and quoted values as RFC 2253 section 4 asks
    for. Raises ValueError that says where the text is no DN.
    """
    if not text.strip(" "):
        return ()
    if _PLAIN.fullmatch(text):
        return tuple((t.cast("Assertion", tuple(rdn.split("="))),) for rdn in text.split(","))
    rdns: list[Rdn] = []
    assertions: list[Assertion] = []
    position = 0
    while True:
        assertion, position = _read_assertion(text, position)
        assertions.append(assertion)
        separator = text[position : position + 1]
        position += 1
        if separator == "+":
            continue
        rdns.append(tuple(assertions))
        assertions = []
        if not separator:
            return tuple(rdns)


def _read_assertion(text: str, start: int) -> tuple[Assertion, int]:
    position = _skip_blanks(text, start)
    match = _TYPE.match(text, position)
    if match is None:
        raise _wrong(text, position, "an attribute type such as cn")
    position = _skip_blanks(text, match.end())
    if text[position : position + 1] != "=":
        raise _wrong(text, position, "'='")
    position = _skip_blanks(text, position + 1)
    following = text[position : position + 1]
    if following == "#":
        value, position = _read_hex(text, position + 1)
    elif following == '"':
        value, position = _read_quoted(text, position + 1)
    else:
        value, position = _read_value(text, position)
    if not value:
        raise _wrong(text, position, f"a value for {match.group()}")
    if text[position : position + 1] not in ("", ",", ";", "+"):
        raise _wrong(text, position, "',' or '+'")
    return (match.group(), value), position


def _skip_blanks(text: str, position: int) -> int:
    while text[position : position + 1] == " ":
        position += 1
    return position


def _read_value(text: str, position: int) -> tuple[str, int]:
    octets = bytearray()
    # Blanks at the end belong to the value only when they are escaped.
    solid = 0
    while (char := text[position : position + 1]) not in ("", ",", ";", "+"):
        if char == "\\":
            piece, position = _read_escape(text, position + 1)
            octets += piece
            solid = len(octets)
            continue
        if char in '"<>\0':
            raise _wrong(text, position, f"{char!r} as \\{char}")
        octets += char.encode("utf-8", "surrogatepass")
        if char != " ":
            solid = len(octets)
        position += 1
    return _decode(text, octets[:solid]), position


def _read_quoted(text: str, position: int) -> tuple[str, int]:
    octets = bytearray()
    while (char := text[position : position + 1]) != '"':
        if not char:
            raise _wrong(text, position, "the closing quote")
        if char == "\\":
            piece, position = _read_escape(text, position + 1)
            octets += piece
        else:
            octets += char.encode("utf-8", "surrogatepass")
            position += 1
    return _decode(text, octets), _skip_blanks(text, position + 1)


def _read_escape(text: str, position: int) -> tuple[bytes, int]:
    pair = text[position : position + 2]
    if len(pair) == 2 and all(char in "0123456789abcdefABCDEF" for char in pair):
        return bytes.fromhex(pair), position + 2
    if not pair or (pair[0] not in _SPECIAL and pair[0] not in " #"):
        raise _wrong(text, position, "a special character or two hexadecimal digits after the backslash")
    return pair[0].encode(), position + 1


def _read_hex(text: str, position: int) -> tuple[str, int]:
    """Read `#` and the hexadecimal form of a BER encoded value (RFC 4514 section 2.4): only strings have a text."""
    end = position
    while text[end : end + 1].isalnum():
        end += 1
    try:
        data = bytes.fromhex(text[position:end])
        if len(data) < 2 or data[1] != len(data) - 2 or data[1] > 127:
            raise ValueError
        return data[2:].decode("utf-8"), _skip_blanks(text, end)
    except ValueError:
        raise _wrong(text, position, "the hexadecimal form of a short BER string") from None


def _decode(text: str, octets: bytes | bytearray) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{text!r} is no distinguished name: its escapes are not UTF-8.") from None


def _wrong(text: str, position: int, wanted: str) -> ValueError:
    got = repr(text[position]) if position < len(text) else "the end"
    return ValueError(f"{text!r} is no distinguished name: at character {position + 1} expected {wanted}, got {got}.")


def escape_value(value: str) -> str:
    """Give `value` as it stands in a DN (RFC 4514 section 2.4)."""
    escaped = "".join(f"\\{char}" if char in _SPECIAL else "\\00" if char == "\0" else char for char in value)
    if escaped.startswith((" ", "#")):
        escaped = f"\\{escaped}"
    if value.endswith(" ") and len(value) > 1:
        escaped = f"{escaped[:-1]}\\ "
    return escaped


def format_rdn(rdn: Rdn) -> str:
    """Give the canonical spelling of one RDN; several assertions are joined by `+` in the given order."""
    return "+".join(f"{name}={escape_value(value)}" for name, value in rdn)


def format_dn(rdns: Sequence[Rdn]) -> str:
    """Give the canonical spelling of a DN."""
    return ",".join(map(format_rdn, rdns))


def canonical_dn(text: str) -> str:
    """Give the canonical spelling of `text`. Raises ValueError when it is no DN."""
    # Most DNs are plain already, and a million of them pass here.
    return text if _PLAIN.fullmatch(text) else format_dn(parse_dn(text))


def fold_dn(text: str) -> str:
    """Give a form that is equal for all spellings of one DN: types and values without case, inner blanks as one,
    assertions of an RDN in order. Text that is no DN is only folded in case, so that comparing never fails.

    All naming attributes in use compare without case (RFC 4519; in Active Directory every one).
    """
    if _PLAIN.fullmatch(text):
        return text.casefold()
    try:
        rdns = parse_dn(text)
    except ValueError:
        return text.casefold()
    folded = (
        tuple(sorted((name.casefold(), _BLANKS.sub(" ", value.strip()).casefold()) for name, value in rdn))
        for rdn in rdns
    )
    return format_dn(tuple(folded))


def parent_dn(text: str) -> str:
    """Give the DN of the container of `text`, empty for a DN of one RDN. Raises ValueError when it is no DN."""
    if "\\" not in text and '"' not in text:
        return text.partition(",")[2].lstrip(" ")
    return format_dn(parse_dn(text)[1:])


def first_rdn(text: str) -> Rdn:
    """Give the RDN of the entry itself. Raises ValueError when `text` is no DN or empty."""
    rdns = parse_dn(text)
    if not rdns:
        raise ValueError("the empty DN has no RDN.")
    return rdns[0]


def join_dn(name: str, value: str, container: str) -> str:
    """Give the DN of the entry called `value` by its naming attribute `name` in `container`."""
    rdn = format_rdn(((name, value),))
    return f"{rdn},{container}" if container else rdn


def is_within(text: str, container: str) -> bool:
    """Tell whether `text` is `container` or lies somewhere below it."""
    return is_within_folded(fold_dn(text), fold_dn(container))


def is_within_folded(folded: str, folded_container: str) -> bool:
    """Tell the same of DNs that `fold_dn` gave."""
    return not folded_container or folded == folded_container or folded.endswith(f",{folded_container}")
