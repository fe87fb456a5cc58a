# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle a run whose process died: its plan file and its journal say what was done; what is in doubt, the destination
says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .._model.dn import fold_dn
from .._model.errors import StoreError
from .._model.plans import DONE, Change, Outcome, Plan, ValueChanges
from .._model.runs import AppliedChange
from .._model.values import Single, Value, as_set, members
from .._planning.sealed import read_plan
from .._providers.before_image import judge
from .journal import JournalContent
from .looking import Destination, Record, find_records, is_readable

NOT_DONE = Outcome(status="skipped", code="interrupted", message="the run was interrupted before this was written.")
DONE_AFTER_ALL = Outcome(
    status="done", code="recovered", message="found done at the destination after the run was interrupted."
)
HALF_MADE = Outcome(
    status="skipped",
    code="half_made",
    message="the run was interrupted while the record was made; whether it has its password is not known.",
)
_CREATES = frozenset({"create", "create_container"})


def read_plan_file(path: Path) -> Plan:
    """Give the sealed plan in a run's folder. Raises StoreError when it is not there or damaged."""
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            return read_plan(lines, f"plan file {path}")
    except OSError as error:
        raise StoreError(f"plan file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"plan file {path} is damaged: {error}. Nothing of it is used.") from error


def settle_changes(
    plan: Plan, journal: JournalContent, destination_of: Callable[[str], Destination]
) -> list[AppliedChange]:
    """Give every change of an interrupted run with what really became of it.

    `destination_of` gives the destination of an object by its name. Raises ProviderError when it cannot be read.
    """
    settled = dict(journal.settled)
    for part in plan.objects:
        doubtful = [change for change in part.changes if change.number in journal.in_doubt]
        if not doubtful:
            continue
        destination = destination_of(part.name)
        records = find_records(doubtful, destination)
        for change in doubtful:
            settled[change.number] = _verdict(change, records[change.number], destination)
    return [
        AppliedChange(change=change, outcome=settled.get(change.number, NOT_DONE))
        for part in plan.objects
        for change in part.changes
    ]


def _verdict(change: Change, current: Record | None, destination: Destination) -> Outcome:
    if change.action == "delete":
        return DONE_AFTER_ALL if current is None else NOT_DONE
    if current is None:
        return NOT_DONE
    # A password cannot be compared: it is known only to the process that died. The other fields were written with it.
    readable = replace(change, after={name: value for name, value in change.after.items() if is_readable(value)})
    if destination.place is not None:
        has_password = len(readable.after) < len(change.after)
        return _verdict_of_entry(readable, current, destination, destination.place, has_password=has_password)
    if all(_is_written(value, current.get(name)) for name, value in readable.after.items()):
        return DONE_AFTER_ALL
    outcome = judge(change, current)
    return NOT_DONE if outcome is None else outcome


def _is_written(planned: object, current: Value) -> bool:
    if isinstance(planned, ValueChanges):
        return planned.applied_to(current) == as_set(members(current))
    return planned == current


def _verdict_of_entry(
    change: Change, current: Record, destination: Destination, place: str, *, has_password: bool
) -> Outcome:
    if change.action in ("rename", "move"):
        arrived = fold_dn(str(change.after[place])) == fold_dn(str(current[place]))
        return DONE_AFTER_ALL if arrived else NOT_DONE
    outcome = judge(change, current, fold=fold_names)
    made = change.action in _CREATES and outcome is not None and outcome.status == "done"
    if made and has_password:
        return HALF_MADE
    if made:
        anchor = current.get(destination.anchor or "")
        return replace(DONE_AFTER_ALL, anchor=anchor if isinstance(anchor, str) else None)
    if outcome is None:
        return NOT_DONE
    return DONE_AFTER_ALL if outcome == DONE else outcome


def fold_names(_name: str, value: Single) -> Single:
    """Give a form of a value that is the same for distinguished names that are the same."""
    return fold_dn(value) if isinstance(value, str) and "=" in value else value
