# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.dates import date_converter, format_moment
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("from_", "to", "text", "expected"),
    [
        ("%d.%m.%Y", "iso", "21.11.2026", "2026-11-21"),
        ("%d.%m.%Y %H:%M", "iso", "21.11.2026 08:30", "2026-11-21T08:30:00"),
        ("%d.%m.%Y %H:%M %z", "iso", "21.11.2026 08:30 +0200", "2026-11-21T06:30:00+00:00"),
        ("%Y-%m-%dT%H:%M:%S%z", "%d.%m.%Y", "2026-01-01T00:30:00+02:00", "01.01.2026"),
        ("%d %% %m %Y", "iso", "1 % 2 2026", "2026-02-01"),
        ("iso", "%d.%m.%Y", "2026-11-21", "21.11.2026"),
        ("iso", "%d.%m.%Y", " 2026-11-21T08:30:00Z ", "21.11.2026"),
        ("iso", "iso", "2026-11-21T08:30:00.25", "2026-11-21T08:30:00.250000"),
        ("iso", "generalized_time", "2026-11-21", "20261121000000Z"),
        ("iso", "generalized_time", "2026-11-21T08:30:00+01:00", "20261121073000Z"),
        ("iso", "generalized_time", "2026-11-21T08:30:00.5", "20261121083000.5Z"),
        ("iso", "generalized_time", "0099-01-01", "00990101000000Z"),
        ("generalized_time", "iso", "20261121083000Z", "2026-11-21T08:30:00+00:00"),
        ("generalized_time", "iso", "20261121083000.0Z", "2026-11-21T08:30:00+00:00"),
        ("generalized_time", "iso", "2026112108Z", "2026-11-21T08:00:00+00:00"),
        ("generalized_time", "iso", "202611210830+0130", "2026-11-21T07:00:00+00:00"),
        ("generalized_time", "iso", "20261121083000-05", "2026-11-21T13:30:00+00:00"),
        ("generalized_time", "iso", "2026112108,5Z", "2026-11-21T08:30:00+00:00"),
        ("generalized_time", "iso", "202611210830.25Z", "2026-11-21T08:30:15+00:00"),
        ("generalized_time", "iso", "20161231235960Z", "2017-01-01T00:00:00+00:00"),
        ("filetime", "iso", "116444736000000000", "1970-01-01T00:00:00+00:00"),
        ("filetime", "iso", "0", None),
        ("filetime", "iso", "9223372036854775807", None),
        ("iso", "filetime", "1601-01-01", "0"),
        ("iso", "filetime", "2026-11-21T08:30:00Z", "134397234000000000"),
        ("epoch", "iso", "0", "1970-01-01T00:00:00+00:00"),
        ("epoch", "iso", "-1", "1969-12-31T23:59:59+00:00"),
        ("epoch", "iso", "1.5", "1970-01-01T00:00:01.500000+00:00"),
        ("iso", "epoch", "1970-01-02", "86400"),
        ("iso", "epoch", "1970-01-01T00:00:01.5", "1.5"),
    ],
)
def test_dates_between_formats(from_, to, text, expected):
    assert date_converter(from_, to)(text) == expected


@pytest.mark.parametrize(
    ("from_", "to", "text"),
    [
        ("%d.%m.%Y", "iso", "31.02.2026"),
        ("%d.%m.%Y", "iso", "2026-01-01"),
        ("iso", "epoch", "tomorrow"),
        ("generalized_time", "iso", "20261121"),
        ("generalized_time", "iso", "2026112108"),
        ("generalized_time", "iso", "20261321083000Z"),
        ("generalized_time", "iso", "20261121083061Z"),
        ("generalized_time", "iso", "00010101000000+2359"),
        ("filetime", "iso", "-5"),
        ("filetime", "iso", "1_0"),
        ("filetime", "iso", "99999999999999999999"),
        ("epoch", "iso", "1e999999999"),
        ("epoch", "iso", "NaN"),
        ("epoch", "iso", "99999999999999999999"),
        ("epoch", "iso", "٣"),
    ],
)
def test_a_text_in_another_format_is_refused_with_the_format(from_, to, text):
    with pytest.raises(ValueError, match="not a date in the format") as caught:
        date_converter(from_, to)(text)

    assert repr(from_) in str(caught.value)


@pytest.mark.parametrize("name", ["", "%", "%Q%", "%1000000000d", "x", "%%", "%Y" * 200, "%Y\x00", "%G-%V"])
def test_a_format_that_cannot_be_read_is_refused_when_it_is_compiled(name):
    with pytest.raises(ValueError, match=r"format|cannot be read"):
        date_converter(name, "iso")


@pytest.mark.parametrize("name", ["", "%", "%1000000000d", "x", "%%"])
def test_a_format_that_cannot_be_written_is_refused_when_it_is_compiled(name):
    with pytest.raises(ValueError, match="is not a date format"):
        date_converter("iso", name)


def test_format_moment_refuses_a_width():
    with pytest.raises(ValueError, match="is not a date format"):
        format_moment(dt.date(2026, 1, 1), "%100000000d")


WHOLE_SECONDS = st.integers(1, 260_000_000_000).map(
    lambda seconds: dt.datetime(1601, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(seconds=seconds)
)


@given(moment=WHOLE_SECONDS)
@pytest.mark.parametrize("form", ["generalized_time", "filetime", "epoch", "%d/%m/%Y %H:%M:%S %z"])
def test_every_format_gives_back_what_it_was_given(form, moment):
    text = moment.isoformat()

    there = date_converter("iso", form)(text)

    assert there is not None
    assert date_converter(form, "iso")(there) == text


@given(text=st.text(max_size=30))
@pytest.mark.parametrize("form", ["iso", "generalized_time", "filetime", "epoch", "%d.%m.%Y"])
def test_hostile_text_is_refused_and_nothing_else(form, text):
    with contextlib.suppress(ValueError):
        assert date_converter(form, "iso")(text) != ""
