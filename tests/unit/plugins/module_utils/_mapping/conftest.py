# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small bench: compile one field and put one record through it."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable

import pytest

# Imported where they are used: pytest-ansible installs its own finder of collections after this file is read.
if t.TYPE_CHECKING:
    from ansible_collections.lockstep.sync.plugins.module_utils._mapping.compiler import CompiledObject
    from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import MappingContext
    from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec, Step
    from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import PlannedValue
    from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value

CompileFields: t.TypeAlias = Callable[..., "CompiledObject"]
MapValue: t.TypeAlias = Callable[..., "PlannedValue"]


@pytest.fixture
def context() -> MappingContext:
    from ansible_collections.lockstep.sync.plugins.module_utils._mapping.context import MappingContext  # noqa: PLC0415

    moment = dt.datetime(2026, 11, 21, 9, 30, 15, 250, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    return MappingContext(
        job="hr",
        object="people",
        computer_name="NODE1",
        environ={"REGION": "emea", "EMPTY": ""},
        clock=lambda: moment,
        run_label="run 7",
    )


@pytest.fixture
def compile_fields(context: MappingContext) -> CompileFields:
    from ansible_collections.lockstep.sync.plugins.module_utils._mapping.compiler import compile_object  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Endpoint, ObjectSpec  # noqa: PLC0415

    def compile_them(*fields: FieldSpec, when: str | None = None, known: t.Any = None) -> CompiledObject:
        spec = ObjectSpec(
            name="people", source=Endpoint(provider="a"), destination=Endpoint(provider="b"), fields=fields, when=when
        )
        return compile_object(spec, context, known)

    return compile_them


@pytest.fixture
def map_value(compile_fields: CompileFields) -> MapValue:
    """`map_value(steps, value, **other_fields)`: the value of one field with `source: S` after its steps."""

    from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec  # noqa: PLC0415

    def run(
        steps: tuple[Step, ...] | Step, value: Value = None, /, delimiter: str | None = None, **others: Value
    ) -> t.Any:
        chain = steps if isinstance(steps, tuple) else (steps,)
        field = FieldSpec(name="out", source="S", delimiter=delimiter, transform=chain)
        compiled = compile_fields(field, known=["S", *others])
        values = {"S": value, **others}
        return compiled.map_row(tuple(values.get(name) for name in compiled.source_fields))[0]

    return run
