# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One batch of changes inside one transaction: read what is there, judge, then write what may be written."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.access import WriteTarget
from ..._model.errors import RecordError
from ..._model.plans import Change, Outcome
from ..._model.values import Key, Value, show_key
from ..before_image import judge
from .decoding import batch_decoder
from .encoding import OMIT, encoder, field_encoder, key_encoder, same_when_empty
from .engine import Database
from .reflection import Source
from .session import Session
from .statements import Natives, PreparedWrite, delete_keys, insert_rows, select_keys, update_rows

# Their drivers tell how many records a statement for many rows touched.
_COUNTING = frozenset({"postgresql", "mysql", "sqlite", "oracle"})


class RowCountError(Exception):
    """A statement touched more or fewer records than it was meant for; the message says so."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as it is: its canonical fields, and its key as the driver wants it back."""

    fields: Mapping[str, Value]
    key: Natives


class Layout:
    """What is the same for all batches of one writer: the columns, and the functions that turn values to and fro."""

    def __init__(self, database: Database, source: Source, target: WriteTarget) -> None:
        self.source = source
        self.key_fields = target.key_fields
        self.keys = [source.columns[name] for name in target.key_fields]
        self.columns = [source.columns[name] for name in dict.fromkeys((*target.key_fields, *target.fields))]
        self.names = [column.info.name for column in self.columns]
        self.decode = batch_decoder(database, self.columns)
        self.list_forms = key_encoder(database, self.keys)
        self.encoders = {column.info.name: field_encoder(database, column) for column in self.columns}
        self.same_when_empty = frozenset(c.info.name for c in self.columns if same_when_empty(c.info))
        self.case_sensitive = all(column.info.case_sensitive for column in self.keys)
        # MariaDB compares text with numbers by way of floats, which takes neighbours of big numbers for equal.
        self.key_encoders = [
            None if database.family != "mysql" or column.info.kind in ("text", "float", "binary")
            else encoder(database, column)
            for column in self.keys
        ]  # fmt: skip

    def native_key(self, key: Key, driver_row: Sequence[t.Any]) -> Natives:
        """Give the key as it was read, so that exactly this record is written to, however its value is stored."""
        return tuple([
            value if encode is None else encode(part)
            for encode, part, value in zip(self.key_encoders, key, driver_row, strict=False)
        ])  # fmt: skip


class Batch:
    """Judges changes of different keys and collects what is to be written."""

    def __init__(self, session: Session, layout: Layout) -> None:
        self._session = session
        self._layout = layout
        self._deletes: list[Natives] = []
        self._updates: defaultdict[tuple[str, ...], list[Natives]] = defaultdict(list)
        self._creates: defaultdict[tuple[str, ...], list[Natives]] = defaultdict(list)

    @property
    def is_empty(self) -> bool:
        """Nothing is to be written."""
        return not (self._deletes or self._updates or self._creates)

    def judge(self, changes: Sequence[Change]) -> list[Outcome | None]:
        """Give the outcome of each change, None for those that `write` will do."""
        forms: dict[int, list[Natives]] = {}
        outcomes: list[Outcome | None] = [None] * len(changes)
        for place, change in enumerate(changes):
            try:
                forms[place] = self._layout.list_forms(change.key)
            except ValueError as exc:
                outcomes[place] = _failed("type", f"the key {show_key(change.key)} cannot be looked for: {exc}")
        found = self._find(changes, [form for group in forms.values() for form in group])
        for place in forms:
            try:
                outcomes[place] = self._judge_one(changes[place], found[changes[place].key])
            except RecordError as exc:
                outcomes[place] = _failed(exc.reason_code, exc.message)
        return outcomes

    def write(self) -> None:
        """Write what was judged fit. Raises RowCountError, and the driver's errors."""
        database, source, key_fields = self._session.database, self._layout.source, self._layout.key_fields
        if self._deletes:
            statement = delete_keys(database, source, key_fields, self._deletes)
            cursor = self._session.run(statement)
            count = cursor.rowcount
            cursor.close()
            self._require_count(count, len(self._deletes), "deleted")
        for fields, rows in self._updates.items():
            self._write_many(update_rows(database, source, fields, key_fields), rows, "updated")
        for fields, rows in self._creates.items():
            self._write_many(insert_rows(database, source, fields), rows, "created")

    def _write_many(self, prepared: PreparedWrite, rows: Sequence[Natives], verb: str) -> None:
        count = self._session.run_many(prepared.sql, prepared.parameters(rows))
        self._require_count(count, len(rows), verb)

    def _require_count(self, count: int, wanted: int, verb: str) -> None:
        """A trigger may swallow a record, and two records may share a key that was thought unique."""
        family = self._session.database.family
        # SQLite does not count what a view's triggers do.
        uncounted = family == "sqlite" and self._layout.source.info.kind == "view"
        if family in _COUNTING and not uncounted and count not in (wanted, -1):
            raise RowCountError(f"the database {verb} {count} records where it should have {verb} {wanted}")

    def _find(self, changes: Sequence[Change], forms: Sequence[Natives]) -> dict[Key, list[_Record]]:
        """Give the records that each change's key names."""
        layout, database = self._layout, self._session.database
        if not forms:
            return {}
        statement = select_keys(database, layout.source, layout.columns, layout.key_fields, forms, lock=True)
        cursor = self._session.run(statement)
        raw = cursor.fetchall()
        cursor.close()
        exact: defaultdict[Key, list[_Record]] = defaultdict(list)
        alike: defaultdict[Key, list[_Record]] = defaultdict(list)
        width = len(layout.keys)
        for row, driver_row in zip(layout.decode(raw) if raw else (), raw, strict=True):
            key = tuple([str(part) for part in row[:width]])
            record = _Record(dict(zip(layout.names, row, strict=True)), layout.native_key(key, driver_row))
            exact[key].append(record)
            alike[self._fold(key)].append(record)
        if layout.case_sensitive:
            return {change.key: exact.get(change.key) or alike.get(self._fold(change.key), []) for change in changes}
        return {change.key: alike.get(self._fold(change.key), []) for change in changes}

    def _fold(self, key: Key) -> Key:
        """Make keys alike that the database holds for equal: letter case, and MariaDB's trailing blanks."""
        parts = []
        for column, part in zip(self._layout.keys, key, strict=True):
            padded = part.rstrip(" ") if self._session.database.family == "mysql" else part
            parts.append(padded if column.info.case_sensitive else padded.casefold())
        return tuple(parts)

    def _judge_one(self, change: Change, records: Sequence[_Record]) -> Outcome | None:
        if len(records) > 1:
            return _failed("ambiguous", f"{len(records)} records have the key {show_key(change.key)}")
        record = records[0] if records else None
        after = self._encode(change)
        if len(after) < len(change.after):
            # What the database fills in by itself is no difference.
            planned = replace(change, after={name: change.after[name] for name in after})
        else:
            planned = change
        current = None if record is None else record.fields
        verdict = judge(planned, current, empty_is_null=self._layout.same_when_empty)
        if verdict is None:
            self._collect(change, record, after)
        return verdict

    def _encode(self, change: Change) -> dict[str, object]:
        """Give the natives of the fields to write, without those the database fills in."""
        creating = change.action == "create"
        encoders = self._layout.encoders
        natives = {name: encoders[name](t.cast("Value", value), creating) for name, value in change.after.items()}
        if creating and OMIT in natives.values():
            return {name: native for name, native in natives.items() if native is not OMIT}
        return natives

    def _collect(self, change: Change, record: _Record | None, after: Mapping[str, object]) -> None:
        fields = tuple(after)
        if record is None:
            self._creates[fields].append(tuple(after.values()))
        elif change.action == "delete":
            self._deletes.append(record.key)
        elif fields:
            self._updates[fields].append((*after.values(), *record.key))


def _failed(code: str, message: str) -> Outcome:
    return Outcome(status="failed", code=code, message=message)
