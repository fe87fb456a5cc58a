# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look into a database, or change it, from a playbook without a task of its own."""

from __future__ import annotations

import typing as t

import sqlalchemy as sa
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: database
short_description: Run SQL statements
description: Runs statements in one transaction and gives the rows of the last, each as a list of texts and numbers.
options:
  _terms:
    description: The SQLAlchemy URL with credentials, and the statements.
"""


class LookupModule(LookupBase):
    """Run SQL statements."""

    def run(self, terms: list[str], variables: object = None, **kwargs: object) -> list[t.Any]:
        url, *statements = terms
        engine = sa.create_engine(str(url), poolclass=sa.NullPool)
        with engine.begin() as connection:
            result = None
            for statement in statements:
                result = connection.exec_driver_sql(str(statement))
            rows = [list(row) for row in result] if result is not None and result.returns_rows else []
        return [[value if isinstance(value, (int, str, type(None))) else str(value) for value in row] for row in rows]
