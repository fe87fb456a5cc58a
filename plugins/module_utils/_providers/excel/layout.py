# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a worksheet beside its values, and how it follows when rows come and go."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ..._model.errors import ProviderError
from .cells import cell_at, copy_style, escape_text

if t.TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet
    from python_calamine import CalamineSheet


def restore_texts(sheet: Worksheet, cells: CalamineSheet) -> None:
    """Give texts with escaped characters back what openpyxl took from them when it loaded `sheet`.

    openpyxl drops the escape of an underscore (`_x005F_`) but none other, so a text such as `_x0041_` would be saved as
    an escaped A. `cells` are those of the same sheet as another library reads them.
    """
    if cells.start is None:
        return
    for row, texts in enumerate(cells.iter_rows(), 1):
        for column, text in enumerate(texts, cells.start[1] + 1):
            if isinstance(text, str) and text:
                escaped = escape_text(text)
                if escaped != text:
                    cell = cell_at(sheet, row, column)
                    if cell.data_type == "s" and isinstance(cell.value, str):
                        cell.value = escaped
                        cell.data_type = "s"


def why_rows_must_stay(workbook: Workbook, sheet: Worksheet) -> str:
    """Say what on the sheet would point to other records if rows moved up; empty when nothing would."""
    if any(area.max_row > 1 for area in sheet.merged_cells.ranges):
        return "it has merged cells"
    if len(sheet.conditional_formatting):
        return "it has conditional formats"
    title = sheet.title.casefold()
    for other in workbook.worksheets:
        for place, formula in _formulas(other):
            if other is sheet:
                return f"it has a formula in {place}"
            if title in formula.casefold():
                return f"the formula in {other.title}!{place} refers to it"
    for name, definition in workbook.defined_names.items():
        if title in str(definition.attr_text).casefold():
            return f"the name {name} refers to it"
    return ""


def check_tables(sheet: Worksheet, place: str) -> None:
    """Raise ProviderError for a table with a totals row: new rows would come after the totals."""
    for table in sheet.tables.values():
        if table.totalsRowCount:
            raise ProviderError(f"{place}: the table {table.name} has a totals row. Switch it off in Excel.")


def remove_rows(sheet: Worksheet, gone: Iterable[int], last_row: int) -> int:
    """Take the rows with the numbers `gone` out; the rows below move up with styles, heights and comments.

    Returns the number of the last row that is left.
    """
    doomed = set(gone)
    columns = sheet.max_column
    staying = [row for row in range(min(doomed), last_row + 1) if row not in doomed]
    new = min(doomed)
    for first, last in _blocks(staying):
        _move_block(sheet, first, last, new - first, columns)
        new += last - first + 1
    if new <= last_row:
        sheet.delete_rows(new, last_row - new + 1)
        for row in range(new, last_row + 1):
            sheet.row_dimensions.pop(row, None)
    return new - 1


def follow_rows(sheet: Worksheet, old_last: int, new_last: int) -> None:
    """Stretch or shrink tables and the filter that ended at the last record."""
    for table in sheet.tables.values():
        table.ref = _with_last_row(table.ref, old_last, new_last)
        if table.autoFilter is not None:
            table.autoFilter.ref = _with_last_row(table.autoFilter.ref, old_last, new_last)
    if sheet.auto_filter.ref:
        sheet.auto_filter.ref = _with_last_row(sheet.auto_filter.ref, old_last, new_last)


def keep_columns(workbook: Workbook, sheet: Worksheet, columns: Sequence[int | None]) -> Worksheet:
    """Put a new sheet in the place of `sheet` that holds only `columns` (from 1; None = a new empty one)."""
    from openpyxl.utils import get_column_letter

    new: Worksheet = workbook.create_sheet(index=workbook.index(sheet))
    for number, column in enumerate(columns, 1):
        if column is None:
            continue
        width = sheet.column_dimensions[get_column_letter(column)].width
        new.column_dimensions[get_column_letter(number)].width = width
        for row in range(1, sheet.max_row + 1):
            old = cell_at(sheet, row, column)
            if old.value is not None:
                cell = cell_at(new, row, number)
                cell.value = old.value
                cell.data_type = old.data_type
                copy_style(old, cell)
    new.freeze_panes = sheet.freeze_panes
    new.sheet_state = sheet.sheet_state
    title = sheet.title
    workbook.remove(sheet)
    new.title = title
    return new


def _formulas(sheet: Worksheet) -> Iterator[tuple[str, str]]:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                yield cell.coordinate, str(getattr(cell.value, "text", cell.value))


def _blocks(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the first and last row of each unbroken run."""
    for _offset, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0]):
        numbers = [row for _place, row in run]
        yield numbers[0], numbers[-1]


def _move_block(sheet: Worksheet, first: int, last: int, shift: int, columns: int) -> None:
    from openpyxl.worksheet.cell_range import CellRange

    sheet.move_range(CellRange(min_col=1, min_row=first, max_col=columns, max_row=last), rows=shift)
    for row in range(first, last + 1):
        for column in range(1, columns + 1):
            cell = cell_at(sheet, row + shift, column)
            if cell.hyperlink:
                cell.hyperlink.ref = cell.coordinate
        dimension = sheet.row_dimensions.pop(row, None)
        sheet.row_dimensions.pop(row + shift, None)
        if dimension is not None:
            dimension.index = row + shift
            sheet.row_dimensions[row + shift] = dimension


def _with_last_row(area: str, old_last: int, new_last: int) -> str:
    from openpyxl.utils import get_column_letter, range_boundaries

    left, top, right, bottom = range_boundaries(area)
    if left is None or top is None or right is None or bottom is None or bottom != old_last:
        return area
    # a table keeps at least one row below its header
    return f"{get_column_letter(left)}{top}:{get_column_letter(right)}{max(new_last, top + 1)}"
