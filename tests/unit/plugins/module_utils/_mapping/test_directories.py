# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What directories need of a mapping: references, the container of a record, names in DNs, stamps of leavers."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.compiler import CompiledObject, compile_object
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import MappingContext
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.steps import fill_in_texts
from ansible_collections.lockstep.sync.plugins.module_utils._model.compiled import CompiledMapping
from ansible_collections.lockstep.sync.plugins.module_utils._model.dn import parse_dn
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError, SkipRecord
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    Case,
    CreateIn,
    Endpoint,
    FieldSpec,
    ObjectSpec,
    Resolve,
    Trim,
    Unique,
)
from hypothesis import given
from hypothesis import strategies as st

KEY = FieldSpec(name="uid", source="Id", key=True)
CONTEXT = MappingContext(
    job="j",
    object="people",
    computer_name="NODE1",
    environ={"SITE": "hq"},
    clock=lambda: dt.datetime(2026, 11, 21, 9, 30, 15, tzinfo=dt.timezone(dt.timedelta(hours=1))),
)


def compile_it(
    *fields: FieldSpec, create_in: CreateIn | None = None, when: str | None = None, known: t.Any = None
) -> CompiledObject:
    spec = ObjectSpec(
        name="people",
        source=Endpoint(provider="a"),
        destination=Endpoint(provider="b"),
        fields=(KEY, *fields),
        create_in=create_in,
        when=when,
    )
    return compile_object(spec, CONTEXT, known)


# -- references ---------------------------------------------------------------------------------------------------


def test_a_reference_is_the_text_of_a_key_and_its_rule() -> None:
    rule = Resolve(match="uid")
    compiled = compile_it(FieldSpec(name="manager", source="Boss", transform=(Trim(), Case(to="lower"), rule)))
    mapping: CompiledMapping = compiled
    assert mapping.references == {1: rule}
    assert compiled.unique == compiled.passwords == {}
    assert compiled.source_fields == ("Id", "Boss")
    assert compiled.map_row(("1", " ANN ")) == ("1", "ann")
    assert compiled.map_row(("1", None)) == ("1", None)


def test_several_keys_are_several_references() -> None:
    field = FieldSpec(name="member", source="Members", delimiter=";", transform=(Resolve(match="uid"),))
    assert compile_it(field).map_row(("1", "a;b")) == ("1", ("a", "b"))


def test_a_reference_may_name_its_own_field() -> None:
    compiled = compile_it(FieldSpec(name="manager", transform=(Resolve(match="uid", field="Boss"),)))
    assert compiled.source_fields == ("Id", "Boss")
    assert compiled.map_row(("1", "2")) == ("1", "2")
    with pytest.raises(ConfigError, match=r"field 'manager', step 1 \(resolve\): there is no source field 'Boss'"):
        compile_it(FieldSpec(name="manager", transform=(Resolve(match="uid", field="Boss"),)), known=["Id", "Bos"])


def test_bytes_refer_to_nobody() -> None:
    compiled = compile_it(FieldSpec(name="manager", source="Boss", transform=(Resolve(match="uid"),)))
    for value in (b"\x01", ("a", b"\x01")):
        with pytest.raises(RecordError, match="expected the text of a key to look up"):
            compiled.map_row(("1", value))


@pytest.mark.parametrize("step", [Resolve(match="uid"), Unique()])
def test_what_is_known_only_later_comes_last_and_is_no_key(step: t.Any) -> None:
    with pytest.raises(ConfigError, match=r"field 'a', step 1 \((resolve|unique)\): \1 must be the last step"):
        compile_it(FieldSpec(name="a", source="b", transform=(step, Trim())))
    with pytest.raises(ConfigError, match="a key field must have the same value in every run"):
        compile_it(FieldSpec(name="a", source="b", key=True, transform=(step,)))


def test_a_reference_without_anything_to_look_up_is_refused() -> None:
    with pytest.raises(ConfigError, match="it has no value to work on"):
        compile_it(FieldSpec(name="manager", transform=(Resolve(match="uid"),)))


# -- containers ---------------------------------------------------------------------------------------------------


def test_nobody_says_where_a_record_belongs() -> None:
    mapping: CompiledMapping = compile_it()
    assert mapping.container is None


def test_a_fixed_container_needs_no_field() -> None:
    compiled = compile_it(create_in=CreateIn(container="ou=a,dc=x"))
    assert compiled.source_fields == ("Id",)
    assert compiled.identity
    assert compiled.container is not None
    assert compiled.container(("1",)) == "ou=a,dc=x"


def test_a_container_from_a_field_is_read_and_not_written() -> None:
    compiled = compile_it(create_in=CreateIn(field="Ou"))
    assert (compiled.source_fields, compiled.fields) == (("Id", "Ou"), ("uid",))
    assert not compiled.identity
    assert compiled.map_row(("1", "ou=a,dc=x")) == ("1",)
    assert compiled.container is not None
    assert compiled.container(("1", "ou=a,dc=x")) == "ou=a,dc=x"
    assert compiled.container(("1", None)) is None
    with pytest.raises(ConfigError, match="object 'people', create_in: there is no source field 'Ou'"):
        compile_it(create_in=CreateIn(field="Ou"), known=["Id"])


def test_a_container_from_an_expression() -> None:
    compiled = compile_it(create_in=CreateIn(expression="'ou=' ~ (source.Unit | dn_value) ~ ',dc=x'"))
    assert compiled.source_fields == ("Id", "Unit")
    assert compiled.container is not None
    assert compiled.container(("1", "R&D, Berlin")) == r"ou=R&D\, Berlin,dc=x"


def test_an_expression_for_a_container_may_skip_the_record_or_fail() -> None:
    compiled = compile_it(
        create_in=CreateIn(expression="skip('no unit') if not source.Unit else source.Unit | int / 0")
    )
    assert compiled.container is not None
    with pytest.raises(SkipRecord, match="no unit"):
        compiled.container(("1", None))
    with pytest.raises(RecordError, match="create_in"):
        compiled.container(("1", "5"))


def test_an_expression_that_uses_the_whole_record_reads_every_field() -> None:
    compiled = compile_it(create_in=CreateIn(expression="source | length"), known=["Id", "A", "B"])
    assert compiled.source_fields == ("Id", "A", "B")
    with pytest.raises(ConfigError, match="object 'people', create_in: it can need any field of the source"):
        compile_it(create_in=CreateIn(expression="source | length"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_value_leaves_its_place_in_a_name(value: str) -> None:
    compiled = compile_it(create_in=CreateIn(expression="'ou=' ~ (source.Unit | dn_value) ~ ',dc=x'"))
    assert compiled.container is not None
    place = compiled.container(("1", value))
    assert isinstance(place, str)
    assert parse_dn(place) == ((("ou", value),), (("dc", "x"),))


# -- stamps -------------------------------------------------------------------------------------------------------


def test_stamps_of_leavers_are_filled_in() -> None:
    stamps = {"description": "left %NOW% %COMPUTERNAME% %SITE%", "manager": None}
    assert fill_in_texts(stamps, CONTEXT) == {"description": "left 2026-11-21T08:30:15+00:00 NODE1 hq", "manager": None}
    with pytest.raises(ConfigError, match="on_disable, stamp: the environment variable 'NOBODY' is not set"):
        fill_in_texts({"a": "%NOBODY%"}, CONTEXT)
