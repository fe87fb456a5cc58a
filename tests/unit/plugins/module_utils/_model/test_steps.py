# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transform steps: from the playbook's form and back, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model import jobs
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.steps import (
    STEP_NAMES,
    fields_read,
    makes_value,
    parse_step,
    step_to_plain,
)

STEPS: list[tuple[dict[str, t.Any], jobs.Step]] = [
    ({"static": "x %NOW%"}, jobs.Static(text="x %NOW%")),
    ({"static": ""}, jobs.Static(text="")),
    ({"join": {"fields": ["a", "b"]}}, jobs.Join(fields=("a", "b"))),
    ({"join": {"fields": ["a"], "separator": ""}}, jobs.Join(fields=("a",), separator="")),
    ({"left": {"length": 3}}, jobs.Left(length=3)),
    ({"left": {"length": 3, "field": "a"}}, jobs.Left(length=3, field="a")),
    ({"right": {"length": 3}}, jobs.Right(length=3)),
    ({"substring": {"start": 0, "length": 2}}, jobs.Substring(start=0, length=2)),
    ({"case": "title"}, jobs.Case(to="title")),
    ({"trim": True}, jobs.Trim()),
    ({"replace": {"pattern": " +", "with": " "}}, jobs.Replace(pattern=" +", with_=" ")),
    ({"replace": {"pattern": " +", "with": ""}}, jobs.Replace(pattern=" +", with_="")),
    ({"map": {"values": {"1": "one"}}}, jobs.MapValues(values={"1": "one"})),
    ({"map": {"values": {}, "default": ""}}, jobs.MapValues(values={}, default="", has_default=True)),
    ({"split": {"separator": ";"}}, jobs.Split(separator=";")),
    ({"split": {"separator": ";", "index": 0}}, jobs.Split(separator=";", index=0)),
    ({"split": {"separator": ";", "index": -1}}, jobs.Split(separator=";", index=-1)),
    ({"date": {"from": "iso", "to": "%d.%m.%Y"}}, jobs.Date(from_="iso", to="%d.%m.%Y")),
    ({"ascii": True}, jobs.Ascii()),
    ({"pad": {"length": 6, "with": "0"}}, jobs.Pad(length=6, with_="0")),
    ({"pad": {"length": 6, "side": "right"}}, jobs.Pad(length=6, side="right")),
    ({"default": "none"}, jobs.Default(value="none")),
    ({"unique": {}}, jobs.Unique()),
    ({"resolve": {"match": "employeeID"}}, jobs.Resolve(match="employeeID")),
    (
        {"resolve": {"match": "uid", "field": "boss", "container": "ou=p,dc=x", "filter": "(mail=*)"}},
        jobs.Resolve(match="uid", field="boss", container="ou=p,dc=x", filter="(mail=*)"),
    ),
    ({"unique": {"pattern": "{n}-{value}", "max_length": 20}}, jobs.Unique(pattern="{n}-{value}", max_length=20)),
    ({"password": {}}, jobs.Password(rule=PasswordRule())),
    ({"password": {"per": "job", "special": ""}}, jobs.Password(rule=PasswordRule(per="job", special=""))),
    ({"expression": "source.a | upper"}, jobs.Expression(text="source.a | upper")),
    ({"function": "/srv/a:b/f.py:make"}, jobs.Function(path="/srv/a:b/f.py", name="make")),
]


@pytest.mark.parametrize(("plain", "step"), STEPS)
def test_reads_every_step_and_writes_it_back(plain: dict[str, t.Any], step: jobs.Step) -> None:
    assert parse_step(plain, "here") == step
    written = step_to_plain(step)
    assert parse_step(written, "here") == step


def test_every_step_of_the_model_has_a_name_and_is_tried() -> None:
    assert {type(step) for _plain, step in STEPS} == set(t.get_args(jobs.Step))
    assert {name for plain, _step in STEPS for name in plain} == set(STEP_NAMES)


def test_options_at_their_defaults_are_not_written() -> None:
    assert step_to_plain(jobs.Join(fields=("a",), separator=" ")) == {"join": {"fields": ["a"]}}
    assert step_to_plain(jobs.Password(rule=PasswordRule(length=16))) == {"password": {}}


def test_numbers_and_truth_values_become_text() -> None:
    assert parse_step({"static": 5}, "here") == jobs.Static(text="5")
    given = parse_step({"map": {"values": {1: True, "x": 1.5}}}, "here")
    assert given == jobs.MapValues(values={"1": "true", "x": "1.5"})


def test_none_is_an_option_that_is_not_given() -> None:
    assert parse_step({"trim": None, "left": {"length": 2, "field": None}}, "here") == jobs.Left(length=2)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({}, "here: a step is exactly one of .*; got none"),
        ({"trim": True, "ascii": True}, "here: a step is exactly one of .*; got 'trim', 'ascii'"),
        ({"trimm": True}, "here: there is no option 'trimm'. Did you mean 'trim'?"),
        ("trim", "here: expected a mapping of options, got 'trim'"),
        ({"trim": False}, r"here \(trim\): the only value is true, got False"),
        ({"ascii": "yes"}, r"here \(ascii\): the only value is true, got 'yes'"),
        ({"static": ["x"]}, r"here \(static\): expected text"),
        ({"default": ""}, r"here \(default\): the text is empty"),
        ({"expression": "  "}, r"here \(expression\): the text is empty"),
        ({"join": {"fields": []}}, r"here \(join\): `fields` must name at least one source field"),
        ({"join": {"fields": ["a", ""]}}, r"here \(join\): `fields` must name"),
        ({"join": {"fields": "a"}}, r"here \(join\): `fields` must be a list, got 'a'"),
        ({"join": {"fields": [["a"]]}}, r"here \(join\): `fields` must be a list of texts"),
        ({"join": {"field": ["a"]}}, r"here \(join\): there is no option 'field'. Did you mean 'fields'"),
        ({"left": {}}, r"here \(left\): `length` must be a whole number of at least 1, got None"),
        ({"left": {"length": 0}}, r"here \(left\): `length` must be a whole number of at least 1, got 0"),
        ({"left": {"length": True}}, r"here \(left\): `length` must be a whole number"),
        ({"right": {"length": "3"}}, r"here \(right\): `length` must be a whole number of at least 1, got '3'"),
        ({"substring": {"start": -1, "length": 1}}, r"`start` must be a whole number of at least 0, got -1"),
        ({"case": "Upper"}, r"here \(case\): there is no case 'Upper'. Did you mean 'upper'"),
        ({"replace": {"with": "x"}}, r"here \(replace\): `pattern` is missing"),
        ({"replace": {"pattern": "x", "with": []}}, r"here \(replace\): `with` must be text, got \[\]"),
        ({"map": {}}, r"here \(map\): `values` must be a mapping"),
        ({"map": {"values": {"a": ["b"]}}}, r"here \(map\), value 'a': expected text, got \['b'\]"),
        ({"split": {"separator": ""}}, r"here \(split\): `separator` is missing"),
        ({"split": {"separator": ",", "index": "1"}}, r"here \(split\): `index` must be a whole number"),
        ({"split": {"separator": ",", "index": True}}, r"here \(split\): `index` must be a whole number"),
        ({"date": {"from": "iso"}}, r"here \(date\): `to` is missing"),
        ({"pad": {"length": 3, "with": "ab"}}, r"here \(pad\): `with` must be one character, got 'ab'"),
        ({"pad": {"length": 3, "side": "up"}}, r"here \(pad\): `side` must be one of 'left', 'right', got 'up'"),
        ({"unique": {"pattern": "x"}}, r"here \(unique\): `pattern` must be a text that contains \{n\}"),
        ({"resolve": {}}, r"here \(resolve\): `match` is missing"),
        ({"resolve": {"match": "a", "container": "x"}}, r"here \(resolve\): `container` must be a distinguished name"),
        ({"resolve": {"match": "a", "filter": "x=1"}}, r"here \(resolve\): `filter` must be an LDAP filter"),
        ({"unique": {"max_length": 0}}, r"here \(unique\): `max_length` must be a whole number of at least 1"),
        ({"password": {"length": 5}}, r"`length` must be a whole number of at least 6 and at most 99, got 5"),
        ({"password": {"length": 100}}, r"`length` must be a whole number of at least 6 and at most 99, got 100"),
        ({"password": {"special": True}}, r"`special` must be special characters only, .* got True"),
        (
            {"password": {"upper": False, "lower": False, "digits": False, "special": ""}},
            r"no kind of character is left",
        ),
        ({"password": {"upper": "no"}}, r"`upper` must be true or false, got 'no'"),
        ({"function": "f.py"}, r"here \(function\): expected `path/of/file.py:name of a function`, got 'f.py'"),
        ({"function": "f.py:a b"}, r"here \(function\): expected `path"),
        ({"function": ":f"}, r"here \(function\): expected `path"),
    ],
)
def test_refuses_a_wrong_step_and_says_where_and_why(plain: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_step(plain, "here")


@pytest.mark.parametrize(
    ("step", "alone", "fields"),
    [
        (jobs.Static(text="x"), True, ()),
        (jobs.Join(fields=("a", "b")), True, ("a", "b")),
        (jobs.Left(length=1), False, ()),
        (jobs.Left(length=1, field="a"), True, ("a",)),
        (jobs.Substring(start=0, length=1, field="a"), True, ("a",)),
        (jobs.Right(length=1), False, ()),
        (jobs.Trim(), False, ()),
        (jobs.Expression(text="source.x"), True, ()),
    ],
)
def test_knows_which_steps_make_a_value_and_which_fields_they_name(
    step: jobs.Step, alone: bool, fields: tuple[str, ...]
) -> None:
    assert makes_value(step) is alone
    assert fields_read(step) == fields
