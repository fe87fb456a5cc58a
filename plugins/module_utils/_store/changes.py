# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes and problems of a run as table rows, and back."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._model.plain_json import is_plain, plain_json, quote_ascii
from .._model.plans import (
    Change,
    Outcome,
    PlannedValue,
    ValueChanges,
    image_from_json,
    image_to_json,
    planned_from_json,
    planned_to_json,
)
from .._model.runs import AppliedChange, Problem
from .._model.secrets import MASK, GeneratedPassword
from .._model.values import Value
from .texts import clean, from_json_text, to_json_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row

_CREATES = frozenset({"create", "create_container"})


def change_to_row(applied: AppliedChange) -> dict[str, t.Any]:
    """Give the columns of one change; a password that is made at writing time is stored as the mask.

    One anchor is enough: a record that is created gets it from the outcome, every other has it before.
    """
    change, outcome = applied.change, applied.outcome
    given = outcome.anchor if outcome is not None and change.action in _CREATES else None
    return {
        "object": clean(change.object),
        "key": f"[{','.join(map(quote_ascii, change.key))}]",
        "number": change.number,
        "action": change.action,
        "target": None if change.target is None else clean(change.target),
        "before": _fields_to_text(change.before),
        "after": _fields_to_text(change.after),
        "status": None if outcome is None else outcome.status,
        "code": "" if outcome is None else outcome.code,
        "message": "" if outcome is None else clean(outcome.message),
        "anchor": given if change.anchor is None else change.anchor,
        "image": None if change.image is None else to_json_text(image_to_json(change.image)),
    }


def change_from_row(row: Row[t.Any]) -> AppliedChange:
    """Give the change that `change_to_row` wrote."""
    given = row.anchor if row.action in _CREATES else None
    change = Change(
        number=row.number,
        object=row.object,
        action=row.action,
        key=tuple(from_json_text(row.key)),
        target=row.target,
        anchor=None if row.action in _CREATES else row.anchor,
        before=t.cast("Mapping[str, Value]", _fields_from_text(row.before)),
        after=_fields_from_text(row.after),
        image=None if row.image is None else image_from_json(from_json_text(row.image)),
    )
    outcome = (
        None if row.status is None else Outcome(status=row.status, code=row.code, message=row.message, anchor=given)
    )
    return AppliedChange(change=change, outcome=outcome)


def problem_to_row(problem: Problem) -> dict[str, t.Any]:
    """Give the columns of one problem."""
    return {
        "level": problem.level,
        "object": clean(problem.object),
        "key": to_json_text(problem.key),
        "code": problem.code,
        "message": clean(problem.message),
    }


def problem_from_row(row: Row[t.Any]) -> Problem:
    """Give the problem that `problem_to_row` wrote."""
    key = tuple(from_json_text(row.key))
    return Problem(level=row.level, object=row.object, key=key, code=row.code, message=row.message)


def _fields_to_text(fields: Mapping[str, PlannedValue]) -> str:
    # A history of 100,000 creates has a million texts.
    if is_plain(fields):
        return plain_json(fields, quote_ascii)
    return to_json_text({name: _value_to_json(value) for name, value in fields.items()})


def _value_to_json(value: PlannedValue) -> t.Any:
    return MASK if isinstance(value, GeneratedPassword) else planned_to_json(value)


def _fields_from_text(text: str) -> dict[str, Value | ValueChanges]:
    return {name: planned_from_json(data) for name, data in from_json_text(text).items()}
