# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes of a batch may be in flight at once: those that do not wait for one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._model.dn import fold_dn, parent_dn, parse_dn
from ..._model.plans import Change
from .flavours import PLACE

_CREATES = frozenset({"create", "create_container"})
_DN_CHANGES = frozenset({"rename", "move"})


def waves(changes: Sequence[Change]) -> Iterator[list[int]]:
    """Give the numbers of changes wave by wave. Servers carry out what is in flight in any order, so a new entry waits
    for the one above it, a deletion for those below, a name for whoever has it still, and one change of an entry for
    the one before.
    """
    start = 0
    while start < len(changes):
        end = start + 1
        while end < len(changes) and changes[end].action == changes[start].action:
            end += 1
        yield from _levels(changes, range(start, end))
        start = end


def _levels(changes: Sequence[Change], numbers: range) -> list[list[int]]:
    """Sort changes of one action by how many of them must come before."""
    action = changes[numbers.start].action
    ordered: Sequence[int] = numbers
    if action in _CREATES or action == "delete":
        ordered = sorted(numbers, key=lambda number: _depth(changes[number]), reverse=action == "delete")
    levels: dict[int, list[int]] = {}
    # By folded name: the first wave in which an operation on it may be.
    free: dict[str, int] = {}
    for number in ordered:
        change = changes[number]
        place = fold_dn(change.target or "")
        names = [place]
        if action in _CREATES:
            names.append(parent_dn(place))
        elif action in _DN_CHANGES:
            names.append(fold_dn(str(change.after.get(PLACE) or "")))
        level = max(free.get(name, 0) for name in names)
        levels.setdefault(level, []).append(number)
        if action == "membership":
            continue
        held = [place]
        if action == "delete":
            held.append(parent_dn(place))
        elif action in _DN_CHANGES:
            held.append(names[1])
        for name in held:
            free[name] = max(free.get(name, 0), level + 1)
    return [sorted(levels[level]) for level in sorted(levels)]


def _depth(change: Change) -> int:
    place = change.target or ""
    return len(parse_dn(place)) if "\\" in place else place.count(",") + 1
