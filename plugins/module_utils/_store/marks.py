# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""High-water marks: the newest source time stamp that a job's object has seen."""

from __future__ import annotations

from .jobs import job_id, need_job
from .session import Session
from .tables import tables


class Marks:
    """The marks of one store. They follow the renaming of a job and end with it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, job_name: str, object_name: str, mapping_digest: str) -> str | None:
        """Give the mark; None when there is none or it was set under another mapping: then everything must be read."""
        table = tables().marks
        with self._session.read() as connection:
            value: str | None = connection.scalar(
                table.select()
                .with_only_columns(table.c.value)
                .where(
                    table.c.job_id == job_id(connection, job_name),
                    table.c.object == object_name,
                    table.c.mapping_digest == mapping_digest,
                )
            )
        return value

    def set(self, job_name: str, object_name: str, mapping_digest: str, value: str) -> None:
        """Set the mark, instead of any earlier one. Raises ConfigError when there is no such job."""
        table = tables().marks
        with self._session.write() as connection:
            number = need_job(connection, job_name)
            connection.execute(table.delete().where(table.c.job_id == number, table.c.object == object_name))
            connection.execute(
                table.insert().values(job_id=number, object=object_name, mapping_digest=mapping_digest, value=value)
            )
