# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls: what is asked for beside the operation, and what comes back beside its result (RFC 4511 section 4.1.11).

Encoders give one encoded control; several are put one after the other. All are critical unless said otherwise: a server
that does not know a control must refuse rather than do something else.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import ber
from .responses import Values, read_attributes

PAGED_RESULTS: t.Final = "1.2.840.113556.1.4.319"
ASSERTION: t.Final = "1.3.6.1.1.12"
PRE_READ: t.Final = "1.3.6.1.1.13.1"
POST_READ: t.Final = "1.3.6.1.1.13.2"
# MS-ADTS section 3.1.1.3.4.1
SHOW_DELETED: t.Final = "1.2.840.113556.1.4.417"
EXTENDED_DN: t.Final = "1.2.840.113556.1.4.529"
TREE_DELETE: t.Final = "1.2.840.113556.1.4.805"
PERMISSIVE_MODIFY: t.Final = "1.2.840.113556.1.4.1413"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadEntry:
    """The entry as it was before, or is after, a change: attribute descriptions as the server spells them."""

    dn: bytes
    attributes: Mapping[str, Values]


def control(oid: str, value: bytes | None = None, *, critical: bool = True) -> bytes:
    """Encode any control. The default of criticality, FALSE, is left out, as RFC 4511 section 5.1 wants."""
    content = ber.text(oid)
    if critical:
        content += ber.boolean(True)
    if value is not None:
        content += ber.octets(value)
    return ber.tlv(ber.SEQUENCE, content)


def paged_results(size: int, cookie: bytes = b"", *, critical: bool = True) -> bytes:
    """Ask for the next `size` entries (RFC 2696); the cookie is that of the page before."""
    value = ber.tlv(ber.SEQUENCE, ber.integer(size) + ber.octets(cookie))
    return control(PAGED_RESULTS, value, critical=critical)


def assertion(filter_bytes: bytes) -> bytes:
    """Let the operation happen only if the filter is true for its entry, else assertionFailed (RFC 4528)."""
    return control(ASSERTION, filter_bytes)


def pre_read(attributes: Iterable[str], *, critical: bool = False) -> bytes:
    """Ask what the entry was like before the change (RFC 4527 section 3.1)."""
    return control(PRE_READ, _selection(attributes), critical=critical)


def post_read(attributes: Iterable[str], *, critical: bool = False) -> bytes:
    """Ask what the entry is like after the change (RFC 4527 section 3.2)."""
    return control(POST_READ, _selection(attributes), critical=critical)


def show_deleted() -> bytes:
    """Let a search of Active Directory find tombstones and recycled objects."""
    return control(SHOW_DELETED)


def permissive_modify() -> bytes:
    """Let Active Directory take the adding of what is there, and the removing of what is not, as done."""
    return control(PERMISSIVE_MODIFY)


def tree_delete() -> bytes:
    """Delete an entry with everything below it."""
    return control(TREE_DELETE)


def extended_dn(*, readable: bool = True) -> bytes:
    """Ask Active Directory for names as `<GUID=..>;<SID=..>;DN`; with `readable` not as hexadecimal digits."""
    return control(EXTENDED_DN, ber.tlv(ber.SEQUENCE, ber.integer(1 if readable else 0)))


def decode_paged_cookie(controls: Mapping[str, bytes]) -> bytes | None:
    """Give the cookie for the next page, empty after the last; None when the server did not page (RFC 2696).

    Raises:
        MalformedError: the control's value is not the sequence RFC 2696 describes.
    """
    value = controls.get(PAGED_RESULTS)
    if value is None:
        return None
    try:
        start, stop = ber.read_element(value, 0, len(value), ber.SEQUENCE, "the paged results control")
        _size, at = ber.read_integer(value, start, stop, "the size of the paged results control")
        cookie, at = ber.read_octets(value, at, stop, "the cookie of the paged results control")
    except IndexError:
        raise ber.MalformedError("the paged results control is cut off") from None
    if at != stop or stop != len(value):
        raise ber.MalformedError("the paged results control has more than a size and a cookie")
    return cookie


def decode_read_entry(controls: Mapping[str, bytes], oid: str) -> ReadEntry | None:
    """Give the entry of a pre-read or post-read control, None when the server sent none (RFC 4527).

    Raises:
        MalformedError: the control's value is not a SearchResultEntry.
    """
    value = controls.get(oid)
    if value is None:
        return None
    try:
        tag, start, stop = ber.read_header(value, 0, len(value))
        # RFC 4527 says SearchResultEntry, whose tag is 64; OpenLDAP sends a plain sequence.
        if tag not in (0x64, ber.SEQUENCE) or stop != len(value):
            raise ber.MalformedError("a read entry control must hold one entry")
        dn, at = ber.read_octets(value, start, stop, "the name of a read entry")
        attributes = read_attributes(value, at, stop)
    except IndexError:
        raise ber.MalformedError("a read entry control is cut off") from None
    return ReadEntry(dn=dn, attributes=attributes)


def _selection(attributes: Iterable[str]) -> bytes:
    return ber.tlv(ber.SEQUENCE, b"".join(map(ber.text, attributes)))
