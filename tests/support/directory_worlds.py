# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world whose destination is a real directory: HR records become people, and leave, move and return."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import normalize_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange, RunResult
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran
from servers.ldap_box import DirectoryBox
from support.worlds import Json, World

HEADER = "id,first,last,unit,boss"
STAFF = ("1,Ann,Able,IT,", "2,Bob,Baker,IT,1", "3,Cid,Cook,Sales,1")


class DirectoryWorld:
    """Jobs from the CSV file `hr` into a directory box. `leavers` is where leavers go."""

    def __init__(self, folder: Path, box: DirectoryBox) -> None:
        self.box = box
        self.world = World(folder=folder)
        self.world.environ["BOX_PASSWORD"] = box.server.password
        self.staff(*STAFF)
        spec = parse_provider("dir", {box.type: box.options()})
        reference = SecretReference(kind="env", name="BOX_PASSWORD")
        self.world.store.providers.save(spec, {"password": reference})
        self.key = "employeeID" if box.is_ad else "employeeNumber"
        self.naming = "CN" if box.is_ad else "cn"
        self.unit_naming = "OU" if box.is_ad else "ou"
        self.leavers = f"{self.unit_naming}=leavers,{box.base}"

    def staff(self, *rows: str) -> None:
        """Write the HR file."""
        self.world.write(*rows, header=HEADER)

    def fields(self, *more: Json) -> list[Json]:
        """Give the fields of a person."""
        login = {
            "name": "sAMAccountName",
            "transform": [{"join": {"fields": ["first", "id"], "separator": ""}}, {"unique": {}}],
        }
        return [
            {"name": self.key, "source": "id", "key": True},
            {"name": "cn", "transform": [{"join": {"fields": ["first", "last"]}}]},
            {"name": "sn", "source": "last"},
            {"name": "givenName", "source": "first"},
            {
                "name": "manager",
                "source": "boss",
                "transform": [{"resolve": {"match": self.key, "container": self.box.base}}],
            },
            *([login, {"name": "unicodePwd", "transform": [{"password": {}}]}] if self.box.is_ad else []),
            *more,
        ]

    def job(self, name: str = "j", *, fields: list[Json] | None = None, **options: t.Any) -> None:
        """Declare a job that creates, moves and disables."""
        place = f"'{self.unit_naming}=' ~ (source.unit | dn_value) ~ ',{self.box.base}'"
        item: Json = {
            "name": "people",
            "type": "user" if self.box.is_ad else "inetOrgPerson",
            "create_in": {"expression": place},
            "move": True,
            "fields": self.fields() if fields is None else fields,
        }
        definition: Json = {
            "source": {"provider": "hr"},
            "destination": {"provider": "dir", "container": self.box.base},
            "missing_at_destination": "create",
            "missing_at_source": "disable",
            "create_containers": True,
            "on_disable": {"move_to": self.leavers, "strip_groups": True, "stamp": {"description": "left %NOW%"}},
            "limits": {"disables": "50%", "deletes": "50%"},
            "objects": [item | options.pop("item", {})],
        }
        definition |= options
        self.world.store.jobs.save(name, normalize_job(name, {k: v for k, v in definition.items() if v is not None}))

    def run(self, job: str = "j", **options: t.Any) -> RunResult:
        """Run the job, once the server has done what it had to do after the last run."""
        self.box.come_to_rest()
        return self.world.run(job, **options).result

    def explain(self, key: str) -> Ran:
        """Explain one record."""
        return self.world.run("j", explain=key)

    def place(self, name: str, unit: str) -> str:
        """Give the DN of a person."""
        return f"{self.naming}={name},{self.unit_naming}={unit},{self.box.base}"


def actions(result: RunResult) -> list[str]:
    """Give what was done, in order."""
    return [item.change.action for item in result.changes]


def problems(result: RunResult) -> list[str]:
    """Give the codes of what was found on the way."""
    return [problem.code for problem in result.problems]


def of(result: RunResult, action: str) -> list[AppliedChange]:
    """Give the changes of one kind."""
    return [item for item in result.changes if item.change.action == action]
