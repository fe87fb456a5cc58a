# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the asked fields of a CSV file as rows of values."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import itemgetter

from ..._model.access import Completeness
from ..._model.values import Key, Row
from ..files import field_numbers
from .dialect import CsvOptions, ends_with_line_break
from .table import Cells, CsvTable

_UNFINISHED = Completeness(proven=False, reason="the reading has not come to its end")


class CsvReading:
    """One sweep; see `access.Reading`. With `keys`, only records whose `key_fields` equal one of them."""

    def __init__(
        self,
        options: CsvOptions,
        table: CsvTable,
        fields: Sequence[str],
        key_fields: Sequence[str] = (),
        keys: Collection[Key] | None = None,
    ) -> None:
        self._options = options
        self._table = table
        self._fields = tuple(fields)
        self._pick = picker(table.header, field_numbers(f"{options.where}: {options.path}", table.header, fields))
        self._key_of = key_picker(field_numbers(f"{options.where}: {options.path}", table.header, key_fields))
        self._keys = keys
        self._completeness = _UNFINISHED

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    @property
    def completeness(self) -> Completeness:
        return self._completeness

    def batches(self) -> Iterator[list[Row]]:
        for rows in self._table.batches():
            chosen: Iterable[Cells] = rows
            if self._keys is not None:
                chosen = [row for row in rows if self._key_of(row) in self._keys]
            batch: list[Row] = [
                cells if "" not in cells else tuple([cell or None for cell in cells])
                for cells in map(self._pick, chosen)
            ]
            if batch:
                yield batch
        self._completeness = self._prove()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._table.__exit__(*exc)

    def _prove(self) -> Completeness:
        if ends_with_line_break(self._options.path, self._options.where, self._table.form):
            return Completeness(proven=True)
        return Completeness(
            proven=False,
            reason=f"{self._options.path} does not end with a line break, so it may have been cut; "
            f"end its last line with one",
        )


def picker(header: Sequence[str], columns: Sequence[int]) -> Callable[[Cells], tuple[str, ...]]:
    """Give the function that picks `columns` from a row; the whole row in order costs nothing but the tuple."""
    if tuple(columns) == tuple(range(len(header))):
        return tuple
    return key_picker(columns)


def key_picker(columns: Sequence[int]) -> Callable[[Cells], tuple[str, ...]]:
    """Give the function that picks `columns` from a row as a tuple."""
    if not columns:
        return lambda _: ()
    if len(columns) == 1:
        column = columns[0]
        return lambda row: (row[column],)
    return itemgetter(*columns)
