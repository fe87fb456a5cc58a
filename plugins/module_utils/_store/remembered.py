# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that a job keeps of an object's records, in bulk. What names a record can be too long for MariaDB to index, so
a digest of it is the key.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from .bulk import insert_rows

if t.TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

CHUNK: t.Final = 500
"""Digests in one statement: below the number of parameters that every database takes."""


def digest_of(object_name: str, record: str) -> str:
    """Give what stands for an object's record in the table."""
    content = f"{object_name}\0{record}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def replace_rows(connection: Connection, table: Table, number: int, rows: Iterable[dict[str, t.Any]]) -> None:
    """Write `rows` of job `number`, instead of those with the same digest; those that are so already stay untouched.

    Of several rows with one digest the last one counts. No more than a chunk of them is ever held.
    """
    source = iter(rows)
    while wanted := {row["digest"]: {"job_id": number, **row} for row in islice(source, CHUNK)}:
        query = table.select().where(table.c.job_id == number, table.c.digest.in_(wanted))
        stored = {row["digest"]: dict(row) for row in connection.execute(query).mappings()}
        changed = [row for digest, row in wanted.items() if stored.get(digest) != row]
        forget_digests(connection, table, number, [row["digest"] for row in changed if row["digest"] in stored])
        if changed:
            insert_rows(connection, table, changed)


def forget_digests(connection: Connection, table: Table, number: int | None, digests: Sequence[str]) -> None:
    """Delete the rows of job `number` with these digests."""
    for chunk in _chunks(digests):
        connection.execute(table.delete().where(table.c.job_id == number, table.c.digest.in_(chunk)))


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
