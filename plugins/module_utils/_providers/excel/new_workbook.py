# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workbook that did not exist: row after row goes to its sheet, and no row is held."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence

from ..file_changes import Record
from .cells import escape_text, is_plain, put_value
from .libraries import load_openpyxl

if t.TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet


def new_workbook(name: str, fields: Sequence[str], records: Iterable[Record]) -> Workbook:
    """Give a workbook with one sheet `name`: `fields` in the first row, then the texts of `records`.

    Raises DependencyError.
    """
    book = load_openpyxl()(write_only=True)
    sheet = t.cast("WriteOnlyWorksheet", book.create_sheet(name))
    sheet.append(_row(sheet, fields))
    for record in records:
        sheet.append(_row(sheet, [t.cast("str | None", record.get(field)) for field in fields]))
    return book


def _row(sheet: WriteOnlyWorksheet, texts: Sequence[str | None]) -> list[str | Cell | None]:
    """Give what the sheet takes for a row of `texts`.

    openpyxl uses one cell for all plain values of a row, and from a given cell on that one, with its style: a row with
    a text that needs a cell gets cells throughout.
    """
    if all(map(is_plain, filter(None, texts))):
        return [escape_text(text) if text else None for text in texts]
    return [_cell(sheet, text) for text in texts]


def _cell(sheet: WriteOnlyWorksheet, text: str | None) -> Cell:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet)
    put_value(cell, text, "text", None)
    return cell
