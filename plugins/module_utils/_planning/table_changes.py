# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of one object at a table or file: create, update, delete."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .._model.compiled import MappedRow
from .._model.errors import RecordError
from .._model.plans import Change, Image, PlannedValue
from .._model.values import Key, Value
from .destination import DestinationReader, Found
from .fields import FieldRule, check_create, find_differences
from .index import DestinationIndex
from .request import ObjectRequest, Tally
from .sweep import Piles
from .unique import UniqueValues

Choose: t.TypeAlias = Callable[[FieldRule, str, Value], str]
NOTHING: Mapping[str, Value] = {}
"""What new records have before, one for all of them."""


class TableChanges:
    """Makes the changes of one object from what the sweep sorted."""

    def __init__(
        self,
        request: ObjectRequest,
        reader: DestinationReader,
        *,
        rules: Sequence[FieldRule],
        tally: Tally,
        choose: Choose,
    ) -> None:
        self._request = request
        self._reader = reader
        self._rules = rules
        self._tally = tally
        self._choose = choose

    def make(self, piles: Piles, absent: list[t.Any], index: DestinationIndex) -> list[Change]:
        """Give all changes in the order in which they are applied."""
        absent_set = set(absent)
        unmapped = self._unmapped() if absent else ()
        extra = tuple(dict.fromkeys((*unmapped, *self._protecting_fields())))
        present = self._reader.read_again(index, [*piles.candidates, *absent], extra)
        updates, deletes = [], []
        for index_key, found in present.items():
            if self._is_protected(found):
                continue
            if index_key in absent_set:
                deletion = self._change("delete", found.key, found.before, {})
                deletes.append(replace(deletion, image=Image(fields={name: found.extra[name] for name in unmapped})))
                continue
            after = self._differences(found, piles.candidates[index_key])
            if after is None:
                continue
            if after:
                updates.append(self._change("update", found.key, found.before, after))
            else:
                piles.unchanged += 1
        note_vanished(self._tally, piles.candidates, present)
        creates = self._make_creates(piles)
        # Creates first and deletes last: at every moment of a run the destination lacks as few records as can be.
        return [*creates, *updates, *deletes]

    def _protecting_fields(self) -> tuple[str, ...]:
        """Give the fields that `protect` looks at and nobody reads otherwise."""
        protection = self._request.protection
        known = self._reader.fields
        return () if protection is None else tuple(name for name in protection.fields if name not in known)

    def _is_protected(self, found: Found) -> bool:
        """Tell whether a record must be left alone, because `protect` matches it or cannot tell."""
        protection = self._request.protection
        if protection is None:
            return False
        values = {**found.before, **found.extra}
        try:
            if not protection.matches(tuple(values[name] for name in protection.fields)):
                return False
        except RecordError as error:
            self._tally.error(found.key, error.reason_code, error.message)
            return True
        self._tally.skip(found.key, f"protected: it matches `protect: {self._request.spec.protect}`.")
        return True

    def _unmapped(self) -> tuple[str, ...]:
        """Give the fields that a record has beside the mapped ones: a deletion that is taken back restores them too."""
        if self._request.spec.destination.replace_file:
            return ()
        mapped = set(self._request.mapping.fields)
        info = self._request.destination.info
        return tuple(
            field.name for field in info.fields if field.writable and not field.secret and field.name not in mapped
        )

    def _differences(self, found: Found, planned: MappedRow) -> dict[str, PlannedValue] | None:
        try:
            return find_differences(self._rules, planned, found.before, self._choose)
        except RecordError as error:
            self._tally.error(found.key, error.reason_code, error.message)
            return None

    def _make_creates(self, piles: Piles) -> list[Change]:
        creates = []
        # Taken out one by one: a first load holds each record once, not as a row and as a change.
        for index_key in list(piles.creates):
            row = piles.creates.pop(index_key)
            key = self._reader.source_keys.texts(row)
            try:
                creates.append(self._change("create", key, NOTHING, self._new_record(row)))
            except RecordError as error:
                self._tally.error(key, error.reason_code, error.message)
        return creates

    def _new_record(self, row: MappedRow) -> dict[str, PlannedValue]:
        check_create(self._rules, row)
        after: dict[str, PlannedValue] = {}
        for rule in self._rules:
            value = row[rule.position]
            if rule.unique and isinstance(value, str) and value:
                value = self._choose(rule, value, None)
            after[rule.spec.name] = value
        return after

    def _change(
        self,
        action: t.Literal["create", "update", "delete"],
        key: Key,
        before: Mapping[str, Value],
        after: Mapping[str, PlannedValue],
    ) -> Change:
        return Change(number=0, object=self._request.spec.name, action=action, key=key, before=before, after=after)


class Chooser:
    """Settles the fields that must be unique at the destination."""

    def __init__(self, request: ObjectRequest, rules: Sequence[FieldRule], taken: Mapping[int, UniqueValues]) -> None:
        self._request = request
        self._taken = dict(taken)
        for rule in rules:
            if rule.unique:
                self._taken.setdefault(rule.position, UniqueValues(()))

    def for_record(self, owner: str | None) -> Choose:
        """Give the choice for the record whose anchor is `owner`, None for a new one."""

        def choose(rule: FieldRule, wish: str, current: Value) -> str:
            present = current if isinstance(current, str) else None
            unique = self._request.mapping.unique[rule.position]
            return self._taken[rule.position].take(wish, unique, present, owner)

        return choose


def note_vanished(tally: Tally, candidates: Mapping[t.Any, MappedRow], present: Mapping[t.Any, object]) -> None:
    """Tell the records that were there in the sweep and are not any more."""
    for key in candidates.keys() - present.keys():
        tally.count("conflicts")
        texts = key if isinstance(key, tuple) else (key,)
        tally.error(texts, "moved_on", "the record vanished from the destination while it was being read.")
