# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import Place
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.steps import text_step
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    Ascii,
    Case,
    Date,
    Default,
    FieldSpec,
    Join,
    Left,
    MapValues,
    Pad,
    Replace,
    Right,
    Split,
    Static,
    Step,
    Substring,
    Trim,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT_STEPS: list[Step] = [
    Left(length=2),
    Right(length=2),
    Substring(start=1, length=2),
    Case(to="upper"),
    Trim(),
    Replace(pattern="a", with_="b"),
    MapValues(values={"ab": "x"}),
    Split(separator=",", index=0),
    Date(from_="iso", to="epoch"),
    Ascii(),
    Pad(length=5),
]


@pytest.mark.parametrize("step", TEXT_STEPS, ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("empty", [None, "", ()])
def test_an_empty_value_passes_each_text_step_and_ends_as_none(map_value, step, empty):
    assert map_value((step, step), empty) is None


@pytest.mark.parametrize("step", TEXT_STEPS, ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("data", [b"\xff\x00", (b"\xff", "ab")])
def test_bytes_are_refused_by_text_steps(map_value, step, data):
    with pytest.raises(RecordError, match=r"expected text, got (1|2) bytes. Copy binary") as caught:
        map_value(step, data)

    assert caught.value.field == "out"


@pytest.mark.parametrize(
    ("step", "value", "expected"),
    [
        (Left(length=3), "abcdef", "abc"),
        (Left(length=30), "abc", "abc"),
        (Left(length=2), ("abc", "abd", "xyz"), ("ab", "xy")),
        (Right(length=3), "abcdef", "def"),
        (Right(length=30), "abc", "abc"),
        (Right(length=1), ("ab", "cb"), ("b",)),
        (Substring(start=1, length=2), "+92-42-5787711", "92"),
        (Substring(start=0, length=1), "abc", "a"),
        (Substring(start=9, length=2), "abc", None),
        (Substring(start=1, length=1), ("ab", "x", "cd"), ("b", "d")),
        (Case(to="lower"), "ÄBC", "äbc"),
        (Case(to="upper"), ("a", "A", "b"), ("A", "B")),
        (Case(to="title"), "o'neil", "O'Neil"),
        (Trim(), " \ta b\n", "a b"),
        (Trim(), "   ", None),
        (Trim(), (" a", "a ", " "), ("a",)),
        (Replace(pattern=r"(\w+), (\w+)", with_=r"\2 \1"), "Smith, John", "John Smith"),
        (Replace(pattern=".*", with_=""), "gone", None),
        (Replace(pattern=r"\D", with_=""), ("1-2", "3"), ("12", "3")),
        (Split(separator=";"), "a; b;;a", ("a", "b")),
        (Split(separator=";"), ";;", None),
        (Split(separator=","), ("a,b", "b,c"), ("a", "b", "c")),
        (Split(separator=",", index=1), "Smith, John", "John"),
        (Split(separator=",", index=-1), "a,b,c", "c"),
        (Split(separator=",", index=3), "a,b,c", None),
        (Split(separator=",", index=-4), "a,b,c", None),
        (Split(separator=",", index=1), ("a,b", "c"), ("b",)),
        (Ascii(), "Łódź Straße", "Lodz Strasse"),
        (Ascii(), ("ä", "a"), ("a",)),
        (Pad(length=5, with_="0"), "42", "00042"),
        (Pad(length=5, with_=".", side="right"), "42", "42..."),
        (Pad(length=2), "long", "long"),
        (Pad(length=3, with_="0"), ("1", "001"), ("001",)),
        (Date(from_="%d.%m.%Y", to="iso"), ("21.11.2026", "22.11.2026"), ("2026-11-21", "2026-11-22")),
    ],
)
def test_text_steps(map_value, step, value, expected):
    assert map_value(step, value) == expected


@given(text=st.text(), start=st.integers(0, 20), length=st.integers(1, 20))
def test_substring_is_python_slicing_and_never_longer_than_asked(text, start, length):
    apply = text_step(Substring(start=start, length=length), Place(object="o"))

    assert apply is not None
    assert apply(text, ()) == "".join(char for place, char in enumerate(text) if start <= place < start + length)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Left(length=0), "length must be at least 1, got 0"),
        (Right(length=-1), "length must be at least 1, got -1"),
        (Substring(start=0, length=0), "length must be at least 1"),
        (Substring(start=-1, length=1), "start counts from 0, got -1"),
        (Case(to="camel"), "'camel' is not a case. Valid: lower, upper, title"),
        (Replace(pattern="(", with_=""), r"'\(' is not a regular expression"),
        (Replace(pattern="a", with_=r"\2"), "invalid group reference"),
        (Replace(pattern="a", with_=r"\g<x>"), "unknown group name"),
        (Replace(pattern="a" * 2000, with_=""), "at most 1,000 characters"),
        (Split(separator=""), "the separator is empty"),
        (Date(from_="iso", to="yesterday"), "'yesterday' is not a date format. Valid: iso, generalized_time"),
        (Pad(length=0), "at least 1 and at most 10,000, got 0"),
        (Pad(length=10**9), "at most 10,000"),
        (Pad(length=3, with_="ab"), "one character as `with`, got 'ab'"),
        (Pad(length=3, with_=""), "one character as `with`, got ''"),
        (Join(fields=()), "join has no fields"),
        (Static(text="at %NOWHERE%"), "environment variable 'NOWHERE' is not set"),
    ],
)
def test_a_wrong_option_is_a_config_error_that_names_the_place(map_value, step, message):
    with pytest.raises(ConfigError, match=message) as caught:
        map_value((Trim(), step))

    assert caught.value.message.startswith("object 'people', field 'out', step 2 (")


# -- map ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "value", "expected"),
    [
        (MapValues(values={"a": "1"}), "a", "1"),
        (MapValues(values={"a": "1"}), None, None),
        (MapValues(values={"a": "1", "": "none"}), None, "none"),
        (MapValues(values={"a": "1", "": "none"}), "", "none"),
        (MapValues(values={"a": "1"}, default="d", has_default=True), "b", "d"),
        (MapValues(values={"a": "1"}, default="d", has_default=True), None, "d"),
        (MapValues(values={"a": "1"}, default=None, has_default=True), "b", None),
        (MapValues(values={"a": "1", "b": "1"}), ("a", "b"), ("1",)),
        (MapValues(values={"a": ""}), ("a",), None),
    ],
)
def test_map(map_value, step, value, expected):
    assert map_value(step, value) == expected


@pytest.mark.parametrize("value", ["c", ("a", "c")])
def test_a_value_that_is_not_in_the_table_is_a_record_error(map_value, value):
    with pytest.raises(RecordError) as caught:
        map_value(MapValues(values={"a": "1", "b": "2"}), value)

    assert caught.value.message == (
        "field 'out', step 1 (map): 'c': the table has no such value and no default. It has: 'a', 'b'."
    )
    assert caught.value.field == "out"


# -- replace: limits ---------------------------------------------------------------------------------------------


def test_replace_refuses_values_too_long_for_a_regular_expression(map_value):
    with pytest.raises(RecordError, match="at most 32,768 characters, the value has 40,000"):
        map_value(Replace(pattern="a", with_="b"), "a" * 40_000)


def test_replace_refuses_a_result_that_is_too_long(map_value):
    with pytest.raises(RecordError, match="the result has 1,500,000 characters"):
        map_value(Replace(pattern="a", with_="b" * 50), "a" * 30_000)


# -- static, join, default ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fixed", "fixed"),
        ("%NOW%", "2026-11-21T08:30:15+00:00"),
        ("by %COMPUTERNAME% in %REGION%", "by NODE1 in emea"),
        ("100 % of 5%", "100 % of 5%"),
        ("%1%", "%1%"),
        ("%EMPTY%", None),
        ("", None),
    ],
)
def test_static(map_value, text, expected):
    assert map_value(Static(text=text), "ignored") == expected


def test_static_text_from_the_environment_is_not_filled_in_again(context, compile_fields):
    context.environ["TRICK"] = "%NOW%"  # type: ignore[index]

    compiled = compile_fields(FieldSpec(name="f", transform=(Static(text="%TRICK%"),)))

    assert compiled.map_row(()) == ("%NOW%",)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("Anne", None, "Lee"), "Anne Lee"),
        (("Anne", "", "Lee"), "Anne Lee"),
        ((None, "M", None), "M"),
        ((None, "", ()), None),
        (("a", ("b", "", "c"), "d"), "a b c d"),
    ],
)
def test_join_leaves_no_separator_for_empty_parts(map_value, parts, expected):
    fields = dict(zip(("A", "B", "C"), parts, strict=True))

    assert map_value(Join(fields=("A", "B", "C")), "ignored", **fields) == expected


@pytest.mark.parametrize("value", [b"\x01", ("a", b"\x01")])
def test_join_refuses_bytes_and_names_the_source_field(map_value, value):
    with pytest.raises(RecordError, match="source field 'B': expected text, got 1 bytes"):
        map_value(Join(fields=("A", "B")), None, A="x", B=value)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "d"), ("", "d"), ((), "d"), ("x", "x"), (b"\x00", b"\x00"), (("a",), ("a",))]
)
def test_default_stands_in_for_an_empty_value_only(map_value, value, expected):
    assert map_value(Default(value="d"), value) == expected


# -- chains ------------------------------------------------------------------------------------------------------------


def test_steps_follow_one_another(map_value):
    steps = (Trim(), Case(to="lower"), Replace(pattern=" +", with_="."), Left(length=6), Pad(length=8, with_="_"))

    assert map_value(steps, "  Anne  Marie ") == "__anne.m"


@pytest.mark.parametrize(
    "step", [Left(length=2, field="X"), Right(length=2, field="X"), Substring(start=0, length=2, field="X")]
)
def test_a_step_with_a_field_starts_from_that_field(map_value, step):
    assert map_value((Case(to="upper"), step), "source", X="xy") == "xy"


def test_the_delimiter_also_splits_the_field_of_a_step(map_value):
    assert map_value(Left(length=1, field="X"), None, delimiter=";", X="ab; cd;ae") == ("a", "c")
