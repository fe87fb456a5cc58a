# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile one job object into one function: source row -> destination row."""

from __future__ import annotations

import datetime as dt
import operator
import typing as t
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from .._model import jobs
from .._model.compiled import FieldTrace, MappedRow
from .._model.jobs import FieldSpec, ObjectSpec, Resolve, Unique
from .._model.plans import PlannedValue
from .._model.secrets import PasswordRule
from .._model.values import Row, Value
from .builder import FieldBuilder
from .context import MappingContext, Place
from .expressions import Expressions
from .fields import CompiledField
from .needs import collect_needs


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledObject:
    """One job object, compiled (see `_model.compiled.CompiledMapping`). Not for several threads at once.

    Attributes:
        source_fields: what must be read at the source, in this order, and nothing else.
        fields: the destination fields in declared order; positions below count in it.
        key_positions: where the key fields are.
        identity: `map_row` gives every row back as it is.
        in_scope: the object's `when`, None = all records. Raises SkipRecord, RecordError.
        map_row: source row -> mapped row. Raises SkipRecord, RecordError with `field` set.
        map_key: source row -> the values of the key fields only, for a record whose `map_row` failed. Raises as it.
        unique: position -> rule; the mapped value is the wish, the planner makes it unique.
        references: position -> rule; the mapped value is the key text, the planner finds the record that has it.
        container: source row -> the container of the record (`create_in`). Raises SkipRecord, RecordError.
        passwords: position -> rule; the mapped value is a GeneratedPassword.
    """

    source_fields: tuple[str, ...]
    fields: tuple[str, ...]
    key_positions: tuple[int, ...]
    identity: bool
    in_scope: Callable[[Row], bool] | None
    map_row: Callable[[Row], MappedRow]
    map_key: Callable[[Row], tuple[Value, ...]]
    unique: Mapping[int, Unique]
    passwords: Mapping[int, PasswordRule]
    references: Mapping[int, Resolve]
    container: Callable[[Row], Value] | None
    compiled_fields: tuple[CompiledField, ...]

    def explain(self, row: Row) -> list[FieldTrace]:
        """Give for each field how its value comes about; a field that fails says why, the others go on."""
        return [field.explain(row) for field in self.compiled_fields]


def compile_object(
    spec: ObjectSpec, context: MappingContext, source_fields: Collection[str] | None = None
) -> CompiledObject:
    """Compile `spec`.

    Args:
        spec: the object with the job's defaults filled in.
        context: the job, machine, environment and time.
        source_fields: the names of the source container's fields. With them every name in the mapping is checked;
            without them an object that can need any field (a `function`, `source` used as a whole) cannot be compiled.

    Raises ConfigError that names object, field and step, and DependencyError when an expression needs Jinja2.
    """
    now = context.clock().astimezone(dt.timezone.utc).replace(microsecond=0)
    expressions = Expressions(context, now)
    needed = collect_needs(spec, expressions, source_fields)
    positions = {name: position for position, name in enumerate(needed)}
    builder = FieldBuilder(spec.name, context, now, expressions, positions)
    fields = tuple(map(builder.build, spec.fields))
    key_positions = tuple(position for position, field in enumerate(spec.fields) if field.key)
    when = Place(object=spec.name, step="when")
    return CompiledObject(
        source_fields=needed,
        fields=tuple(field.name for field in spec.fields),
        key_positions=key_positions,
        identity=[field.plain_position for field in fields] == list(range(len(needed))),
        in_scope=None if spec.when is None else expressions.compile_when(spec.when, positions, when),
        map_row=_row_mapper(fields),
        map_key=t.cast("Callable[[Row], tuple[Value, ...]]", _row_mapper([fields[place] for place in key_positions])),
        unique={place: step for place, step in enumerate(map(_last_step, spec.fields)) if isinstance(step, Unique)},
        passwords={
            place: step.rule
            for place, step in enumerate(map(_last_step, spec.fields))
            if isinstance(step, jobs.Password)
        },
        references={
            place: step for place, step in enumerate(map(_last_step, spec.fields)) if isinstance(step, Resolve)
        },
        container=_compile_container(spec, expressions, positions),
        compiled_fields=fields,
    )


def _compile_container(
    spec: ObjectSpec, expressions: Expressions, positions: Mapping[str, int]
) -> Callable[[Row], Value] | None:
    create_in = spec.create_in
    if create_in is None:
        return None
    if create_in.field is not None:
        return operator.itemgetter(positions[create_in.field])
    if create_in.expression is not None:
        place = Place(object=spec.name, step="create_in")
        evaluate = expressions.compile_step(create_in.expression, positions, place)
        return lambda row: evaluate(None, row)
    return lambda _row: create_in.container


def _last_step(field: FieldSpec) -> jobs.Step | None:
    return field.transform[-1] if field.transform else None


def _row_mapper(fields: Collection[CompiledField]) -> Callable[[Row], MappedRow]:
    plain = [field.plain_position for field in fields]
    if len(plain) > 1 and None not in plain:
        return operator.itemgetter(*t.cast("list[int]", plain))
    getters: list[Callable[[Row], PlannedValue]] = [field.get for field in fields]

    def map_row(row: Row) -> MappedRow:
        return tuple([get(row) for get in getters])

    return map_row
