# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the columns and tables of the state store have in common."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Longer than any name may be; MariaDB indexes at most 768 characters.
NAME_LENGTH = 255
TIME_LENGTH = 32

# A number that was given once is never given again, so old history cannot point to a new job.
OPTIONS: t.Final[dict[str, t.Any]] = {"sqlite_autoincrement": True}
CLUSTERED: t.Final[dict[str, t.Any]] = {"sqlite_with_rowid": False}
# MariaDB: transactions, all of Unicode, and names that differ in case only are different names.
MARIADB_OPTIONS: t.Final = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


SINCE: t.Final = "since"
"""In a column's `info`: the version of the store that added it to a table that was there before."""


def since(version: int, metadata: sa.MetaData, *columns: sa.Column[t.Any]) -> tuple[sa.Column[t.Any], ...]:
    """Give columns that `version` of the store added, none for tables of an earlier one."""
    for column in columns:
        column.info[SINCE] = version
    return columns if metadata.info[SINCE] >= version else ()


def long_text() -> sa.types.TypeEngine[str]:
    """Give a text type without a limit; MariaDB's TEXT ends at 64 kB, a longer length makes it LONGTEXT."""
    import sqlalchemy as sa

    return sa.Text().with_variant(sa.Text(2**32 - 1), "mysql", "mariadb")


def times() -> tuple[sa.Column[str], sa.Column[str]]:
    """Give the columns that say when an object was declared first and changed last."""
    import sqlalchemy as sa

    return (
        sa.Column("created", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("modified", sa.String(TIME_LENGTH), nullable=False),
    )
