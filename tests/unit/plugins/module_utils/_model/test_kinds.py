# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import enum
import struct
import typing as t
import uuid
from decimal import Decimal

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.kinds import (
    FALSE_TEXTS,
    TRUE_TEXTS,
    accepts_any_text,
    canonicalizer,
    datetime_text,
    decimal_text,
    duration_text,
    float_text,
    from_native,
    same_form,
    to_native,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo, Kind
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Single
from hypothesis import given
from hypothesis import strategies as st

NATIVES: dict[Kind, st.SearchStrategy[t.Any]] = {
    "text": st.text(max_size=20),
    "integer": st.integers(-(10**30), 10**30),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=4),
    "float": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes(),
    "time": st.times(),
    "binary": st.binary(max_size=20),
    "uuid": st.uuids(),
    "json": st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ).filter(lambda value: isinstance(value, (dict, list))),
}
EVERY_KIND = st.one_of(
    *(st.tuples(st.just(FieldInfo(name="f", kind=kind)), natives) for kind, natives in NATIVES.items()),
    st.tuples(st.just(FieldInfo(name="f", kind="float", bits=32)), st.floats(width=32, allow_nan=False)),
    st.tuples(
        st.just(FieldInfo(name="f", kind="datetime", timezone=True)),
        st.datetimes(
            min_value=dt.datetime(1, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
            max_value=dt.datetime(9999, 12, 29),  # noqa: DTZ001
            timezones=st.timezones(),
        ),
    ),
)


def canonical(value: Single, kind: Kind, **traits: t.Any) -> Single:
    return canonicalizer(FieldInfo(name="f", kind=kind, **traits))(value)


@given(EVERY_KIND)
def test_what_a_driver_gives_comes_back_from_its_canonical_text(case: tuple[FieldInfo, t.Any]) -> None:
    info, native = case
    text = from_native(native)
    assert text is not None
    form = canonicalizer(info)(text)
    again = to_native(info, form)
    if isinstance(native, dt.datetime) and native.tzinfo is not None:
        assert again == native.astimezone(dt.timezone.utc)
    elif info.bits == 32:
        assert struct.pack("<f", again) == struct.pack("<f", native + 0.0)
    else:
        assert again == native


@given(EVERY_KIND)
def test_a_canonical_value_stays_as_it_is(case: tuple[FieldInfo, t.Any]) -> None:
    info, native = case
    form = canonicalizer(info)(t.cast("Single", from_native(native)))
    assert canonicalizer(info)(form) == form


@given(st.text(max_size=30), st.sampled_from(list(NATIVES)), st.booleans())
def test_any_text_either_becomes_canonical_for_good_or_is_a_value_error(text: str, kind: Kind, zoned: bool) -> None:
    make = canonicalizer(FieldInfo(name="f", kind=kind, timezone=zoned, scale=2 if kind == "decimal" else None))
    try:
        form = make(text)
    except ValueError:
        return
    assert make(form) == form


@pytest.mark.parametrize(
    ("kind", "traits", "given_value", "expected"),
    [
        ("text", {}, "  as it is ", "  as it is "),
        ("text", {"max_length": 3}, "äöü", "äöü"),
        ("integer", {}, " 007 ", "7"),
        ("integer", {}, "+5", "5"),
        ("integer", {}, "-0", "0"),
        ("integer", {}, "5.0", "5"),
        ("integer", {}, "1e3", "1000"),
        ("integer", {}, "true", "1"),
        ("integer", {}, "false", "0"),
        ("integer", {}, "123456789012345678901234567890", "123456789012345678901234567890"),
        ("integer", {"bits": 16}, "-32768", "-32768"),
        ("integer", {"bits": 16, "unsigned": True}, "65535", "65535"),
        ("decimal", {}, "12.500", "12.5"),
        ("decimal", {}, "1E+2", "100"),
        ("decimal", {}, "0E+5", "0"),
        ("decimal", {"scale": 2}, "0.005", "0.01"),
        ("decimal", {"scale": 2}, "-0.004", "0"),
        ("decimal", {"precision": 4, "scale": 2}, "99.994", "99.99"),
        ("decimal", {"precision": 38, "scale": 10}, "1234567890123456789012345678.1", "1234567890123456789012345678.1"),
        ("decimal", {"scale": 2}, "1234567890123456789012345678901234.125", "1234567890123456789012345678901234.13"),
        ("decimal", {"precision": 3, "scale": 0}, "0", "0"),
        ("float", {}, "5.0", "5"),
        ("float", {}, "1e16", "1e+16"),
        ("float", {}, "-Inf", "-inf"),
        ("float", {}, "NaN", "nan"),
        ("float", {"bits": 32}, "0.1", "0.1"),
        ("float", {"bits": 32}, "0.10000000149011612", "0.1"),
        ("float", {"bits": 32}, "16777217", "16777216"),
        ("float", {"bits": 32}, "inf", "inf"),
        ("float", {"bits": 32}, "3.4028234663852886e38", "3.4028235e+38"),
        ("date", {}, "2026-11-21T00:00:00", "2026-11-21"),
        ("date", {}, "20261121", "2026-11-21"),
        ("datetime", {}, "2026-11-21", "2026-11-21T00:00:00"),
        ("datetime", {}, "2026-11-21 08:30:00.250", "2026-11-21T08:30:00.250000"),
        ("datetime", {"precision": 0}, "2026-11-21T08:30:00.999", "2026-11-21T08:30:00"),
        ("datetime", {"precision": 7}, "2026-11-21T08:30:00.1234567", "2026-11-21T08:30:00.123456"),
        ("datetime", {}, "2026-11-21T08:30:00+02:00", "2026-11-21T06:30:00"),
        ("datetime", {"timezone": True}, "2026-11-21T08:30:00", "2026-11-21T08:30:00+00:00"),
        ("datetime", {"timezone": True}, "2026-11-21T08:30:00+02:00", "2026-11-21T06:30:00+00:00"),
        ("time", {}, "08:30", "08:30:00"),
        ("time", {"precision": 3}, "08:30:00.123456", "08:30:00.123000"),
        ("time", {}, "01:30:00+02:00", "23:30:00"),
        ("time", {"timezone": True}, "08:30:00", "08:30:00+00:00"),
        ("time", {"timezone": True}, "08:30:00-05:00", "13:30:00+00:00"),
        ("binary", {}, "é", b"\xc3\xa9"),
        ("binary", {"max_length": 2}, b"\x00\xff", b"\x00\xff"),
        ("uuid", {}, "{12345678-1234-5678-1234-567812345678}", "12345678-1234-5678-1234-567812345678"),
        ("uuid", {}, "ABCDEF12123456781234567812345678", "abcdef12-1234-5678-1234-567812345678"),
        ("json", {}, ' {"b": 1, "a": [true, null]} ', '{"a":[true,null],"b":1}'),
        ("json", {}, b'"\xc3\xa9"', '"é"'),
    ],
)
def test_each_kind_has_one_canonical_form(
    kind: Kind, traits: dict[str, t.Any], given_value: Single, expected: Single
) -> None:
    assert canonical(given_value, kind, **traits) == expected


@pytest.mark.parametrize("text", sorted(TRUE_TEXTS | FALSE_TEXTS))
def test_truth_values_are_read_in_any_case(text: str) -> None:
    expected = "true" if text in TRUE_TEXTS else "false"
    assert canonical(f" {text.upper()} ", "boolean") == expected
    assert to_native(FieldInfo(name="f", kind="boolean"), expected) is (text in TRUE_TEXTS)


@pytest.mark.parametrize(
    ("kind", "traits", "given_value", "message"),
    [
        ("text", {}, b"raw", "3 bytes is not text; binary data needs a binary field"),
        ("text", {"max_length": 3}, "abcd", "'abcd' has 4 characters, the field takes 3"),
        ("integer", {}, "1.5", "'1.5' is not a whole number"),
        ("integer", {}, "one", "'one' is not a whole number"),
        ("integer", {}, "inf", "'inf' is not a whole number"),
        ("integer", {}, "1_000", "'1_000' is not a whole number"),
        ("integer", {}, b"1", "1 bytes is not a whole number"),
        ("integer", {}, "1e999999999", "'1e999999999' has more than 1000 digits"),
        ("integer", {"bits": 16}, "32768", "'32768' is outside -32768 to 32767"),
        ("integer", {"bits": 16}, "-32769", "'-32769' is outside -32768 to 32767"),
        ("integer", {"bits": 16, "unsigned": True}, "-1", "'-1' is outside 0 to 65535"),
        ("decimal", {}, "much", "'much' is not a decimal number"),
        ("decimal", {}, "nan", "'nan' is not a decimal number"),
        ("decimal", {}, "1e999999999", "'1e999999999' has more than 1000 digits"),
        ("decimal", {}, "1e-999999999", "'1e-999999999' has more than 1000 digits"),
        ("decimal", {"precision": 4, "scale": 2}, "100", "'100' has too many digits, the field takes 2 before"),
        ("decimal", {"precision": 4, "scale": 2}, "99.995", "'99.995' has too many digits, the field takes 2 before"),
        ("decimal", {"precision": 38, "scale": 10}, "1e30", "'1e30' has too many digits, the field takes 28 before"),
        ("decimal", {"precision": 2, "scale": 2}, "1", "'1' has too many digits, the field takes 0 before"),
        ("float", {}, "high", "'high' is not a number"),
        ("float", {}, "1_0", "'1_0' is not a number"),
        ("float", {}, "1e400", "'1e400' is too big for a float"),
        ("float", {"bits": 32}, "1e39", "1e+39 is too big for a 32-bit float"),
        ("boolean", {}, "maybe", "'maybe' is not true or false"),
        ("date", {}, "21.11.2026", "'21.11.2026' is not a date such as 2026-11-21"),
        ("date", {}, "2026-11-21T01:00:00", "is not a date: it has a time of day"),
        ("datetime", {}, "now", "'now' is not a date and time such as"),
        ("datetime", {"timezone": True}, "0001-01-01T00:00:00+05:00", "is outside the years 1 to 9999 in UTC"),
        ("datetime", {}, "9999-12-31T23:59:59-05:00", "is outside the years 1 to 9999 in UTC"),
        ("time", {}, "noon", "'noon' is not a time of day such as 08:30:00"),
        ("binary", {"max_length": 2}, b"abc", "3 bytes are too long, the field takes 2"),
        ("uuid", {}, "1234", "'1234' is not a UUID"),
        ("uuid", {}, b"1234567890123456", "16 bytes is not a UUID"),
        ("json", {}, "{", "'{' is not JSON"),
        ("json", {}, "[NaN]", "'[NaN]' is not JSON"),
        ("json", {}, "[" * 100_000, "is not JSON"),
        ("json", {}, b"\xff", "1 bytes is not JSON"),
    ],
)
def test_what_does_not_fit_says_what_was_got_and_what_the_field_takes(
    kind: Kind, traits: dict[str, t.Any], given_value: Single, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        canonical(given_value, kind, **traits)
    assert message in str(caught.value)


class Colour(enum.IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("native", "text"),
    [
        (None, None),
        ("text", "text"),
        (b"raw", b"raw"),
        (True, "true"),
        (False, "false"),
        (-17, "-17"),
        (5.0, "5"),
        (0.1, "0.1"),
        (Decimal("12.50"), "12.5"),
        (Decimal("NaN"), "nan"),
        (dt.datetime(2026, 11, 21, 8, 30), "2026-11-21T08:30:00"),  # noqa: DTZ001 - a database without zones
        (dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-11-21T06:30:00+00:00"),
        (dt.date(2026, 11, 21), "2026-11-21"),
        (dt.time(8, 30), "08:30:00"),
        (dt.timedelta(hours=30, microseconds=5), "30:00:00.000005"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (memoryview(b"ab"), b"ab"),
        (bytearray(b"ab"), b"ab"),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
        (["é", 1], '["é",1]'),
        (Colour.RED, "3"),
    ],
)
def test_native_values_of_drivers_and_sheets_have_one_text(native: t.Any, text: Single | None) -> None:
    assert from_native(native) == text


def test_a_native_type_without_a_form_is_named() -> None:
    with pytest.raises(TypeError, match="no canonical form for complex: '1j'"):
        from_native(1j)


def test_bytes_and_text_are_native_already() -> None:
    assert to_native(FieldInfo(name="f", kind="json"), b"raw") == b"raw"
    assert to_native(FieldInfo(name="f"), "text") == "text"


def test_number_and_time_texts_are_plain() -> None:
    assert decimal_text(Decimal("-0")) == "0"
    assert decimal_text(Decimal("-Infinity")) == "-infinity"
    assert float_text(-0.0) == "0"
    assert float_text(float("inf")) == "inf"
    assert duration_text(dt.timedelta(hours=-1, seconds=-2)) == "-01:00:02"
    assert datetime_text(dt.datetime(2026, 1, 1)) == "2026-01-01T00:00:00"  # noqa: DTZ001


def field(kind: Kind = "text", **traits: t.Any) -> FieldInfo:
    return FieldInfo(name="f", kind=kind, **traits)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (field(), field(), True),
        (field(max_length=5), field(max_length=5), True),
        (field(max_length=6), field(max_length=5), False),
        (field(), field(max_length=5), False),
        (field("binary"), field("binary"), True),
        (field(), field("binary"), False),
        (field("boolean"), field("boolean"), True),
        (field("integer", bits=64), field("integer", bits=32), False),
        (field("integer", bits=32), field("integer", bits=32), True),
        (field("decimal", scale=2), field("decimal", scale=4), False),
        (field("datetime", timezone=True), field("datetime"), False),
    ],
)
def test_forms_are_the_same_only_when_every_value_fits(one: FieldInfo, other: FieldInfo, same: bool) -> None:
    assert same_form(one, other) is same


def test_only_unlimited_text_takes_every_text() -> None:
    assert accepts_any_text(field())
    assert not accepts_any_text(field(max_length=10))
    assert not accepts_any_text(field("integer"))
