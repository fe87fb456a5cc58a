# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows as declared: rules that say which runs need whose approval."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from .durations import parse_duration
from .errors import ConfigError, unknown
from .plans import Action
from .providers import check_name
from .sections import Section

OPTIONS = (
    "description",
    "jobs",
    "object_types",
    "actions",
    "fields",
    "approvers",
    "quorum",
    "schedules",
    "expires_after",
)
WORKFLOW_ACTIONS: tuple[Action, ...] = ("create", "update", "move", "rename", "disable", "delete")
EXPIRES_AFTER = "7d"
LONGEST = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowSpec:
    """A workflow. An empty list leaves out nothing: all jobs, all types, all actions, all fields, any approver.

    Attributes:
        object_types: types of the job's objects; smart groups are of type `group`.
        approvers: who may decide; empty for everybody but the requester.
        quorum: how many different people must approve.
        schedules: whether scheduled runs need approval, too.
        expires_after: how long a request can be approved and executed, as text.
    """

    name: str
    description: str = ""
    jobs: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    fields: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    quorum: int = 1
    schedules: bool = True
    expires_after: str = EXPIRES_AFTER

    @property
    def expires_seconds(self) -> float:
        """How long a request lives, in seconds."""
        return parse_duration(self.expires_after, "expires_after")


def parse_workflow(name: str, definition: Mapping[str, t.Any]) -> WorkflowSpec:
    """Read a workflow. Raises ConfigError naming it, the option, the value and the valid ones."""
    check_name("workflow", name)
    place = f"workflow {name!r}"
    section = Section(definition, place, OPTIONS)
    approvers = _names(section, "approvers")
    quorum = section.integer("quorum", 1, minimum=1)
    people = {fold_person(each) for each in approvers}
    if people and quorum > len(people):
        raise ConfigError(
            f"{place}: `quorum` is {quorum}, but `approvers` names {len(people)} "
            f"{'person' if len(people) == 1 else 'people'}. No request could ever be approved; name more, or lower "
            "`quorum`."
        )
    expires_after = section.text("expires_after", EXPIRES_AFTER)
    parse_duration(expires_after, f"{place}, expires_after")
    return WorkflowSpec(
        name=name,
        description=section.text("description"),
        jobs=_names(section, "jobs"),
        object_types=_names(section, "object_types"),
        actions=_actions(section),
        fields=_names(section, "fields"),
        approvers=approvers,
        quorum=quorum,
        schedules=section.flag("schedules", True),
        expires_after=" ".join(expires_after.split()),
    )


def workflow_definition(spec: WorkflowSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_workflow`."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(spec).items()}
    del plain["name"]
    return plain


def fold_person(name: str) -> str:
    """Give a person's name for comparison: accounts differ in more than case and blanks at the ends."""
    return name.strip().casefold()


def _names(section: Section, option: str) -> tuple[str, ...]:
    names = section.texts(option)
    for name in names:
        if not name or name != name.strip() or not name.isprintable() or len(name) > LONGEST:
            raise ConfigError(
                f"{section.place}: `{option}` names {name!r}; a name is 1 to {LONGEST} printable characters without a "
                "space at either end."
            )
    return tuple(dict.fromkeys(names))


def _actions(section: Section) -> tuple[Action, ...]:
    given = section.texts("actions")
    for action in given:
        if action not in WORKFLOW_ACTIONS:
            raise ConfigError(unknown("action", action, WORKFLOW_ACTIONS, where=f"{section.place}, actions"))
    return tuple(action for action in WORKFLOW_ACTIONS if action in given)
