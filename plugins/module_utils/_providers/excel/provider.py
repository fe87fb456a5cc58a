# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Excel provider: each sheet of an .xlsx workbook is one container."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..._model.access import Completeness, Query, Reading, Writer, WriteTarget
from ..._model.errors import ConfigError, ProviderError, unknown
from ..._model.jobs import ProviderSpec
from ..._model.schema import Capabilities, ContainerInfo, FieldInfo, ProviderStatus
from ..._model.secrets import Secret
from ..._model.values import Key, Row
from ..capabilities import EXCEL
from ..files import (
    Signature,
    check_unchanged,
    content_token,
    path_option,
    signature_of,
    signature_or_none,
    since_ms,
    where_of,
)
from .sheet import Sheet, header_of, load_sheet, open_workbook, read_cells, sheet_names
from .writing import CELL_LENGTH, ExcelWriter

if t.TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_UNFINISHED = Completeness(proven=False, reason="the reading has not come to its end")


class ExcelProvider:
    """See `access.Provider`. The sheet last described or read stays in memory until `release`."""

    def __init__(self, spec: ProviderSpec, secrets: Mapping[str, Secret]) -> None:  # noqa: ARG002 - one form for all
        self._where = where_of(spec)
        self._path = path_option(spec)
        if self._path.suffix.lower() != ".xlsx":
            raise ConfigError(
                f"{self._where}: path must be an .xlsx workbook, got {self._path.name!r}. "
                f"Save the workbook as .xlsx (.xls, .xlsm and .ods are not supported)."
            )
        self._sheet: Sheet | None = None
        self._read: Signature | None = None

    @property
    def capabilities(self) -> Capabilities:
        return EXCEL

    def check(self) -> ProviderStatus:
        start = time.perf_counter()
        signature_of(self._path, self._where)
        names = sheet_names(open_workbook(self._path, self._where))
        details = f"{self._path}: sheets {', '.join(map(repr, names))}"
        return ProviderStatus(server="excel workbook", version="", latency_ms=since_ms(start), details=details)

    def describe(self) -> tuple[ContainerInfo, ...]:
        signature_of(self._path, self._where)
        workbook = open_workbook(self._path, self._where)
        return tuple(_info(name, self._header(workbook, name)) for name in sheet_names(workbook))

    def describe_container(self, query: Query) -> ContainerInfo:
        name = self._sheet_name(query)
        if signature_or_none(self._path, self._where) is None:
            return _info(name, ())
        if query.optional and name not in sheet_names(open_workbook(self._path, self._where)):
            return _info(name, ())
        sheet = self._load(name)
        return _info(name, () if sheet is None else sheet.header)

    def read(self, query: Query, fields: Sequence[str]) -> Reading:
        reading = self._sweep(query, fields)
        self._read = reading.signature
        return reading

    def read_keys(self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]) -> Reading:
        if self._read is not None:
            check_unchanged(self._path, self._where, self._read)
        reading = self._sweep(query, fields, key_fields, frozenset(keys))
        self._read = reading.signature
        return reading

    def change_token(self) -> str:
        return content_token(self._path, self._where)

    def release(self) -> None:
        self._sheet = None
        self._read = None

    def writer(self, target: WriteTarget) -> Writer:
        name = self._sheet_name(Query(container=target.container))
        self._sheet = None
        return ExcelWriter(self._path, self._where, name, target)

    def close(self) -> None:
        self.release()

    def _sweep(
        self,
        query: Query,
        fields: Sequence[str],
        key_fields: Sequence[str] = (),
        keys: Collection[Key] | None = None,
    ) -> ExcelReading:
        name = self._sheet_name(query)
        sheet = self._load(name)
        if sheet is None:
            raise ProviderError(
                f"{self._where}: {self._path}, sheet {name!r} is empty. Its first row must name the columns."
            )
        return ExcelReading(sheet, fields, key_fields, keys)

    def _header(self, workbook: CalamineWorkbook, name: str) -> tuple[str, ...]:
        return header_of(read_cells(self._path, self._where, lambda: workbook.get_sheet_by_name(name)))

    def _load(self, name: str) -> Sheet | None:
        """Give the sheet from memory when the file is still the same."""
        kept = self._sheet
        if kept is None or kept.name != name or kept.signature != signature_of(self._path, self._where):
            self._sheet = None
            self._sheet = load_sheet(self._path, self._where, name)
        return self._sheet

    def _sheet_name(self, query: Query) -> str:
        if query.text is not None:
            raise ConfigError(
                f"{self._where}: an Excel workbook has no query, got {query.text!r}. Name a sheet instead."
            )
        if query.container is None:
            names: list[str] = []
            if signature_or_none(self._path, self._where) is not None:
                names = sheet_names(open_workbook(self._path, self._where))
            raise ConfigError(unknown("sheet", "", names, where=f"{self._where}: the job must name a sheet"))
        return query.container


class ExcelReading:
    """One sweep; see `access.Reading`. With `keys`, only records whose `key_fields` equal one of them."""

    def __init__(
        self, sheet: Sheet, fields: Sequence[str], key_fields: Sequence[str], keys: Collection[Key] | None
    ) -> None:
        self._sheet = sheet
        self._fields = tuple(fields)
        self._columns = sheet.columns(fields)
        self._key_columns = sheet.columns(key_fields)
        self._keys = keys
        self._completeness = _UNFINISHED
        sheet.check_cells((*self._columns, *self._key_columns))

    @property
    def signature(self) -> Signature:
        """The file as it was when its sheet was read."""
        return self._sheet.signature

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    @property
    def completeness(self) -> Completeness:
        return self._completeness

    def batches(self) -> Iterator[list[Row]]:
        width = len(self._columns)
        for _place, rows in self._sheet.batches((*self._columns, *self._key_columns)):
            if self._keys is None:
                yield rows
            else:
                chosen = [row[:width] for row in rows if row[width:] in self._keys]
                if chosen:
                    yield chosen
        check_unchanged(self._sheet.path, self._sheet.where, self._sheet.signature)
        self._completeness = Completeness(proven=True)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


def _info(name: str, header: Sequence[str]) -> ContainerInfo:
    """Describe a sheet; one without a header is yet to be filled."""
    names = dict.fromkeys(filter(None, header))
    fields = tuple(
        FieldInfo(name=field, type_name="cell", max_length=CELL_LENGTH, empty_is_null=True) for field in names
    )
    return ContainerInfo(name=name, kind="sheet", fields=fields, exists=bool(header))
