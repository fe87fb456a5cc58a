# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transform steps as closures (value so far, row) -> value, beside `expression` and `function`.

Most work on one text at a time: an empty value passes them as it is, and each part of a multi-valued one goes through
on its own. Parts that become empty or equal are dropped.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from collections.abc import Callable, Mapping

from .._model import jobs
from .._model.values import Row, Single, Value, is_empty, show
from .context import MappingContext, Place
from .dates import date_converter
from .filters import check_matched, compile_pattern
from .limits import MAX_TEXT, MAX_WIDTH
from .texts import distinct, split_parts, title_case, to_ascii

Apply: t.TypeAlias = Callable[[Value, Row], Value]
TextFunction: t.TypeAlias = Callable[[str], "str | tuple[str, ...] | None"]


def step_name(step: jobs.Step) -> str:
    """Give the step's name as in a playbook."""
    return _NAMES.get(type(step)) or type(step).__name__.lower()


def per_text(function: TextFunction, place: Place) -> Apply:
    """Give the step that puts each text through `function`; its ValueError becomes the record's error."""

    def apply(value: Value, _row: Row) -> Value:
        if isinstance(value, str) and value:
            try:
                return function(value)
            except ValueError as error:
                raise place.record_error(f"{show(value)}: {error}.") from None
        if isinstance(value, tuple):
            return each(value)
        if value:
            raise place.record_error(f"expected text, got {show(value)}. Copy binary fields as they are.")
        return value

    def each(parts: tuple[Single, ...]) -> Value:
        found: list[str] = []
        for part in parts:
            result = t.cast("str | tuple[str, ...] | None", apply(part, ()))
            found.extend(result if isinstance(result, tuple) else (result or "",))
        return distinct(found) or None

    return apply


# -- steps on one text: what they do, checked when the job is compiled --------------------------------------------


def _left(step: jobs.Left, place: Place) -> TextFunction:
    length = _count(step.length, "length", place)
    return lambda text: text[:length]


def _right(step: jobs.Right, place: Place) -> TextFunction:
    length = _count(step.length, "length", place)
    return lambda text: text[-length:]


def _substring(step: jobs.Substring, place: Place) -> TextFunction:
    start, length = step.start, _count(step.length, "length", place)
    if start < 0:
        raise place.config_error(f"start counts from 0, got {start}.")
    end = start + length
    return lambda text: text[start:end]


def _case(step: jobs.Case, place: Place) -> TextFunction:
    functions: dict[str, TextFunction] = {"lower": str.lower, "upper": str.upper, "title": title_case}
    if step.to not in functions:
        raise place.config_error(f"{step.to!r} is not a case. Valid: {', '.join(functions)}.")
    return functions[step.to]


def _trim(_step: jobs.Trim, _place: Place) -> TextFunction:
    return str.strip


def _replace(step: jobs.Replace, place: Place) -> TextFunction:
    try:
        pattern = compile_pattern(step.pattern)
        pattern.sub(step.with_, "")
    except (ValueError, re.error, IndexError) as error:
        raise place.config_error(f"{error}.") from None
    substitute, replacement = pattern.sub, step.with_

    def replace(text: str) -> str:
        result = substitute(replacement, check_matched(text))
        if len(result) > MAX_TEXT:
            raise ValueError(f"the result has {len(result):,} characters, at most {MAX_TEXT:,} are taken")
        return result

    return replace


def _split(step: jobs.Split, place: Place) -> TextFunction:
    separator, index = step.separator, step.index
    if not separator:
        raise place.config_error("the separator is empty. Give the text to split at, such as ','.")
    if index is None:
        return lambda text: split_parts(text, separator)

    def pick(text: str) -> str | None:
        parts = text.split(separator)
        return parts[index].strip() if -len(parts) <= index < len(parts) else None

    return pick


def _date(step: jobs.Date, place: Place) -> TextFunction:
    try:
        return date_converter(step.from_, step.to)
    except ValueError as error:
        raise place.config_error(f"{error}.") from None


def _ascii(_step: jobs.Ascii, _place: Place) -> TextFunction:
    return to_ascii


def _pad(step: jobs.Pad, place: Place) -> TextFunction:
    length, fill = _count(step.length, "length", place, MAX_WIDTH), step.with_
    if len(fill) != 1:
        raise place.config_error(f"pad takes one character as `with`, got {fill!r}.")
    if step.side == "left":
        return lambda text: text.rjust(length, fill)
    return lambda text: text.ljust(length, fill)


def _count(number: int, name: str, place: Place, most: int | None = None) -> int:
    if number < 1 or (most is not None and number > most):
        upper = "" if most is None else f" and at most {most:,}"
        raise place.config_error(f"{name} must be at least 1{upper}, got {number}.")
    return number


_TEXT_STEPS: dict[type, Callable[[t.Any, Place], TextFunction]] = {
    jobs.Left: _left,
    jobs.Right: _right,
    jobs.Substring: _substring,
    jobs.Case: _case,
    jobs.Trim: _trim,
    jobs.Replace: _replace,
    jobs.Split: _split,
    jobs.Date: _date,
    jobs.Ascii: _ascii,
    jobs.Pad: _pad,
}
_NAMES: dict[type, str] = {jobs.MapValues: "map"}


def text_step(step: jobs.Step, place: Place) -> Apply | None:
    """Give a step that works on one text at a time, None when `step` is of another kind. Raises ConfigError."""
    make = _TEXT_STEPS.get(type(step))
    return None if make is None else per_text(make(step, place), place)


# -- steps on the whole value ------------------------------------------------------------------------------------------


def fill_in_texts(texts: Mapping[str, str | None], context: MappingContext) -> dict[str, str | None]:
    """Give texts by field with %NOW% and the like filled in. Raises ConfigError for a variable that is not set."""
    now = context.clock().astimezone(dt.timezone.utc).replace(microsecond=0)
    place = Place(object=context.object, step="on_disable, stamp")
    return {name: None if text is None else _fill_in(text, context, now, place) for name, text in texts.items()}


def static_step(step: jobs.Static, context: MappingContext, now: dt.datetime, place: Place) -> Apply:
    """Give the step for one text; %NOW% (UTC), %COMPUTERNAME% and environment variables are filled in now."""
    text = _fill_in(step.text, context, now, place)
    return lambda _value, _row: text


def _fill_in(text: str, context: MappingContext, now: dt.datetime, place: Place) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "NOW":
            return now.isoformat(timespec="seconds")
        if name == "COMPUTERNAME":
            return context.computer_name
        if name not in context.environ:
            raise place.config_error(
                f"the environment variable {name!r} is not set on the host that runs the job. "
                f"Set it, or use %NOW% or %COMPUTERNAME%."
            )
        return context.environ[name]

    return jobs.VARIABLE.sub(fill, text)


def default_step(step: jobs.Default) -> Apply:
    """Give the step that stands in for an empty value."""
    return lambda value, _row: step.value if is_empty(value) else value


def map_step(step: jobs.MapValues, place: Place) -> Apply:
    """Give the look-up step. An empty value is looked up only when the table or a default has an answer for it."""
    table = dict(step.values)
    default, has_default = step.default, step.has_default

    def look_up(text: str) -> str | None:
        try:
            return table[text]
        except KeyError:
            if has_default:
                return default
        shown = ", ".join(show(name) for name in sorted(table)[:20]) or "none"
        raise ValueError(f"the table has no such value and no default. It has: {shown}")

    apply = per_text(look_up, place)
    for_empty = table.get("", default)
    if "" not in table and not has_default:
        return apply
    return lambda value, row: for_empty if is_empty(value) else apply(value, row)


def join_step(step: jobs.Join, positions: tuple[int, ...], place: Place) -> Apply:
    """Give the step that joins the fields at `positions`; empty ones leave no separator."""
    separator, names = step.separator, step.fields

    def join_plain(row: Row) -> str:
        return separator.join([part for position in positions if (part := row[position])])  # type: ignore[misc]

    def join(_value: Value, row: Row) -> Value:
        try:
            return join_plain(row)
        except TypeError:
            return join_mixed(row)

    def join_mixed(row: Row) -> str:
        texts: list[str] = []
        for name, position in zip(names, positions, strict=True):
            value = row[position] or ()
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, bytes):
                    raise place.record_error(f"source field {name!r}: expected text, got {show(part)}.")
                texts.append(part)
        return separator.join(filter(None, texts))

    return join
