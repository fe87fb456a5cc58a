# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links: which record of a directory a job's source record is. One object may have hundreds of thousands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._model.plans import Link
from .jobs import job_id, need_job
from .remembered import digest_of, forget_digests, replace_rows
from .session import Session
from .tables import tables
from .texts import clean


class Links:
    """The links of all jobs of one store. They follow the renaming of a job and end with it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def anchors(self, job_name: str, object_name: str) -> dict[str, str]:
        """Give the anchors that a job's object is linked to, by source identity; none for an unknown job."""
        table = tables().links
        query = table.select().with_only_columns(table.c.identity, table.c.anchor)
        with self._session.read() as connection:
            number = job_id(connection, job_name)
            rows = connection.execute(query.where(table.c.job_id == number, table.c.object == object_name))
            return {row[0]: row[1] for row in rows}

    def put(self, job_name: str, object_name: str, links: Iterable[Link]) -> None:
        """Remember `links`, instead of what their identities were linked to. Raises ConfigError for an unknown job."""
        rows = (
            {
                "digest": digest_of(object_name, identity := clean(link.identity)),
                "object": object_name,
                "identity": identity,
                "anchor": link.anchor,
            }
            for link in links
        )
        with self._session.write() as connection:
            replace_rows(connection, tables().links, need_job(connection, job_name), rows)

    def forget(self, job_name: str, object_name: str, anchors: Sequence[str]) -> None:
        """Forget the links to the records with these anchors."""
        table, gone = tables().links, frozenset(anchors)
        with self._session.write() as connection:
            number = job_id(connection, job_name)
            query = table.select().with_only_columns(table.c.digest, table.c.anchor)
            rows = connection.execute(query.where(table.c.job_id == number, table.c.object == object_name))
            forget_digests(connection, table, number, [digest for digest, anchor in rows if anchor in gone])
