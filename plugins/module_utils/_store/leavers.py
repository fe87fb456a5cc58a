# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leavers: the records that a job disabled because they were missing at the source, and what they had before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._model.plans import Leaver
from .._model.values import from_json, to_json
from .jobs import job_id, need_job
from .remembered import digest_of, forget_digests, replace_rows
from .session import Session
from .tables import tables
from .texts import clean, from_json_text, to_json_text


class Leavers:
    """The leavers of all jobs of one store. They follow the renaming of a job and end with it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load(self, job_name: str, object_name: str) -> dict[str, Leaver]:
        """Give the leavers of a job's object by anchor; none for an unknown job."""
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
                was_enabled=row.was_enabled,
            )
            for row in rows
        }

    def put(self, job_name: str, object_name: str, leavers: Iterable[Leaver]) -> None:
        """Remember `leavers`, instead of what was known of them. Raises ConfigError for an unknown job."""
        rows = [
            {
                "digest": digest_of(object_name, leaver.anchor),
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
            replace_rows(connection, tables().leavers, need_job(connection, job_name), rows)

    def forget(self, job_name: str, object_name: str, anchors: Sequence[str]) -> None:
        """Forget the leavers with these anchors."""
        digests = [digest_of(object_name, anchor) for anchor in anchors]
        with self._session.write() as connection:
            forget_digests(connection, tables().leavers, job_id(connection, job_name), digests)
