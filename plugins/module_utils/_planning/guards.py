# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards: limits on how much one run may change, judged on the whole plan before the first write.

A tripped guard holds its class of change and nothing else. The guards on the source (`min_source_records`,
`source_drop`) hold what rests on absence: a short source is a reason to doubt that somebody left, not that somebody
joined.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from .._model.jobs import Limits
from .._model.limits import parse_limit
from .._model.plans import Action, Change, GuardClass, Held, HeldChange, ObjectPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What the guards of one object look at; `previous_read` is the records the last successful run read."""

    source_read: int
    source_in_scope: int
    destination_total: int
    creates: int
    updates: int
    deletes: int
    moves: int = 0
    disables: int = 0
    previous_read: int | None = None
    partial: bool = False


GUARDED: tuple[tuple[GuardClass, Action], ...] = (
    ("creates", "create"),
    ("updates", "update"),
    ("moves", "move"),
    ("disables", "disable"),
    ("deletes", "delete"),
)
BY_ABSENCE: frozenset[Action] = frozenset({"disable", "delete"})
_ACTIONS_OF: Mapping[GuardClass, Collection[Action]] = {
    **{guard: (action,) for guard, action in GUARDED},
    **dict.fromkeys(("min_source_records", "source_drop", "absence"), BY_ABSENCE),
}
ACCEPTABLE: tuple[GuardClass, ...] = (
    *(guard for guard, _action in GUARDED),
    "member_removals",
    "min_source_records",
    "source_drop",
)
"""Guards that a person may accept knowingly. Nobody can accept that a source was not read to its end."""


def judge_limits(object_name: str, limits: Limits, counts: Counts) -> list[Held]:
    """Give the tripped guards of one object. `partial` runs (a few keys only) are not judged by the source's size."""
    held = [] if counts.partial else _judge_source(object_name, limits, counts)
    wanted: tuple[tuple[GuardClass, str | None, int, int], ...] = (
        ("creates", limits.creates, counts.creates, counts.source_in_scope),
        ("updates", limits.updates, counts.updates, counts.destination_total),
        ("moves", limits.moves, counts.moves, counts.destination_total),
        ("disables", limits.disables, counts.disables, counts.destination_total),
        ("deletes", limits.deletes, counts.deletes, counts.destination_total),
    )
    for guard, text, count, total in wanted:
        if text is not None and count and parse_limit(text).trips(count, total):
            share = f" ({100 * count / total:.1f} % of {total})" if total else ""
            held.append(
                Held(
                    object=object_name,
                    guard=guard,
                    count=count,
                    limit=text,
                    message=f"object {object_name!r}: {count} {guard}{share} are more than the limit `{guard}: "
                    f"{text}`. "
                    f"None of them was made. Check the preview; if they are right, run with `accept: [{guard}]`, or "
                    f"raise `limits.{guard}` of the job.",
                )
            )
    return held


def _judge_source(object_name: str, limits: Limits, counts: Counts) -> list[Held]:
    held = []
    if counts.source_read < int(limits.min_source_records):
        held.append(
            Held(
                object=object_name,
                guard="min_source_records",
                count=counts.source_read,
                limit=limits.min_source_records,
                message=f"object {object_name!r}: the source gave {counts.source_read} records, fewer than "
                f"`min_source_records: {limits.min_source_records}`. Nothing is believed gone. Check the source; "
                "if so few are right, lower `limits.min_source_records` of the job.",
            )
        )
    before = counts.previous_read
    if limits.source_drop is not None and before is not None and counts.source_read < before:
        drop = before - counts.source_read
        if parse_limit(limits.source_drop).trips(drop, before):
            held.append(
                Held(
                    object=object_name,
                    guard="source_drop",
                    count=drop,
                    limit=limits.source_drop,
                    message=f"object {object_name!r}: the source gave {counts.source_read} records after {before} in "
                    "the last "
                    f"successful run, a drop beyond `source_drop: {limits.source_drop}`. Nothing is believed gone. "
                    "Check the "
                    "source; if the drop is right, raise `limits.source_drop` of the job.",
                )
            )
    return held


def split_held(changes: Sequence[Change], held: Sequence[Held]) -> tuple[list[Change], list[HeldChange]]:
    """Give (changes that may proceed, changes that are held, each with its guards). What goes with a disable is held
    with it: the groups that end and the move.
    """
    guards: dict[Action, set[GuardClass]] = {}
    for item in held:
        for action in _ACTIONS_OF.get(item.guard, ()):
            guards.setdefault(action, set()).add(item.guard)
    if not guards:
        return list(changes), []
    of_disable = guards.get("disable", set())
    leaving = {change.key for change in changes if change.action == "disable"} if of_disable else set()
    proceeding: list[Change] = []
    held_changes: list[HeldChange] = []
    for change in changes:
        mine = guards.get(change.action, set())
        if change.action in ("membership", "move") and change.key in leaving:
            mine = mine | of_disable
        if mine:
            held_changes.append(HeldChange(change=change, guards=frozenset(mine)))
        else:
            proceeding.append(change)
    return proceeding, held_changes


def let_through(part: ObjectPlan, accepted: Collection[GuardClass]) -> ObjectPlan:
    """Give `part` with the held changes whose guards are all accepted among the others, each at its place."""
    freed = [each.change for each in part.held_changes if each.guards.issubset(accepted)]
    return replace(
        part,
        changes=sorted([*part.changes, *freed], key=lambda change: change.number),
        held_changes=[each for each in part.held_changes if not each.guards.issubset(accepted)],
        held=[each for each in part.held if each.guard not in accepted],
    )
