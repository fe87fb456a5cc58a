# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job remembers of a directory's records: which source record is which, and who was disabled and why."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Iterable, Iterator, Sequence

from .._model.plans import Leaver, Link
from .._model.values import from_json, to_json
from .jobs import job_id, need_job
from .session import Session
from .tables import tables
from .texts import clean, from_json_text, to_json_text

if t.TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

_CHUNK = 500
"""Below the number of parameters that every database takes in one statement."""


class Links:
    """The links of all jobs of one store. They follow the renaming of a job and end with it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load(self, job_name: str, object_name: str) -> dict[str, Link]:
        """Give the links of a job's object by source identity."""
        table = tables().links
        query = table.select().with_only_columns(table.c.identity, table.c.anchor, table.c.key, table.c.fingerprint)
        with self._session.read() as connection:
            number = job_id(connection, job_name)
            rows = connection.execute(query.where(table.c.job_id == number, table.c.object == object_name)).all()
        return {
            identity: Link(identity=identity, anchor=anchor, key=tuple(from_json_text(key)), fingerprint=fingerprint)
            for identity, anchor, key, fingerprint in rows
        }

    def put(self, job_name: str, object_name: str, mapping_digest: str, links: Iterable[Link]) -> None:
        """Remember `links`, instead of what their identities were linked to. Raises ConfigError for an unknown job."""
        table = tables().links
        rows = {
            (digest := _digest(object_name, link.identity)): {
                "digest": digest,
                "object": object_name,
                "identity": clean(link.identity),
                "anchor": link.anchor,
                "key": to_json_text(link.key),
                "fingerprint": link.fingerprint,
                "mapping_digest": mapping_digest,
            }
            for link in links
        }
        with self._session.write() as connection:
            _replace(connection, table, need_job(connection, job_name), list(rows.values()))

    def forget(self, job_name: str, object_name: str, anchors: Sequence[str]) -> None:
        """Forget the links to the records with these anchors."""
        with self._session.write() as connection:
            _forget(connection, tables().links, job_id(connection, job_name), object_name, anchors)


class Leavers:
    """The records that were disabled because they were missing. They follow the renaming of a job and end with it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load(self, job_name: str, object_name: str) -> dict[str, Leaver]:
        """Give the leavers of a job's object by anchor."""
        table = tables().leavers
        with self._session.read() as connection:
            number = job_id(connection, job_name)
            query = table.select().where(table.c.job_id == number, table.c.object == object_name)
            rows = connection.execute(query).all()
        return {
            row.anchor: Leaver(
                anchor=row.anchor,
                since=row.since,
                container=row.container,
                groups=tuple((group, field) for group, field in from_json_text(row.groups)),
                stamped={name: from_json(value) for name, value in from_json_text(row.stamped).items()},
                was_enabled=bool(row.was_enabled),
            )
            for row in rows
        }

    def put(self, job_name: str, object_name: str, leavers: Iterable[Leaver]) -> None:
        """Remember `leavers`. Raises ConfigError for an unknown job."""
        rows = [
            {
                "digest": _digest(object_name, leaver.anchor),
                "object": object_name,
                "anchor": leaver.anchor,
                "since": leaver.since,
                "container": clean(leaver.container),
                "groups": to_json_text(leaver.groups),
                "stamped": to_json_text({name: to_json(value) for name, value in leaver.stamped.items()}),
                "was_enabled": leaver.was_enabled,
            }
            for leaver in leavers
        ]
        with self._session.write() as connection:
            _replace(connection, tables().leavers, need_job(connection, job_name), rows)

    def forget(self, job_name: str, object_name: str, anchors: Sequence[str]) -> None:
        """Forget the leavers with these anchors."""
        with self._session.write() as connection:
            _forget(connection, tables().leavers, job_id(connection, job_name), object_name, anchors)


def _digest(object_name: str, record: str) -> str:
    content = f"{object_name}\0{record}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _replace(connection: Connection, table: Table, number: int, rows: Sequence[dict[str, t.Any]]) -> None:
    for chunk in _chunks([row["digest"] for row in rows]):
        connection.execute(table.delete().where(table.c.job_id == number, table.c.digest.in_(chunk)))
    for row in rows:
        row["job_id"] = number
    for start in range(0, len(rows), _CHUNK):
        connection.execute(table.insert(), list(rows[start : start + _CHUNK]))


def _forget(connection: Connection, table: Table, number: int | None, object_name: str, anchors: Sequence[str]) -> None:
    for chunk in _chunks(anchors):
        own = (table.c.job_id == number, table.c.object == object_name)
        connection.execute(table.delete().where(*own, table.c.anchor.in_(chunk)))


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
