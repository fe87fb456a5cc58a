# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import (
    Value,
    from_json,
    is_empty,
    show,
    show_key,
    to_json,
)
from hypothesis import given
from hypothesis import strategies as st

SINGLES = st.text(max_size=10) | st.binary(max_size=10)
VALUES = st.none() | SINGLES | st.lists(SINGLES, max_size=4).map(tuple)


@given(VALUES)
def test_every_value_comes_back_from_json(value: Value) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize(
    "data",
    [5, 1.5, True, {}, {"base64": 5}, {"base64": "?"}, {"base64": "YQ==", "more": 1}, [["nested"]], [None], [1]],
)
def test_what_is_no_value_in_json_is_refused(data: t.Any) -> None:
    with pytest.raises(ValueError):
        from_json(data)


def test_no_value_empty_text_and_empty_collections_are_empty() -> None:
    assert all(is_empty(value) for value in (None, "", b"", ()))
    assert not any(is_empty(value) for value in ("0", " ", b"\0", ("",)))


def test_values_are_shown_short_and_bytes_are_not_shown() -> None:
    assert show(None) == "nothing"
    assert show(b"secret bytes") == "12 bytes"
    assert show("it's") == '"it\'s"'
    assert show(("a", "b")) == "('a', 'b')"
    long = show("x" * 500)
    assert long.endswith("... (500 long)")
    assert len(long) < 110


def test_a_key_is_shown_as_its_parts() -> None:
    assert show_key(("a", "b")) == "a + b"
    assert show_key((None, b"ab")) == "nothing + 2 bytes"
    assert show_key(()) == ""
