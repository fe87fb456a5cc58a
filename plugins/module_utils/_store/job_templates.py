# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .mentions import jobs_that_mention, rename_in_jobs
from .named import Named
from .texts import clean

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_OPTION = "template"


class JobTemplates(Named):
    """The job templates of one store. Jobs that were made from one follow its renaming, and keep what they took from it
    when it is deleted.

    A definition has `description`, and the options of its jobs in `job`.
    """

    noun = "job template"
    table = "job_templates"

    def used_by(self, name: str) -> list[str]:
        """Give the sorted names of the jobs that were made from the job template."""
        with self._session.read() as connection:
            return jobs_that_mention(connection, _OPTION, name)

    def more_values(self, definition: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {"description": clean(str(definition.get("description", "")))}

    def follow(self, connection: Connection, old: str, new: str) -> None:
        rename_in_jobs(connection, _OPTION, old, new)
