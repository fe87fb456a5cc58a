# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules in the store, each with the time until which it was considered and the time when it is due next."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._model.occurrences import next_occurrence
from .._model.schedules import TIMING, parse_schedule
from .mentions import schedules_that_mention
from .named import Named, Stored
from .nouns import SCHEDULE
from .session import Session
from .tables import tables
from .times import Clock, to_text

Names: t.TypeAlias = list[str]


class Schedules:
    """The schedules of one store."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._named = Named(session, clock, SCHEDULE)

    def get(self, name: str) -> Stored | None:
        """Give the schedule called `name`, or None."""
        return self._named.get(name)

    def list(self) -> list[Stored]:
        """Give all by name."""
        return self._named.list()

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the schedule, or replace the one of the same name. Raises ConfigError.

        When it decides anew when it is due, it is due only for times from now on.
        """
        with self._session.write() as connection:
            before = self._named.get(name)
            self._named.save(name, definition)
            if before is None or any(before.definition.get(option) != definition.get(option) for option in TIMING):
                now = self._clock()
                due = next_occurrence(parse_schedule(name, definition), now)
                table = tables().schedules
                values = {"considered": to_text(now), "next_due": None if due is None else to_text(due)}
                connection.execute(table.update().where(table.c.name == name).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename a schedule; jobs and job collections that name it follow, its occurrences stay. Raises ConfigError."""
        self._named.rename(old, new)

    def delete(self, name: str) -> None:
        """Delete a schedule and its occurrences. Raises ConfigError when there is none."""
        self._named.delete(name)

    def used_by(self, name: str) -> Names:
        """Give the jobs and job collections that name it, in words, sorted."""
        return self._named.used_by(name)

    def listing(self, option: t.Literal["jobs", "collections"], name: str) -> Names:
        """Give the sorted names of the schedules whose own list has the job or job collection `name`."""
        with self._session.read() as connection:
            return schedules_that_mention(connection, option, name)

    def next_due(self) -> dict[str, str]:
        """Give when each schedule is due next (ISO 8601, UTC), by name, the soonest first; the others are left out."""
        table = tables().schedules
        query = table.select().with_only_columns(table.c.name, table.c.next_due).where(table.c.next_due.is_not(None))
        with self._session.read() as connection:
            return {
                row.name: row.next_due for row in connection.execute(query.order_by(table.c.next_due, table.c.name))
            }
