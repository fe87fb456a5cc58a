# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a CSV file anew with changes applied: same order, same unmapped columns, same encoding and line breaks.

Values are written as they are. A text that a spreadsheet would take for a formula (`=1+1`) is not altered: the file is
data for programs, and escaping would change it. Only values that need quotes get them.
"""

from __future__ import annotations

import csv
import io
import operator
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ..._model.access import WriteTarget
from ..._model.plans import Change, Outcome, PlannedValue
from ..._model.values import Key, Value, show
from ..atomic_file import replace_file
from ..file_changes import Folded, Record, failed, fold_changes, refuse_values
from ..files import Signature, check_unchanged, field_numbers, signature_or_none
from .dialect import CsvOptions, FileForm, new_form
from .reading import key_picker, picker
from .table import Cells, CsvTable

CSV_LINE_BREAK = "\r\n"


class CsvWriter:
    """Applies changes to one CSV file; see `access.Writer`. All changes in one call, the file is replaced once."""

    def __init__(self, options: CsvOptions, target: WriteTarget) -> None:
        self._options = options
        self._target = target
        self._place = f"{options.where}: {options.path}"

    @property
    def batch_size(self) -> int | None:
        return None

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        seen = signature_or_none(self._options.path, self._options.where)
        if seen is None:
            return self._make(changes)
        with self._open(seen) as table:
            form, header = table.form, table.header
            folded = self._fold(changes, form, self._find(table, {change.key for change in changes}))
        if not folded.is_empty:
            columns = self._columns(header)
            self._replace(seen, form, columns, lambda: self._merge(seen, columns, folded))
        return folded.outcomes

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    # -- what is there

    def _open(self, seen: Signature) -> CsvTable:
        table = CsvTable(self._options)
        if table.signature != seen:
            table.__exit__()
            check_unchanged(self._options.path, self._options.where, seen)
        return table

    def _find(self, table: CsvTable, keys: set[Key]) -> Mapping[Key, Sequence[Record]]:
        """Collect the mapped fields of the records that have one of `keys`."""
        key_of = key_picker(field_numbers(self._place, table.header, self._target.key_fields))
        fields = self._present(table.header)
        pick = key_picker(field_numbers(self._place, table.header, fields))
        found: dict[Key, list[Record]] = {}
        for rows in table.batches():
            for row in rows:
                key = key_of(row)
                if key in keys:
                    found.setdefault(key, []).append(dict(zip(fields, pick(row), strict=True)))
        return found

    def _present(self, header: Sequence[str]) -> tuple[str, ...]:
        """Give the mapped fields that the file has; only a file that is made anew may lack some."""
        if not self._target.replace:
            return self._target.fields
        return tuple(name for name in self._target.fields if name in header)

    def _columns(self, header: Sequence[str]) -> tuple[str, ...]:
        if self._options.names is None and self._target.replace:
            return self._target.fields
        return tuple(header)

    # -- what it becomes

    def _fold(self, changes: Sequence[Change], form: FileForm, found: Mapping[Key, Sequence[Record]]) -> Folded:
        def refuse(change: Change) -> Outcome | None:
            return refuse_values(change, lambda field, value: refuse_value(field, value, form.codec))

        def fit(values: Iterable[PlannedValue]) -> bool:
            return all_fit(values, form.codec)

        return fold_changes(changes, found, self._target.fields, refuse, fit)

    def _make(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes` to a file that does not exist; it is made when there is a record to put in."""
        columns = self._options.names or self._target.fields
        field_numbers(self._place, columns, self._target.fields)
        form = new_form(self._options)
        folded = self._fold(changes, form, {})
        if folded.created:
            self._replace(None, form, columns, lambda: _new_rows(folded, columns, self._target.fields))
        return folded.outcomes

    def _merge(self, seen: Signature, columns: Sequence[str], folded: Folded) -> Iterator[Iterable[Value]]:
        """Yield the rows of the file as they shall be, in their order, new ones last."""
        with self._open(seen) as table:
            key_of = key_picker(field_numbers(self._place, table.header, self._target.key_fields))
            shape = _shaper(table.header, columns)
            place = {name: number for number, name in enumerate(columns)}
            touched = folded.deleted | folded.updated.keys()
            for rows in table.batches():
                for row in rows:
                    key = key_of(row)
                    if key not in touched:
                        yield shape(row)
                    elif key not in folded.deleted:
                        cells = list(shape(row))
                        for name, value in folded.updated[key].items():
                            cells[place[name]] = _text(value)
                        yield cells
        yield from _new_rows(folded, columns, self._target.fields)

    def _replace(
        self,
        seen: Signature | None,
        form: FileForm,
        columns: Sequence[str],
        rows: Callable[[], Iterator[Iterable[Value]]],
    ) -> None:
        def write(file: t.BinaryIO) -> None:
            file.write(form.mark)
            text = io.TextIOWrapper(file, encoding=form.codec, newline="", write_through=False)
            writer = csv.writer(
                text if form.line_break == CSV_LINE_BREAK else _LineBreaks(text, form.line_break),
                delimiter=self._options.delimiter,
                quotechar=self._options.quote,
                lineterminator=CSV_LINE_BREAK,
            )
            if self._options.names is None:
                writer.writerow(columns)
            writer.writerows(rows())
            text.detach()

        replace_file(self._options.path, self._options.where, seen, write)


class _LineBreaks:
    """Ends each row with the file's own line break.

    csv.writer is always told CR LF: it quotes only line break characters it ends rows with, and an unquoted CR in a
    file with LF would be read back as the end of the row.
    """

    def __init__(self, file: t.TextIO, line_break: str) -> None:
        self._write = file.write
        self._line_break = line_break

    def write(self, row: str) -> int:
        return self._write(row[:-2] + self._line_break)


def all_fit(values: Iterable[PlannedValue], codec: str) -> bool:
    """Tell whether a CSV file in `codec` can hold each of `values`: `refuse_value` gives None for all of them."""
    try:
        text = "".join(filter(_IS_SOMETHING, t.cast("Iterable[str]", values)))
        text.encode(codec)
    except (TypeError, UnicodeEncodeError):
        return False
    return "\0" not in text


def refuse_value(field: str, value: PlannedValue, codec: str) -> Outcome | None:
    """Give the failed outcome for a value that a CSV file in `codec` cannot hold, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        what = "binary data" if isinstance(value, bytes) else "a value that is not one text"
        return failed("type", f"{field} is {what}; a CSV file holds text only. Turn it into text in the mapping")
    if "\0" in value:
        return failed("character", f"{field} holds a NUL character, which a CSV file cannot hold: {show(value)}")
    try:
        value.encode(codec)
    except UnicodeEncodeError as error:
        bad = value[error.start]
        return failed(
            "encoding", f"{field} holds {bad!r} (U+{ord(bad):04X}), which {codec} cannot encode: {show(value)}"
        )
    return None


_IS_SOMETHING = partial(operator.is_not, None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _new_rows(folded: Folded, columns: Sequence[str], fields: Sequence[str]) -> Iterator[Iterable[Value]]:
    """Give new records as rows; the csv module writes nothing for no value."""
    records = folded.created.values()
    # A record has no other than the mapped fields, so that as many are all of them.
    if len(columns) > 1 and set(fields) == set(columns) and set(map(len, records)) <= {len(columns)}:
        return map(operator.itemgetter(*columns), records)
    return (map(record.get, columns) for record in records)


def _shaper(header: Sequence[str], columns: Sequence[str]) -> Callable[[Cells], Sequence[str]]:
    """Give the function that turns a row under `header` into one under `columns`; columns the file lacks are empty."""
    if tuple(header) == tuple(columns):
        return lambda row: row
    numbers = {name: number for number, name in enumerate(header)}
    if all(name in numbers for name in columns):
        return picker(header, [numbers[name] for name in columns])
    return lambda row: [row[numbers[name]] if name in numbers else "" for name in columns]
