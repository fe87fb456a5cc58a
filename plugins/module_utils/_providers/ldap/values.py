# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values between the wire's bytes and the canonical forms of `_model.kinds`."""

from __future__ import annotations

import datetime as dt
import re
import struct
import typing as t
import uuid
from collections.abc import Callable, Sequence

from ..._model.dn import canonical_dn
from ..._model.schema import FieldInfo
from ..._model.values import Single, Value, as_set, members

Decode: t.TypeAlias = Callable[[Sequence[bytes]], Value]
Encode: t.TypeAlias = Callable[[Single], bytes]

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)?")


def decode_guid(data: bytes) -> str:
    """Give the text of a GUID as Active Directory stores it: the first three parts little-endian (MS-DTYP 2.3.4.2)."""
    return str(uuid.UUID(bytes_le=data))


def encode_guid(text: str) -> bytes:
    """Give the 16 bytes of a GUID."""
    return uuid.UUID(text).bytes_le


def decode_sid(data: bytes) -> str:
    """Give `S-1-...` (MS-DTYP 2.4.2.1) of a binary SID (2.4.2.2). Raises ValueError."""
    if len(data) < 8 or len(data) != 8 + 4 * data[1]:
        raise ValueError(f"{len(data)} bytes are no security identifier")
    authority = int.from_bytes(data[2:8], "big")
    parts = struct.unpack(f"<{data[1]}I", data[8:])
    return "-".join(map(str, ("S", data[0], authority, *parts)))


def encode_sid(text: str) -> bytes:
    """Give the binary form of `S-1-...`. Raises ValueError."""
    _letter, revision, authority, *parts = text.split("-")
    numbers = [int(part) for part in parts]
    try:
        return (
            bytes((int(revision), len(numbers)))
            + int(authority).to_bytes(6, "big")
            + struct.pack(f"<{len(numbers)}I", *numbers)
        )
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{text!r} is no security identifier: {error}") from None


def decode_time(data: bytes) -> str:
    """Give the canonical instant of a generalized time (RFC 4517 section 3.3.13) or a UTC time. Raises ValueError."""
    text = data.decode("ascii")
    match = _TIME.fullmatch(text)
    if match is None and re.fullmatch(r"\d{10}(?:\d\d)?Z", text):
        # UTC time has two digits of the year: those from 50 on are of the last century (RFC 5280 4.1.2.5.1).
        match = _TIME.fullmatch(f"{'19' if int(text[:2]) >= 50 else '20'}{text}")
    if match is None:
        raise ValueError(f"{text!r} is no generalized time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = dt.datetime(
        int(year), int(month), int(day), int(hour), int(minute or 0), min(int(second or 0), 59), tzinfo=_zone(zone)
    )
    if fraction:
        unit = 1 if second else 60 if minute else 3600
        moment += dt.timedelta(seconds=float(f"0.{fraction}") * unit)
    return moment.astimezone(dt.timezone.utc).isoformat()


def _zone(text: str | None) -> dt.timezone:
    if text is None or text == "Z":
        return dt.timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[3:5] or 0)
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))


def encode_time(value: Single) -> bytes:
    """Give the generalized time of a canonical instant; Active Directory wants the `.0Z` (MS-ADTS 3.1.1.2.2.2.13)."""
    moment = dt.datetime.fromisoformat(_text(value)).astimezone(dt.timezone.utc)
    fraction = f"{moment.microsecond:06d}".rstrip("0") or "0"
    return f"{moment:%Y%m%d%H%M%S}.{fraction}Z".encode("ascii")


def _text(value: Single) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")


def _decode_dn(data: bytes) -> str:
    text = data.decode("utf-8")
    try:
        return canonical_dn(text)
    except ValueError:
        # Some servers keep a name with a UID or a binary part in such an attribute; it is shown as it is.
        return text


def _decode_boolean(data: bytes) -> str:
    return "true" if data.upper() == b"TRUE" else "false"


_DECODE: dict[str, Callable[[bytes], Single]] = {
    "boolean": _decode_boolean,
    "datetime": decode_time,
    "dn": _decode_dn,
    "sid": decode_sid,
}
_ENCODE: dict[str, Encode] = {
    "boolean": lambda value: b"TRUE" if value == "true" else b"FALSE",
    "datetime": encode_time,
    "sid": lambda value: encode_sid(_text(value)),
}


def single_decoder(info: FieldInfo, *, guid: bool) -> Callable[[bytes], Single] | None:
    """Give what turns one value's bytes into canonical form, None when they are its value. Raises ValueError.

    `guid` says that UUIDs are 16 bytes, as in Active Directory, and not text.
    """
    if info.kind == "binary":
        return None
    if info.kind == "uuid":
        return decode_guid if guid else bytes.decode
    return _DECODE.get(info.kind, bytes.decode)


def decoder(info: FieldInfo, *, guid: bool) -> Decode:
    """Give what turns an attribute's values into its canonical value; raises ValueError for what is no such thing."""
    one = single_decoder(info, guid=guid)
    if one is None:
        return as_set

    def decode(values: Sequence[bytes]) -> Value:
        if len(values) == 1:
            return one(values[0]) or None
        return as_set([part for part in map(one, values) if part]) if values else None

    return decode


def encoder(info: FieldInfo, *, guid: bool) -> Encode:
    """Give what turns one canonical value into the bytes of the wire."""
    if info.kind == "uuid" and guid:
        return lambda value: encode_guid(_text(value))
    return _ENCODE.get(info.kind, lambda value: value if isinstance(value, bytes) else value.encode("utf-8"))


def encode_all(encode: Encode, value: Value) -> list[bytes]:
    """Give the bytes of all single values of `value`."""
    return [encode(part) for part in members(value)]


def encode_windows_password(password: str) -> bytes:
    """Give the form in which unicodePwd takes a password (MS-ADTS 3.1.1.3.1.5.1): in quotes, UTF-16LE."""
    return f'"{password}"'.encode("utf-16-le")
