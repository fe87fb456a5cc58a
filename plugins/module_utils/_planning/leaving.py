# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leavers and those who return: disable records that are missing at the source, remember what they had, give it back.

A leaver is disabled first, then stripped of groups, then moved, and deleted when the time is over. Somebody who returns
is enabled again, gets the stamped fields and the groups back, and moves to where records of today lie.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from .._model.access import Membership
from .._model.dn import fold_dn, is_within, parent_dn
from .._model.errors import ConfigError, RecordError, unknown
from .._model.kinds import canonicalizer
from .._model.plans import Leaver, PlannedValue, ValueChanges
from .._model.values import Key, Value, is_empty
from .destination import Found
from .directory_changes import DirectoryChanges
from .request import ObjectRequest, SharedPlan, Tally


class Leaving:
    """Plans the leavers of one object, and what those who return are given back."""

    def __init__(self, request: ObjectRequest, shared: SharedPlan, changes: DirectoryChanges, tally: Tally) -> None:
        self._request = request
        self._shared = shared
        self._changes = changes
        self._tally = tally
        self._state = shared.directory.disabled_state() if self._wanted else {}
        self._stamps = self._canonical_stamps()
        self.leavers: list[Leaver] = []
        self.returned: list[str] = []
        self._rejoining: list[tuple[Found, Key, str]] = []

    @property
    def _wanted(self) -> bool:
        return self._request.spec.missing_at_source == "disable" or bool(self._request.leavers)

    @property
    def state(self) -> Mapping[str, Value]:
        """The fields and values that lock a record at this directory."""
        return self._state

    @property
    def extra_fields(self) -> tuple[str, ...]:
        """Fields to read of leavers and of those who return, beside the mapped ones."""
        remembered = (name for leaver in self._request.leavers.values() for name in leaver.stamped)
        return tuple(dict.fromkeys((*self._state, *self._stamps, *remembered)))

    def _canonical_stamps(self) -> dict[str, Value]:
        stamps: dict[str, Value] = {}
        info = self._request.destination.info
        for name, text in self._request.stamps.items():
            where = f"object {self._request.spec.name!r}, on_disable, stamp"
            field = info.field(name)
            if field is None:
                raise ConfigError(unknown("field", name, (each.name for each in info.fields), where=where))
            if not field.writable or field.secret:
                raise ConfigError(f"{where}: {name!r} cannot be written. Stamp another field.")
            try:
                stamps[name] = None if text is None or not text else canonicalizer(field)(text)
            except ValueError as error:
                raise ConfigError(f"{where}: {name!r}: {error}") from None
        return stamps

    # -- leavers ------------------------------------------------------------------------------------------------

    def leave(self, absent: Sequence[Found]) -> None:
        """Plan what becomes of the records that are missing at the source."""
        due = [found for found in absent if self._is_due(found)]
        due_anchors = {found.anchor for found in due}
        for found in due:
            self._delete(found)
        staying = [found for found in absent if found.anchor not in due_anchors or found.anchor is None]
        groups = self._groups_of([found for found in staying if self._needs_groups(found)])
        for found in staying:
            try:
                self._disable(found, groups.get(fold_dn(found.place), ()))
            except RecordError as error:
                self._tally.error(found.key, error.reason_code, error.message)

    def _is_due(self, found: Found) -> bool:
        days = self._request.spec.on_disable.delete_after_days
        leaver = self._request.leavers.get(found.anchor or "")
        if days is None or leaver is None:
            return False
        return dt.datetime.fromisoformat(leaver.since) + dt.timedelta(days=days) <= self._request.now

    def _delete(self, found: Found) -> None:
        change = self._changes.change("delete", found.key, found.place, found.anchor, found.before, {})
        self._changes.ordered.deletes.append(change)

    def _needs_groups(self, found: Found) -> bool:
        return self._request.spec.on_disable.strip_groups and not self._is_settled(found)

    def _groups_of(self, records: Sequence[Found]) -> Mapping[str, tuple[Membership, ...]]:
        if not records:
            return {}
        groups = self._shared.directory.memberships([found.place for found in records])
        return {fold_dn(place): found for place, found in groups.items()}

    def _is_locked(self, found: Found) -> bool:
        return bool(self._state) and all(found.extra.get(name) == value for name, value in self._state.items())

    def _is_settled(self, found: Found) -> bool:
        """Tell whether everything was done for a leaver: it is remembered, and nobody has enabled it since."""
        remembered = (found.anchor or "") in self._request.leavers or found.anchor is None
        return remembered and (not self._state or self._is_locked(found))

    def _disable(self, found: Found, groups: Sequence[Membership]) -> None:
        settled = self._is_settled(found)
        move_to = self._request.spec.on_disable.move_to
        moves = move_to is not None and not is_within(found.place, move_to)
        if not settled:
            after: dict[str, PlannedValue] = {**self._state, **self._stamps}
            before = {name: found.extra.get(name) for name in after}
            changed = {name: value for name, value in after.items() if before[name] != value}
            if changed:
                shown = {name: before[name] for name in changed}
                self._changes.ordered.disables.append(
                    self._changes.change("disable", found.key, found.place, found.anchor, shown, changed)
                )
            for group in groups:
                gone = {group.field: ValueChanges(removed=(found.place,))}
                self._changes.ordered.ended.append(
                    self._changes.change("membership", found.key, group.group, group.anchor, {}, gone)
                )
        if moves and move_to is not None:
            self._changes.move(found.key, found, found.place, move_to)
        if found.anchor is not None and found.anchor not in self._request.leavers:
            self.leavers.append(
                Leaver(
                    anchor=found.anchor,
                    since=self._request.now.isoformat(),
                    container=parent_dn(found.place),
                    groups=tuple((group.group, group.field) for group in groups),
                    stamped={name: found.extra.get(name) for name in self._stamps},
                    was_enabled=not self._is_locked(found),
                )
            )

    # -- those who return ---------------------------------------------------------------------------------------

    def come_back(self, found: Found) -> dict[str, PlannedValue]:
        """Give the fields that a record which returns gets back; its groups and its way back are planned here.

        The mapping wins: a field that it gives is not given back.
        """
        leaver = self._request.leavers[found.anchor or ""]
        mapped = {name.casefold() for name in self._request.mapping.fields}
        after: dict[str, PlannedValue] = {}
        if leaver.was_enabled and self._is_locked(found):
            after |= {name: _opposite(value) for name, value in self._state.items() if name.casefold() not in mapped}
        for name, value in leaver.stamped.items():
            if name.casefold() not in mapped and found.extra.get(name) != value:
                after[name] = value
        self.returned.append(leaver.anchor)
        return after

    def rejoin(self, found: Found, key: Key, place: str) -> None:
        """Note that the record joins again the groups it was taken out of. `place` is where it lies by then."""
        if self._request.leavers[found.anchor or ""].groups:
            self._rejoining.append((found, key, place))

    def plan_joins(self) -> None:
        """Plan that all records that return join their groups again, but for those they are in: somebody was faster."""
        present = self._groups_of([found for found, _key, _place in self._rejoining])
        for found, key, place in self._rejoining:
            inside = {(fold_dn(group.group), group.field.casefold()) for group in present.get(fold_dn(found.place), ())}
            for group, field in self._request.leavers[found.anchor or ""].groups:
                if (fold_dn(group), field.casefold()) in inside:
                    continue
                joined = {field: ValueChanges(added=(place,))}
                self._changes.ordered.begun.append(self._changes.change("membership", key, group, None, {}, joined))

    def way_back(self, found: Found) -> str | None:
        """Give the container a record returns to when `create_in` gives none: the one it left."""
        leaver = self._request.leavers[found.anchor or ""]
        move_to = self._request.spec.on_disable.move_to
        if move_to is None or not is_within(found.place, move_to) or is_within(leaver.container, move_to):
            return None
        return leaver.container


def _opposite(value: Value) -> Value:
    """Give what unlocks a record: the other truth value; a locked time stamp is cleared."""
    if is_empty(value):
        return None
    return {"true": "false", "false": "true"}.get(str(value))
