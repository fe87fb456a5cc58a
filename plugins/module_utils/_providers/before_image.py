# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a planned change may still be applied to a record as it is now. Pure: no file, no connection."""

from __future__ import annotations

from collections.abc import Container, Mapping

from .._model.plans import DONE, Change, Outcome, PlannedValue
from .._model.secrets import GeneratedPassword
from .._model.values import Value, show, show_key

_MISSING = object()


def judge(
    change: Change, current: Mapping[str, Value] | None, *, empty_is_null: Container[str] = frozenset()
) -> Outcome | None:
    """Give the outcome of a change that must not be applied, or None for one that may be.

    Args:
        change: the planned change; a generated password in it equals every value, since nobody can compare it.
        current: the record with the change's key as it is now, at least all its mapped fields; None when there is none.
        empty_is_null: the fields in which empty text and no value are the same.
    """
    if change.action == "create":
        return _judge_create(change, current, empty_is_null)
    if current is None:
        message = f"the record {show_key(change.key)} is not there any more"
        return Outcome(status="skipped", code="gone", message=message)
    moved = _differences(change.before, current, empty_is_null)
    if not moved:
        return None
    if change.action == "update" and not _differences({**change.before, **change.after}, current, empty_is_null):
        return DONE
    return _moved_on(change, current, moved)


def _judge_create(change: Change, current: Mapping[str, Value] | None, empty_is_null: Container[str]) -> Outcome | None:
    if current is None:
        return None
    different = _differences(change.after, current, empty_is_null)
    if not different:
        return DONE
    names = ", ".join(different)
    message = f"a record {show_key(change.key)} has appeared; it differs from the planned one in {names}"
    return Outcome(status="skipped", code="exists", message=message)


def _moved_on(change: Change, current: Mapping[str, Value], moved: list[str]) -> Outcome:
    first = moved[0]
    return Outcome(
        status="skipped",
        code="moved_on",
        message=f"the record {show_key(change.key)} was changed since it was read, in {', '.join(moved)}: "
        f"{first} was {show(change.before[first])}, is {show(current.get(first))}",
    )


def _differences(
    wanted: Mapping[str, PlannedValue], current: Mapping[str, Value], empty_is_null: Container[str]
) -> list[str]:
    """Name the fields of `wanted` whose current value is another one."""
    return [
        name
        for name, value in wanted.items()
        if not isinstance(value, GeneratedPassword)
        and value != (found := current.get(name, _MISSING))
        and not (name in empty_is_null and value in (None, "") and found in (None, ""))
    ]
