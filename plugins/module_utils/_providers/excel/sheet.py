# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sheet of a workbook as a table: the first row is the header, cells become canonical text."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..._model.errors import ConfigError, ProviderError, unknown
from ..._model.kinds import float_text, from_native
from ..._model.values import Row, Single, Value
from ..files import Signature, check_unchanged, field_numbers, signature_of
from .libraries import load_calamine
from .package import SheetScan, check_package, column_letters, scan_sheet

if t.TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

ROWS_PER_BATCH = 1000
# whole numbers below this are written by `float_text` without an exponent
EXACT = 1e16

Cells: t.TypeAlias = list[t.Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One sheet in memory.

    Attributes:
        header: the column names from the first used column on; `` for a column without a name.
        first_column: the sheet's column (from 0) of the first name of the header.
        signature: the file as it was when the sheet was read.
    """

    where: str
    path: Path
    name: str
    signature: Signature
    header: tuple[str, ...]
    first_column: int
    scan: SheetScan
    cells: CalamineSheet

    @property
    def place(self) -> str:
        """The start of messages about the sheet."""
        return f"{self.where}: {self.path}, sheet {self.name!r}"

    def columns(self, fields: Sequence[str]) -> tuple[int, ...]:
        """Give the places of `fields` in a row. Raises ConfigError or, for a name given twice, ProviderError."""
        numbers = field_numbers(self.place, self.header, fields)
        for name in fields:
            if self.header.count(name) > 1:
                places = [column_letters(self.first_column + n) for n, found in enumerate(self.header) if found == name]
                raise ProviderError(
                    f"{self.place}: the header names {name!r} more than once, in columns {', '.join(places)}. "
                    f"Rename the columns."
                )
        return numbers

    def check_cells(self, columns: Sequence[int]) -> None:
        """Raise ProviderError when a cell of `columns` cannot be read: an error, no value, or a merged range."""
        used = {self.first_column + column for column in columns}
        for column in sorted(used | {-1}):
            found = self.scan.unreadable.get(column)
            if found is not None:
                raise ProviderError(
                    f"{self.place}: {found.place} {found.reason}. Correct the cell (open and save the workbook in "
                    f"Excel to calculate formulas), or leave the column out of the job."
                )
        for (top, left), (bottom, right) in self.cells.merged_cell_ranges or ():
            if bottom > 0 and not used.isdisjoint(range(left, right + 1)):
                area = f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"
                raise ProviderError(
                    f"{self.place}: the cells {area} are merged, so only the first one has a value. Unmerge them."
                )

    def rows(self) -> Iterator[tuple[Sequence[int], list[Cells]]]:
        """Yield the rows that are not empty with their numbers in the sheet (from 1), about 1,000 at a time."""
        cells = self.cells.iter_rows()
        next(cells, None)
        width = len(self.header)
        wider = self.cells.width > width
        number = 2
        while rows := list(islice(cells, ROWS_PER_BATCH)):
            numbers: Sequence[int] = range(number, number + len(rows))
            number += len(rows)
            if not all(map(any, rows)):
                used = [place for place, row in enumerate(rows) if row.count("") < len(row)]
                numbers, rows = [numbers[place] for place in used], [rows[place] for place in used]
            if wider:
                self._refuse_cells_beyond(numbers, rows)
            if rows:
                yield numbers, rows

    def batches(self, columns: Sequence[int]) -> Iterator[tuple[Sequence[int], list[Row]]]:
        """Yield the values of `columns` with the numbers of their rows. Raises ProviderError."""
        for numbers, rows in self.rows():
            cells = list(zip(*rows, strict=True))
            picked = [canonical_column(cells[column]) for column in columns]
            values: list[Row] = list(zip(*picked, strict=True)) if picked else [()] * len(rows)
            yield numbers, values

    def _refuse_cells_beyond(self, numbers: Sequence[int], rows: Sequence[Cells]) -> None:
        width = len(self.header)
        for number, row in zip(numbers, rows, strict=True):
            for column, cell in enumerate(row[width:], width):
                if cell != "":
                    place = f"{column_letters(self.first_column + column)}{number}"
                    raise ProviderError(
                        f"{self.place}: {place} has a value, but its column has no name in the first row. "
                        f"Name the column or empty the cell."
                    )


def load_sheet(path: Path, where: str, name: str) -> Sheet | None:
    """Read the sheet called `name`; None when it holds nothing at all.

    Raises ConfigError naming the sheets when there is none such, ProviderError when the workbook cannot be read.
    """
    signature = signature_of(path, where)
    workbook = open_workbook(path, where)
    names = sheet_names(workbook)
    if name not in names:
        raise ConfigError(unknown("sheet", name, names, where=f"{where}: {path}"))
    scan = scan_sheet(path, where, name)
    cells = read_cells(path, where, lambda: workbook.get_sheet_by_name(name))
    check_unchanged(path, where, signature)
    if cells.start is None:
        return None
    header = header_of(cells)
    place = f"{where}: {path}, sheet {name!r}"
    if not header:
        raise ProviderError(f"{place}: the first row is empty. It must hold the names of the columns.")
    return Sheet(
        where=where,
        path=path,
        name=name,
        signature=signature,
        header=header,
        first_column=cells.start[1],
        scan=scan,
        cells=cells,
    )


def open_workbook(path: Path, where: str) -> CalamineWorkbook:
    """Open a workbook for reading, after a look at its package. Raises ProviderError."""
    check_package(path, where)
    calamine = load_calamine()
    return read_cells(path, where, lambda: calamine.from_path(path))


def sheet_names(workbook: CalamineWorkbook) -> list[str]:
    """Give the names of the sheets with cells, hidden ones too, in their order."""
    from python_calamine import SheetTypeEnum

    return [info.name for info in workbook.sheets_metadata if info.typ == SheetTypeEnum.WorkSheet]


def header_of(cells: CalamineSheet) -> tuple[str, ...]:
    """Give the names in the first row up to the last one; empty when there are none."""
    if cells.start is None:
        return ()
    names = [_name(cell) for cell in next(iter(cells.iter_rows()), [])]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


Got = t.TypeVar("Got")


def read_cells(path: Path, where: str, read: Callable[[], Got]) -> Got:
    """Call the reading library; its errors become a ProviderError."""
    from python_calamine import CalamineError

    try:
        return read()
    except (CalamineError, OSError) as error:
        raise ProviderError(
            f"{where}: {path} cannot be read as a workbook: {error}. Open it in Excel and save it again as .xlsx."
        ) from error


def canonical_column(cells: Sequence[t.Any]) -> Sequence[Value]:
    """Give the canonical values of one column's cells; a column of one type of cells costs next to nothing."""
    types = set(map(type, cells))
    if types == {str}:
        return cells if "" not in cells else [cell or None for cell in cells]
    if types == {dt.date}:
        return list(map(dt.date.isoformat, cells))
    if types == {float}:
        return [str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else float_text(cell) for cell in cells]
    return [_canonical(cell) for cell in cells]


def _canonical(cell: t.Any) -> Single | None:
    return from_native(cell) or None


def _name(cell: t.Any) -> str:
    return str(_canonical(cell) or "")
