# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations with a name in the store: what workflows, templates, schedules and collections have in common."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .session import Session
from .tables import Tables, tables
from .texts import from_json_text, to_json_text
from .times import Clock, to_text

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A declaration as stored: plain JSON data, with the present names of what it mentions.

    Times are ISO 8601, UTC. `id` never changes and is never given to another one.
    """

    id: int
    name: str
    definition: Mapping[str, t.Any]
    created: str
    modified: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """What sets the declarations of one noun apart.

    Attributes:
        word: the noun in messages, as `job template`.
        table: their table; it has the columns id, name, definition, created and modified.
        follow: writes a new name for an old one in those who mention it.
        users: gives the sorted names of those who mention one.
        more_values: gives the values of the columns that the table has besides.
    """

    word: str
    table: Callable[[Tables], sa.Table]
    follow: Callable[[Connection, str, str], None] = lambda _connection, _old, _new: None
    users: Callable[[Connection, str], list[str]] = lambda _connection, _name: []
    more_values: Callable[[Mapping[str, t.Any]], dict[str, t.Any]] = lambda _definition: {}


Names: t.TypeAlias = list[str]


class Named:
    """The declarations of one noun in one store."""

    def __init__(self, session: Session, clock: Clock, noun: Noun) -> None:
        self._session = session
        self._clock = clock
        self._noun = noun

    def get(self, name: str) -> Stored | None:
        """Give the one called `name`, or None."""
        table = self._table
        with self._session.read() as connection:
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
        return None if row is None else _to_stored(row)

    def list(self) -> list[Stored]:
        """Give all by name."""
        table = self._table
        with self._session.read() as connection:
            return [_to_stored(row) for row in connection.execute(table.select().order_by(table.c.name))]

    def save(self, name: str, definition: Mapping[str, t.Any]) -> None:
        """Insert the declaration, or replace the one of the same name. Raises ConfigError for a bad name.

        Args:
            name: its name.
            definition: plain JSON data.
        """
        check_name(self._noun.word, name)
        table = self._table
        now = to_text(self._clock())
        values = {"definition": to_json_text(definition), "modified": now, **self._noun.more_values(definition)}
        with self._session.write() as connection:
            number = self._find(connection, name)
            if number is None:
                connection.execute(table.insert().values(name=name, created=now, **values))
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))

    def rename(self, old: str, new: str) -> None:
        """Rename one; those who mention it follow. Raises ConfigError."""
        check_name(self._noun.word, new)
        table = self._table
        with self._session.write() as connection:
            number = self._need(connection, old)
            if new != old and self._find(connection, new) is not None:
                raise ConfigError(
                    f"{self._noun.word} {old!r}: it cannot be renamed, there is already a {self._noun.word} {new!r}."
                )
            values = {"name": new, "modified": to_text(self._clock())}
            connection.execute(table.update().where(table.c.id == number).values(**values))
            self._noun.follow(connection, old, new)

    def delete(self, name: str) -> None:
        """Delete one. Raises ConfigError when there is none."""
        table = self._table
        with self._session.write() as connection:
            connection.execute(table.delete().where(table.c.id == self._need(connection, name)))

    def used_by(self, name: str) -> Names:
        """Give the sorted names of those who mention it."""
        with self._session.read() as connection:
            return self._noun.users(connection, name)

    @property
    def _table(self) -> sa.Table:
        return self._noun.table(tables())

    def _find(self, connection: Connection, name: str) -> int | None:
        table = self._table
        number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
        return number

    def _need(self, connection: Connection, name: str) -> int:
        number = self._find(connection, name)
        if number is None:
            table = self._table
            names = connection.scalars(table.select().with_only_columns(table.c.name))
            raise ConfigError(unknown(self._noun.word, name, names))
        return number


def _to_stored(row: Row[t.Any]) -> Stored:
    return Stored(
        id=row.id,
        name=row.name,
        definition=from_json_text(row.definition),
        created=row.created,
        modified=row.modified,
    )
