# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few facts the store keeps about itself, by name."""

from __future__ import annotations

import typing as t

from .tables import tables

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection

VERSION = "version"
KEY_CHECK = "key_check"


def read(connection: Connection, name: str) -> str | None:
    """Give the fact called `name`, or None."""
    meta = tables().meta
    value: str | None = connection.scalar(meta.select().with_only_columns(meta.c.value).where(meta.c.name == name))
    return value


def write(connection: Connection, name: str, value: str) -> None:
    """Set the fact called `name`."""
    meta = tables().meta
    if connection.execute(meta.update().where(meta.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(meta.insert().values(name=name, value=value))


def take_turn(connection: Connection) -> None:
    """Wait until no other exclusive transaction is open, and keep others waiting until this one ends.

    SQLite has one writer at a time anyway and ignores it.
    """
    meta = tables().meta
    connection.execute(meta.select().where(meta.c.name == VERSION).with_for_update()).all()
