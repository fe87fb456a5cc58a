# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transform steps between the playbook's one-key mappings and the dataclasses of `jobs`."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable, Mapping

from . import jobs
from .directory_options import read_container, read_filter
from .errors import ConfigError, unknown
from .secrets import PasswordRule
from .sections import Section, as_text

PASSWORD_LENGTHS = (6, 99)


def parse_step(data: object, place: str) -> jobs.Step:
    """Read one step, a mapping with exactly one key. Raises ConfigError starting with `place`."""
    step = Section(data, place, STEP_NAMES)
    if len(step.given) != 1:
        got = ", ".join(map(repr, step.given)) or "none"
        raise ConfigError(f"{place}: a step is exactly one of {', '.join(map(repr, STEP_NAMES))}; got {got}.")
    ((name, value),) = step.given.items()
    return _READERS[name](value, f"{place} ({name})")


def step_to_plain(step: jobs.Step) -> dict[str, object]:
    """Give the playbook form of `step`; options that have their default are left out."""
    name = _NAMES[type(step)]
    match step:
        case jobs.Static(text=text) | jobs.Expression(text=text):
            return {name: text}
        case jobs.Case(to=text) | jobs.Default(value=text):
            return {name: text}
        case jobs.Trim() | jobs.Ascii():
            return {name: True}
        case jobs.Function():
            return {name: f"{step.path}:{step.name}"}
        case jobs.MapValues():
            values: dict[str, object] = {"values": dict(step.values)}
            return {name: values | ({"default": step.default} if step.has_default else {})}
        case jobs.Password():
            return {name: _options(step.rule)}
        case _:
            return {name: _options(step)}


def makes_value(step: jobs.Step) -> bool:
    """Tell whether `step` gives a value by itself, so that it can come first in a field without a source."""
    match step:
        case jobs.Left() | jobs.Right() | jobs.Substring() | jobs.Resolve():
            return step.field is not None
        case _:
            return isinstance(step, _SOURCES)


def fields_read(step: jobs.Step) -> tuple[str, ...]:
    """Give the source fields that `step` names. Those that expressions and functions use are not known."""
    match step:
        case jobs.Join():
            return step.fields
        case jobs.Left() | jobs.Right() | jobs.Substring() | jobs.Resolve():
            return () if step.field is None else (step.field,)
        case _:
            return ()


def _options(data: jobs.Step | PasswordRule) -> dict[str, object]:
    """Give the options of a step that differ from their defaults; `with_` and `from_` lose their underscore."""
    options: dict[str, object] = {}
    for item in dataclasses.fields(data):
        value = getattr(data, item.name)
        if value is None or (item.default is not dataclasses.MISSING and value == item.default):
            continue
        options[item.name.rstrip("_")] = list(value) if isinstance(value, tuple) else value
    return options


def _scalar(value: object, place: str) -> str:
    text = as_text(value)
    if text is None:
        raise ConfigError(f"{place}: expected text, got {value!r}.")
    return text


def _some_scalar(value: object, place: str) -> str:
    text = _scalar(value, place)
    if not text.strip():
        raise ConfigError(f"{place}: the text is empty.")
    return text


def _switch(make: Callable[[], jobs.Step]) -> Callable[[object, str], jobs.Step]:
    def read(value: object, place: str) -> jobs.Step:
        if value is not True:
            raise ConfigError(f"{place}: the only value is true, got {value!r}. Leave the step out to do without it.")
        return make()

    return read


def _static(value: object, place: str) -> jobs.Step:
    return jobs.Static(text=_scalar(value, place))


def _join(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("fields", "separator"))
    fields = options.texts("fields")
    if not fields or not all(fields):
        raise ConfigError(f"{place}: `fields` must name at least one source field, got {list(fields)!r}.")
    return jobs.Join(fields=fields, separator=options.text("separator", " "))


def _left(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("field", "length"))
    return jobs.Left(length=options.integer("length", minimum=1), field=options.optional_text("field"))


def _right(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("field", "length"))
    return jobs.Right(length=options.integer("length", minimum=1), field=options.optional_text("field"))


def _substring(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("field", "start", "length"))
    return jobs.Substring(
        start=options.integer("start", minimum=0),
        length=options.integer("length", minimum=1),
        field=options.optional_text("field"),
    )


def _case(value: object, place: str) -> jobs.Step:
    valid: tuple[t.Literal["lower", "upper", "title"], ...] = ("lower", "upper", "title")
    for to in valid:
        if value == to:
            return jobs.Case(to=to)
    raise ConfigError(unknown("case", value, valid, where=place))


def _replace(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("pattern", "with"))
    return jobs.Replace(pattern=options.required_text("pattern"), with_=options.text("with"))


def _map(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("values", "default"))
    table = options.given.get("values")
    if not isinstance(table, Mapping):
        raise options.wrong("values", "a mapping from source value to destination value")
    values = {_scalar(key, place): _scalar(new, f"{place}, value {key!r}") for key, new in table.items()}
    has_default = "default" in options.given
    return jobs.MapValues(
        values=values, default=options.text("default") if has_default else None, has_default=has_default
    )


def _split(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("separator", "index"))
    index = options.given.get("index")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise options.wrong("index", "a whole number (negative counts from the end)")
    return jobs.Split(separator=options.required_text("separator"), index=index)


def _date(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("from", "to"))
    return jobs.Date(from_=options.required_text("from"), to=options.required_text("to"))


def _pad(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("length", "with", "side"))
    filler = options.text("with", " ")
    if len(filler) != 1:
        raise options.wrong("with", "one character")
    sides: tuple[t.Literal["left", "right"], ...] = ("left", "right")
    return jobs.Pad(
        length=options.integer("length", minimum=1), with_=filler, side=options.choice("side", sides, "left")
    )


def _default(value: object, place: str) -> jobs.Step:
    return jobs.Default(value=_some_scalar(value, place))


def _unique(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("pattern", "start", "max_length"))
    pattern = options.text("pattern", "{value}{n}")
    if "{n}" not in pattern:
        raise options.wrong("pattern", "a text that contains {n}, the number that makes a taken value unique")
    return jobs.Unique(
        pattern=pattern,
        start=options.integer("start", 2, minimum=0),
        max_length=options.optional_integer("max_length", minimum=1),
    )


def _resolve(value: object, place: str) -> jobs.Step:
    options = Section(value, place, ("match", "field", "container", "filter"))
    return jobs.Resolve(
        match=options.required_text("match"),
        field=options.optional_text("field"),
        container=read_container(options, "container"),
        filter=read_filter(options, "filter"),
    )


def _password(value: object, place: str) -> jobs.Step:
    flags = ("upper", "lower", "digits", "no_repeat_special", "exclude_similar")
    options = Section(value, place, ("per", "length", "special", *flags))
    standard = PasswordRule()
    special = options.text("special", standard.special)
    if any(char.isalnum() or char.isspace() for char in special):
        raise options.wrong("special", "special characters only, such as '!#%' (empty for none)")
    scopes: tuple[t.Literal["object", "job"], ...] = ("object", "job")
    upper, lower, digits, no_repeat, exclude = (options.flag(name, getattr(standard, name)) for name in flags)
    if not (upper or lower or digits or special):
        raise ConfigError(f"{place}: no kind of character is left. Enable one of upper, lower, digits, special.")
    lowest, highest = PASSWORD_LENGTHS
    rule = PasswordRule(
        per=options.choice("per", scopes, "object"),
        length=options.integer("length", standard.length, minimum=lowest, maximum=highest),
        upper=upper,
        lower=lower,
        digits=digits,
        special=special,
        no_repeat_special=no_repeat,
        exclude_similar=exclude,
    )
    return jobs.Password(rule=rule)


def _expression(value: object, place: str) -> jobs.Step:
    return jobs.Expression(text=_some_scalar(value, place))


def _function(value: object, place: str) -> jobs.Step:
    text = _scalar(value, place)
    path, _colon, name = text.rpartition(":")
    if not path or not name.isidentifier():
        raise ConfigError(f"{place}: expected `path/of/file.py:name of a function`, got {text!r}.")
    return jobs.Function(path=path, name=name)


_SOURCES = (jobs.Static, jobs.Join, jobs.Default, jobs.Password, jobs.Expression, jobs.Function)
_TABLE: tuple[tuple[str, type[jobs.Step], Callable[[object, str], jobs.Step]], ...] = (
    ("static", jobs.Static, _static),
    ("join", jobs.Join, _join),
    ("left", jobs.Left, _left),
    ("right", jobs.Right, _right),
    ("substring", jobs.Substring, _substring),
    ("case", jobs.Case, _case),
    ("trim", jobs.Trim, _switch(jobs.Trim)),
    ("replace", jobs.Replace, _replace),
    ("map", jobs.MapValues, _map),
    ("split", jobs.Split, _split),
    ("date", jobs.Date, _date),
    ("ascii", jobs.Ascii, _switch(jobs.Ascii)),
    ("pad", jobs.Pad, _pad),
    ("default", jobs.Default, _default),
    ("unique", jobs.Unique, _unique),
    ("resolve", jobs.Resolve, _resolve),
    ("password", jobs.Password, _password),
    ("expression", jobs.Expression, _expression),
    ("function", jobs.Function, _function),
)
_READERS = {name: read for name, _class, read in _TABLE}
_NAMES = {class_: name for name, class_, _read in _TABLE}
STEP_NAMES = tuple(_READERS)
