# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: every change of one run with before and after, what is held, and what a writer answered."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .secrets import GeneratedPassword
from .values import Key, Single, Value, as_set, from_json, members, to_json

if t.TYPE_CHECKING:
    from .access import WriteTarget
    from .runs import Problem, Statistics

Action: t.TypeAlias = t.Literal[
    "create_container", "create", "disable", "membership", "update", "rename", "move", "link", "delete"
]
"""What a change does. Tables and files know create, update and delete; the others belong to directories:
`create_container` makes a container that new or moved records need; `membership` adds a record to or takes it from a
group, after `on_disable` or a return; `link` writes references to records that the same run made, once they are there.
"""
ACTIONS: tuple[Action, ...] = t.get_args(Action)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueChanges:
    """What an update does to a multi-valued field: values are added and removed, all others stay untouched."""

    added: tuple[Single, ...] = ()
    removed: tuple[Single, ...] = ()

    def applied_to(self, current: Value) -> Value:
        """Give the canonical value that `current` becomes."""
        present = dict.fromkeys(() if current is None else current if isinstance(current, tuple) else (current,))
        for value in self.removed:
            present.pop(value, None)
        return as_set((*present, *self.added))


PlannedValue: t.TypeAlias = Value | GeneratedPassword | ValueChanges
VALUES_MARK = "values"


def planned_to_json(value: Value | ValueChanges) -> t.Any:
    """Give the JSON form of a planned value: that of `values.to_json`, or `{"values": {"added", "removed"}}`."""
    if isinstance(value, ValueChanges):
        return {VALUES_MARK: {"added": to_json(value.added), "removed": to_json(value.removed)}}
    return to_json(value)


def planned_from_json(data: t.Any) -> Value | ValueChanges:
    """Give the value that `planned_to_json` wrote as `data`. Raises ValueError for anything else."""
    if isinstance(data, Mapping) and set(data) == {VALUES_MARK}:
        parts = data[VALUES_MARK]
        if not isinstance(parts, Mapping) or set(parts) != {"added", "removed"}:
            raise ValueError(f"not the JSON form of changes of values: {data!r}")
        added, removed = (members(from_json(parts[name])) for name in ("added", "removed"))
        return ValueChanges(added=added, removed=removed)
    return from_json(data)


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A record as a whole, kept of one that is deleted: every field that can be written again, mapped or not, and at a
    directory the groups it was in (each its DN and the field that lists members).
    """

    fields: Mapping[str, Value]
    groups: tuple[tuple[str, str], ...] = ()


def image_to_json(image: Image) -> dict[str, t.Any]:
    """Give the JSON form of an image."""
    fields = {name: to_json(value) for name, value in image.fields.items()}
    return {"fields": fields, "groups": [list(group) for group in image.groups]}


def image_from_json(data: Mapping[str, t.Any]) -> Image:
    """Give the image that `image_to_json` wrote. Raises ValueError, KeyError, TypeError or AttributeError for anything
    else.
    """
    return Image(
        fields={name: from_json(value) for name, value in data["fields"].items()},
        groups=tuple((group, name) for group, name in data["groups"]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One planned change of one destination record.

    Attributes:
        number: its place in the plan, from 1; the journal refers to it.
        key: the canonical key texts in the order of the object's key fields.
        target: where the record is when this change's turn has come: its distinguished name at a directory, None for
            systems whose key says it all.
        anchor: what names the record for ever (`ContainerInfo.anchor`), None where there is none yet.
        before: all mapped fields as read (empty for create); fields whose `after` is `ValueChanges` may be left out.
        after: all fields to write for create, the changed ones for update, empty for delete. For rename and move it is
            the field `ContainerInfo.place` alone, the record's new distinguished name.
        image: of a delete, what the record was, so that it can be undone. It is never compared.
        begun: an earlier process may have written a part of it. It belongs to no plan.
    """

    number: int
    object: str
    action: Action
    key: Key
    target: str | None = None
    anchor: str | None = None
    before: Mapping[str, Value]
    after: Mapping[str, PlannedValue]
    image: Image | None = None
    begun: bool = False


OutcomeStatus: t.TypeAlias = t.Literal["done", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one change. `code` is stable (`moved_on`, `exists`, `constraint`, ...), `message` says why.

    `anchor` is that of a record that was created, where the system has anchors.
    """

    status: OutcomeStatus
    code: str = ""
    message: str = ""
    anchor: str | None = None


DONE = Outcome(status="done")

GuardClass: t.TypeAlias = t.Literal[
    "creates",
    "updates",
    "moves",
    "disables",
    "deletes",
    "member_removals",
    "min_source_records",
    "source_drop",
    "absence",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A tripped guard: which class of change is held, how many changes, the limit, and what to do."""

    object: str
    guard: GuardClass
    count: int
    limit: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldChange:
    """A change that is not made, and the guards that hold it: all of them must be accepted to let it through."""

    change: Change
    guards: frozenset[GuardClass]


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A remembered pair: a source record's identity and the anchor of its destination record.

    The identity is the source's own anchor where it has one, else the key texts. `key` is the key both have in the
    plan; it is not remembered.
    """

    identity: str
    anchor: str
    key: Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaver:
    """A record that was disabled because it was missing at the source: since when (ISO 8601, UTC), and what it had, so
    that a return gives it back: its container, its groups (each its DN and the field that lists members) and the
    fields that were stamped.
    """

    anchor: str
    since: str
    container: str
    groups: tuple[tuple[str, str], ...] = ()
    stamped: Mapping[str, Value] = field(default_factory=dict)
    was_enabled: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectPlan:
    """The plan of one object: where it writes, its changes in the order to apply, what was found on the way.

    `changes` never contains held ones; those are in `held_changes`. The numbers of both together are the order in which
    they would be applied. `mark` is the newest source time stamp seen, for
    incremental runs; `missing_keys` are keys asked for that no source record in scope has.
    `links` are the pairs to remember: found ones with their anchor, and for records to be created, with an empty one
    that the outcome fills in. `leavers` are remembered when their `disable` change is done, `returned` are the anchors
    of leavers who came back.
    """

    name: str
    target: WriteTarget
    changes: Sequence[Change]
    held_changes: Sequence[HeldChange]
    held: Sequence[Held]
    problems: Sequence[Problem]
    statistics: Statistics
    mark: str | None = None
    missing_keys: frozenset[Key] = frozenset()
    links: Sequence[Link] = ()
    leavers: Sequence[Leaver] = ()
    returned: Sequence[str] = ()

    def all_changes(self) -> list[Change]:
        """Give all changes, held ones too, in the order in which they would be applied."""
        if not self.held_changes:
            return list(self.changes)
        return sorted([*self.changes, *(held.change for held in self.held_changes)], key=lambda change: change.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A sealed plan: `digest` covers what the job was and every change, so what was shown is what is applied.

    `definition_digest` stands for everything that decides what is written: the job's mapping, its providers' options,
    its smart groups. A plan is only applied while that is the same.
    """

    job: str
    definition_digest: str
    objects: tuple[ObjectPlan, ...]
    digest: str = ""

    @property
    def change_count(self) -> int:
        """How many changes will be applied (held ones not counted)."""
        return sum(len(part.changes) for part in self.objects)

    @property
    def held_count(self) -> int:
        """How many changes guards hold."""
        return sum(len(part.held_changes) for part in self.objects)

    @property
    def last_number(self) -> int:
        """The highest number of a change, 0 when there is none."""
        return max((change.number for part in self.objects for change in part.all_changes()), default=0)
