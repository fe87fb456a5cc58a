# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mapping made by hand, and requests to the planner around it, so that the planner is tested without the compiler."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.compiled import FieldTrace, MappedRow, StepTrace
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import (
    Endpoint,
    FieldSpec,
    Limits,
    ObjectSpec,
    Password,
    Resolve,
    Unique,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row, Value, show
from ansible_collections.lockstep.sync.plugins.module_utils._planning.request import Incremental, ObjectRequest, Side
from support.lists import ListProvider

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
ENDPOINT = Endpoint(provider="lists")
NO_LIMITS = Limits(deletes=None, min_source_records="0")

Compute = Callable[[Mapping[str, Value]], PlannedValue]


def key(name: str = "id", source: str | None = None, **options: t.Any) -> FieldSpec:
    """Give a key field that is copied from the source field of the same name."""
    return FieldSpec(name=name, source=source or name, key=True, **options)


def copied(name: str, source: str | None = None, **options: t.Any) -> FieldSpec:
    """Give a field that is copied from the source."""
    return FieldSpec(name=name, source=source or name, **options)


def spec_of(*fields: FieldSpec, **options: t.Any) -> ObjectSpec:
    """Give an object that creates and deletes unless `options` say otherwise."""
    chosen: dict[str, t.Any] = {"missing_at_destination": "create", "missing_at_source": "delete"} | options
    return ObjectSpec(name="person", source=ENDPOINT, destination=ENDPOINT, fields=fields, **chosen)


@dataclass(kw_only=True)
class HandMapping:
    """Copies fields; `compute` replaces the copy of a destination field by a function of the source record.

    `Unique` and `Password` steps of a field mean what they mean in a job; other steps are not looked at.
    """

    spec: ObjectSpec
    source_fields: tuple[str, ...]
    compute: Mapping[str, Compute] = field(default_factory=dict)
    when: Callable[[Mapping[str, Value]], bool] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.spec.fields)

    @property
    def key_positions(self) -> tuple[int, ...]:
        return tuple(position for position, each in enumerate(self.spec.fields) if each.key)

    @property
    def identity(self) -> bool:
        sources = tuple(each.source for each in self.spec.fields)
        plain = not any(each.transform or each.delimiter for each in self.spec.fields)
        return plain and not self.compute and sources == self.source_fields

    @property
    def in_scope(self) -> Callable[[Row], bool] | None:
        when = self.when
        return None if when is None else lambda row: when(self._record(row))

    @property
    def map_row(self) -> Callable[[Row], MappedRow]:
        return lambda row: tuple(self._value(each, row) for each in self.spec.fields)

    @property
    def map_key(self) -> Callable[[Row], tuple[Value, ...]]:
        return lambda row: t.cast(
            "tuple[Value, ...]", tuple(self._value(each, row) for each in self.spec.fields if each.key)
        )

    @property
    def unique(self) -> Mapping[int, Unique]:
        return {
            position: step
            for position, each in enumerate(self.spec.fields)
            for step in each.transform
            if isinstance(step, Unique)
        }

    @property
    def passwords(self) -> Mapping[int, PasswordRule]:
        return {
            position: step.rule
            for position, each in enumerate(self.spec.fields)
            for step in each.transform
            if isinstance(step, Password)
        }

    @property
    def references(self) -> Mapping[int, Resolve]:
        return {
            position: step
            for position, each in enumerate(self.spec.fields)
            for step in each.transform
            if isinstance(step, Resolve)
        }

    @property
    def container(self) -> Callable[[Row], Value] | None:
        wish = self.spec.create_in
        if wish is None:
            return None
        return lambda row: wish.container or self._record(row)[wish.field or ""]

    def explain(self, row: Row) -> Sequence[FieldTrace]:
        record = self._record(row)
        return [
            FieldTrace(
                field=each.name,
                source=show(record.get(each.source or "")),
                steps=[StepTrace(step="copy", value="copied")],
                result=show(record.get(each.source or "")),
                error="it broke" if record.get(each.source or "") == "broken" else "",
            )
            for each in self.spec.fields
        ]

    def _record(self, row: Row) -> dict[str, Value]:
        return dict(zip(self.source_fields, row, strict=True))

    def _value(self, each: FieldSpec, row: Row) -> PlannedValue:
        record = self._record(row)
        if each.name in self.compute:
            return self.compute[each.name](record)
        for step in each.transform:
            if isinstance(step, Password):
                return GeneratedPassword(rule=step.rule)
        value = record[each.source or ""]
        if each.delimiter is not None and isinstance(value, str):
            return tuple(part.strip() for part in value.split(each.delimiter) if part.strip())
        return value


def request_of(
    spec: ObjectSpec,
    source: ListProvider,
    destination: ListProvider,
    *,
    compute: Mapping[str, Compute] | None = None,
    when: Callable[[Mapping[str, Value]], bool] | None = None,
    limits: Limits = NO_LIMITS,
    source_fields: Sequence[str] | None = None,
    incremental: Incremental | None = None,
    **options: t.Any,
) -> ObjectRequest:
    """Give a request to plan `spec`; the mapping reads the source fields that the specs name, or `source_fields`."""
    names = source_fields or tuple(dict.fromkeys(each.source for each in spec.fields if each.source is not None))
    return ObjectRequest(
        spec=spec,
        mapping=HandMapping(spec=spec, source_fields=tuple(names), compute=compute or {}, when=when),
        source=Side(provider=source, query=Query(), info=source.info),
        destination=Side(provider=destination, query=Query(), info=destination.info),
        limits=limits,
        now=NOW,
        checkpoint=options.pop("checkpoint", lambda _records=0: None),
        incremental=incremental,
        **options,
    )
