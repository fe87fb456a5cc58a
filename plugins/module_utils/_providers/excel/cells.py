# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn canonical text into cells: text stays text, a column of numbers, dates or truth values keeps its type."""

from __future__ import annotations

import datetime as dt
import math
import re
import typing as t
from collections.abc import Callable, Iterable, Mapping
from copy import copy

from ..._model.kinds import float_text
from ..._model.plans import Outcome, PlannedValue
from ..._model.values import show
from ..file_changes import failed

if t.TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

Native: t.TypeAlias = str | float | int | bool | dt.date | dt.datetime | dt.time | None
ColumnType: t.TypeAlias = t.Literal["text", "number", "boolean", "date", "time"]

CELL_LENGTH = 32767
# Excel counts days from here on without its error about the year 1900
_FIRST_DAY = dt.date(1900, 3, 1)
_NOT_IN_XML = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")
# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): characters that XML cannot hold are written _xHHHH_, and so is an underscore
# that would start such a group
_ESCAPED = re.compile("[\x01-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
_FORMULA_STARTS = ("=", "+", "-", "@")
_NOT_PLAIN = ("#", *_FORMULA_STARTS)

_TYPES: Mapping[type, ColumnType] = {
    float: "number",
    int: "number",
    bool: "boolean",
    dt.date: "date",
    dt.datetime: "date",
    dt.time: "time",
}


def column_type(types: Iterable[type]) -> ColumnType:
    """Give the type of a column from the Python types of its cells that have a value; mixed and empty ones are text."""
    found = {_TYPES.get(kind, "text") for kind in types}
    return found.pop() if len(found) == 1 else "text"


def refuse_value(field: str, value: PlannedValue) -> Outcome | None:
    """Give the failed outcome for a value that a cell cannot hold, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        what = "binary data" if isinstance(value, bytes) else "a value that is not one text"
        return failed("type", f"{field} is {what}; a cell holds text only. Turn it into text in the mapping")
    bad = _NOT_IN_XML.search(value)
    if bad:
        return failed("character", f"{field} holds U+{ord(bad[0]):04X}, which a workbook cannot hold: {show(value)}")
    length = len(value.encode("utf-16-le")) // 2
    if length > CELL_LENGTH:
        return failed("too_long", f"{field} has {length} characters, a cell takes {CELL_LENGTH}: {show(value)}")
    return None


def all_fit(values: Iterable[PlannedValue]) -> bool:
    """Tell that cells can hold all of `values`; False also for a text that may be too long, `refuse_value` knows."""
    texts = [t.cast("str", value) for value in values if value is not None]
    try:
        # a character takes at most two units of UTF-16
        return len(max(texts, key=len, default="")) <= CELL_LENGTH // 2 and not _NOT_IN_XML.search("".join(texts))
    except TypeError:
        return False


def is_plain(text: str) -> bool:
    """Tell whether a cell can be given `text` as it is: openpyxl takes it for no formula and no error."""
    return not text.startswith(_NOT_PLAIN)


def native_value(text: str, kind: ColumnType) -> Native:
    """Give the typed value of `text` when reading it back gives the same text, else the text itself."""
    maker = _MAKERS.get(kind)
    value = maker(text) if maker else None
    return text if value is None else value


def put_value(cell: Cell, value: str | None, kind: ColumnType, model: Cell | None) -> None:
    """Write a canonical value into `cell`; `model` is a cell of the same column whose format a date or number gets."""
    native = native_value(value, kind) if value else None
    if isinstance(native, str):
        cell.value = escape_text(native)
        # openpyxl takes =text for a formula and #N/A for an error
        cell.data_type = "s"
    else:
        if native is not None and model is not None and cell.number_format == "General":
            cell.number_format = model.number_format
        cell.value = native
    quoted = isinstance(native, str) and native.startswith(_FORMULA_STARTS)
    if bool(cell.quotePrefix) != quoted:
        cell.quotePrefix = quoted


def cell_at(sheet: Worksheet, row: int, column: int) -> Cell:
    """Give the cell at `row` and `column` (from 1); merged cells have been refused before."""
    return t.cast("Cell", sheet.cell(row, column))


def copy_style(source: Cell, to: Cell) -> None:
    """Give `to` the fonts, borders, fills and formats of `source`, a cell of the same workbook."""
    if source.has_style:
        # openpyxl's own way to copy all of a style; attribute by attribute takes a hundred times as long
        to._style = copy(source._style)  # type: ignore[attr-defined]  # noqa: SLF001


def escape_text(text: str) -> str:
    """Give `text` as it must stand in the XML of a workbook; the same object when nothing has to be escaped."""
    escaped = _ESCAPED.sub(_escape, text)
    # openpyxl does not mark text of blanks only as such, and readers would drop it
    return f"_x{ord(text[0]):04X}_{text[1:]}" if escaped.isspace() else escaped


def _escape(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


def _number(text: str) -> float | int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or float_text(number) != text:
        return None
    return int(number) if number == int(number) else number


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _date(text: str) -> dt.date | dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    midnight = moment.time() == dt.time()
    value = moment.date() if midnight else moment
    # a reader sees midnight as a date; cells keep no time zone and no reliable fractions of a second
    lossy = moment.tzinfo is not None or moment.microsecond != 0 or moment.date() < _FIRST_DAY
    return None if lossy or value.isoformat() != text else value


def _time(text: str) -> dt.time | None:
    try:
        value = dt.time.fromisoformat(text)
    except ValueError:
        return None
    lossy = value.tzinfo is not None or value.microsecond != 0
    return None if lossy or value.isoformat() != text else value


_MAKERS: Mapping[ColumnType, Callable[[str], Native]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
}
