# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planner is given for one object: its rules, both sides, and what the run asks for."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._model.access import Directory, Provider, Query
from .._model.checkpoint import Checkpoint
from .._model.compiled import CompiledMapping, Protection
from .._model.jobs import Limits, ObjectSpec
from .._model.plans import Change, GuardClass, Held, Leaver
from .._model.runs import COUNTED, Problem, Statistics
from .._model.schema import ContainerInfo
from .._model.values import Key
from .references import ReferenceBook
from .unique import UniqueValues


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One side of an object: an opened provider, what to read there, and what it says of itself."""

    provider: Provider
    query: Query
    info: ContainerInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Incremental:
    """The time stamp field at the source and the mark of the last successful run; `since` None reads everything."""

    field: str
    since: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRequest:
    """Everything that decides the plan of one object.

    Attributes:
        wanted_keys: only these source keys, with no deletes; None for all.
        previous_read: records the last successful run read, for `source_drop`.
        checkpoint: called between batches with the number of records just read.
        first_number: the number of the first change.
        accepted: guards that hold nothing in this run.
        links: the remembered anchors by source identity (directories, like all that follows).
        leavers: by anchor, the records that were disabled because they were missing.
        stamps: the fields that `on_disable` writes, with their texts filled in.
        protection: at a table or file, which records are never touched.
        shared: what the objects of one plan know of each other; given for a destination that is a directory.
    """

    spec: ObjectSpec
    mapping: CompiledMapping
    source: Side
    destination: Side
    limits: Limits
    now: dt.datetime
    checkpoint: Checkpoint
    incremental: Incremental | None = None
    wanted_keys: frozenset[Key] | None = None
    previous_read: int | None = None
    first_number: int = 1
    accepted: frozenset[GuardClass] = frozenset()
    links: Mapping[str, str] = field(default_factory=dict)
    leavers: Mapping[str, Leaver] = field(default_factory=dict)
    stamps: Mapping[str, str | None] = field(default_factory=dict)
    protection: Protection | None = None
    shared: SharedPlan | None = None


@dataclass(kw_only=True, slots=True)
class SharedPlan:
    """What the objects of one plan share at a directory: its references and containers, read once, and what the plan
    itself adds to them.

    Attributes:
        containers: folded DN of each container there is or will be; None until somebody asks.
        places: folded DNs that new, renamed and moved records will have.
        taken: by field family, the values that must stay unique.
    """

    directory: Directory
    references: ReferenceBook
    containers: set[str] | None = None
    places: set[str] = field(default_factory=set)
    taken: dict[tuple[str, ...], UniqueValues] = field(default_factory=dict)


class Tally:
    """Collects counts and problems while an object is planned."""

    def __init__(self, object_name: str) -> None:
        self._object = object_name
        self.counts: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.held: list[Held] = []

    def count(self, name: str, amount: int = 1) -> None:
        """Add to one of the counts of `Statistics`."""
        self.counts[name] = self.counts.get(name, 0) + amount

    def error(self, key: Key, code: str, message: str) -> None:
        """Note that one record is at fault."""
        self.count("errors")
        self.problems.append(Problem(level="error", object=self._object, key=key, code=code, message=message))

    def warn(self, code: str, message: str, key: Key = ()) -> None:
        """Note something the reader should know."""
        self.count("warnings")
        self.problems.append(Problem(level="warning", object=self._object, key=key, code=code, message=message))

    def accept(self, accepted: Collection[GuardClass]) -> None:
        """Let pass the tripped guards that somebody accepted knowingly, and note that they did."""
        passed = [item for item in self.held if item.guard in accepted]
        self.held = [item for item in self.held if item.guard not in accepted]
        for item in passed:
            self.inform(
                "accepted",
                f"{item.count} {item.guard} are beyond the limit `{item.limit}` and were accepted for this run.",
            )

    def inform(self, code: str, message: str) -> None:
        """Note how the object was planned, where that is of interest."""
        self.problems.append(Problem(level="info", object=self._object, key=(), code=code, message=message))

    def skip(self, key: Key, reason: str) -> None:
        """Note that the mapping asked to leave a record alone."""
        self.count("skipped")
        self.problems.append(Problem(level="info", object=self._object, key=key, code="skipped", message=reason))

    def statistics(self, changes: t.Iterable[Change]) -> Statistics:
        """Give the counts, with `changes` counted as done."""
        counts = dict(self.counts)
        for change in changes:
            name = COUNTED.get(change.action)
            if name is not None:
                counts[name] = counts.get(name, 0) + 1
        return Statistics(**counts)
