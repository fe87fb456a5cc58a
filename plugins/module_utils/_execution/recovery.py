# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle a run whose process died: its plan file and its journal say what was done; what is in doubt, the destination
says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._model.access import Provider, Query
from .._model.errors import StoreError
from .._model.plans import Change, Outcome, ValueChanges
from .._model.runs import AppliedChange
from .._model.secrets import GeneratedPassword
from .._model.values import Key, Value, as_set, members
from .._planning.sealing import read_changes
from .._providers.before_image import judge
from .directory_recovery import DirectoryLook
from .journal import read_journal

NOT_DONE = Outcome(status="skipped", code="interrupted", message="the run was interrupted before this was written.")
DONE_AFTER_ALL = Outcome(
    status="done", code="recovered", message="found done at the destination after the run was interrupted."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where the changes of one object went: the query that reads it, its key fields and the fields that can be read
    back; for a directory the fields that hold an entry's name and anchor.
    """

    provider: Provider
    query: Query
    key_fields: tuple[str, ...]
    fields: tuple[str, ...]
    place: str | None = None
    anchor: str | None = None


def settle_changes(
    plan_file: Path, journal_file: Path, destination_of: Callable[[str], Destination]
) -> list[AppliedChange]:
    """Give every change of an interrupted run with what really became of it.

    `destination_of` gives the destination of an object by its name. Raises StoreError for a damaged plan or
    journal, ProviderError when the destination cannot be read.
    """
    try:
        with plan_file.open(encoding="utf-8") as lines:
            changes = read_changes(lines, str(plan_file))
    except OSError as error:
        raise StoreError(f"plan file {plan_file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"plan file {plan_file} is damaged: {error}. Nothing of it is used.") from error
    journal = read_journal(journal_file)
    doubtful = [change for change in changes if change.number in journal.in_doubt]
    settled = dict(journal.settled)
    for name in dict.fromkeys(change.object for change in doubtful):
        mine = [change for change in doubtful if change.object == name]
        destination = destination_of(name)
        if destination.place is None:
            settled.update(_look_up(mine, destination))
        else:
            look = DirectoryLook(provider=destination.provider, place=destination.place, anchor=destination.anchor)
            settled.update(look.verdicts(mine, DONE_AFTER_ALL, NOT_DONE))
    return [AppliedChange(change=change, outcome=settled.get(change.number, NOT_DONE)) for change in changes]


def _look_up(changes: Sequence[Change], destination: Destination) -> Mapping[int, Outcome]:
    # A file that the first write would have made is not there to be read when that write never came.
    exists = destination.provider.describe_container(destination.query).exists
    present = _read_present([change.key for change in changes], destination) if exists else {}
    return {change.number: _verdict(change, present.get(change.key)) for change in changes}


def _read_present(keys: Sequence[Key], destination: Destination) -> Mapping[tuple[Value, ...], Mapping[str, Value]]:
    present: dict[tuple[Value, ...], dict[str, Value]] = {}
    wanted: set[tuple[Value, ...]] = set(keys)
    provider = destination.provider
    with provider.read_keys(destination.query, destination.fields, destination.key_fields, keys) as reading:
        for batch in reading.batches():
            for row in batch:
                record = dict(zip(destination.fields, row, strict=True))
                key = tuple(record[name] for name in destination.key_fields)
                if key in wanted:
                    present[key] = record
    provider.release()
    return present


def _verdict(change: Change, current: Mapping[str, Value] | None) -> Outcome:
    if change.action == "delete":
        return DONE_AFTER_ALL if current is None else NOT_DONE
    if current is None:
        return NOT_DONE
    # A password cannot be compared: it is known only to the process that died. The other fields were written with it.
    readable = {name: value for name, value in change.after.items() if not isinstance(value, GeneratedPassword)}
    if all(_is_written(value, current.get(name)) for name, value in readable.items()):
        return DONE_AFTER_ALL
    outcome = judge(change, current)
    return NOT_DONE if outcome is None else outcome


def _is_written(planned: Value | ValueChanges, current: Value) -> bool:
    if isinstance(planned, ValueChanges):
        return planned.applied_to(current) == as_set(members(current))
    return planned == current
