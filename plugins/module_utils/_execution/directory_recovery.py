# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of changes at a directory that a dead process left in doubt: found by anchor, else by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .._model.access import Provider, Query
from .._model.dn import fold_dn
from .._model.plans import DONE, Change, Outcome, PlannedValue
from .._model.secrets import GeneratedPassword
from .._model.values import Key, Single, Value
from .._providers.before_image import judge

_CREATES = frozenset({"create", "create_container"})


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryLook:
    """How entries of one destination are found: the fields that hold their name and what names them for ever."""

    provider: Provider
    place: str
    anchor: str | None

    def verdicts(self, changes: Sequence[Change], done: Outcome, not_done: Outcome) -> dict[int, Outcome]:
        """Give by number what became of each change. Raises ProviderError when the directory cannot be read."""
        by_anchor = self._find(self.anchor, [change.anchor for change in changes if change.anchor], changes)
        by_place = self._find(self.place, [change.target for change in changes if change.target], changes)
        found: dict[int, Outcome] = {}
        for change in changes:
            current = by_anchor.get(change.anchor or "") or self._same_entry(change, by_place)
            found[change.number] = self._verdict(change, current, done, not_done)
        self.provider.release()
        return found

    def _same_entry(self, change: Change, by_place: Mapping[str, Mapping[str, Value]]) -> Mapping[str, Value] | None:
        current = by_place.get(fold_dn(change.target or ""))
        other = current is not None and change.anchor is not None and current.get(self.anchor or "") != change.anchor
        return None if other else current

    def _find(
        self, field: str | None, wanted: Sequence[str | None], changes: Sequence[Change]
    ) -> dict[str, Mapping[str, Value]]:
        if field is None or not wanted:
            return {}
        names = {name for change in changes for name in (*change.before, *self._readable(change))} - {self.place}
        fields = (self.place, *([self.anchor] if self.anchor is not None else []), *sorted(names))
        keys: list[Key] = [(text,) for text in dict.fromkeys(wanted) if text]
        found: dict[str, Mapping[str, Value]] = {}
        with self.provider.read_keys(Query(), fields, (field,), keys) as reading:
            for batch in reading.batches():
                for row in batch:
                    record = dict(zip(fields, row, strict=True))
                    text = str(record[field])
                    found[fold_dn(text) if field == self.place else text] = record
        return found

    def _verdict(
        self, change: Change, current: Mapping[str, Value] | None, done: Outcome, not_done: Outcome
    ) -> Outcome:
        if change.action == "delete":
            return done if current is None else not_done
        if current is None:
            return not_done
        if change.action in ("rename", "move"):
            arrived = fold_dn(str(change.after[self.place])) == fold_dn(str(current[self.place]))
            return done if arrived else not_done
        readable = replace(change, after=self._readable(change))
        outcome = judge(readable, current, fold=_fold)
        if change.action in _CREATES and outcome is not None and outcome.status == "done":
            anchor = current.get(self.anchor or "")
            return replace(done, anchor=anchor if isinstance(anchor, str) else None)
        return not_done if outcome is None else done if outcome == DONE else outcome

    @staticmethod
    def _readable(change: Change) -> dict[str, PlannedValue]:
        # A password cannot be compared: it is known only to the process that died.
        return {name: value for name, value in change.after.items() if not isinstance(value, GeneratedPassword)}


def _fold(_name: str, value: Single) -> Single:
    return fold_dn(value) if isinstance(value, str) and "=" in value else value
