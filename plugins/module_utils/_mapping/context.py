# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mapping knows beside the record: the job, the machine, the time, and the views that user code gets."""

from __future__ import annotations

import datetime as dt
import os
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .._model.errors import ConfigError, RecordError, SkipRecord, unknown
from .._model.values import Row, Value

REASON_LENGTH = 500


def _default_uids() -> frozenset[int]:
    return frozenset({0, os.geteuid()})


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingContext:
    """The surroundings of one compile.

    Attributes:
        clock: gives the present time with its zone. Asked once per compile: all records of a run see the same time.
        function_uids: who may own a file of functions; root and the running user when left out.
    """

    job: str
    object: str
    computer_name: str
    environ: Mapping[str, str]
    clock: Callable[[], dt.datetime]
    run_label: str = ""
    function_uids: frozenset[int] = field(default_factory=_default_uids)


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionContext:
    """The second argument of a `function` step: `value` is the value so far, `now` the time of the run in UTC."""

    job: str
    object: str
    field: str
    value: Value
    now: dt.datetime
    run_label: str = ""

    @staticmethod
    def skip(reason: str) -> t.NoReturn:
        """Leave this record alone for `reason`."""
        skip_record(reason)


def skip_record(reason: object) -> t.NoReturn:
    """Raise SkipRecord. Raises RecordError when `reason` is not a text that says something."""
    if not isinstance(reason, str) or not reason.strip():
        raise RecordError("skip() takes the reason as a text, such as skip('no mail address').")
    raise SkipRecord(reason[:REASON_LENGTH])


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in an object something is: which field and step, in messages. `step` 0 is the field itself."""

    object: str
    field: str | None = None
    number: int = 0
    step: str = ""

    @property
    def inside(self) -> str:
        """The place within the object, as it stands before a record's error."""
        if self.field is None:
            return self.step
        step = f", step {self.number} ({self.step})" if self.number else ""
        return f"field {self.field!r}{step}"

    def config_error(self, message: str) -> ConfigError:
        """Give the error for a wrong declaration at this place."""
        return ConfigError(f"object {self.object!r}, {self.inside}: {message}")

    def record_error(self, message: str) -> RecordError:
        """Give the error for a record that fails at this place."""
        return RecordError(f"{self.inside}: {message}", field=self.field)


class RowView(Mapping[str, Value]):
    """A row by field name, read-only. A name that is not a field is a RecordError, never an empty value. `record` says
    of which side it is.
    """

    __slots__ = ("positions", "record", "row")

    def __init__(self, positions: Mapping[str, int], row: Row, record: str = "source") -> None:
        self.positions = positions
        self.record = record
        self.row = row

    def __getitem__(self, name: str) -> Value:
        position = self.positions.get(name) if isinstance(name, str) else None
        if position is None:
            raise RecordError(unknown(f"{self.record} field", name, self.positions))
        return self.row[position]

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """Give the value of the field `key`; `default` never hides a wrong name, it stands in for an empty value."""
        value = self[key]
        return default if value is None else value

    def __contains__(self, name: object) -> bool:
        return name in self.positions

    def __iter__(self) -> Iterator[str]:
        return iter(self.positions)

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        return f"record of {', '.join(self.positions)}"


class TextRowView(RowView):
    """A row as expressions see it: an empty value reads as '', so that text operations work on it."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Value:
        value = super().__getitem__(name)
        return "" if value is None else value
