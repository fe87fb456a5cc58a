# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stream the rows of a CSV file strictly: what is not a clean table is an error with path and line, never a guess."""

from __future__ import annotations

import codecs
import csv
import re
import typing as t
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from ..._model.errors import ProviderError
from ..files import Signature, check_unchanged, read_error, signature_of
from .dialect import CsvOptions, FileForm, detect_form

ROWS_PER_BATCH = 1000
CELL_LIMIT = 64 * 1024 * 1024
_BLOCK = 1024 * 1024
_LINE_BREAK = re.compile("\r\n|\r|\n")

Cells: t.TypeAlias = list[str]


class CsvTable:
    """One sweep over a CSV file; a context manager.

    Attributes:
        header: the field names, exactly as in the file.
        form: the file's encoding, mark and line break.
        signature: the file as it was when the sweep began.
    """

    def __init__(self, options: CsvOptions) -> None:
        self._options = options
        self._where = options.where
        self._path = options.path
        self.signature: Signature = signature_of(options.path, options.where)
        self._file, self.form = self._open()
        if csv.field_size_limit() < CELL_LIMIT:
            csv.field_size_limit(CELL_LIMIT)
        self._reader = csv.reader(self._lines(), delimiter=options.delimiter, quotechar=options.quote, strict=True)
        try:
            self.header: tuple[str, ...] = options.names or self._read_header()
        except BaseException:
            self._file.close()
            raise

    def batches(self) -> Iterator[list[Cells]]:
        """Yield the rows in lists of about 1,000; each has as many cells as the header. Raises ProviderError."""
        width = {len(self.header)}
        while True:
            line = self._reader.line_num
            rows = self._next_rows()
            if not rows:
                break
            if set(map(len, rows)) != width:
                rows = self._without_blank_lines(rows, line)
            if rows:
                yield rows
        check_unchanged(self._path, self._where, self.signature)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    # -- opening

    def _open(self) -> tuple[t.TextIO, FileForm]:
        try:
            with self._path.open("rb") as raw:
                start = raw.read(4)
            if not start and self._options.names is None:
                raise ProviderError(f"{self._where}: {self._path} is empty (0 bytes): it has no header line.")
            form = detect_form(self._options, start)
            file = self._path.open(encoding=form.codec, newline="")
        except OSError as error:
            raise read_error(self._path, self._where, error) from error
        return file, form

    def _lines(self) -> Iterator[str]:
        """Hand over the lines of the file; the first one tells the line break."""
        if self.form.mark:
            self._file.read(1)
        first = next(self._file, "")
        self.form = replace(self.form, line_break=_line_break_of(first))
        for line in chain((first,) if first else (), self._file):
            if "\0" in line:
                raise self._error(
                    self._reader.line_num + 1,
                    "the line holds a NUL byte; the file is damaged or its encoding is not the declared one",
                )
            yield line

    def _read_header(self) -> tuple[str, ...]:
        while True:
            rows = self._next_rows(1)
            if not rows:
                raise ProviderError(f"{self._where}: {self._path} has only blank lines: it has no header line.")
            if rows[0]:
                break
        header = tuple(rows[0])
        line = self._reader.line_num
        if "" in header:
            raise self._error(line, f"column {header.index('') + 1} of the header has no name. Give it one")
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise self._error(
                line, f"the header names {', '.join(map(repr, twice))} more than once. Rename the columns"
            )
        return header

    # -- rows

    def _next_rows(self, count: int = ROWS_PER_BATCH) -> list[Cells]:
        try:
            return list(islice(self._reader, count))
        except csv.Error as error:
            raise self._csv_error(error) from error
        except UnicodeDecodeError as error:
            raise undecodable(self._path, self._where, self.form.codec) from error
        except OSError as error:
            raise read_error(self._path, self._where, error) from error

    def _without_blank_lines(self, rows: list[Cells], line: int) -> list[Cells]:
        """Drop rows of blank lines. `line` is the number of the line before the first row."""
        kept = []
        for row in rows:
            if row and len(row) != len(self.header):
                raise self._error(
                    line + 1,
                    f"the row has {_count(len(row), 'field')}, the header has {len(self.header)}. "
                    f"Quote values that hold the delimiter {self._options.delimiter!r}",
                )
            if row:
                kept.append(row)
            line += 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in row)
        return kept

    def _csv_error(self, error: csv.Error) -> ProviderError:
        line = self._reader.line_num
        text = str(error)
        if "unexpected end of data" in text:
            return self._error(
                line, "a quote is still open at the end of the file. The file was cut or a quote is missing"
            )
        if "field limit" in text:
            return self._error(
                line, f"a cell has more than {CELL_LIMIT} characters. A quote before this line is probably not closed"
            )
        return self._error(line, f"{text}. Double a quote inside a quoted value")

    def _error(self, line: int, message: str) -> ProviderError:
        return ProviderError(f"{self._where}: {self._path}, line {line}: {message}.")


def undecodable(path: Path, where: str, codec: str) -> ProviderError:
    """Find the first byte of the file that is not text in `codec` and give the error that names it."""
    decoder = codecs.getincrementaldecoder(codec)()
    position, line = 0, 1
    try:
        with path.open("rb") as file:
            while True:
                block = file.read(_BLOCK)
                pending = len(decoder.getstate()[0])
                try:
                    line += decoder.decode(block, final=not block).count("\n")
                except UnicodeDecodeError as error:
                    readable = memoryview(error.object)[: int(error.start)]
                    line += bytes(readable).decode(codec, "replace").count("\n")
                    place = f"{where}: {path}, line {line}: byte {position - pending + error.start}"
                    return _undecodable_at(place, codec, error)
                position += len(block)
                if not block:
                    break
    except OSError as error:
        return read_error(path, where, error)
    return ProviderError(f"{where}: {path} was changed while it was in use. Run the job again.", retriable=True)


def _undecodable_at(place: str, codec: str, error: UnicodeDecodeError) -> ProviderError:
    bad = error.object[error.start : error.start + 1].hex()
    others = ", ".join(name for name in ("utf-8", "windows-1252", "iso-8859-1", "utf-16") if name != codec)
    return ProviderError(
        f"{place} (0x{bad}) is not {codec} text: {error.reason}. "
        f"Set the option encoding to the one the file has, for example {others}."
    )


def _line_break_of(line: str) -> str:
    if line.endswith("\r\n"):
        return "\r\n"
    return "\r" if line.endswith("\r") else "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
