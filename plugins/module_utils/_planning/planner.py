# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan one object: sweep the destination into an index, stream the source through the mapping, join by key, compare,
guard.

Reads the destination once for the index and once more only for the records that seem to differ or to be gone. Pure but
for the readings it is given.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import replace

from .._model.access import Completeness, Query, WriteTarget
from .._model.errors import ConfigError
from .._model.jobs import ObjectSpec, Unique
from .._model.plans import Change, Held, HeldChange, ObjectPlan
from .destination import DestinationReader
from .directory_planning import DirectoryPlanning
from .fields import make_rules
from .guards import Counts, judge_limits, split_held
from .incremental import Delta
from .index import DestinationIndex
from .request import ObjectRequest, Tally
from .skimming import Skim, skim
from .sweep import Piles, SourceSweep
from .table_changes import Chooser, TableChanges
from .unique import UniqueValues, check_unique


def plan_object(request: ObjectRequest) -> ObjectPlan:
    """Give the plan of one object.

    Raises ConfigError when the declaration does not fit the systems, ProviderError when one of them cannot be read to
    its end: then there is no plan at all, never one made from a part.
    """
    return _ObjectPlanner(request).plan()


class _ObjectPlanner:
    def __init__(self, request: ObjectRequest) -> None:
        self._request = request
        self._spec = request.spec
        self._tally = Tally(request.spec.name)
        self._rules = make_rules(request.spec, request.mapping, request.source.info, request.destination.info)
        for position, unique in request.mapping.unique.items():
            _check_unique(request.spec, request.mapping.fields[position], unique)
        self._reader = DestinationReader(request, self._rules)

    def plan(self) -> ObjectPlan:
        request = self._request
        skimmed = self._skim()
        index = self._reader.read_index(self._tally, skimmed)
        directory = self._directory(index)
        destination_total = len(index.hashes) + sum(index.ambiguous.values())
        if skimmed is not None:
            destination_total += skimmed.equal
            self._tally.inform(
                "fingerprints",
                f"{skimmed.equal} records have equal fingerprints, which both databases made, and were not read.",
            )
        delta = Delta(request.incremental.since, request.now) if request.incremental is not None else None
        sweep = SourceSweep(
            request,
            rules=self._rules,
            index=index,
            keys=self._reader.source_keys,
            project=self._reader.projection(len(self._rules) + (2 if directory is not None else 0)),
            delta=delta,
            tally=self._tally,
            unique=self._source_is_unique(),
            companion=None if directory is None else directory.companion,
        )
        piles = sweep.run(self._source_query(), skimmed)
        absent = self._believed_absent(sweep, index, piles)
        if piles.creates and self._spec.missing_at_destination == "create":
            self._warn_of_unmapped()
        if directory is None:
            changes = self._make_changes(piles, absent, index)
        else:
            changes = directory.make(piles, absent, sweep.repeated_keys)
        self._note_delta(delta)
        self._count_matched(piles)
        counts = self._guard_counts(changes, destination_total)
        self._tally.held.extend(judge_limits(self._spec.name, request.limits, counts))
        self._tally.accept(request.accepted)
        for place, change in enumerate(changes):
            # In place: there is never a second list of all of them.
            changes[place] = replace(change, number=request.first_number + place)
        changes, held_changes = split_held(changes, self._tally.held)
        if request.shared is not None:
            request.shared.references.note_moves(changes)
        removals = [] if directory is None else directory.changes.held_changes
        first = request.first_number + len(changes) + len(held_changes)
        held_changes += [
            HeldChange(change=replace(change, number=number), guards=frozenset({"member_removals"}))
            for number, change in enumerate(removals, first)
        ]
        return ObjectPlan(
            name=self._spec.name,
            target=self._target(directory),
            changes=changes,
            held_changes=held_changes,
            held=tuple(self._tally.held),
            problems=tuple(self._tally.problems),
            statistics=self._tally.statistics(changes),
            mark=delta.mark(request.incremental.since)
            if delta is not None and request.incremental is not None
            else None,
            missing_keys=piles.missing_keys,
            links=() if directory is None else directory.links,
            leavers=() if directory is None else directory.leaving.leavers,
            returned=() if directory is None else directory.leaving.returned,
        )

    def _directory(self, index: DestinationIndex) -> DirectoryPlanning | None:
        shared = self._request.shared
        if shared is None:
            return None
        return DirectoryPlanning(self._request, shared, self._reader, index, rules=self._rules, tally=self._tally)

    def _target(self, directory: DirectoryPlanning | None) -> WriteTarget:
        query = self._request.destination.query
        return WriteTarget(
            container=query.container,
            key_fields=self._reader.key_fields,
            fields=self._request.mapping.fields,
            replace=self._spec.destination.replace_file,
            # A directory is asked to compare as the index did.
            loose_keys=directory is None and any(self._reader.folds),
            object_classes=query.object_classes,
        )

    # -- the source ---------------------------------------------------------------------------------------------

    def _skim(self) -> Skim | None:
        """Ask both systems what is equal, where nothing else must be known of a record than that it is."""
        request, mapping = self._request, self._request.mapping
        must_be_seen = (
            not mapping.identity
            or mapping.in_scope is not None
            or mapping.unique
            or any(rule.prepare is not None for rule in self._rules)
            or request.incremental is not None
            or request.wanted_keys is not None
            or request.shared is not None
        )
        if must_be_seen or not (self._source_is_unique() and self._destination_is_unique()):
            return None
        keys = [rule for rule in self._rules if rule.spec.key]
        return skim(request, self._reader.compared_rules, keys)

    def _destination_is_unique(self) -> bool:
        keys = frozenset(self._reader.key_fields)
        return any(unique <= keys for unique in self._request.destination.info.unique_keys)

    def _source_query(self) -> Query:
        """Ask the source to leave older records out, but only where nothing is deduced from absence."""
        request = self._request
        query = request.source.query
        incremental = request.incremental
        if incremental is None or incremental.since is None or self._spec.missing_at_source != "skip":
            return query
        return replace(query, newer_than=(incremental.field, incremental.since))

    def _source_is_unique(self) -> bool:
        if any(self._reader.folds):
            return False
        sources = set()
        for rule in self._rules:
            if rule.spec.key:
                if rule.spec.source is None or rule.spec.transform or rule.spec.delimiter or rule.prepare is not None:
                    return False
                sources.add(rule.spec.source)
        return any(key <= sources for key in self._request.source.info.unique_keys)

    def _believed_absent(self, sweep: SourceSweep, index: DestinationIndex, piles: Piles) -> list[t.Any]:
        if self._spec.missing_at_source == "skip" or self._request.wanted_keys is not None:
            return []
        absent = sweep.absent_keys()
        doubt = self._doubt_about_absence(index.completeness, piles)
        if absent and doubt:
            self._tally.held.append(
                Held(
                    object=self._spec.name,
                    guard="absence",
                    count=len(absent),
                    limit="proof of a complete source",
                    message=f"object {self._spec.name!r}: {len(absent)} records seem to be missing at the source, but "
                    f"{doubt}. "
                    "None of them was deleted.",
                )
            )
            return []
        return absent

    @staticmethod
    def _doubt_about_absence(destination: Completeness, piles: Piles) -> str:
        if not piles.proven:
            return f"the source is not proven complete: {piles.reason}"
        if not destination.proven:
            return f"the destination is not proven complete: {destination.reason}"
        if piles.keyless:
            records = "1 source record has" if piles.keyless == 1 else f"{piles.keyless} source records have"
            return (
                f"{records} no key that can be read, and may stand for any of these. "
                "Mend such records, or leave them out with `when`"
            )
        return ""

    # -- the changes --------------------------------------------------------------------------------------------

    def _make_changes(self, piles: Piles, absent: list[t.Any], index: DestinationIndex) -> list[Change]:
        if self._spec.missing_at_destination == "skip":
            self._tally.count("skipped", len(piles.creates))
            piles.creates.clear()
        taken = {position: UniqueValues(values) for position, values in index.taken.items()}
        choose = Chooser(self._request, self._rules, taken).for_record(None)
        changes = TableChanges(self._request, self._reader, rules=self._rules, tally=self._tally, choose=choose)
        return changes.make(piles, absent, index)

    def _warn_of_unmapped(self) -> None:
        """Say beforehand what the destination will refuse, unless a trigger of its own fills it in."""
        info = self._request.destination.info
        mapped = set(self._request.mapping.fields)
        for field in info.fields:
            if field.name not in mapped and field.writable and not (field.nullable or field.has_default):
                self._tally.warn(
                    "unmapped",
                    f"{info.kind} {info.name!r} needs a value for {field.name!r} ({field.type_name or field.kind}) in "
                    "new records, and no field is mapped to it. Map one, or give the column a default.",
                )

    # -- the account --------------------------------------------------------------------------------------------

    def _count_matched(self, piles: Piles) -> None:
        self._tally.count("unchanged", piles.unchanged)
        self._tally.count("matched", piles.matched)

    def _note_delta(self, delta: Delta | None) -> None:
        if delta is None or self._request.incremental is None:
            return
        field = self._request.incremental.field
        if delta.future:
            self._tally.warn(
                "future_time_stamp",
                f"{delta.future} records have a {field!r} more than a day ahead; they are looked at in every run.",
            )
        if delta.unreadable:
            self._tally.warn(
                "time_stamp",
                f"{delta.unreadable} records have a {field!r} that is empty or no time stamp; they are looked at in "
                "every run.",
            )

    def _guard_counts(self, changes: Sequence[Change], destination_total: int) -> Counts:
        actions = [change.action for change in changes]
        counts = self._tally.counts
        return Counts(
            source_read=counts.get("read", 0),
            source_in_scope=counts.get("in_scope", 0),
            destination_total=destination_total,
            creates=actions.count("create"),
            updates=actions.count("update"),
            moves=actions.count("move"),
            disables=actions.count("disable"),
            deletes=actions.count("delete"),
            previous_read=self._request.previous_read,
            partial=self._request.wanted_keys is not None or self._is_delta_reading(),
        )

    def _is_delta_reading(self) -> bool:
        return self._source_query().newer_than is not None


def _check_unique(spec: ObjectSpec, field: str, rule: Unique) -> None:
    try:
        check_unique(rule)
    except ConfigError as error:
        raise ConfigError(f"object {spec.name!r}, field {field!r}: {error.message}") from None
