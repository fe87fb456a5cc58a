# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply changes to one sheet and replace the workbook whole; other sheets, formats and widths stay.

What the writing library cannot keep (charts, pictures, pivot tables, controls, macros) is refused before anything is
written. The calculated values of formulas are not written: Excel calculates them when it opens the workbook next.
"""

from __future__ import annotations

import io
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..._model.access import WriteTarget
from ..._model.errors import ConfigError, ProviderError, unknown
from ..._model.plans import Change, Outcome
from ..._model.values import Key, Value
from ..atomic_file import replace_file
from ..file_changes import Folded, Record, failed, fold_changes, refuse_values
from ..files import Signature, check_unchanged, signature_or_none
from .cells import CELL_LENGTH, ColumnType, all_fit, cell_at, column_type, copy_style, put_value, refuse_value
from .layout import check_tables, follow_rows, keep_columns, remove_rows, restore_texts, why_rows_must_stay
from .libraries import load_openpyxl
from .new_workbook import new_workbook
from .package import lost_parts
from .sheet import Sheet, load_sheet, open_workbook, read_cells, sheet_names

if t.TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet
    from python_calamine import CalamineSheet, CalamineWorkbook

__all__ = ["CELL_LENGTH", "ExcelWriter"]

NAME_LENGTH = 31
ROW_LIMIT = 1_048_576
"""The rows of a sheet, https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3."""

_NOT_IN_NAMES = frozenset("[]:*?/\\")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The records that have a key of the changes, where they are, and what is in each mapped column."""

    records: Mapping[Key, Sequence[Record]]
    row_numbers: Mapping[Key, int]
    types: Mapping[str, ColumnType]
    models: Mapping[str, int]
    last_row: int


_NOTHING = _Found(records={}, row_numbers={}, types={}, models={}, last_row=1)


class ExcelWriter:
    """See `access.Writer`. All changes in one call, the workbook is replaced once."""

    def __init__(self, path: Path, where: str, name: str, target: WriteTarget) -> None:
        self._path = path
        self._where = where
        self._name = name
        self._place = f"{where}: {path}, sheet {name!r}"
        self._target = target

    @property
    def batch_size(self) -> int | None:
        return None

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        seen = signature_or_none(self._path, self._where)
        if seen is None:
            self._check_name()
            return self._make(changes)
        if not self._has_sheet():
            self._check_name()
            return self._fill(seen, changes)
        sheet = load_sheet(self._path, self._where, self._name)
        if sheet is None:
            return self._fill(seen, changes)
        return self._change(sheet, changes)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    # -- a sheet with nothing on it

    def _has_sheet(self) -> bool:
        """Tell whether the workbook has the sheet; only a file that is made anew may get a new one."""
        names = sheet_names(open_workbook(self._path, self._where))
        if self._name in names:
            return True
        if not self._target.replace:
            raise ConfigError(unknown("sheet", self._name, names, where=f"{self._where}: {self._path}"))
        return False

    def _make(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes` to a workbook that does not exist; it is made when there is a record to put in."""
        folded = fold_changes(changes, {}, self._target.fields, _refuse, all_fit)
        if not folded.is_empty:
            self._check_rows(1 + len(folded.created))
            book = new_workbook(self._name, self._target.fields, folded.created.values())
            replace_file(self._path, self._where, None, lambda file: _save(book, file))
        return folded.outcomes

    def _fill(self, seen: Signature, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes` to a sheet of a workbook that is not there or empty."""
        folded = fold_changes(changes, {}, self._target.fields, _refuse, all_fit)
        if not folded.is_empty:
            self._check_rows(1 + len(folded.created))
            book = self._load(seen)
            sheet = self._empty_sheet(book)
            self._write_header(sheet, range(1, len(self._target.fields) + 1))
            columns = {name: number for number, name in enumerate(self._target.fields, 1)}
            self._append(sheet, folded, columns, _NOTHING, 1)
            follow_rows(sheet, 1, 1 + len(folded.created))
            replace_file(self._path, self._where, seen, lambda file: _save(book, file))
        return folded.outcomes

    def _empty_sheet(self, book: Workbook) -> Worksheet:
        if self._name in book.sheetnames:
            return t.cast("Worksheet", book[self._name])
        return t.cast("Worksheet", book.create_sheet(self._name))

    def _write_header(self, sheet: Worksheet, numbers: Sequence[int]) -> None:
        for number, name in zip(numbers, self._target.fields, strict=True):
            put_value(cell_at(sheet, 1, number), name, "text", None)

    def _check_name(self) -> None:
        name = self._name
        if not 1 <= len(name) <= NAME_LENGTH or not _NOT_IN_NAMES.isdisjoint(name) or "'" in (name[0], name[-1]):
            raise ConfigError(
                f"{self._where}: {name!r} cannot be the name of a sheet: give 1 to {NAME_LENGTH} characters, none of "
                f"[ ] : * ? / \\ and no ' at the ends."
            )

    def _check_rows(self, count: int) -> None:
        if count > ROW_LIMIT:
            raise ProviderError(
                f"{self._place}: nothing is written, the sheet would have {count:,} rows with its header and Excel "
                f"opens {ROW_LIMIT:,} at most. Narrow the job by a filter, or let it write CSV or a database."
            )

    # -- a sheet with records

    def _change(self, sheet: Sheet, changes: Sequence[Change]) -> list[Outcome]:
        present = self._present(sheet)
        columns = dict(zip(present, sheet.columns(present), strict=True))
        key_columns = sheet.columns(self._target.key_fields)
        sheet.check_cells((*columns.values(), *key_columns))
        self._check_formulas(sheet, columns)
        found = _find(sheet, columns, key_columns, {change.key for change in changes})
        folded = fold_changes(changes, found.records, self._target.fields, _refuse)
        if folded.is_empty:
            return folded.outcomes
        self._check_rows(found.last_row + len(folded.created) - len(folded.deleted))
        book = self._load(sheet.signature)
        work = t.cast("Worksheet", book[self._name])
        check_tables(work, self._place)
        reason = why_rows_must_stay(book, work) if folded.deleted else ""
        if reason:
            folded = fold_changes(changes, found.records, self._target.fields, lambda change: _keep(change, reason))
        if not folded.is_empty:
            numbers = {name: sheet.first_column + column + 1 for name, column in columns.items()}
            if self._target.replace and sheet.header != self._target.fields:
                work = keep_columns(book, work, [numbers.get(name) for name in self._target.fields])
                numbers = {name: number for number, name in enumerate(self._target.fields, 1)}
                self._write_header(work, range(1, len(numbers) + 1))
            self._write(work, folded, found, numbers)
            replace_file(self._path, self._where, sheet.signature, lambda file: _save(book, file))
        return folded.outcomes

    def _present(self, sheet: Sheet) -> tuple[str, ...]:
        """Give the mapped fields that the sheet has; only a file that is made anew may lack some."""
        if not self._target.replace:
            return self._target.fields
        return tuple(name for name in self._target.fields if name in sheet.header)

    def _check_formulas(self, sheet: Sheet, columns: Mapping[str, int]) -> None:
        for name, column in columns.items():
            place = sheet.scan.formulas.get(sheet.first_column + column)
            if place is not None:
                raise ProviderError(
                    f"{self._place}: {place} holds a formula; writing the workbook would lose its calculated value, "
                    f"and the next run could not read {name!r}. Leave the field out of the job, or put values there."
                )

    def _load(self, seen: Signature) -> Workbook:
        """Load the whole workbook for writing. Raises ProviderError when something in it could not be written back."""
        lost = lost_parts(self._path, self._where)
        if lost:
            more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
            raise ProviderError(
                f"{self._where}: {self._path} is not written, because charts, pictures, pivot tables or other parts "
                f"would be lost: {', '.join(lost[:5])}{more}. Let the job write a workbook of its own."
            )
        load_openpyxl()
        from openpyxl import load_workbook

        try:
            book = load_workbook(self._path, rich_text=True)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            # what openpyxl raises for XML that it does not expect
            raise ProviderError(
                f"{self._where}: {self._path} is not written: the library openpyxl cannot load it: {error}. "
                f"Open it in Excel and save it again as .xlsx."
            ) from error
        # the calculated values of formulas are not written
        book.calculation.fullCalcOnLoad = True
        source = open_workbook(self._path, self._where)
        for name in sheet_names(source):
            restore_texts(book[name], self._cells(source, name))
        check_unchanged(self._path, self._where, seen)
        return book

    def _cells(self, source: CalamineWorkbook, name: str) -> CalamineSheet:
        return read_cells(self._path, self._where, lambda: source.get_sheet_by_name(name))

    def _write(self, work: Worksheet, folded: Folded, found: _Found, columns: Mapping[str, int]) -> None:
        for key, values in folded.updated.items():
            row = found.row_numbers[key]
            for name, value in values.items():
                model = found.models.get(name)
                put_value(
                    cell_at(work, row, columns[name]),
                    _text(value),
                    found.types.get(name, "text"),
                    cell_at(work, model, columns[name]) if model else None,
                )
        self._append(work, folded, columns, found, found.last_row)
        last_row = found.last_row + len(folded.created)
        if folded.deleted:
            last_row = remove_rows(work, (found.row_numbers[key] for key in folded.deleted), last_row)
        follow_rows(work, found.last_row, last_row)

    def _append(
        self, work: Worksheet, folded: Folded, columns: Mapping[str, int], found: _Found, last_row: int
    ) -> None:
        """Put new records below the last one, which gives them its styles."""
        styled: list[tuple[int, Cell]] = []
        if last_row > 1:
            styled = [(number, cell_at(work, last_row, number)) for number in range(1, work.max_column + 1)]
        for row, record in enumerate(folded.created.values(), last_row + 1):
            for number, model in styled:
                copy_style(model, cell_at(work, row, number))
            for name, number in columns.items():
                place = found.models.get(name)
                put_value(
                    cell_at(work, row, number),
                    _text(record.get(name)),
                    found.types.get(name, "text"),
                    cell_at(work, place, number) if place else None,
                )


def _find(sheet: Sheet, columns: Mapping[str, int], key_columns: Sequence[int], keys: set[Key]) -> _Found:
    """Sweep over the sheet for the records that have one of `keys`, and for the types of its columns."""
    records: dict[Key, list[Record]] = {}
    row_numbers: dict[Key, int] = {}
    last_row = 1
    width = len(columns)
    for numbers, rows in sheet.batches((*columns.values(), *key_columns)):
        for number, row in zip(numbers, rows, strict=True):
            key = t.cast("Key", row[width:])
            if key in keys:
                records.setdefault(key, []).append(dict(zip(columns, row, strict=False)))
                row_numbers[key] = number
        last_row = numbers[-1]
    types, models = _column_types(sheet, columns)
    return _Found(records=records, row_numbers=row_numbers, types=types, models=models, last_row=last_row)


def _column_types(sheet: Sheet, columns: Mapping[str, int]) -> tuple[dict[str, ColumnType], dict[str, int]]:
    """Give the type of each column and the row of its first value."""
    types: dict[str, set[type]] = {name: set() for name in columns}
    models: dict[str, int] = {}
    for numbers, rows in sheet.rows():
        cells = list(zip(*rows, strict=True))
        for name, column in columns.items():
            types[name].update(map(type, filter(_has_value, cells[column])))
            if name not in models and types[name]:
                models[name] = next(n for n, cell in zip(numbers, cells[column], strict=True) if _has_value(cell))
    return {name: column_type(found) for name, found in types.items()}, models


def _save(book: Workbook, file: t.BinaryIO) -> None:
    """Write the workbook by way of memory: a zip archive cannot be closed cleanly on a disk that is full."""
    buffer = io.BytesIO()
    book.save(buffer)
    file.write(buffer.getbuffer())


def _has_value(cell: object) -> bool:
    return cell != ""


def _refuse(change: Change) -> Outcome | None:
    return refuse_values(change, refuse_value)


def _keep(change: Change, reason: str) -> Outcome | None:
    if change.action == "delete":
        return failed("layout", f"the row is not deleted: the rows of the sheet cannot move up, because {reason}")
    return _refuse(change)


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
