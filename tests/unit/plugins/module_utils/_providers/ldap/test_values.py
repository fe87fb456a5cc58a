# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values between the wire and their canonical forms."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.kinds import canonicalizer
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo, Kind
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import UTC_TIME
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.values import (
    column_decoder,
    decode_guid,
    decode_sid,
    decode_time,
    decoder,
    encode_all,
    encode_guid,
    encode_sid,
    encode_windows_password,
    encoder,
)
from hypothesis import given
from hypothesis import strategies as st

KINDS: tuple[Kind, ...] = ("text", "integer", "boolean", "datetime", "dn", "binary", "uuid", "sid")
SIDS = st.builds(
    lambda authority, parts: "-".join(map(str, ("S", 1, authority, *parts))),
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), max_size=15),
)
UTC = dt.timezone.utc
MOMENTS = st.datetimes(timezones=st.just(UTC), allow_imaginary=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def info(kind: Kind) -> FieldInfo:
    return FieldInfo(name="x", kind=kind, timezone=kind == "datetime", multi_valued=True)


# MS-DTYP 2.3.4.2 and 2.4.2.2 as they stand in memory.
def test_known_forms() -> None:
    assert decode_guid(bytes.fromhex("00112233445566778899aabbccddeeff")) == "33221100-5544-7766-8899-aabbccddeeff"
    administrators = bytes.fromhex("01020000000000052000000020020000")
    assert decode_sid(administrators) == "S-1-5-32-544"
    assert encode_sid("S-1-5-32-544") == administrators
    assert encode_windows_password("aß") == b'"\0a\0\xdf\0"\0'


@given(st.uuids())
def test_guids_come_back(value: uuid.UUID) -> None:
    assert decode_guid(encode_guid(str(value))) == str(value)
    assert encode_guid(str(value)) == value.bytes_le


@given(SIDS)
def test_security_identifiers_come_back(text: str) -> None:
    assert decode_sid(encode_sid(text)) == text


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x02\0\0\0\0\0\x05\0\0\0\0", b"\x01\x01\0\0\0\0\0\x05\0\0\0\0\0"])
def test_bytes_that_are_no_security_identifier(data: bytes) -> None:
    with pytest.raises(ValueError, match="no security identifier"):
        decode_sid(data)


@pytest.mark.parametrize("text", ["", "S-1", "S-1-x", "S-1-5-4294967296", "S-1-5--1", "S-1-281474976710656"])
def test_texts_that_are_no_security_identifier(text: str) -> None:
    with pytest.raises(ValueError):
        encode_sid(text)


@given(MOMENTS, st.booleans())
def test_times_come_back(moment: dt.datetime, guid: bool) -> None:
    canonical = moment.isoformat()
    assert canonicalizer(info("datetime"))(canonical) == canonical
    wire = encoder(info("datetime"), guid=guid)(canonical)
    assert decode_time(wire) == canonical
    assert len(wire.partition(b".")[0].rstrip(b"Z")) == 14


@pytest.mark.parametrize(
    ("wire", "canonical"),
    [
        (b"20261125083000Z", "2026-11-25T08:30:00+00:00"),
        (b"20261125083000.0Z", "2026-11-25T08:30:00+00:00"),
        (b"20261125083000,25Z", "2026-11-25T08:30:00.250000+00:00"),
        (b"202611250830Z", "2026-11-25T08:30:00+00:00"),
        (b"2026112508Z", "2026-11-25T08:00:00+00:00"),
        (b"2026112508.5Z", "2026-11-25T08:30:00+00:00"),
        (b"202611250830.5Z", "2026-11-25T08:30:30+00:00"),
        (b"20261125083000+0130", "2026-11-25T07:00:00+00:00"),
        (b"20261125083000-08", "2026-11-25T16:30:00+00:00"),
        (b"20261231235960Z", "2026-12-31T23:59:59+00:00"),
        (b"200102030405Z", "2001-02-03T04:05:00+00:00"),
    ],
)
def test_ways_to_write_a_time(wire: bytes, canonical: str) -> None:
    assert decode_time(wire) == canonical


@pytest.mark.parametrize(
    ("wire", "canonical"),
    [
        (b"261125083000Z", "2026-11-25T08:30:00+00:00"),
        (b"491125083000Z", "2049-11-25T08:30:00+00:00"),
        (b"501125083000Z", "1950-11-25T08:30:00+00:00"),
        (b"200102030405Z", "2020-01-02T03:04:05+00:00"),
    ],
)
def test_utc_time_has_two_digits_of_the_year(wire: bytes, canonical: str) -> None:
    field = FieldInfo(name="meetingStartTime", kind="datetime", type_name=UTC_TIME, timezone=True)
    assert decoder(field, guid=True)([wire]) == canonical
    assert encoder(field, guid=True)(canonical) == wire
    with pytest.raises(ValueError, match="outside the years 1950 to 2049"):
        encoder(field, guid=True)("2050-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    "wire", [b"", b"now", b"2026", b"20261325083000Z", b"000001010000Z", b"99991231235959-0100", b"\xff"]
)
def test_what_is_no_time(wire: bytes) -> None:
    with pytest.raises(ValueError):
        decode_time(wire)


def test_each_kind_of_directory_gets_times_as_it_writes_them() -> None:
    moment = "0099-11-25T08:30:00+00:00"
    assert encoder(info("datetime"), guid=False)(moment) == b"00991125083000Z"
    assert encoder(info("datetime"), guid=True)(moment) == b"00991125083000.0Z"
    assert encoder(info("datetime"), guid=False)("2026-11-25T08:30:10.500000+00:00") == b"20261125083010.5Z"


@given(st.lists(TEXTS, max_size=4))
def test_texts_come_back_as_a_set(values: list[str]) -> None:
    wire = [value.encode() for value in values]
    found = decoder(info("text"), guid=False)(wire)
    assert set(encode_all(encoder(info("text"), guid=False), found)) == set(wire)
    if len(set(values)) > 1:
        assert found == tuple(sorted(set(values)))


WIRE = {
    "text": st.text().map(str.encode),
    "integer": st.integers().map(lambda number: str(number).encode()),
    "boolean": st.sampled_from([b"TRUE", b"FALSE"]),
    "datetime": MOMENTS.map(lambda each: f"{each.year:04d}{each:%m%d%H%M%S}Z".encode()),
    "dn": st.sampled_from([b"cn=a,dc=x", b"cn = A\\, b , dc=x", b"", b"no dn"]),
    "binary": st.binary(),
    "uuid": st.uuids().map(lambda each: str(each).encode()),
    "sid": SIDS.map(encode_sid),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_column_is_decoded_as_each_entry_alone(kind: Kind, data: st.DataObject) -> None:
    column = data.draw(st.lists(st.lists(WIRE[kind], max_size=3), max_size=5))
    alone = decoder(info(kind), guid=False)
    found = column_decoder(info(kind), guid=False)(column)
    assert found == [alone(values) for values in column]
    # Directories know no empty values.
    assert all(part is None or len(part) > 0 for part in found)


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    for values in ([b"a\xff"], [b"a", b"b\xff"]):
        with pytest.raises(ValueError, match="utf-8"):
            column_decoder(info("text"), guid=False)([[b"a"], values])
