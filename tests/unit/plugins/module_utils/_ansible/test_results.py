# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results are plain JSON, small enough, and their messages hold no secret."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import typing as t
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.results import (
    json_safe,
    redact,
    redact_messages,
    shrink,
    size_of,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import (
    GeneratedPassword,
    PasswordRule,
    Secret,
)
from hypothesis import given
from hypothesis import strategies as st


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Other:
    def __str__(self) -> str:
        return "other"


@dataclasses.dataclass
class Point:
    x: Decimal
    y: Path


UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("data", "safe"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("ä", "ä"),
        ("a\udcff", "a\\udcff"),
        (b"\xff", {"base64": "/w=="}),
        (Decimal("1.50"), "1.50"),
        (Path("/a"), "/a"),
        (UUID, str(UUID)),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.time(1, 2), "01:02:00"),
        (dt.timedelta(seconds=1.5), 1.5),
        (Colour.RED, "red"),
        (Number.ONE, 1),
        ((1, "a"), [1, "a"]),
        ({"b", "a"}, ["a", "b"]),
        ({1: Decimal(2)}, {"1": "2"}),
        (Point(x=Decimal(1), y=Path("/b")), {"x": "1", "y": "/b"}),
        (Secret("hush"), "********"),
        (GeneratedPassword(rule=PasswordRule()), "********"),
        (Other(), "other"),
    ],
)
def test_everything_becomes_plain_json(data: object, safe: object) -> None:
    assert json_safe(data) == safe
    assert type(json_safe(data)) is type(safe)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(plain)
def test_whatever_comes_out_is_strict_json_in_utf_8(data: object) -> None:
    safe = json_safe(data)
    assert json.loads(json.dumps(safe, allow_nan=False, ensure_ascii=False).encode("utf-8")) == safe


def test_a_small_result_is_left_alone() -> None:
    values = {"jobs": [{"a": 1}], "x": "y"}
    assert shrink(values) == (values, {})


def test_the_biggest_lists_are_cut_and_it_is_said_how_much() -> None:
    values: dict[str, t.Any] = {"jobs": [{"name": f"job {number:04}"} for number in range(1000)], "few": [1, 2, 3]}
    kept, left_out = shrink(values, 5000)
    assert size_of(kept) <= 5000
    assert kept["few"] == [1, 2, 3]
    assert 150 < len(kept["jobs"]) < 250
    assert kept["jobs"] == values["jobs"][: len(kept["jobs"])]
    assert left_out == {"jobs": 1000 - len(kept["jobs"])}
    assert len(values["jobs"]) == 1000


def test_lists_within_mappings_are_cut_too() -> None:
    kept, left_out = shrink({"job": {"objects": ["x" * 100] * 50}, "names": ["y"] * 10}, 1000)
    assert size_of(kept) <= 1000
    assert left_out == {"job.objects": 50 - len(kept["job"]["objects"])}


def test_of_an_only_entry_the_lists_in_it_are_cut() -> None:
    kept, left_out = shrink({"runs": [{"id": 7, "changes": ["x" * 100] * 50, "errors": []}]}, 1000)
    assert size_of(kept) <= 1000
    assert kept["runs"][0]["id"] == 7
    assert left_out == {"runs.changes": 50 - len(kept["runs"][0]["changes"])}


def test_the_size_is_the_one_that_ansible_sends() -> None:
    assert size_of({"name": "\u00e9"}) == len('{"name": "\\u00e9"}')


def test_one_big_entry_goes_and_what_is_no_list_stays() -> None:
    kept, left_out = shrink({"jobs": ["x" * 500]}, 100)
    assert (kept, left_out) == ({"jobs": []}, {"jobs": 1})
    big = {"text": "x" * 500}
    assert shrink(big, 100) == (big, {})


@given(st.dictionaries(st.text(), st.lists(st.text()), max_size=5), st.integers(0, 200))
def test_lists_are_cut_until_the_result_fits_or_none_is_left(values: dict[str, list[str]], limit: int) -> None:
    kept, left_out = shrink(values, limit)
    assert size_of(kept) <= limit or not any(kept.values())
    assert kept.keys() == values.keys()
    assert all(left_out.get(name, 0) == len(values[name]) - len(kept[name]) for name in values)


def test_secrets_are_masked_the_longest_first_and_short_ones_are_left_alone() -> None:
    assert redact("a hush-hush b hush c5", ["hush", "hush-hush", "5", ""]) == "a ******** b ******** c5"


def test_only_texts_for_people_are_masked() -> None:
    data = {
        "name": "people",
        "test": {"error": {"message": "login people failed"}, "server": "people"},
        "log": [{"message": "people", "key": "people"}],
        "message": ["people"],
    }
    assert redact_messages(data, {"people"}) == {
        "name": "people",
        "test": {"error": {"message": "login ******** failed"}, "server": "********"},
        "log": [{"message": "********", "key": "people"}],
        "message": ["people"],
    }
