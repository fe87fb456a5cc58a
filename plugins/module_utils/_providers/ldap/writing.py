# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing: batches of changes with a window of operations in flight, each honouring what was read before."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..._model.access import WriteTarget
from ..._model.dn import fold_dn
from ..._model.errors import RecordError
from ..._model.plans import DONE, Change, Outcome
from . import controls, requests
from .attributes import Attributes
from .channel import Channel
from .fields import Fields, RowMaker
from .looking import Looker, Present
from .modifications import Builder
from .outcomes import EXISTS, failed, gone, may_have_moved_on, password_refused
from .requests import Request
from .responses import Response
from .session import Session
from .steps import Steps
from .verdicts import Verdicts
from .waves import waves
from .wire import LostConnectionError

BATCH_SIZE = 500
WINDOW = 32
DELETE_WINDOW = 8
"""Servers take entries out one at a time: with more in flight, OpenLDAP spends more on waiting than on deleting."""
MOST_LOOKS = 3
"""How often a record is looked at again: a server may still be mending its references when it is."""
_CREATES = frozenset({"create", "create_container"})
COMPLEX = 0x1


@dataclass(kw_only=True, slots=True)
class _Task:
    """One change on its way: where its entry is now, and what is still to be sent."""

    number: int
    change: Change
    place: str
    steps: Steps
    step: int = 0
    looks: int = 0
    anchor: str | None = None


class LdapWriter:
    """Writes entries on a connection of its own."""

    def __init__(self, session: Session, fields: Fields, target: WriteTarget) -> None:
        self._session = session
        self._fields = fields
        self._channel: Channel | None = None
        attributes = Attributes(fields)
        self._builder = Builder(
            session, attributes, session.flavour, anchor=fields.anchor, object_classes=target.object_classes
        )
        self._verdicts = Verdicts(attributes, session.left_names)
        self._looker = Looker(session, fields, self._builder, self._verdicts)
        self._outcomes: list[Outcome | None] = []
        self._begun: frozenset[tuple[str, str]] = frozenset()

    @property
    def batch_size(self) -> int | None:
        return BATCH_SIZE

    def __enter__(self) -> t.Self:
        self._channel = self._session.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def _close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    @property
    def _open(self) -> Channel:
        if self._channel is None:
            self._channel = self._session.open()
        return self._channel

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Apply `changes`; one outcome each, in order (see `access.Writer`).

        Raises ConfigError, before anything is written, when a password would have to go over an open line.
        """
        self._builder.refuse_open_passwords(changes)
        for change in changes:
            self._session.left_names.note(change)
        self._outcomes = [None] * len(changes)
        self._begun = frozenset(self._session.begun) | {_name(change) for change in changes if change.begun}
        try:
            for wave in waves(changes):
                self._apply_wave([(number, changes[number]) for number in wave])
            self._add_anchors(changes)
            self._add_deletions(changes)
        except LostConnectionError:
            self._close()
            raise
        self._session.begun.difference_update(map(_name, changes))
        return [outcome if outcome is not None else DONE for outcome in self._outcomes]

    def _apply_wave(self, wave: Sequence[tuple[int, Change]]) -> None:
        """Apply changes that do not depend on one another."""
        window = DELETE_WINDOW if wave[0][1].action == "delete" else WINDOW
        tasks = self._send(self._tasks(wave, self._read_before(wave)), window)
        while tasks:
            tasks = self._send(tasks, window)

    def _tasks(self, wave: Sequence[tuple[int, Change]], present: Mapping[int, Present | None]) -> Iterator[_Task]:
        """Yield what is to be sent, made when its turn comes: the server works meanwhile on what was sent before."""
        for number, change in wave:
            if number not in present:
                task = self._task(number, change, change.target or "", {})
            else:
                found = present[number]
                verdict = self._missing(change) if found is None else self._judge(change, found, whole=False)
                self._outcomes[number] = verdict
                if found is None or verdict is not None:
                    continue
                task = self._task(number, self._verdicts.left_to_do(change, found.fields), found.place, found.raw)
            if task is not None:
                yield task

    def _read_before(self, wave: Sequence[tuple[int, Change]]) -> dict[int, Present | None]:
        """Read the entries that are to be changed, where the server cannot assert what they are."""
        wanted = [
            (number, change)
            for number, change in wave
            if change.action not in _CREATES and (not self._builder.asserts or self._builder.raw_attributes(change))
        ]
        if not wanted:
            return {}
        found = self._looker.look(self._open, [change for _number, change in wanted], whole=False)
        return {number: present for (number, _change), present in zip(wanted, found, strict=True)}

    def _task(self, number: int, change: Change, place: str, raw: Mapping[str, Sequence[bytes]]) -> _Task | None:
        """Give the task of a change; None when there is an outcome already."""
        try:
            steps = self._builder.build(change, place, raw)
        except RecordError as error:
            self._outcomes[number] = _at_fault(error)
            return None
        if not steps.requests:
            self._outcomes[number] = DONE
            return None
        return _Task(number=number, change=change, place=place, steps=steps)

    def _judge(self, change: Change, present: Present, *, whole: bool, begun: bool = False) -> Outcome | None:
        begun = begun or _name(change) in self._begun
        return self._verdicts.judge(change, present.place, present.fields, whole=whole, begun=begun)

    @staticmethod
    def _missing(change: Change) -> Outcome:
        return DONE if change.action == "delete" else gone(change)

    # -- sending ------------------------------------------------------------------------------------------------

    def _send(self, tasks: Iterable[_Task], window: int) -> list[_Task]:
        """Send the next request of each task; give those that have more to send."""
        sent: list[_Task] = []
        going_on: list[_Task] = []
        again: list[tuple[_Task, Response]] = []
        refused: list[tuple[_Task, Response]] = []
        for index, response in self._open.run(self._requests(tasks, sent), window):
            task = sent[index]
            if response.code == 0:
                if task.step == 0 and task.change.action == "create":
                    task.anchor = self._anchor_of(response) or task.anchor
                task.step += 1
                if task.step < len(task.steps.requests):
                    going_on.append(task)
                else:
                    self._outcomes[task.number] = Outcome(status="done", anchor=task.anchor) if task.anchor else DONE
            elif task.steps.is_password[task.step]:
                refused.append((task, response))
            elif may_have_moved_on(task.change, response) and task.looks < MOST_LOOKS:
                again.append((task, response))
            else:
                self._outcomes[task.number] = failed(task.change, response, written=task.step)
        self._take_back(refused)
        return going_on + self._look_again(again)

    def _requests(self, tasks: Iterable[_Task], sent: list[_Task]) -> Iterator[Request]:
        """Yield the next request of each task, and note in `sent` whose it is."""
        for task in tasks:
            if task.change.action == "create" or len(task.steps.requests) > 1:
                self._session.begun.add(_name(task.change))
            sent.append(task)
            yield task.steps.requests[task.step]

    def _anchor_of(self, response: Response) -> str | None:
        entry = controls.decode_read_entry(response.controls, controls.POST_READ)
        anchor = self._fields.anchor
        if entry is None or anchor is None or self._session.flavour.guid:
            return None
        values = next((v for name, v in entry.attributes.items() if name.casefold() == anchor.casefold()), ())
        return values[0].decode("ascii") if values else None

    # -- looking again ------------------------------------------------------------------------------------------

    def _look_again(self, refused: Sequence[tuple[_Task, Response]]) -> list[_Task]:
        """Find out whether a change was done before, or contradicts what the entry is now; else try it once more."""
        tasks: list[_Task] = []
        if not refused:
            return tasks
        found = self._looker.look(self._open, [task.change for task, _response in refused], whole=True)
        for (task, response), present in zip(refused, found, strict=True):
            try:
                verdict = self._verdict_again(task, response, present)
            except RecordError as error:
                verdict = _at_fault(error)
            if verdict is None and task.steps.requests:
                tasks.append(task)
            else:
                self._outcomes[task.number] = verdict or replace(DONE, anchor=task.anchor)
        return tasks

    def _verdict_again(self, task: _Task, response: Response, present: Present | None) -> Outcome | None:
        """Give the outcome of a change that was refused; None when `task` was given what is left to do."""
        change = task.change
        if present is None:
            refused = change.action in _CREATES
            return failed(change, response, written=task.step) if refused else self._missing(change)
        task.anchor = present.anchor if change.action == "create" else None
        if change.action == "create_container":
            return DONE if response.code == EXISTS else failed(change, response)
        lacking = None
        if change.action == "create" and (task.step or _name(change) in self._begun):
            lacking = self._verdicts.left_to_create(change, present.fields)
        if lacking is not None:
            task.steps = self._builder.finish(change, present.place, lacking, present.raw)
        else:
            verdict = self._judge(change, present, whole=True, begun=task.step > 0)
            if verdict is not None:
                return replace(DONE, anchor=task.anchor) if verdict == DONE else verdict
            task.change = self._verdicts.left_to_do(change, present.fields)
            task.steps = self._builder.build(task.change, present.place, present.raw, looked=True)
        task.place, task.step = present.place, 0
        task.looks += 1
        return None

    # -- what is left -------------------------------------------------------------------------------------------

    def _take_back(self, refused: Sequence[tuple[_Task, Response]]) -> None:
        """Delete the accounts just made whose password was refused, so that a later run can make them properly."""
        if not refused:
            return
        policy = self._policy()
        deletions = [requests.delete(task.place) for task, _response in refused]
        for index, taken_back in self._open.run(deletions, WINDOW):
            task, response = refused[index]
            self._outcomes[task.number] = password_refused(task.change, response, policy, taken_back)

    def _policy(self) -> str:
        """Give the password policy for people (MS-ADTS 3.1.1.5.2.2)."""
        domain = self._session.root.first("defaultNamingContext")
        if not self._session.flavour.guid or not domain:
            return "the directory's policy"
        ((_index, row),) = self._open.read_entries([domain], ("minPwdLength", "pwdProperties"))
        length, properties = (int(values[0]) if values else 0 for values in (row[1:] if row is not None else ((), ())))
        kinds = ", three kinds of them, and no account name" if properties & COMPLEX else ""
        return f"the domain's policy (at least {length} characters{kinds}; one for some accounts may ask for more)"

    def _add_anchors(self, changes: Sequence[Change]) -> None:
        """Read the anchors of new entries that the server did not tell with its answer."""
        anchor = self._fields.anchor
        wanted = [
            number
            for number, (change, outcome) in enumerate(zip(changes, self._outcomes, strict=True))
            if change.action == "create" and outcome is not None and outcome.status == "done" and not outcome.anchor
        ]
        if anchor is None or not wanted:
            return
        maker = RowMaker(self._fields, (anchor,), self._session.where)
        places = [changes[number].target or "" for number in wanted]
        for index, row in self._open.read_entries(places, maker.attributes):
            outcome = self._outcomes[wanted[index]]
            if row is not None and outcome is not None:
                (value,) = maker.rows([row])[0]
                self._outcomes[wanted[index]] = replace(outcome, anchor=value if isinstance(value, str) else None)

    def _add_deletions(self, changes: Sequence[Change]) -> None:
        """Say of the records that are gone when they were deleted, where the server knows."""
        numbers = [
            number for number, outcome in enumerate(self._outcomes) if outcome is not None and outcome.code == "gone"
        ]
        said = self._looker.deletions(self._open, [changes[number] for number in numbers])
        for number, more in zip(numbers, said, strict=True):
            self._outcomes[number] = gone(changes[number], more)


def _at_fault(error: RecordError) -> Outcome:
    return Outcome(status="failed", code=error.reason_code, message=error.message)


def _name(change: Change) -> tuple[str, str]:
    return change.action, fold_dn(change.target or "")
