# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.incremental import (
    INSTANT,
    NUMBER,
    Delta,
    read_time_stamp,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
MOMENT = Decimal(int(dt.datetime(2026, 11, 21, 8, 30, tzinfo=dt.timezone.utc).timestamp()))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-21T08:30:00", 0),
        (" 2026-11-21 08:30:00 ", 0),
        ("2026-11-21T08:30:00Z", 0),
        ("2026-11-21T10:30:00+02:00", 0),
        ("2026-11-21T08:30:00.25", Decimal("0.25")),
        ("2026-11-21T08:30:00.2500000", Decimal("0.25")),
        ("2026-11-21", -30600),
        ("20261121083000Z", 0),
        ("20261121083000.25Z", Decimal("0.25")),
        ("20261121083000,25Z", Decimal("0.25")),
        ("20261121083000.1234567Z", Decimal("0.1234567")),
        ("202611210830Z", 0),
        ("202611210830.5Z", 30),
        ("2026112108Z", -1800),
        ("2026112108.5Z", 0),
        ("20261121103000+0200", 0),
        ("20261121103000+02", 0),
        ("20261121043000-0400", 0),
    ],
)
def test_instants_are_read_in_every_form(text: str, seconds: Decimal | int) -> None:
    assert read_time_stamp(text) == (INSTANT, MOMENT + seconds)


@pytest.mark.parametrize("text", ["17", "17.5", "-3", "133772268000000000", "1e3", "20261121083000"])
def test_numbers_are_read_as_numbers(text: str) -> None:
    assert read_time_stamp(text) == (NUMBER, Decimal(text))


@pytest.mark.parametrize(
    "value", [None, "", "  ", "soon", "nan", "inf", "20261321083000Z", "20261321083000.5Z", b"17", ("17", "18")]
)
def test_what_is_no_time_stamp_is_none(value: Value) -> None:
    assert read_time_stamp(value) is None


def test_the_ends_of_the_calendar_are_read() -> None:
    first, last = read_time_stamp("0001-01-01T00:00:00+14:00"), read_time_stamp("9999-12-31T23:59:59-14:00")
    assert first is not None
    assert last is not None
    assert first < (INSTANT, MOMENT) < last


@given(st.datetimes(timezones=st.just(dt.timezone.utc), max_value=dt.datetime(2500, 1, 1)))  # noqa: DTZ001
def test_iso_and_generalized_time_of_one_moment_are_one_place(moment: dt.datetime) -> None:
    generalized = f"{moment:%Y%m%d%H%M%S}".zfill(14) + f".{moment.microsecond:06}Z"
    one, other = read_time_stamp(moment.isoformat()), read_time_stamp(generalized)
    assert one is not None
    assert other is not None
    assert abs(one[1] - other[1]) < Decimal("0.00001")


def test_a_record_as_old_as_the_mark_is_looked_at_and_an_older_one_is_not() -> None:
    delta = Delta("100", NOW)
    assert [delta.is_new(text) for text in ("99", "100", "101")] == [False, True, True]


def test_without_a_mark_everything_is_looked_at() -> None:
    assert Delta(None, NOW).is_new("1")


def test_records_without_a_readable_time_stamp_are_always_looked_at_and_counted() -> None:
    delta = Delta("100", NOW)
    assert [delta.is_new(value) for value in (None, "", "soon")] == [True, True, True]
    assert delta.unreadable == 3
    assert delta.mark("100") == "100"


def test_a_time_stamp_of_another_family_than_the_mark_is_looked_at() -> None:
    delta = Delta("2026-11-21T00:00:00", NOW)
    assert delta.is_new("5")
    assert not delta.is_new("2026-11-20T00:00:00")


def test_the_mark_is_the_newest_time_stamp_as_the_source_wrote_it() -> None:
    delta = Delta(None, NOW)
    for text in ("2026-11-20T08:00:00", "2026-11-21T10:00:00+02:00", "2026-11-21T07:59:59"):
        delta.is_new(text)
    assert delta.mark(None) == "2026-11-21T10:00:00+02:00"


def test_the_mark_never_goes_back() -> None:
    delta = Delta("100", NOW)
    delta.is_new("50")
    assert delta.mark("100") == "100"


def test_the_mark_stays_when_nothing_was_read() -> None:
    assert Delta("100", NOW).mark("100") == "100"
    assert Delta(None, NOW).mark(None) is None


def test_the_mark_follows_the_source_to_another_family() -> None:
    delta = Delta("100", NOW)
    delta.is_new("2026-11-21T08:00:00")
    assert delta.mark("100") == "2026-11-21T08:00:00"


def test_one_clock_in_the_future_does_not_hide_later_changes() -> None:
    delta = Delta("2026-11-20T00:00:00", NOW)
    assert delta.is_new("2099-01-01T00:00:00")
    assert delta.is_new("2026-11-22T12:00:00")
    assert delta.future == 1
    assert delta.mark("2026-11-20T00:00:00") == "2026-11-22T12:00:00"


def test_a_mark_that_cannot_be_read_hides_nothing() -> None:
    delta = Delta("rubbish", NOW)
    assert delta.is_new("1")
    assert delta.mark("rubbish") == "1"
