# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inserting many rows at once."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

if t.TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, t.Any]]) -> None:
    """Insert `rows`, which all have the same columns: texts, numbers and truths, which drivers take as they are.

    The statement is SQLAlchemy's, but the rows go to the driver directly: what SQLAlchemy does for each of them is as
    much work as inserting it.
    """
    statement = table.insert().compile(dialect=connection.dialect, column_keys=list(rows[0]))
    order = statement.positiontup
    content: t.Any = rows if order is None else [tuple([row[name] for name in order]) for row in rows]
    connection.exec_driver_sql(str(statement), content)
