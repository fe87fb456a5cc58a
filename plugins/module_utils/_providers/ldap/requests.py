# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as bytes (RFC 4511 section 4).

Each function encodes the operation once and gives a `Request`: a function from the message id, which only the channel
knows, to the bytes of the whole message. `controls` are encoded controls one after the other, see `controls`.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Iterable, Sequence

from . import ber

Request: t.TypeAlias = Callable[[int], bytes]
Name: t.TypeAlias = str | bytes
Change: t.TypeAlias = tuple[int, str, Sequence[bytes]]

BASE: t.Final = 0
ONE_LEVEL: t.Final = 1
SUBTREE: t.Final = 2

DEREF_NEVER: t.Final = 0

# What a change does with the values of its attribute; the replacement by none removes the attribute.
ADD: t.Final = 0
DELETE: t.Final = 1
REPLACE: t.Final = 2

_OPERATIONS: t.Final = tuple(b"\x0a\x01" + bytes((operation,)) for operation in (ADD, DELETE, REPLACE))

_SHORT: t.Final = 0x80
"""Values of so many octets are not short: their sizes are too many to remember what stands before each."""


def search(
    base: Name,
    scope: int,
    filter_bytes: bytes,
    attributes: Iterable[str],
    *,
    size_limit: int = 0,
    time_limit: int = 0,
    deref: int = DEREF_NEVER,
    types_only: bool = False,
    controls: bytes = b"",
) -> Request:
    """Encode a search (section 4.5.1). `size_limit` counts entries, `time_limit` seconds; 0 is no limit.

    Aliases are not followed unless asked for: an entry read through its alias would be written under a name it has not.
    """
    return _message(
        0x63,
        b"".join(
            (
                ber.text(base),
                ber.integer(scope, ber.ENUMERATED),
                ber.integer(deref, ber.ENUMERATED),
                ber.integer(size_limit),
                ber.integer(time_limit),
                ber.boolean(types_only),
                filter_bytes,
                ber.tlv(ber.SEQUENCE, b"".join(map(_description, attributes))),
            )
        ),
        controls,
    )


def add(dn: Name, attributes: Iterable[tuple[str, Sequence[bytes]]], *, controls: bytes = b"") -> Request:
    """Encode an add (section 4.7). Each attribute must have a value: RFC 4511 knows no empty one here."""
    parts = [_attribute(name, values) for name, values in attributes]
    return _message(0x68, ber.text(dn) + ber.tlv(ber.SEQUENCE, b"".join(parts)), controls)


def modify(dn: Name, changes: Iterable[Change], *, controls: bytes = b"") -> Request:
    """Encode a modify (section 4.6): each change is `ADD`, `DELETE` or `REPLACE`, an attribute, and its values."""
    parts = [ber.tlv(ber.SEQUENCE, _OPERATIONS[kind] + _attribute(name, values)) for kind, name, values in changes]
    return _message(0x66, ber.text(dn) + ber.tlv(ber.SEQUENCE, b"".join(parts)), controls)


def delete(dn: Name, *, controls: bytes = b"") -> Request:
    """Encode a delete (section 4.8): the operation is the name itself, under the operation's tag."""
    return _message(0x4A, dn if isinstance(dn, bytes) else dn.encode(), controls)


def modify_dn(
    dn: Name, new_rdn: Name, *, delete_old: bool = True, new_superior: Name | None = None, controls: bytes = b""
) -> Request:
    """Encode a rename, with `new_superior` also a move (section 4.9)."""
    content = ber.text(dn) + ber.text(new_rdn) + ber.boolean(delete_old)
    if new_superior is not None:
        content += ber.tlv(0x80, new_superior if isinstance(new_superior, bytes) else new_superior.encode())
    return _message(0x6C, content, controls)


def extended(oid: str, value: bytes | None = None, *, controls: bytes = b"") -> Request:
    """Encode an extended operation (section 4.12)."""
    content = ber.tlv(0x80, oid.encode())
    if value is not None:
        content += ber.tlv(0x81, value)
    return _message(0x77, content, controls)


def abandon(abandoned: int) -> Request:
    """Encode the wish that the server forgets an operation (section 4.11). It has no response."""
    return _message(0x50, ber.integer(abandoned)[2:], b"")


def unbind() -> Request:
    """Encode the end of the session (section 4.3). It has no response."""
    return _message(0x42, b"", b"")


def _message(tag: int, content: bytes, controls: bytes) -> Request:
    operation = ber.tlv(tag, content)
    if controls:
        operation += ber.tlv(0xA0, controls)
    return lambda message_id: ber.tlv(ber.SEQUENCE, ber.integer(message_id) + operation)


@functools.lru_cache(maxsize=4096)
def _description(name: str) -> bytes:
    return ber.text(name)


def _attribute(name: str, values: Sequence[bytes]) -> bytes:
    if len(values) == 1 and len(values[0]) < _SHORT:
        return _before_short_value(name, len(values[0])) + values[0]
    return ber.tlv(ber.SEQUENCE, _description(name) + ber.tlv(ber.SET, b"".join(map(ber.octets, values))))


@functools.lru_cache(maxsize=4096)
def _before_short_value(name: str, size: int) -> bytes:
    """Give all octets of an attribute with one value of `size` octets, up to the value: they are the same each time."""
    element = ber.tlv(ber.SEQUENCE, _description(name) + ber.tlv(ber.SET, ber.octets(bytes(size))))
    return element[: len(element) - size]
