# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing: batches of changes with a window of operations in flight, each honouring what was read before."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.access import WriteTarget
from ..._model.dn import fold_dn, parse_dn
from ..._model.errors import RecordError
from ..._model.plans import DONE, Change, Outcome, ValueChanges
from ..._model.values import Single, Value
from ..before_image import judge
from . import controls, filters, requests
from .channel import Channel
from .fields import Fields, RowMaker
from .flavours import CONTAINER, PLACE
from .modifications import Builder, Steps
from .outcomes import EXISTS, MOVED_ON, failed, gone, password_refused, refuse_server_fault
from .responses import Response
from .session import Session

BATCH_SIZE = 500
WINDOW = 32
_CREATES = frozenset({"create", "create_container"})
_PARALLEL = frozenset({"membership"})


@dataclass(kw_only=True, slots=True)
class _Task:
    """One change on its way: where its entry is now, and what is still to be sent."""

    number: int
    change: Change
    place: str
    steps: Steps
    step: int = 0
    tries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Present:
    """An entry as it is: where, its fields, and raw values of some attributes."""

    place: str
    fields: Mapping[str, Value]
    raw: Mapping[str, Sequence[bytes]]
    anchor: str | None


class LdapWriter:
    """Writes entries on a connection of its own."""

    def __init__(self, session: Session, fields: Fields, target: WriteTarget) -> None:
        self._session = session
        self._fields = fields
        self._target = target
        self._channel: Channel | None = None
        self._builder = Builder(session, fields, session.flavour, target.object_classes)
        self._folds: dict[str, bool] = {}

    @property
    def batch_size(self) -> int | None:
        return BATCH_SIZE

    def __enter__(self) -> t.Self:
        self._channel = self._session.open()
        return self

    def __exit__(self, *exc: object) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    @property
    def _open(self) -> Channel:
        if self._channel is None:
            self._channel = self._session.open()
        return self._channel

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes`; one outcome each, in order (see `access.Writer`)."""
        outcomes: list[Outcome | None] = [None] * len(changes)
        for wave in _waves(changes):
            self._apply_wave([(number, changes[number]) for number in wave], outcomes)
        self._add_anchors(changes, outcomes)
        return [outcome if outcome is not None else DONE for outcome in outcomes]

    def _apply_wave(self, wave: Sequence[tuple[int, Change]], outcomes: list[Outcome | None]) -> None:
        """Apply changes that do not depend on one another."""
        present = self._read_before(wave)
        tasks = []
        for number, change in wave:
            try:
                task = self._start(number, change, present.get(number), outcomes)
            except RecordError as error:
                outcomes[number] = Outcome(status="failed", code=error.reason_code, message=error.message)
                continue
            if task is not None:
                tasks.append(task)
        while tasks:
            tasks = self._send(tasks, outcomes)

    def _read_before(self, wave: Sequence[tuple[int, Change]]) -> dict[int, _Present | None]:
        """Read the entries that are to be changed, where the server cannot assert what they are."""
        wanted = [
            (number, change)
            for number, change in wave
            if change.action not in _CREATES and (not self._builder.asserts or self._builder.flag_attributes(change))
        ]
        found = self._look(wanted)
        return {number: present for (number, _change), present in zip(wanted, found, strict=True)}

    def _start(
        self, number: int, change: Change, present: _Present | None, outcomes: list[Outcome | None]
    ) -> _Task | None:
        """Judge an entry that was read, and build its requests; None when there is nothing to send."""
        place = change.target or ""
        raw: Mapping[str, Sequence[bytes]] = {}
        if change.action not in _CREATES and (not self._builder.asserts or self._builder.flag_attributes(change)):
            if present is None:
                outcomes[number] = self._missing(change)
                return None
            verdict = self._judge(change, present)
            if verdict is not None:
                outcomes[number] = verdict
                return None
            place, raw = present.place, present.raw
            change = self._left_to_do(change, present)
        return self._task(number, change, place, raw)

    def _task(
        self, number: int, change: Change, place: str, raw: Mapping[str, Sequence[bytes]], tries: int = 0
    ) -> _Task | None:
        steps = self._builder.build(change, place, raw)
        if not steps.requests:
            return None
        return _Task(number=number, change=change, place=place, steps=steps, tries=tries)

    def _send(self, tasks: list[_Task], outcomes: list[Outcome | None]) -> list[_Task]:
        """Send the next request of each task; give those that have more to send."""
        going_on: list[_Task] = []
        again: list[tuple[_Task, Response]] = []
        undo: list[tuple[_Task, Response]] = []
        answers = self._open.run([task.steps.requests[task.step] for task in tasks], WINDOW)
        for index, response in answers:
            task = tasks[index]
            if response.code == 0:
                if task.step == 0 and task.change.action == "create":
                    outcomes[task.number] = replace(DONE, anchor=self._anchor_of(response))
                task.step += 1
                if task.step < len(task.steps.requests):
                    going_on.append(task)
            elif task.steps.is_password[task.step]:
                undo.append((task, response))
            elif response.code in MOVED_ON and task.tries == 0:
                again.append((task, response))
            else:
                outcomes[task.number] = failed(task.change, response)
        self._take_back(undo, outcomes)
        going_on += self._look_again(again, outcomes)
        return going_on

    # -- looking again ------------------------------------------------------------------------------------------

    def _look_again(self, refused: Sequence[tuple[_Task, Response]], outcomes: list[Outcome | None]) -> list[_Task]:
        """Find out whether a change was done before, or contradicts what the entry is now; else try it once more."""
        tasks: list[_Task] = []
        found = self._look([(task.number, task.change) for task, _response in refused])
        for (task, response), present in zip(refused, found, strict=True):
            change = task.change
            if present is None:
                is_new = change.action in _CREATES
                outcomes[task.number] = failed(change, response) if is_new else self._missing(change)
                continue
            if change.action == "create_container" and response.code == EXISTS:
                outcomes[task.number] = DONE
                continue
            verdict = self._judge(change, present)
            if verdict is None and change.action in ("rename", "move") and response.code == EXISTS:
                verdict = failed(change, response)
            if verdict is not None:
                outcomes[task.number] = replace(verdict, anchor=present.anchor) if verdict == DONE else verdict
                continue
            rest = self._left_to_do(change, present)
            outcomes[task.number] = failed(change, response)
            try:
                new = self._task(task.number, rest, present.place, present.raw, tries=1)
            except RecordError as error:
                outcomes[task.number] = Outcome(status="failed", code=error.reason_code, message=error.message)
                continue
            outcomes[task.number] = None
            if new is not None:
                tasks.append(new)
        return tasks

    def _look(self, wanted: Sequence[tuple[int, Change]]) -> list[_Present | None]:
        """Read the entries of changes as they are: by their name, and where that is another one's, by their anchor."""
        if not wanted:
            return []
        anchor = self._fields.anchor
        names: dict[str, None] = {}
        raw_names: dict[str, None] = {}
        for _number, change in wanted:
            names |= dict.fromkeys(name for name in (*change.before, *change.after) if self._is_readable(name))
            raw_names |= dict.fromkeys(self._builder.flag_attributes(change))
        columns = (*names, *([anchor] if anchor is not None else []))
        maker = RowMaker(self._fields, columns, self._session.where)
        asked = tuple(dict.fromkeys((*maker.attributes, *raw_names))) or ("objectClass",)
        found: list[_Present | None] = [None] * len(wanted)
        for index, row in self._open.read_entries([change.target or "" for _n, change in wanted], asked):
            if row is not None:
                found[index] = self._present(row, maker, columns, asked, raw_names)
        for index, (_number, change) in enumerate(wanted):
            present = found[index]
            astray = change.anchor is not None and (present is None or present.anchor != change.anchor)
            if astray:
                found[index] = self._find_by_anchor(change.anchor or "", maker, columns, asked, raw_names)
        return found

    def _find_by_anchor(
        self,
        anchor: str,
        maker: RowMaker,
        columns: Sequence[str],
        asked: Sequence[str],
        raw_names: Mapping[str, None],
    ) -> _Present | None:
        name = self._fields.anchor or ""
        wanted = filters.equals(name, self._fields.encode(name)(anchor))
        stream = self._open.search(self._session.base, requests.SUBTREE, wanted, asked, page_size=None)
        rows = [row for batch in stream for row in batch]
        return self._present(rows[0], maker, columns, asked, raw_names) if len(rows) == 1 else None

    def _present(
        self,
        row: t.Any,
        maker: RowMaker,
        columns: Sequence[str],
        asked: Sequence[str],
        raw_names: Mapping[str, None],
    ) -> _Present:
        values = maker.rows([row[: 1 + len(maker.attributes)]])[0]
        fields = dict(zip(columns, values, strict=True))
        (place,) = RowMaker(self._fields, (PLACE,), self._session.where).rows([row])[0]
        raw = dict(zip(asked, row[1:], strict=True))
        fields[PLACE] = place
        anchor = fields.get(self._fields.anchor or "")
        return _Present(
            place=str(place),
            fields=fields,
            raw={name: raw[name] for name in raw_names},
            anchor=anchor if isinstance(anchor, str) else None,
        )

    def _is_readable(self, name: str) -> bool:
        info = self._fields.info(name)
        return name.casefold() not in (PLACE, CONTAINER) and (info is None or not info.secret)

    def _missing(self, change: Change) -> Outcome:
        if change.action == "delete":
            return DONE
        return gone(change, self._deleted_when(change))

    def _deleted_when(self, change: Change) -> str:
        """Say when Active Directory deleted the entry, whose tombstone it keeps for a while (MS-ADTS 3.1.1.5.5)."""
        anchor = self._fields.anchor
        if not self._session.flavour.guid or change.anchor is None or anchor is None:
            return ""
        wanted = filters.equals(anchor, self._fields.encode(anchor)(change.anchor))
        stream = self._open.search(
            self._session.base,
            requests.SUBTREE,
            wanted,
            ("whenChanged", "lastKnownParent"),
            page_size=None,
            controls=controls.show_deleted(),
        )
        rows = [row for batch in stream for row in batch]
        if not rows:
            return ""
        _name, *values = rows[0]
        when, parent = (b"".join(list(value)[:1]).decode("utf-8", "replace") for value in values)
        return f"; it was deleted at {when} out of {parent or 'an unknown container'}"

    def _judge(self, change: Change, present: _Present) -> Outcome | None:
        readable = {name: value for name, value in change.after.items() if self._is_readable(name) or name == PLACE}
        before = {name: value for name, value in change.before.items() if name != PLACE}
        if change.action in ("rename", "move"):
            # Others may have moved it; what counts is the entry, not the way it was called.
            arrived = fold_dn(str(change.after[PLACE])) == fold_dn(present.place)
            return DONE if arrived else None
        return judge(replace(change, after=readable, before=before), present.fields, fold=self._fold)

    def _fold(self, name: str, value: Single) -> Single:
        is_dn = self._folds.get(name)
        if is_dn is None:
            info = self._fields.info(name)
            is_dn = self._folds[name] = info is not None and info.kind == "dn"
        return fold_dn(value) if is_dn and isinstance(value, str) else value

    def _left_to_do(self, change: Change, present: _Present) -> Change:
        """Give the change without the values of sets that are there or gone already."""
        after = dict(change.after)
        for name, value in change.after.items():
            if not isinstance(value, ValueChanges):
                continue
            current = present.fields.get(name)
            parts = current if isinstance(current, tuple) else () if current is None else (current,)
            there = {self._fold(name, part) for part in parts}
            after[name] = ValueChanges(
                added=tuple(part for part in value.added if self._fold(name, part) not in there),
                removed=tuple(part for part in value.removed if self._fold(name, part) in there),
            )
        return replace(change, after=after)

    # -- what is left -------------------------------------------------------------------------------------------

    def _take_back(self, refused: Sequence[tuple[_Task, Response]], outcomes: list[Outcome | None]) -> None:
        """Delete the accounts just made whose password was refused, so that a later run can make them properly."""
        if not refused:
            return
        advice = "Raise the length of the password, or use more kinds of characters. "
        for task, response in refused:
            refuse_server_fault(response)
            outcomes[task.number] = password_refused(task.change, response, advice)
        for _index, response in self._open.run([requests.delete(task.place) for task, _r in refused], WINDOW):
            refuse_server_fault(response)

    def _anchor_of(self, response: Response) -> str | None:
        entry = controls.decode_read_entry(response.controls, controls.POST_READ)
        anchor = self._fields.anchor
        if entry is None or anchor is None:
            return None
        values = next((v for name, v in entry.attributes.items() if name.casefold() == anchor.casefold()), ())
        return values[0].decode("ascii") if values and not self._session.flavour.guid else None

    def _add_anchors(self, changes: Sequence[Change], outcomes: list[Outcome | None]) -> None:
        """Read the anchors of new entries that the server did not tell with its answer."""
        anchor = self._fields.anchor
        wanted = [
            number
            for number, (change, outcome) in enumerate(zip(changes, outcomes, strict=True))
            if change.action == "create" and outcome is not None and outcome.status == "done" and not outcome.anchor
        ]
        if anchor is None or not wanted:
            return
        maker = RowMaker(self._fields, (anchor,), self._session.where)
        places = [changes[number].target or "" for number in wanted]
        for index, row in self._open.read_entries(places, maker.attributes):
            outcome = outcomes[wanted[index]]
            if row is not None and outcome is not None:
                (value,) = maker.rows([row])[0]
                outcomes[wanted[index]] = replace(outcome, anchor=value if isinstance(value, str) else None)


def _waves(changes: Sequence[Change]) -> Iterator[list[int]]:
    """Cut a batch where an order matters: entries above before those below them, one change of an entry at a time."""
    wave: list[int] = []
    kind: tuple[str, int] | None = None
    places: set[str] = set()
    for number, change in enumerate(changes):
        ordered = change.action in ("create", "create_container", "delete")
        depth = len(parse_dn(change.target or "")) if ordered else 0
        place = fold_dn(change.target or "")
        repeated = place in places and change.action not in _PARALLEL
        if wave and ((change.action, depth) != kind or repeated):
            yield wave
            wave, places = [], set()
        kind = (change.action, depth)
        wave.append(number)
        places.add(place)
    if wave:
        yield wave
