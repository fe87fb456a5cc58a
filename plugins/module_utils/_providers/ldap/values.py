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
from .schema import UTC_TIME

Decode: t.TypeAlias = Callable[[Sequence[bytes]], Value]
DecodeAll: t.TypeAlias = Callable[[Sequence[Sequence[bytes]]], list[Value]]
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
    """Give the canonical instant of a generalized time (RFC 4517 section 3.3.13). Raises ValueError."""
    text = data.decode("ascii")
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no generalized time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour), int(minute or 0), min(int(second or 0), 59), tzinfo=_zone(zone)
        )
        if fraction:
            unit = 1 if second else 60 if minute else 3600
            moment += dt.timedelta(seconds=float(f"0.{fraction}") * unit)
        return moment.astimezone(dt.timezone.utc).isoformat()
    except OverflowError:
        raise ValueError(f"{text!r} is outside the years 1 to 9999") from None


def decode_utc_time(data: bytes) -> str:
    """Give the canonical instant of a UTC time (RFC 4517 section 3.3.34). Raises ValueError.

    It has two digits of the year: those from 50 on are of the last century (RFC 5280 section 4.1.2.5.1).
    """
    century = b"19" if data[:2] >= b"50" else b"20"
    return decode_time(century + data)


def _zone(text: str | None) -> dt.timezone:
    if text is None or text == "Z":
        return dt.timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[3:5] or 0)
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))


def encode_time(value: Single) -> bytes:
    """Give the generalized time of a canonical instant, without a fraction when there is none."""
    return encode_windows_time(value).replace(b".0Z", b"Z")


def encode_utc_time(value: Single) -> bytes:
    """Give the UTC time of a canonical instant. Raises ValueError for a year that two digits cannot say."""
    text = encode_windows_time(value)
    if not b"1950" <= text[:4] < b"2050":
        raise ValueError(f"{value!r} is outside the years 1950 to 2049")
    return text[2:14] + b"Z"


def encode_windows_time(value: Single) -> bytes:
    """Give the same as Active Directory writes it: never without a fraction (MS-ADTS 3.1.1.2.2.2.13)."""
    moment = dt.datetime.fromisoformat(_text(value)).astimezone(dt.timezone.utc)
    fraction = f"{moment.microsecond:06d}".rstrip("0") or "0"
    # strftime leaves out the leading zeros of a year.
    return f"{moment.year:04d}{moment:%m%d%H%M%S}.{fraction}Z".encode("ascii")


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
    if info.type_name == UTC_TIME:
        return decode_utc_time
    return _DECODE.get(info.kind, bytes.decode)


def decoder(info: FieldInfo, *, guid: bool) -> Decode:
    """Give what turns an attribute's values into its canonical value; raises ValueError for what is no such thing."""
    one = single_decoder(info, guid=guid)
    if one is None:
        return decode_bytes

    def decode(values: Sequence[bytes]) -> Value:
        if len(values) == 1:
            return one(values[0]) or None
        return as_set([part for part in map(one, values) if part]) if values else None

    return decode


def decode_bytes(values: Sequence[bytes]) -> Value:
    """Give values as they are; an empty one is none."""
    return as_set([part for part in values if part])


def decode_each(decode: Decode) -> DecodeAll:
    """Give what decodes the values of one attribute of many entries, one after the other."""
    return lambda column: [decode(values) for values in column]


def column_decoder(info: FieldInfo, *, guid: bool) -> DecodeAll:
    """Give what decodes the values of one attribute of many entries; raises ValueError for what is no such thing."""
    decode = decoder(info, guid=guid)
    if single_decoder(info, guid=guid) is not bytes.decode:
        return decode_each(decode)

    def decode_texts(column: Sequence[Sequence[bytes]]) -> list[Value]:
        # Millions of texts pass here: nothing of Python's own is called for one of them.
        return [
            None if not values else values[0].decode() or None if len(values) == 1 else decode(values)
            for values in column
        ]

    return decode_texts


def encoder(info: FieldInfo, *, guid: bool) -> Encode:
    """Give what turns one canonical value into the bytes of the wire; `guid` as for `single_decoder`."""
    if info.kind == "uuid" and guid:
        return lambda value: encode_guid(_text(value))
    if info.type_name == UTC_TIME:
        return encode_utc_time
    if info.kind == "datetime" and guid:
        return encode_windows_time
    return _ENCODE.get(info.kind, lambda value: value if isinstance(value, bytes) else value.encode("utf-8"))


def encode_all(encode: Encode, value: Value) -> list[bytes]:
    """Give the bytes of all single values of `value`."""
    if isinstance(value, str):  # nearly all are
        return [encode(value)]
    return [encode(part) for part in members(value)]


def encode_windows_password(password: str) -> bytes:
    """Give the form in which unicodePwd takes a password (MS-ADTS 3.1.1.3.1.5.1): in quotes, UTF-16LE."""
    return f'"{password}"'.encode("utf-16-le")
