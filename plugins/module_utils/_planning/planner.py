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
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from .._model.access import Completeness, Query, Reading, WriteTarget
from .._model.compiled import MappedRow
from .._model.errors import ConfigError, RecordError
from .._model.jobs import ObjectSpec, Unique
from .._model.plans import Change, Held, ObjectPlan, PlannedValue
from .._model.values import Key, Row, Value
from .fields import FieldRule, check_create, find_differences, make_rules
from .guards import Counts, judge_limits, split_held
from .incremental import Delta
from .index import DestinationIndex, KeyReader, fold_of, read_index
from .request import ObjectRequest, Tally
from .sweep import Piles, SourceSweep
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
        # A password is never read back: what is not known cannot leak into a plan or a log.
        self._read_rules = [rule for rule in self._rules if rule.position not in request.mapping.passwords]
        self._read_fields = tuple(rule.spec.name for rule in self._read_rules)
        for position, unique in request.mapping.unique.items():
            _check_unique(request.spec, request.mapping.fields[position], unique)
        key_rules = [rule for rule in self._rules if rule.spec.key]
        self._folds = tuple(fold_of(rule.info) for rule in key_rules)
        self._source_keys = KeyReader(positions=tuple(rule.position for rule in key_rules), folds=self._folds)
        self._destination_keys = KeyReader(
            positions=tuple(self._read_fields.index(rule.spec.name) for rule in key_rules), folds=self._folds
        )
        self._key_fields = tuple(rule.spec.name for rule in key_rules)

    def plan(self) -> ObjectPlan:
        request = self._request
        index = self._read_destination()
        destination_total = len(index.hashes) + sum(index.ambiguous.values())
        delta = Delta(request.incremental.since, request.now) if request.incremental is not None else None
        sweep = SourceSweep(
            request,
            rules=self._rules,
            index=index,
            keys=self._source_keys,
            project=self._projection(
                [rule.position for rule in self._rules if self._is_hashed(rule)], len(self._rules)
            ),
            delta=delta,
            tally=self._tally,
            unique=self._source_is_unique(),
        )
        piles = sweep.run(self._source_query())
        absent = self._believed_absent(sweep, index, piles)
        changes = self._make_changes(piles, absent, index)
        self._note_delta(delta)
        self._count_matched(piles)
        counts = self._guard_counts(changes, destination_total)
        self._tally.held.extend(judge_limits(self._spec.name, request.limits, counts))
        changes, held_changes = split_held(changes, self._tally.held)
        changes = [_renumber(change, number) for number, change in enumerate(changes, request.first_number)]
        return ObjectPlan(
            name=self._spec.name,
            target=WriteTarget(
                container=request.destination.query.container,
                key_fields=self._key_fields,
                fields=request.mapping.fields,
                replace=self._spec.destination.replace_file,
                loose_keys=any(self._folds),
            ),
            changes=changes,
            held_changes=held_changes,
            held=tuple(self._tally.held),
            problems=tuple(self._tally.problems),
            statistics=self._tally.statistics(changes),
            mark=delta.mark(request.incremental.since)
            if delta is not None and request.incremental is not None
            else None,
            missing_keys=piles.missing_keys,
        )

    # -- the destination ----------------------------------------------------------------------------------------

    def _read_destination(self) -> DestinationIndex:
        if not self._request.destination.info.exists:
            return DestinationIndex()
        hashed = [self._read_fields.index(rule.spec.name) for rule in self._read_rules if self._is_hashed(rule)]
        unique = {rule.position: self._read_fields.index(rule.spec.name) for rule in self._rules if rule.unique}
        index = read_index(
            self._open_destination,
            self._destination_keys,
            self._projection(hashed, len(self._read_fields)),
            unique.values(),
            self._request.checkpoint,
        )
        index.taken = {position: index.taken[place] for position, place in unique.items()}
        if index.keyless:
            self._tally.warn(
                "empty_key",
                f"{index.keyless} records at the destination have an empty key; they are never matched, changed or "
                "deleted.",
            )
        return index

    def _open_destination(self) -> Reading:
        side = self._request.destination
        return side.provider.read(side.query, self._read_fields)

    @staticmethod
    def _is_hashed(rule: FieldRule) -> bool:
        # Keys are equal whenever two records are compared; with them the whole row can be hashed as it is.
        return rule.compared or rule.spec.key

    @staticmethod
    def _projection(positions: Sequence[int], width: int) -> Callable[[t.Any], t.Any] | None:
        """Give what picks `positions` from a row, None when that is the whole row."""
        if list(positions) == list(range(width)):
            return None
        if len(positions) == 1:
            # A tuple like that of the other side, where the one field may be the whole row.
            position = positions[0]
            return lambda row: (row[position],)
        return itemgetter(*positions)

    # -- the source ---------------------------------------------------------------------------------------------

    def _source_query(self) -> Query:
        """Ask the source to leave older records out, but only where nothing is deduced from absence."""
        request = self._request
        query = request.source.query
        incremental = request.incremental
        if incremental is None or incremental.since is None or self._spec.missing_at_source != "skip":
            return query
        return Query(container=query.container, text=query.text, newer_than=(incremental.field, incremental.since))

    def _source_is_unique(self) -> bool:
        if any(self._folds):
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
        taken = {position: UniqueValues(values) for position, values in index.taken.items()}
        for rule in self._rules:
            if rule.unique:
                taken.setdefault(rule.position, UniqueValues(()))
        absent_set = set(absent)
        present = self._read_again([*piles.candidates, *absent])
        updates, deletes = [], []
        for index_key, (key, before) in present.items():
            if index_key in absent_set:
                deletes.append(self._change("delete", key, before, {}))
                continue
            after = self._differences(key, piles.candidates[index_key], before, taken)
            if after is None:
                continue
            if after:
                updates.append(self._change("update", key, before, after))
            else:
                piles.unchanged += 1
        self._note_vanished(piles.candidates, present)
        creates = self._make_creates(piles, taken)
        # Creates first and deletes last: at every moment of a run the destination lacks as few records as can be.
        return [*creates, *updates, *deletes]

    def _differences(
        self, key: Key, planned: MappedRow, before: Mapping[str, Value], taken: Mapping[int, UniqueValues]
    ) -> dict[str, PlannedValue] | None:
        def choose(rule: FieldRule, wish: str, current: Value) -> str:
            present = current if isinstance(current, str) else None
            return taken[rule.position].take(wish, self._request.mapping.unique[rule.position], present)

        try:
            return find_differences(self._rules, planned, before, choose)
        except RecordError as error:
            self._tally.error(key, error.reason_code, error.message)
            return None

    def _make_creates(self, piles: Piles, taken: Mapping[int, UniqueValues]) -> list[Change]:
        if self._spec.missing_at_destination == "skip":
            self._tally.count("skipped", len(piles.creates))
            return []
        if piles.creates:
            self._warn_of_unmapped()
        creates = []
        for row in piles.creates.values():
            key = self._source_keys.texts(row)
            try:
                creates.append(self._change("create", key, {}, self._new_record(row, taken)))
            except RecordError as error:
                self._tally.error(key, error.reason_code, error.message)
        return creates

    def _new_record(self, row: MappedRow, taken: Mapping[int, UniqueValues]) -> dict[str, PlannedValue]:
        check_create(self._rules, row)
        after: dict[str, PlannedValue] = {}
        for rule in self._rules:
            value = row[rule.position]
            if rule.unique and isinstance(value, str) and value:
                value = taken[rule.position].take(value, self._request.mapping.unique[rule.position])
            after[rule.spec.name] = value
        return after

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

    def _read_again(self, index_keys: list[t.Any]) -> dict[t.Any, tuple[Key, dict[str, Value]]]:
        """Give key and mapped fields of the destination records with `index_keys`, from the state the index was made
        of.
        """
        if not index_keys:
            return {}
        side = self._request.destination
        wanted = set(index_keys)
        keys: list[Key] = [key if isinstance(key, tuple) else (key,) for key in index_keys]
        found: dict[t.Any, tuple[Key, dict[str, Value]]] = {}
        # A folded key is not a text the system can look up, so then everything is read again.
        again = (
            self._open_destination()
            if any(self._folds)
            else side.provider.read_keys(side.query, self._read_fields, self._key_fields, keys)
        )
        with again as reading:
            for batch in reading.batches():
                self._request.checkpoint()
                for row in batch:
                    key = self._destination_keys.of_row(row)
                    if key in wanted:
                        found[key] = (self._row_key(row), dict(zip(self._read_fields, row, strict=True)))
        return found

    def _row_key(self, row: Row) -> Key:
        return self._destination_keys.texts(row)

    def _change(
        self,
        action: t.Literal["create", "update", "delete"],
        key: Key,
        before: Mapping[str, Value],
        after: Mapping[str, PlannedValue],
    ) -> Change:
        return Change(number=0, object=self._spec.name, action=action, key=key, before=before, after=after)

    # -- the account --------------------------------------------------------------------------------------------

    def _note_vanished(self, candidates: Mapping[t.Any, MappedRow], present: Mapping[t.Any, object]) -> None:
        for key in candidates.keys() - present.keys():
            self._tally.count("conflicts")
            texts = key if isinstance(key, tuple) else (key,)
            self._tally.error(texts, "moved_on", "the record vanished from the destination while it was being read.")

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


def _renumber(change: Change, number: int) -> Change:
    return Change(
        number=number,
        object=change.object,
        action=change.action,
        key=change.key,
        target=change.target,
        before=change.before,
        after=change.after,
    )
