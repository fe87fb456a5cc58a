# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints of a table, made by PostgreSQL itself: what is equal at both ends of a job need not be read.

Each row is written as text (that of a composite value, in which every value keeps its bounds) and hashed to 64 bits
with a seed; the hashes of one bucket are combined by XOR. A key stands in one row only, so no row can cancel another
one. The texts are those that reading gets, and become canonical by the same rules at both ends: equal texts are equal
values. Values with several texts (1.0 and 1.00) have several fingerprints, and are read and compared.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

from .column_types import Column
from .reading import Snapshot, SqlReading
from .reflection import Source
from .session import Statement
from .statements import describe_fingerprints, select_buckets, select_empty_keys, sum_buckets

BUCKETS = 65_536
SMALLEST = 8 * 1024 * 1024
"""Bytes of a table from which on two more statements cost less than reading it."""
_FIRST_VERSION = 140_000  # of PostgreSQL: bit_xor

OpenReading: t.TypeAlias = Callable[[Sequence[Column], Sequence[Statement]], SqlReading]


class TableFingerprints:
    """The fingerprints of one table. `open_reading` reads columns of it with statements that select them."""

    def __init__(
        self,
        snapshot: Snapshot,
        source: Source,
        columns: Sequence[Column],
        key_columns: Sequence[Column],
        *,
        encoding: str,
        open_reading: OpenReading,
    ) -> None:
        self._snapshot = snapshot
        self._source = source
        self._columns = columns
        self._key_columns = key_columns
        self._open_reading = open_reading
        self.form = f"PostgreSQL {encoding} {[_form(column) for column in columns]}"

    def buckets(self, seed: int) -> dict[int, tuple[int, int]]:
        """Give count and fingerprint of each bucket that has records. Raises ProviderError."""
        statement = sum_buckets(
            self._snapshot.database, self._source, self._columns, self._key_columns, seed=seed, count=BUCKETS
        )
        rows = self._snapshot.fetch(statement, f"comparing table {self._source.info.name!r}")
        return {int(bucket): (int(count), int(total)) for bucket, count, total in rows}

    def read(self, fields: Sequence[str], buckets: Sequence[int]) -> SqlReading:
        """Sweep over the records of some buckets. Raises ConfigError for an unknown field."""
        database, source, keys = self._snapshot.database, self._source, self._key_columns
        columns = source.require(fields, database.where)
        statement = select_buckets(database, source, columns, keys, buckets=buckets, count=BUCKETS)
        return self._open_reading(columns, [statement] if buckets else [])


def table_fingerprints(
    snapshot: Snapshot,
    source: Source,
    columns: Sequence[Column],
    key_columns: Sequence[Column],
    open_reading: OpenReading,
) -> TableFingerprints | None:
    """Give the fingerprints of `columns`; None where the server makes none, or reading is as fast. Raises
    ProviderError.
    """
    database = snapshot.database
    if database.family != "postgresql" or source.info.kind != "table":
        return None
    doing = f"describing table {source.info.name!r}"
    [(version, encoding, size)] = snapshot.fetch(describe_fingerprints(database, source), doing)
    if int(version) < _FIRST_VERSION or int(size or 0) < SMALLEST:
        return None
    # A record with an empty key is told as a fault in every run, so somebody must read it.
    if snapshot.fetch(select_empty_keys(database, source, key_columns), doing):
        return None
    return TableFingerprints(snapshot, source, columns, key_columns, encoding=str(encoding), open_reading=open_reading)


def _form(column: Column) -> tuple[object, ...]:
    """Give all that decides what a column's text becomes (see `decoding`)."""
    info = column.info
    return info.kind, column.trait, info.timezone, info.bits
