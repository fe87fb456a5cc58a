# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seal a plan: a digest over everything it would do, and its form on disk.

The file is JSON lines: a header, one line per change, a footer with the digest. Who reads it learns from the digest
whether it is whole and unchanged. Values are in the JSON form of `values.to_json`; a password is a mark, never a value.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace

from .._model import plans
from .._model.errors import StoreError
from .._model.plans import ACTIONS, Change, Plan, PlannedValue
from .._model.secrets import GeneratedPassword, PasswordRule
from .._model.values import from_json

FORMAT = "lockstep-plan-1"
PLAIN_TYPES = frozenset({str, type(None)})
PASSWORD_MARK = "password"  # noqa: S105 - the name of a mark, not a password


def seal(plan: Plan, write: t.Callable[[str], object] | None = None) -> Plan:
    """Give `plan` with its digest: a BLAKE2b over the job, its mapping digest, the targets and every change in order.

    With `write`, the plan is written as text through it on the way, in pieces that end in a line break.
    """
    digest = hashlib.blake2b(digest_size=32)
    for line in _content_lines(plan):
        digest.update(line.encode("utf-8"))
        if write is not None:
            write(line)
    sealed = replace(plan, digest=digest.hexdigest())
    if write is not None:
        write(_line({"digest": sealed.digest, "changes": sealed.change_count}))
    return sealed


def _content_lines(plan: Plan) -> Iterator[str]:
    yield _line(_header(plan))
    for part in plan.objects:
        for change in part.changes:
            yield _line(change_to_json(change))


def change_to_json(change: Change) -> dict[str, t.Any]:
    """Give the JSON form of one change."""
    data: dict[str, t.Any] = {
        "number": change.number,
        "object": change.object,
        "action": change.action,
        "key": list(change.key),
        "before": _fields_to_json(change.before),
        "after": _fields_to_json(change.after),
    }
    if change.target is not None:
        data["target"] = change.target
    if change.anchor is not None:
        data["anchor"] = change.anchor
    return data


def _fields_to_json(fields: Mapping[str, PlannedValue]) -> Mapping[str, t.Any]:
    # Most changes hold only text, which is its own JSON form; a plan can have a million of them.
    if PLAIN_TYPES.issuperset(map(type, fields.values())):
        return fields
    return {name: planned_to_json(value) for name, value in fields.items()}


def planned_to_json(value: PlannedValue) -> t.Any:
    """Give the JSON form of a planned value; a password becomes its rule."""
    return {PASSWORD_MARK: asdict(value.rule)} if isinstance(value, GeneratedPassword) else plans.planned_to_json(value)


def change_from_json(data: Mapping[str, t.Any]) -> Change:
    """Give the change that `change_to_json` wrote. Raises StoreError when `data` is no such thing."""
    try:
        if data["action"] not in ACTIONS:
            raise ValueError(f"unknown action {data['action']!r}")
        return Change(
            number=int(data["number"]),
            object=data["object"],
            action=data["action"],
            key=tuple(data["key"]),
            target=data.get("target"),
            anchor=data.get("anchor"),
            before={name: from_json(value) for name, value in data["before"].items()},
            after={name: _planned_from_json(value) for name, value in data["after"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"a change in the plan file is damaged: {error}") from error


def _planned_from_json(data: t.Any) -> PlannedValue:
    if isinstance(data, Mapping) and set(data) == {PASSWORD_MARK}:
        return GeneratedPassword(rule=PasswordRule(**data[PASSWORD_MARK]))
    return plans.planned_from_json(data)


def read_changes(lines: Iterable[str], path: str) -> list[Change]:
    """Give the changes of a plan file, after proof that it is whole: its digest is the one its content gives.

    Raises StoreError naming `path` and what is wrong; nothing of a damaged plan is given.
    """
    header: dict[str, t.Any] | None = None
    footer: dict[str, t.Any] | None = None
    changes: list[Change] = []
    digest = hashlib.blake2b(digest_size=32)
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
        except ValueError as error:
            raise StoreError(f"plan file {path}, line {number}: damaged: {error}") from error
        if footer is not None or not isinstance(data, dict):
            raise StoreError(f"plan file {path}, line {number}: damaged: unexpected content.")
        if header is None:
            header = data
            digest.update(_line(data).encode("utf-8"))
        elif "digest" in data:
            footer = data
        else:
            changes.append(change_from_json(data))
            digest.update(line.encode("utf-8"))
    if header is None or header.get("format") != FORMAT or footer is None:
        raise StoreError(f"plan file {path} is not whole: its end is missing. Nothing of it is used.")
    if footer["digest"] != digest.hexdigest():
        raise StoreError(f"plan file {path} was changed after it was sealed. Nothing of it is used.")
    return changes


def _header(plan: Plan) -> dict[str, t.Any]:
    return {
        "format": FORMAT,
        "job": plan.job,
        "mapping_digest": plan.mapping_digest,
        "objects": [
            {
                "name": part.name,
                "container": part.target.container,
                "key_fields": list(part.target.key_fields),
                "fields": list(part.target.fields),
                "replace": part.target.replace,
                **({"object_classes": list(part.target.object_classes)} if part.target.object_classes else {}),
            }
            for part in plan.objects
        ],
    }


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


def _line(data: Mapping[str, t.Any]) -> str:
    return _encode(data) + "\n"
