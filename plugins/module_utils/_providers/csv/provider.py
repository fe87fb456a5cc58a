# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CSV provider: one file is one container."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ..._model.access import Query, Reading, Writer, WriteTarget
from ..._model.errors import ConfigError
from ..._model.jobs import ProviderSpec
from ..._model.schema import Capabilities, ContainerInfo, FieldInfo, ProviderStatus
from ..._model.secrets import Secret
from ..._model.values import Key
from ..capabilities import CSV
from ..files import Signature, check_unchanged, content_token, signature_or_none, since_ms
from .dialect import csv_options
from .reading import CsvReading
from .table import CsvTable
from .writing import CsvWriter


class CsvProvider:
    """See `access.Provider`."""

    def __init__(self, spec: ProviderSpec, secrets: Mapping[str, Secret]) -> None:  # noqa: ARG002 - one form for all
        self._options = csv_options(spec)
        self._read: Signature | None = None

    @property
    def capabilities(self) -> Capabilities:
        return CSV

    def check(self) -> ProviderStatus:
        start = time.perf_counter()
        with CsvTable(self._options) as table:
            details = f"{self._options.path}: {len(table.header)} fields, {table.form.codec}"
        return ProviderStatus(server="csv file", version="", latency_ms=since_ms(start), details=details)

    def describe(self) -> tuple[ContainerInfo, ...]:
        with CsvTable(self._options) as table:
            return (self._info(table.header),)

    def describe_container(self, query: Query) -> ContainerInfo:
        self._check_query(query)
        if signature_or_none(self._options.path, self._options.where) is None:
            return ContainerInfo(name=self._options.path.name, kind="file", fields=(), exists=False)
        return self.describe()[0]

    def read(self, query: Query, fields: Sequence[str]) -> Reading:
        self._check_query(query)
        reading, self._read = self._sweep(fields)
        return reading

    def read_keys(self, query: Query, fields: Sequence[str], key_fields: Sequence[str], keys: Sequence[Key]) -> Reading:
        self._check_query(query)
        if self._read is not None:
            check_unchanged(self._options.path, self._options.where, self._read)
        reading, self._read = self._sweep(fields, key_fields, frozenset(keys))
        return reading

    def change_token(self) -> str:
        return content_token(self._options.path, self._options.where)

    def release(self) -> None:
        self._read = None

    def writer(self, target: WriteTarget) -> Writer:
        self._check_query(Query(container=target.container))
        return CsvWriter(self._options, target)

    def close(self) -> None:
        self.release()

    def _sweep(
        self, fields: Sequence[str], key_fields: Sequence[str] = (), keys: frozenset[Key] | None = None
    ) -> tuple[CsvReading, Signature]:
        table = CsvTable(self._options)
        try:
            return CsvReading(self._options, table, fields, key_fields, keys), table.signature
        except ConfigError:
            table.__exit__()
            raise

    def _check_query(self, query: Query) -> None:
        """Refuse what a CSV file has not got."""
        for what, got in (("table or sheet", query.container), ("query", query.text)):
            if got is not None:
                name = self._options.path.name
                raise ConfigError(
                    f"{self._options.where}: a CSV file is one container ({name}) and has no {what}, got {got!r}. "
                    f"Leave it out."
                )

    def _info(self, header: Sequence[str]) -> ContainerInfo:
        fields = tuple(FieldInfo(name=name, type_name="text", empty_is_null=True) for name in header)
        return ContainerInfo(name=self._options.path.name, kind="file", fields=fields)
