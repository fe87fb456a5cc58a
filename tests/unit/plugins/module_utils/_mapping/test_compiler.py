# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.compiler import compile_object
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import MappingContext, RowView
from ansible_collections.lockstep.sync.plugins.module_utils._model.compiled import CompiledMapping
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError, SkipRecord
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    Case,
    Default,
    Endpoint,
    Expression,
    FieldSpec,
    Function,
    Join,
    Left,
    MapValues,
    ObjectSpec,
    Password,
    Replace,
    Split,
    Static,
    Substring,
    Trim,
    Unique,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.none() | st.text() | st.binary() | st.tuples(st.text(), st.text())


# -- plain copies and identity -----------------------------------------------------------------------------------------


@given(row=st.tuples(VALUES, VALUES))
def test_plain_copies_in_reading_order_are_the_identity(row):
    compiled = plain_object(("a", "x"), ("b", "y"))

    assert compiled.identity
    assert compiled.source_fields == ("x", "y")
    assert compiled.map_row(row) == row


def plain_object(*pairs):
    context = MappingContext(
        job="j", object="o", computer_name="", environ={}, clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    )
    fields = tuple(FieldSpec(name=name, source=source) for name, source in pairs)
    spec = ObjectSpec(name="o", source=Endpoint(provider="a"), destination=Endpoint(provider="b"), fields=fields)
    return compile_object(spec, context)


def test_a_single_plain_copy_gives_a_row_and_not_a_value():
    assert plain_object(("a", "x")).map_row(("v",)) == ("v",)


def test_a_field_copied_twice_is_read_once(compile_fields):
    compiled = compile_fields(FieldSpec(name="a", source="x"), FieldSpec(name="b", source="x"))

    assert compiled.source_fields == ("x",)
    assert not compiled.identity
    assert compiled.map_row(("v",)) == ("v", "v")


@pytest.mark.parametrize(
    ("field", "when"),
    [
        (FieldSpec(name="b", source="y", delimiter=";"), None),
        (FieldSpec(name="b", source="y", transform=(Trim(),)), None),
        (FieldSpec(name="b", transform=(Static(text="x"),)), None),
        (FieldSpec(name="b", source="y"), "source.z == ''"),
    ],
)
def test_anything_beyond_plain_copies_is_no_identity(compile_fields, field, when):
    assert not compile_fields(FieldSpec(name="a", source="x"), field, when=when).identity


def test_a_condition_on_mapped_fields_leaves_the_identity(compile_fields):
    compiled = compile_fields(FieldSpec(name="a", source="x"), when="source.x == 'v'")

    assert compiled.identity
    assert compiled.in_scope is not None
    assert [compiled.in_scope(("v",)), compiled.in_scope(("w",))] == [True, False]


def test_source_fields_are_all_that_is_named_in_order_and_nothing_else(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="a", source="s1", transform=(Trim(),)),
        FieldSpec(name="b", transform=(Join(fields=("s2", "s1", "s3")),)),
        FieldSpec(name="c", transform=(Left(length=1, field="s4"), Substring(start=0, length=1, field="s5"))),
        FieldSpec(name="d", transform=(Expression(text="source.s6 ~ source['s 7']"),)),
        when="source.s8 == 'x'",
        known=[f"s{n}" for n in range(10)] + ["s 7"],
    )

    assert compiled.source_fields == ("s1", "s2", "s3", "s4", "s5", "s6", "s 7", "s8")
    assert compiled.fields == ("a", "b", "c", "d")
    assert compiled.map_row(("1", "2", "3", "4", "5", "6", "7", "8")) == ("1", "2 1 3", "5", "67")


# -- delimiter ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a; b;;a", ("a", "b")),
        ("a", ("a",)),
        ("", None),
        (" ; ", None),
        (None, None),
        (("x;y", "z"), ("x;y", "z")),
        (b"a;b", b"a;b"),
    ],
)
def test_the_delimiter_splits_text(compile_fields, value, expected):
    compiled = compile_fields(FieldSpec(name="f", source="s", delimiter=";"))

    assert compiled.map_row((value,)) == (expected,)


def test_steps_work_on_each_part(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="f", source="s", delimiter=";", transform=(Case(to="lower"), Left(length=2)))
    )

    assert compiled.map_row(("Abc; ABx ;cd",)) == (("ab", "cd"),)


# -- keys, unique, passwords -------------------------------------------------------------------------------------------


def test_keys_unique_fields_and_passwords_by_position(compile_fields):
    unique, rule = Unique(start=5), PasswordRule(length=20)
    compiled: CompiledMapping = compile_fields(
        FieldSpec(name="login", source="login", transform=(Case(to="lower"), unique)),
        FieldSpec(name="id", source="id", key=True),
        FieldSpec(name="secret", transform=(Password(rule=rule),)),
        FieldSpec(name="site", source="site", key=True, transform=(Case(to="upper"),)),
    )

    assert compiled.key_positions == (1, 3)
    assert compiled.unique == {0: unique}
    assert compiled.passwords == {2: rule}
    assert compiled.source_fields == ("login", "id", "site")
    row = ("JSmith", "7", "muc")
    assert compiled.map_row(row) == ("jsmith", "7", GeneratedPassword(rule=rule), "MUC")
    assert compiled.map_key(row) == ("7", "MUC")


def test_the_key_of_a_record_whose_other_fields_fail(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="id", source="id", key=True), FieldSpec(name="x", source="x", transform=(MapValues(values={}),))
    )

    with pytest.raises(RecordError):
        compiled.map_row(("7", "?"))
    assert compiled.map_key(("7", "?")) == ("7",)


@pytest.mark.parametrize("value", [("a", "b"), b"x"])
def test_only_one_text_can_be_made_unique(compile_fields, value):
    compiled = compile_fields(FieldSpec(name="f", source="s", transform=(Unique(),)))

    with pytest.raises(RecordError, match="expected one text to make unique"):
        compiled.map_row((value,))
    assert compiled.map_row((None,)) == (None,)


# -- wrong declarations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (FieldSpec(name="f"), "field 'f': it has neither `source` nor `transform`"),
        (FieldSpec(name="f", source="s", delimiter=""), "the delimiter is empty"),
        (FieldSpec(name="f", transform=(Trim(),)), r"step 1 \(trim\): it has no value to work on"),
        (FieldSpec(name="f", transform=(Unique(),)), r"step 1 \(unique\): it has no value"),
        (FieldSpec(name="f", transform=(Left(length=1),)), r"step 1 \(left\): it has no value"),
        (FieldSpec(name="f", source="s", transform=(Unique(), Trim())), "unique must be the last step"),
        (FieldSpec(name="f", source="s", key=True, transform=(Unique(),)), "a key field must have the same value"),
        (
            FieldSpec(name="f", key=True, transform=(Password(rule=PasswordRule()),)),
            "a key field must have the same value",
        ),
        (FieldSpec(name="f", transform=(Password(rule=PasswordRule()), Trim())), "password must be the only step"),
        (
            FieldSpec(name="f", source="s", transform=(Trim(), Password(rule=PasswordRule()))),
            "password must be the only step",
        ),
        (FieldSpec(name="f", source="s", transform=(Password(rule=PasswordRule()),)), "the field has no `source`"),
        (FieldSpec(name="f", transform=(Password(rule=PasswordRule(length=3)),)), "length must be 6 to 99, got 3"),
        (FieldSpec(name="f", source="s", transform=("trim",)), r"step 1 \(str\): str is no transform step"),  # type: ignore[arg-type]
        (FieldSpec(name="f", source="t"), "there is no source field 't'. Valid: 's'"),
        (FieldSpec(name="f", transform=(Join(fields=("s", "t")),)), "step 1 .join.: there is no source field 't'"),
        (FieldSpec(name="f", transform=(Left(length=1, field="t"),)), "there is no source field 't'"),
        (
            FieldSpec(name="f", transform=(Expression(text="source.t"),)),
            "step 1 .expression.: there is no source field 't'",
        ),
    ],
)
def test_a_wrong_field_is_a_config_error_that_names_it(compile_fields, field, message):
    with pytest.raises(ConfigError, match=message) as caught:
        compile_fields(field, known=["s"])

    assert caught.value.message.startswith("object 'people', field 'f'")


def test_a_field_declared_twice_is_a_config_error(compile_fields):
    with pytest.raises(ConfigError, match="field 'f': the field is declared twice"):
        compile_fields(FieldSpec(name="f", source="s"), FieldSpec(name="f", source="s"))


def test_a_wrong_name_in_the_condition_names_when(compile_fields):
    with pytest.raises(
        ConfigError, match=r"object 'people', when: there is no source field 'status'. Did you mean 'Status'"
    ):
        compile_fields(FieldSpec(name="f", source="Status"), when="source.status == ''", known=["Status"])


@pytest.mark.parametrize(
    "step", [Expression(text="source | length"), Expression(text="source[source.s]"), Function(path="/x.py", name="f")]
)
def test_steps_that_can_need_any_field_need_to_know_the_fields(compile_fields, step):
    with pytest.raises(ConfigError, match=r"step 1 .* it can need any field of the source"):
        compile_fields(FieldSpec(name="f", transform=(step,)))


def test_a_step_that_can_need_any_field_reads_all_of_them_in_their_order(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="a", source="z"),
        FieldSpec(name="f", transform=(Expression(text="source[source.z]"),)),
        known=("x", "z"),
    )

    assert compiled.source_fields == ("x", "z")
    assert compiled.map_row(("1", "x")) == ("x", "1")


class AnyName(tuple[str, ...]):
    """Field names that nobody has looked at yet: every name is there, none is listed."""

    __slots__ = ()

    def __contains__(self, name):
        return True


def test_named_fields_are_read_even_when_the_known_fields_are_not_listed(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="a", source="z"),
        FieldSpec(name="f", transform=(Expression(text="source | length"),)),
        known=AnyName(),
    )

    assert compiled.source_fields == ("z",)
    assert compiled.map_row(("1",)) == ("1", "1")


# -- explain -----------------------------------------------------------------------------------------------------------


def test_explain_shows_each_step_and_its_result(compile_fields):
    compiled = compile_fields(
        FieldSpec(name="plain", source="a"),
        FieldSpec(name="chain", source="a", transform=(Trim(), Case(to="lower"), Left(length=2), Unique())),
        FieldSpec(name="secret", transform=(Password(rule=PasswordRule()),)),
        FieldSpec(name="fails", source="a", transform=(Trim(), MapValues(values={}))),
        FieldSpec(name="skips", transform=(Expression(text="skip('left')"),)),
        FieldSpec(name="made", transform=(Join(fields=("a", "b")), Split(separator=" "))),
        FieldSpec(name="emptied", source="a", transform=(Replace(pattern=".", with_=""),)),
        FieldSpec(name="other", source="b", transform=(Default(value="d"),)),
    )

    traces = {trace.field: trace for trace in compiled.explain((" Abc ", ""))}

    assert (traces["plain"].source, traces["plain"].result, traces["plain"].steps) == ("' Abc '", "' Abc '", ())
    assert [(step.step, step.value) for step in traces["chain"].steps] == [
        ("trim: true", "'Abc'"),
        ("case: lower", "'abc'"),
        ("left: {length: 2}", "'ab'"),
        ("unique: {pattern: '{value}{n}', start: 2}", "'ab'"),
    ]
    assert traces["secret"].result == "********"
    assert [(step.step, step.value) for step in traces["secret"].steps] == [("password", "********")]
    assert traces["fails"].error.startswith("field 'fails', step 2 (map): 'Abc': the table")
    assert (traces["fails"].result, len(traces["fails"].steps)) == ("", 1)
    assert traces["skips"].error == "skipped: left"
    assert traces["made"].source == ""
    assert traces["made"].steps[0].step == "join: {fields: ['a', 'b'], separator: ' '}"
    assert traces["made"].result == "('Abc',)"
    assert traces["emptied"].result == "nothing"
    assert traces["other"].result == "'d'"


def test_explain_cuts_long_steps(compile_fields):
    compiled = compile_fields(FieldSpec(name="f", source="a", transform=(Static(text="x" * 1000),)))

    assert len(compiled.explain(("a",))[0].steps[0].step) < 200


# -- time and views ----------------------------------------------------------------------------------------------------


def test_all_records_of_a_compile_see_one_time(context, compile_fields):
    ticks = iter(range(100))
    moving = MappingContext(
        job="j",
        object="people",
        computer_name="",
        environ={},
        clock=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(hours=next(ticks)),
    )
    spec = plain_spec(
        FieldSpec(name="a", transform=(Static(text="%NOW%"),)),
        FieldSpec(name="b", transform=(Expression(text="now().isoformat()"),)),
    )

    compiled = compile_object(spec, moving)

    assert compiled.map_row(()) == ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00")


def plain_spec(*fields):
    return ObjectSpec(name="o", source=Endpoint(provider="a"), destination=Endpoint(provider="b"), fields=fields)


def test_the_row_view_is_a_mapping_that_knows_its_fields():
    view = RowView({"a": 0, "b": 1}, ("x", None))

    assert dict(view) == {"a": "x", "b": None}
    assert len(view) == 2
    assert "a" in view
    assert "c" not in view
    assert view.get("b", "d") == "d"
    assert repr(view) == "record of a, b"
    for wrong in ("c", 0):
        with pytest.raises(RecordError, match="there is no source field"):
            view[wrong]  # type: ignore[index]
    with pytest.raises(RecordError, match="there is no source field 'c'"):
        view.get("c", "d")


def test_without_expressions_jinja2_is_not_imported():
    code = """
import datetime, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.lockstep.sync.plugins.module_utils._mapping import analysis, compiler, filters, sandbox
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import MappingContext
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import *
fields = (FieldSpec(name="a", source="a", transform=(Trim(),)),)
spec = ObjectSpec(name="o", source=Endpoint(provider="a"), destination=Endpoint(provider="b"), fields=fields)
clock = lambda: datetime.datetime.now(datetime.timezone.utc)
context = MappingContext(job="", object="", computer_name="", environ={}, clock=clock)
assert compiler.compile_object(spec, context).map_row((" a ",)) == ("a",)
assert "jinja2" not in sys.modules
"""
    tree = sys.modules[CompiledMapping.__module__].__file__.split("ansible_collections")[0]  # type: ignore[union-attr]

    done = subprocess.run([sys.executable, "-c", code, tree], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_skip_leaves_the_record(compile_fields):
    compiled = compile_fields(FieldSpec(name="f", transform=(Expression(text="source.a or skip('no a')"),)))

    assert compiled.map_row(("x",)) == ("x",)
    with pytest.raises(SkipRecord, match="no a"):
        compiled.map_row((None,))
