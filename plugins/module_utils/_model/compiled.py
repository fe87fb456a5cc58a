# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner needs of a compiled mapping; `_mapping` makes one per object."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .jobs import Resolve, Unique
from .plans import PlannedValue
from .secrets import PasswordRule
from .values import Row, Value

MappedRow: t.TypeAlias = tuple[PlannedValue, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTrace:
    """One transform step of one field as it went: its playbook form and the value after it."""

    step: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldTrace:
    """How one field of one record got its value: the source value, each step, and the result or the error."""

    field: str
    source: str
    steps: Sequence[StepTrace]
    result: str
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """The compiled `protect` of an object at a table or file: records that it matches are never touched.

    Attributes:
        fields: the destination fields that a row for `matches` holds, in this order.
        matches: raises RecordError when it cannot tell.
    """

    fields: tuple[str, ...]
    matches: Callable[[Row], bool]


class CompiledMapping(t.Protocol):
    """One job object as one function from a source row to a destination row."""

    @property
    def source_fields(self) -> tuple[str, ...]:
        """The source fields a row must hold, in this order."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The destination fields of a mapped row, in this order."""

    @property
    def key_positions(self) -> tuple[int, ...]: ...

    @property
    def identity(self) -> bool:
        """Whether `map_row` gives every row back as it is."""

    @property
    def in_scope(self) -> Callable[[Row], bool] | None:
        """The compiled `when`; None when every record is in scope. Raises RecordError."""

    @property
    def map_row(self) -> Callable[[Row], MappedRow]:
        """Raises SkipRecord and RecordError."""

    @property
    def map_key(self) -> Callable[[Row], tuple[Value, ...]]:
        """Gives only the key fields, for a record whose `map_row` failed. Raises as `map_row` does."""

    @property
    def unique(self) -> Mapping[int, Unique]:
        """Positions whose value is only the wish; the planner makes it unique at the destination."""

    @property
    def passwords(self) -> Mapping[int, PasswordRule]:
        """Positions whose value is a `GeneratedPassword`."""

    @property
    def references(self) -> Mapping[int, Resolve]:
        """Positions whose value is the key text of the record referred to; the planner finds its DN."""

    @property
    def container(self) -> Callable[[Row], Value] | None:
        """Gives the container a record should lie in; None when nobody says. Raises SkipRecord and RecordError."""

    def explain(self, row: Row) -> Sequence[FieldTrace]: ...
