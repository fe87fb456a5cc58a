# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which source fields an object needs, known before anything is read."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterator

from .._model import jobs
from .._model.errors import unknown
from .._model.jobs import ObjectSpec
from .context import Place
from .expressions import Expressions
from .steps import step_name

# A name that is needed and where; None as the name = any field.
_Need: t.TypeAlias = tuple[str | None, Place]


def collect_needs(spec: ObjectSpec, expressions: Expressions, source_fields: Collection[str] | None) -> tuple[str, ...]:
    """Give the source fields `spec` needs, in the order it names them; all of `source_fields` when it can need any.

    Raises ConfigError for a name that is not in `source_fields`, and when any field can be needed and it is None.
    """
    needed: dict[str, None] = {}
    whole = False
    for name, place in _needs(spec, expressions):
        if name is None:
            whole = True
            if source_fields is None:
                raise place.config_error(
                    "it can need any field of the source, and those are not known here. Name the fields it "
                    "uses, such as source.Name or source['Name']."
                )
        else:
            if source_fields is not None and name not in source_fields:
                raise place.config_error(unknown("source field", name, source_fields))
            needed[name] = None
    if whole and source_fields is not None:
        # A collection may know a name that it does not list; what is named is read in any case.
        needed = dict.fromkeys((*source_fields, *needed))
    return tuple(needed)


def _needs(spec: ObjectSpec, expressions: Expressions) -> Iterator[_Need]:
    for field in spec.fields:
        if field.source is not None:
            yield field.source, Place(object=spec.name, field=field.name)
        for number, step in enumerate(field.transform, 1):
            place = Place(object=spec.name, field=field.name, number=number, step=step_name(step))
            for name in _step_needs(step, place, expressions):
                yield name, place
    if spec.create_in is not None:
        yield from _container_needs(spec, spec.create_in, expressions)
    if spec.when is not None:
        place = Place(object=spec.name, step="when")
        for name in _expression_needs(spec.when, place, expressions, has_value=False):
            yield name, place


def _container_needs(spec: ObjectSpec, create_in: jobs.CreateIn, expressions: Expressions) -> Iterator[_Need]:
    place = Place(object=spec.name, step="create_in")
    if create_in.field is not None:
        yield create_in.field, place
    if create_in.expression is not None:
        for name in _expression_needs(create_in.expression, place, expressions, has_value=False):
            yield name, place


def _step_needs(step: jobs.Step, place: Place, expressions: Expressions) -> Iterator[str | None]:
    if isinstance(step, jobs.Join):
        yield from step.fields
    elif isinstance(step, (jobs.Left, jobs.Right, jobs.Substring, jobs.Resolve)):
        if step.field is not None:
            yield step.field
    elif isinstance(step, jobs.Expression):
        yield from _expression_needs(step.text, place, expressions, has_value=True)
    elif isinstance(step, jobs.Function):
        yield None


def _expression_needs(text: str, place: Place, expressions: Expressions, *, has_value: bool) -> Iterator[str | None]:
    parsed = expressions.parse(text, place, has_value=has_value)
    yield from parsed.fields
    if parsed.whole:
        yield None
