# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refresh smart groups: who matches the query is a member, everybody else is not."""

from __future__ import annotations

import typing as t
from collections.abc import Collection
from dataclasses import dataclass

from .._model.access import Directory, Query, WriteTarget
from .._model.dn import fold_dn
from .._model.errors import ConfigError, ProviderError, unknown
from .._model.limits import parse_limit
from .._model.plans import Change, GuardClass, Held, HeldChange, ObjectPlan, ValueChanges
from .._model.runs import Problem, Statistics
from .._model.smart_groups import SmartGroupSpec, parse_smart_group
from .._model.values import members
from .._store.store import Store

LIST_FIELDS = ("member", "uniqueMember")
PREFIX = "smart group "
"""Before the name of a smart group, in the name of its part of a plan."""
HELD_BY: frozenset[GuardClass] = frozenset({"member_removals"})


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPlan:
    """The plan of one refresh, and how many the query found and the group has."""

    part: ObjectPlan
    found: int
    present: int


def find_smart_group(store: Store, name: str) -> SmartGroupSpec:
    """Give the smart group called `name`. Raises ConfigError naming the valid ones."""
    stored = store.smart_groups.get(name)
    if stored is None:
        raise ConfigError(unknown("smart group", name, (each.name for each in store.smart_groups.list())))
    return parse_smart_group(name, stored.definition)


def plan_refresh(
    spec: SmartGroupSpec, directory: Directory, *, first_number: int, accepted: Collection[GuardClass] = ()
) -> GroupPlan:
    """Compare the query's result with the group. Two searches, whatever the size. `accepted` are guards that hold
    nothing.

    Raises ConfigError when there is no such group, ProviderError when query or group cannot be read completely: then
    nobody joins or leaves.
    """
    info = directory.describe_container(Query(container=spec.container))
    place = info.place or "dn"
    found = _read_found(spec, directory, place)
    wanted_fields = tuple(name for name in LIST_FIELDS if info.field(name) is not None)
    anchors = (info.anchor,) if info.anchor is not None else ()
    fields = (place, *anchors, "objectClass", *wanted_fields)
    with directory.read_keys(Query(), fields, (place,), [(spec.group,)]) as reading:
        rows = [dict(zip(fields, row, strict=True)) for batch in reading.batches() for row in batch]
    if not rows:
        raise ConfigError(f"smart group {spec.name!r}: there is no group {spec.group!r}. Make it, or correct `group`.")
    record = rows[0]
    classes = {str(name).casefold() for name in members(record["objectClass"])}
    field = "uniqueMember" if "groupofuniquenames" in classes else "member"
    present = {fold_dn(str(each)): str(each) for each in members(record.get(field))}
    added = tuple(sorted(dn for key, dn in found.items() if key not in present and key != fold_dn(spec.group)))
    removed = tuple(sorted(dn for key, dn in present.items() if key not in found))
    held = [] if "member_removals" in accepted else _judge(spec, len(found), removed, len(present))
    name = PREFIX + spec.name

    def change(number: int, values: ValueChanges) -> Change:
        return Change(
            number=number,
            object=name,
            action="update",
            key=(spec.name,),
            target=str(record[place]),
            anchor=t.cast("str | None", record.get(info.anchor or "")),
            before={},
            after={field: values},
        )

    made = ValueChanges(added=added, removed=() if held else removed)
    changes = [change(first_number, made)] if made.added or made.removed else []
    held_changes = [
        HeldChange(change=change(first_number + len(changes), ValueChanges(removed=removed)), guards=HELD_BY)
        for _guard in held
    ]
    problems = [
        Problem(
            level="info",
            object=name,
            key=(spec.name,),
            code="smart_group",
            message=f"{len(found)} match, {len(added)} join, {len(made.removed)} leave {spec.group!r}.",
        )
    ]
    part = ObjectPlan(
        name=name,
        target=WriteTarget(container=spec.group, key_fields=(place,), fields=(field,)),
        changes=changes,
        held_changes=held_changes,
        held=held,
        problems=problems,
        statistics=Statistics(updated=len(changes)),
    )
    return GroupPlan(part=part, found=len(found), present=len(present))


def _read_found(spec: SmartGroupSpec, directory: Directory, place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    with directory.read(Query(container=spec.container, filter=spec.filter), (place,)) as reading:
        for batch in reading.batches():
            found |= {fold_dn(str(row[0])): str(row[0]) for row in batch}
    if not reading.completeness.proven:
        raise ProviderError(
            f"smart group {spec.name!r}: who matches is not known completely: {reading.completeness.reason}. Nobody "
            "joined or left."
        )
    return found


def _judge(spec: SmartGroupSpec, found: int, removed: t.Sequence[str], present: int) -> list[Held]:
    few = found < spec.min_members
    if not removed or not (few or parse_limit(spec.member_removals).trips(len(removed), present)):
        return []
    limit = f"min_members: {spec.min_members}" if few else f"member_removals: {spec.member_removals}"
    return [
        Held(
            object=PREFIX + spec.name,
            guard="member_removals",
            count=len(removed),
            limit=limit,
            message=f"smart group {spec.name!r}: {found} match, so {len(removed)} of {present} members would leave, "
            f"against the limit `{limit}`. Nobody left. Check `filter`; if it is right, raise the limit.",
        )
    ]
