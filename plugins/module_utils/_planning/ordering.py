# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which the changes of an object at a directory are applied."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._model.dn import parse_dn
from .._model.plans import Change


@dataclass(kw_only=True, slots=True)
class Ordered:
    """The changes of one object by the place in the order in which they are applied."""

    containers: list[Change] = field(default_factory=list)
    creates: list[Change] = field(default_factory=list)
    disables: list[Change] = field(default_factory=list)
    ended: list[Change] = field(default_factory=list)
    updates: list[Change] = field(default_factory=list)
    renames: list[Change] = field(default_factory=list)
    moves: list[Change] = field(default_factory=list)
    links: list[Change] = field(default_factory=list)
    begun: list[Change] = field(default_factory=list)
    deletes: list[Change] = field(default_factory=list)

    def all(self) -> list[Change]:
        """Give them in order: containers and new records from the top down, deletes from the bottom up."""
        self.creates.sort(key=_depth)
        self.deletes.sort(key=_depth, reverse=True)
        return [
            *self.containers,
            *self.creates,
            *self.disables,
            *self.ended,
            *self.updates,
            *self.renames,
            *self.moves,
            *self.links,
            *self.begun,
            *self.deletes,
        ]


def _depth(change: Change) -> int:
    return len(parse_dn(change.target or ""))
