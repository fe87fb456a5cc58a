# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of limits and what trips them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.limits import Limit, parse_limit
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("500", Limit(count=500)),
        ("0", Limit(count=0)),
        (" 7 ", Limit(count=7)),
        ("10%", Limit(percent=Decimal(10))),
        ("0.5 %", Limit(percent=Decimal("0.5"))),
        ("10% above 10", Limit(percent=Decimal(10), count=10)),
        ("10 %  above  10", Limit(percent=Decimal(10), count=10)),
    ],
)
def test_reads_the_grammar(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "10% over 10", "%", "10%above 10", "ten", "10 above 10%", "1e3", "٣"]
)
def test_refuses_what_is_not_a_limit_and_says_what_is(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a limit") as caught:
        parse_limit(text)
    assert repr(text) in caught.value.message
    assert "'10% above 10'" in caught.value.message


@pytest.mark.parametrize(
    ("text", "count", "total", "trips"),
    [
        ("5", 5, 100, False),
        ("5", 6, 100, True),
        ("0", 1, 100, True),
        ("0", 0, 0, False),
        ("10%", 10, 100, False),
        ("10%", 11, 100, True),
        ("10%", 1, 0, True),
        ("12.5%", 1, 8, False),
        ("12.5%", 2, 8, True),
        ("10% above 10", 10, 20, False),
        ("10% above 10", 11, 20, True),
        ("10% above 10", 11, 110, False),
        ("10% above 10", 12, 110, True),
    ],
)
def test_trips_only_beyond_the_limit(text: str, count: int, total: int, trips: bool) -> None:
    assert parse_limit(text).trips(count, total) is trips


@given(st.integers(0, 10**6), st.integers(0, 100), st.integers(0, 1000), st.integers(0, 10**6))
def test_a_limit_with_both_trips_exactly_when_each_alone_would(
    count: int, percent: int, above: int, total: int
) -> None:
    both = parse_limit(f"{percent}% above {above}").trips(count, total)
    assert both == (parse_limit(f"{percent}%").trips(count, total) and parse_limit(f"{above}").trips(count, total))
