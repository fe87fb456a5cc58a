# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LDAP messages put together by hand: in both spellings of lengths that servers use, and wrong ones on purpose."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

Attributes: t.TypeAlias = Sequence[tuple[bytes, Sequence[bytes]]]


def element(tag: int, *parts: bytes, four: bool = False) -> bytes:
    """Give tag, length and content; with `four` the length has four octets, as Active Directory writes it."""
    content = b"".join(parts)
    size = len(content)
    if four:
        return bytes((tag, 0x84)) + size.to_bytes(4, "big") + content
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def number(value: int, tag: int = 2) -> bytes:
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def message(message_id: int, operation: bytes, controls: bytes = b"", *, four: bool = False) -> bytes:
    """Give a message; `controls` is the whole element with the tag A0, or anything else to be put after."""
    return element(0x30, number(message_id), operation, controls, four=four)


def control(oid: bytes, value: bytes | None = None) -> bytes:
    return element(0x30, element(4, oid), b"" if value is None else element(4, value))


def entry(
    message_id: int, dn: bytes, attributes: Attributes, *, controls: Mapping[bytes, bytes] | None = None, four: bool
) -> bytes:
    """Give an entry; with `four` as Active Directory spells it: four octets in sequences and sets, not in strings."""
    listed = [
        element(0x30, element(4, name), element(0x31, *(element(4, one) for one in values), four=four), four=four)
        for name, values in attributes
    ]
    operation = element(0x64, element(4, dn), element(0x30, *listed, four=four), four=four)
    after = element(0xA0, *(control(*one) for one in controls.items()), four=four) if controls else b""
    return message(message_id, operation, after, four=four)


def result(message_id: int, tag: int, *parts: bytes, code: int = 0, matched: bytes = b"", text: bytes = b"") -> bytes:
    """Give a response with `parts` behind the three that every result has."""
    return message(message_id, element(tag, number(code, 10), element(4, matched), element(4, text), *parts))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Give the bytes with some of them changed, taken out, put in twice or cut off."""
    data = bytearray(whole)
    for _change in range(draw(st.integers(1, 3))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        more = draw(st.integers(1, 8))
        match draw(st.sampled_from(["byte", "byte", "bit", "remove", "repeat", "cut"])):
            case "byte":
                data[at] = draw(st.integers(0, 255))
            case "bit":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del data[at : at + more]
            case "repeat":
                data[at:at] = data[at : at + more]
            case _:
                del data[at:]
    return bytes(data)
