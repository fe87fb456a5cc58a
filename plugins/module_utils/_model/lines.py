# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes, errors, held classes and log lines in the JSON form of results and files."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Sequence

from .plain_json import is_plain, plain_json, quote
from .plans import Change, Held, ValueChanges
from .runs import AppliedChange, LogLine, Problem
from .secrets import MASK, GeneratedPassword
from .values import Single, Value, members, show_key, to_json

SHOWN_VALUES = 100
"""A result shows as many values of a field at most; the changes file has all."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def change_line(item: AppliedChange, *, most: int | None = SHOWN_VALUES) -> dict[str, t.Any]:
    """Give the JSON form of one change with its outcome, as in `run.changes` and the changes file.

    A field has its values `before` and `after`. One of more than 100 values, or whose values were not read, that gets
    and loses some has what it loses in `before.removed` and what it gets in `after.added`. Lists longer than `most` are
    cut, and their last entry says by how much.
    """
    change = item.change
    names: t.Iterable[str] = change.before if change.action == "delete" else change.after
    if change.action in ("create", "create_container"):
        names = [name for name, value in change.after.items() if value is not None]
    line: dict[str, t.Any] = {
        "object": change.object,
        "action": change.action,
        "key": show_key(change.key),
        "target": change.target,
        "fields": {name: _field(change, name, most) for name in names},
    }
    if item.outcome is not None:
        line["status"] = item.outcome.status
        line["message"] = item.outcome.message
    return line


def change_text(item: AppliedChange) -> str:
    """Give `change_line` with all values as JSON, as the changes file has it."""
    change = item.change
    if change.action == "create" and not change.before and is_plain(change.after):
        names = tuple([name for name, value in change.after.items() if value is not None])
        fields = plain_json(change.after, quote, names=names, form='{"before":null,"after":%s}')
    elif change.action == "delete" and not change.after and is_plain(change.before):
        fields = plain_json(change.before, quote, form='{"before":%s,"after":null}')
    else:
        return _encode(change_line(item, most=None))
    target = "null" if change.target is None else quote(change.target)
    outcome = item.outcome
    became = "" if outcome is None else f',"status":"{outcome.status}","message":{quote(outcome.message)}'
    return (
        f'{{"object":{quote(change.object)},"action":"{change.action}","key":{quote(show_key(change.key))},'
        f'"target":{target},"fields":{fields}{became}}}'
    )


def _field(change: Change, name: str, most: int | None) -> dict[str, t.Any]:
    before, after = change.before.get(name), change.after.get(name)
    if not isinstance(after, ValueChanges):
        return {"before": _shown(before, most), "after": _shown(after, most)}
    if name in change.before and max(len(members(before)), len(after.added)) <= SHOWN_VALUES:
        whole = after.applied_to(before)
        if len(members(whole)) <= SHOWN_VALUES:
            return {"before": to_json(before), "after": to_json(whole)}
    return {"before": {"removed": _some(after.removed, most)}, "after": {"added": _some(after.added, most)}}


def _shown(value: Value | GeneratedPassword, most: int | None) -> t.Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, GeneratedPassword):
        return MASK
    return _some(value, most) if isinstance(value, tuple) else to_json(value)


def _some(values: Sequence[Single], most: int | None) -> list[t.Any]:
    shown = [to_json(value) for value in values[:most]]
    return [*shown, f"and {len(values) - len(shown)} more"] if len(shown) < len(values) else shown


def error_line(problem: Problem) -> dict[str, str]:
    """Give one record's error as in `run.errors`."""
    return {
        "object": problem.object,
        "key": show_key(problem.key),
        "code": problem.code,
        "message": problem.message,
    }


def held_line(held: Held) -> dict[str, t.Any]:
    """Give one tripped guard as in `run.held`."""
    return {
        "object": held.object,
        "class": held.guard,
        "count": held.count,
        "limit": held.limit,
        "message": held.message,
    }


def log_line(line: LogLine) -> dict[str, str]:
    """Give one line of the log as in `run.log`."""
    return {"time": line.time, "level": line.level, "object": line.object, "key": line.key, "message": line.message}


def format_line(line: LogLine) -> str:
    """Give a log line as text for the log file."""
    place = " ".join(part for part in (line.object, line.key) if part)
    text = f"{line.time} {line.level.upper():7} {place + ': ' if place else ''}{line.message}"
    # Drivers and values bring line breaks; one of them must not look like a line of its own.
    return " ".join(text.splitlines())
