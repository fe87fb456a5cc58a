# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the compiled fields of one object: check each field and put its steps in a row."""

from __future__ import annotations

import datetime as dt
import operator
import typing as t
from collections.abc import Callable, Mapping

from .._model import jobs
from .._model.errors import ConfigError, RecordError, SkipRecord
from .._model.jobs import FieldSpec
from .._model.secrets import GeneratedPassword
from .._model.values import Row, Value, members, show
from .context import FunctionContext, MappingContext, Place, RowView
from .expressions import Expressions
from .fields import CompiledField, Start, playbook_form
from .functions import load_function
from .password import check_rule
from .results import to_value
from .steps import Apply, default_step, join_step, map_step, static_step, step_name, text_step
from .texts import split_parts

# Steps that make a value of their own; any other has nothing to work on at the head of a field without `source`.
_STARTERS = (jobs.Static, jobs.Join, jobs.Expression, jobs.Function, jobs.Password, jobs.Default)


class FieldBuilder:
    """Builds the fields of one object; knows where each source field is in a row."""

    def __init__(
        self,
        object_name: str,
        context: MappingContext,
        now: dt.datetime,
        expressions: Expressions,
        positions: Mapping[str, int],
    ) -> None:
        self._object = object_name
        self._context = context
        self._now = now
        self._expressions = expressions
        self._positions = positions
        self._names: set[str] = set()
        self._functions: dict[tuple[str, str], Callable[..., t.Any]] = {}

    def build(self, spec: FieldSpec) -> CompiledField:
        """Give the compiled field. Raises ConfigError that names object, field and step."""
        place = Place(object=self._object, field=spec.name)
        self._check(spec, place)
        source = None if spec.source is None else operator.itemgetter(self._positions[spec.source])
        start = _no_value if spec.source is None else self._start(spec.source, spec.delimiter)
        if not spec.transform:
            plain = None if spec.delimiter else self._positions[t.cast("str", spec.source)]
            return CompiledField(name=spec.name, source=source, start=start, steps=(), plain_position=plain, get=start)
        first = spec.transform[0]
        if isinstance(first, jobs.Password):
            return self._password(spec, first, place)
        applies = tuple(self._step(spec, number) for number in range(1, len(spec.transform) + 1))
        steps = tuple(zip(map(playbook_form, spec.transform), applies, strict=True))
        get = _chain(start, applies, has_source=spec.source is not None)
        return CompiledField(name=spec.name, source=source, start=start, steps=steps, get=get)

    # -- checks -----------------------------------------------------------------------------------------------------

    def _check(self, spec: FieldSpec, place: Place) -> None:
        if spec.name in self._names:
            raise place.config_error("the field is declared twice. Keep one of the two.")
        self._names.add(spec.name)
        if spec.delimiter == "":
            raise place.config_error("the delimiter is empty. Give the text between the values, such as ';'.")
        if spec.source is None and not spec.transform:
            raise place.config_error("it has neither `source` nor `transform`. Say where its value comes from.")
        for number, step in enumerate(spec.transform, 1):
            self._check_step(spec, step, self._place(spec, number))

    @staticmethod
    def _check_step(spec: FieldSpec, step: jobs.Step, place: Place) -> None:
        first, last = place.number == 1, place.number == len(spec.transform)
        if spec.key and isinstance(step, (jobs.Unique, jobs.Password, jobs.Resolve)):
            raise place.config_error(
                "a key field must have the same value in every run. Use another field or another step."
            )
        if isinstance(step, (jobs.Unique, jobs.Resolve)) and not last:
            raise place.config_error(f"{step_name(step)} must be the last step of a field.")
        if isinstance(step, jobs.Password) and (not (first and last) or spec.source is not None):
            raise place.config_error("password must be the only step of a field, and the field has no `source`.")
        starts = isinstance(step, _STARTERS) or getattr(step, "field", None) is not None
        if first and spec.source is None and not starts:
            raise place.config_error(
                "it has no value to work on. Give the field a `source`, or begin with another step."
            )

    def _place(self, spec: FieldSpec, number: int) -> Place:
        step = spec.transform[number - 1]
        return Place(object=self._object, field=spec.name, number=number, step=step_name(step))

    # -- parts ------------------------------------------------------------------------------------------------------

    def _start(self, source: str, delimiter: str | None) -> Start:
        position = self._positions[source]
        if delimiter is None:
            return operator.itemgetter(position)

        def split(row: Row) -> Value:
            value = row[position]
            return split_parts(value, delimiter) or None if isinstance(value, str) else value

        return split

    def _password(self, spec: FieldSpec, step: jobs.Password, place: Place) -> CompiledField:
        try:
            check_rule(step.rule)
        except ConfigError as error:
            raise place.config_error(error.message) from None
        stand_in = GeneratedPassword(rule=step.rule)
        return CompiledField(
            name=spec.name,
            source=None,
            start=_no_value,
            steps=((playbook_form(step), lambda value, _row: value),),
            password=stand_in,
            get=lambda _row: stand_in,
        )

    def _step(self, spec: FieldSpec, number: int) -> Apply:
        step, place = spec.transform[number - 1], self._place(spec, number)
        apply = text_step(step, place) or self._whole_step(step, place)
        field = getattr(step, "field", None)
        if field is None:
            return apply
        start = self._start(field, spec.delimiter)
        return lambda _value, row: apply(start(row), row)

    def _whole_step(self, step: jobs.Step, place: Place) -> Apply:
        match step:
            case jobs.Static():
                return static_step(step, self._context, self._now, place)
            case jobs.Join():
                if not step.fields:
                    raise place.config_error("join has no fields. Name the source fields to join.")
                return join_step(step, tuple(self._positions[name] for name in step.fields), place)
            case jobs.MapValues():
                return map_step(step, place)
            case jobs.Default():
                return default_step(step)
            case jobs.Unique():
                return _unique_step(place)
            case jobs.Resolve():
                return _resolve_step(place)
            case jobs.Expression():
                return self._expressions.compile_step(step.text, self._positions, place)
            case jobs.Function():
                return self._function(step, place)
        raise place.config_error(f"{type(step).__name__} is no transform step.")

    def _function(self, step: jobs.Function, place: Place) -> Apply:
        call = self._load(step, place)
        context, now, positions = self._context, self._now, self._positions

        def apply(value: Value, row: Row) -> Value:
            surroundings = FunctionContext(
                job=context.job,
                object=context.object,
                field=place.field or "",
                value=value,
                now=now,
                run_label=context.run_label,
            )
            try:
                result = call(RowView(positions, row), surroundings)
            except SkipRecord:
                raise
            except RecordError as error:
                raise place.record_error(error.message) from error
            except (Exception, SystemExit) as error:
                raise place.record_error(
                    f"{step.name} raised {type(error).__name__}: {str(error)[:500]}. The value so far is {show(value)}."
                ) from error
            try:
                return to_value(result)
            except ValueError as error:
                raise place.record_error(f"{step.name}: {error}.") from None

        return apply

    def _load(self, step: jobs.Function, place: Place) -> Callable[..., t.Any]:
        known = self._functions.get((step.path, step.name))
        if known is None:
            try:
                known = load_function(step.path, step.name, self._context.function_uids)
            except ConfigError as error:
                raise place.config_error(error.message) from error
            self._functions[step.path, step.name] = known
        return known


def _no_value(_row: Row) -> Value:
    return None


def _unique_step(place: Place) -> Apply:
    def apply(value: Value, _row: Row) -> Value:
        if value and not isinstance(value, str):
            raise place.record_error(f"expected one text to make unique, got {show(value)}.")
        return value

    return apply


def _resolve_step(place: Place) -> Apply:
    def apply(value: Value, _row: Row) -> Value:
        if any(not isinstance(part, str) for part in members(value)):
            raise place.record_error(f"expected the text of a key to look up, got {show(value)}.")
        return value

    return apply


def _chain(start: Start, steps: tuple[Apply, ...], *, has_source: bool) -> Start:
    """Give start and steps as one function whose empty results are None."""
    first = steps[0]
    if len(steps) == 1:
        if not has_source:
            return lambda row: first(None, row) or None
        return lambda row: first(start(row), row) or None

    def get(row: Row) -> Value:
        value = start(row)
        for apply in steps:
            value = apply(value, row)
        return value or None

    return get
