# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a store to the version of this release: ordered functions, number N leads from version N-1 to N.

A store is made by running all of them, so a new one and an old one end alike. A later change of `tables` comes with a
new function here; columns say in `tables` which version added them.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .._model.errors import StoreError
from . import meta
from .columns import MARIADB_OPTIONS, SINCE
from .faults import BUSY_SECONDS
from .session import for_writing
from .tables import tables

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Engine

Migration: t.TypeAlias = Callable[["Connection"], None]

_ADVISORY_LOCK = int.from_bytes(hashlib.sha256(b"lockstep.sync migration").digest()[:8], "big", signed=True)


def create_tables(connection: Connection) -> None:
    """Version 1: the first tables. Those that an interrupted try left behind on MariaDB are kept."""
    first = tables(1)
    known = (
        first.meta,
        first.providers,
        first.secrets,
        first.jobs,
        first.runs,
        first.changes,
        first.problems,
        first.locks,
        first.marks,
    )
    _create(connection, known)


def add_directory_tables(connection: Connection) -> None:
    """Version 2: what jobs remember of a directory's records, smart groups, and job templates."""
    known = tables(2)
    added = (known.links, known.leavers, known.smart_groups, known.job_templates)
    _create(connection, added)


def add_anchors(connection: Connection) -> None:
    """Version 3: changes tell the anchor of their record."""
    _add_columns(connection, 3)


def add_plans(connection: Connection) -> None:
    """Version 4: kept plans; images of deleted records; what kind a run was; jobs in quarantine."""
    known = tables(4)
    _create(connection, (known.plans, known.plan_lines))
    _add_columns(connection, 4)


def add_approvals(connection: Connection) -> None:
    """Version 5: workflows, requests and their events."""
    known = tables(5)
    _create(connection, (known.workflows, known.requests, known.request_events))


def add_operations(connection: Connection) -> None:
    """Version 6: collections, schedules, notifications; which collection and schedule a run belongs to."""
    known = tables(6)
    added = (
        known.collections,
        known.collection_templates,
        known.schedules,
        known.occurrences,
        known.notifications,
        known.notification_secrets,
        known.messages,
    )
    _create(connection, added)
    _add_columns(connection, 6)


def drop_unread_columns(connection: Connection) -> None:
    """Version 7: what was kept with each link and read by nothing. A store of this release never had it."""
    _drop_columns(connection, tables(7).links, ("key", "fingerprint", "mapping_digest"))


def add_standing(connection: Connection) -> None:
    """Version 8: the run since which nothing had changed when a run read nothing."""
    _add_columns(connection, 8)


def _create(connection: Connection, wanted: Sequence[sa.Table]) -> None:
    """Create the tables that are not there."""
    if connection.dialect.name == "mysql":
        for table in wanted:
            # Only here: at the first such option SQLAlchemy imports all drivers of the dialect.
            table.kwargs.update(MARIADB_OPTIONS)
    wanted[0].metadata.create_all(connection, tables=list(wanted))


def _drop_columns(connection: Connection, table: sa.Table, names: Sequence[str]) -> None:
    """Drop those of the columns that are there. Those that an interrupted try dropped on MariaDB stay so."""
    import sqlalchemy as sa

    dialect = connection.dialect
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}.intersection(names)
    if there and dialect.name == "sqlite":
        _make_anew(connection, table)
        return
    for name in sorted(there):
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP COLUMN {dialect.identifier_preparer.quote(name)}")


def _make_anew(connection: Connection, table: sa.Table) -> None:
    """Give a table of SQLite the columns that it has now; releases before 3.35 (2021) cannot drop one."""
    import sqlalchemy as sa

    old = f"{table.name}_old"
    connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {old}")
    for index in table.indexes:
        index.drop(connection)
    table.create(connection)
    names = [column.name for column in table.columns]
    content = sa.table(old, *(sa.column(name) for name in names)).select()
    connection.execute(table.insert().from_select(names, content))
    connection.exec_driver_sql(f"DROP TABLE {old}")


def _add_columns(connection: Connection, version: int) -> None:
    """Add the columns of `version`. Those that an interrupted try left on MariaDB are kept."""
    import sqlalchemy as sa

    present = sa.inspect(connection)
    for table in tables(version).metadata.tables.values():
        added = [column for column in table.columns if column.info.get(SINCE) == version]
        there = {column["name"] for column in present.get_columns(table.name)} if added else set()
        for column in added:
            if column.name not in there:
                text = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {text}")


MIGRATIONS: tuple[Migration, ...] = (
    create_tables,
    add_directory_tables,
    add_anchors,
    add_plans,
    add_approvals,
    add_operations,
    drop_unread_columns,
    add_standing,
)


def read_version(connection: Connection) -> int:
    """Give the version of the store; 0 when the database holds none. Raises StoreError when it cannot be understood."""
    import sqlalchemy as sa

    if not sa.inspect(connection).has_table(tables().meta.name):
        return 0
    text = meta.read(connection, meta.VERSION) or "0"
    if not text.isdecimal():
        raise StoreError(f"The state store says that it has version {text!r}, which is not a number. Restore a backup.")
    return int(text)


def refuse_newer(found: int, known: int, location: str) -> None:
    """Raise StoreError when a newer release made the store."""
    if found > known:
        raise StoreError(
            f"The state store {location} has version {found}; this release of lockstep.sync knows versions up to "
            f"{known}. Update lockstep.sync on this host, or name another store."
        )


def migrate(engine: Engine, migrations: Sequence[Migration], location: str) -> None:
    """Bring the store to version `len(migrations)`, one process at a time.

    Raises:
        StoreError: the store is newer, or another process did not finish its migration in time.
    """
    with engine.connect() as connection:
        found = read_version(connection)
    refuse_newer(found, len(migrations), location)
    if found == len(migrations):
        return
    with engine.connect() as plain:
        connection = for_writing(plain)
        with _alone(connection, location), connection.begin():
            found = read_version(connection)
            refuse_newer(found, len(migrations), location)
            for version, apply in enumerate(migrations[found:], start=found + 1):
                apply(connection)
                meta.write(connection, meta.VERSION, str(version))


@contextmanager
def _alone(connection: Connection, location: str) -> Iterator[None]:
    """Keep other processes from migrating. The locks are the session's: MariaDB commits at each table it makes."""
    import sqlalchemy as sa

    dialect = connection.dialect.name
    if dialect == "sqlite":
        # BEGIN IMMEDIATE is the lock.
        yield
        return
    if dialect == "postgresql":
        take, give = sa.text("SELECT pg_advisory_lock(:name), 1"), sa.text("SELECT pg_advisory_unlock(:name)")
        name: int | str = _ADVISORY_LOCK
    else:
        take, give = sa.text(f"SELECT 0, GET_LOCK(:name, {BUSY_SECONDS})"), sa.text("SELECT RELEASE_LOCK(:name)")
        # These locks are the server's, not the database's.
        database = connection.engine.url.database or ""
        name = f"lockstep.sync:{hashlib.sha256(database.encode()).hexdigest()[:32]}"
    taken = connection.execute(take, {"name": name}).one()[1]
    connection.commit()
    if taken != 1:
        raise StoreError(
            f"The state store {location} is being migrated by another process for more than {BUSY_SECONDS} seconds. "
            "Try again when that has ended."
        )
    try:
        yield
    finally:
        connection.execute(give, {"name": name})
        connection.commit()
