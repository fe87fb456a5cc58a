# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seal a plan: a digest over everything it would do, and its form on disk and in the store (read by `sealed`).

JSON lines: a header with the objects, one line per change - held ones say by which guards -, one for each thing to
remember when it is done, and a footer with the digest. Values are in the JSON form of `values.to_json`; a password is a
mark, never a value.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from .._model import plans
from .._model.plain_json import is_plain, plain_json, quote_ascii, sorted_names
from .._model.plans import Change, HeldChange, Leaver, Link, ObjectPlan, Plan, PlannedValue
from .._model.secrets import GeneratedPassword
from .._model.values import to_json

FORMAT = "lockstep-plan-2"
PASSWORD_MARK = "password"  # noqa: S105 - the name of a mark, not a password


def seal(plan: Plan, write: t.Callable[[str], object] | None = None) -> Plan:
    """Give `plan` with its digest: a BLAKE2b over what the job was, the targets and every change in order.

    With `write`, the plan is written as text through it on the way, in pieces that end in a line break.
    """
    digest = hashlib.blake2b(digest_size=32)
    for line in _content_lines(plan):
        digest.update(line.encode("utf-8"))
        if write is not None:
            write(line)
    sealed = replace(plan, digest=digest.hexdigest())
    if write is not None:
        write(footer_line(sealed.digest, sealed.change_count + sealed.held_count))
    return sealed


def sealed_lines(plan: Plan) -> Iterator[str]:
    """Give the lines of a plan that is sealed already, as `seal` wrote them."""
    yield from _content_lines(plan)
    yield footer_line(plan.digest, plan.change_count + plan.held_count)


def footer_line(digest: str, changes: int) -> str:
    """Give the last line of a sealed plan of so many changes, held ones included."""
    return _line({"digest": digest, "changes": changes})


def _content_lines(plan: Plan) -> Iterator[str]:
    yield _line(_header(plan))
    for part in plan.objects:
        yield from _change_lines(part)
    for part in plan.objects:
        changed = {change.key for change in part.changes} | {held.change.key for held in part.held_changes}
        # Pairs that were only found are found again; what a change makes must be remembered with it.
        for link in part.links:
            if link.key in changed:
                yield _line({"link": _link_to_json(part.name, link)})
        for leaver in part.leavers:
            yield _line({"leaver": _leaver_to_json(part.name, leaver)})
        for anchor in part.returned:
            yield _line({"returned": {"object": part.name, "anchor": anchor}})


def _change_lines(part: ObjectPlan) -> Iterator[str]:
    if not part.held_changes:
        yield from map(_change_line, part.changes)
        return
    items: list[tuple[Change, HeldChange | None]] = [(change, None) for change in part.changes]
    items += [(held.change, held) for held in part.held_changes]
    for change, held in sorted(items, key=lambda item: item[0].number):
        data = change_to_json(change)
        yield _line(data if held is None else {**data, "held": sorted(held.guards)})


def _change_line(change: Change) -> str:
    if change.image is not None or not is_plain(change.before) or not is_plain(change.after):
        return _line(change_to_json(change))
    quote = quote_ascii
    before = plain_json(change.before, quote, names=sorted_names(tuple(change.before)))
    after = plain_json(change.after, quote, names=sorted_names(tuple(change.after)))
    anchor = "" if change.anchor is None else f',"anchor":{quote(change.anchor)}'
    target = "" if change.target is None else f',"target":{quote(change.target)}'
    key = ",".join(map(quote, change.key))
    return (
        f'{{"action":"{change.action}","after":{after}{anchor},"before":{before},"key":[{key}],'
        f'"number":{change.number},"object":{quote(change.object)}{target}}}\n'
    )


def change_to_json(change: Change) -> dict[str, t.Any]:
    """Give the JSON form of one change."""
    data: dict[str, t.Any] = {
        "number": change.number,
        "object": change.object,
        "action": change.action,
        "key": list(change.key),
        "before": fields_to_json(change.before),
        "after": fields_to_json(change.after),
    }
    if change.target is not None:
        data["target"] = change.target
    if change.anchor is not None:
        data["anchor"] = change.anchor
    if change.image is not None:
        data["image"] = plans.image_to_json(change.image)
    return data


def fields_to_json(fields: Mapping[str, PlannedValue]) -> dict[str, t.Any]:
    """Give the JSON form of a record's fields."""
    return {name: planned_to_json(value) for name, value in fields.items()}


def planned_to_json(value: PlannedValue) -> t.Any:
    """Give the JSON form of a planned value; a password becomes its rule."""
    return {PASSWORD_MARK: asdict(value.rule)} if isinstance(value, GeneratedPassword) else plans.planned_to_json(value)


def _link_to_json(name: str, link: Link) -> dict[str, t.Any]:
    return {"object": name, "identity": link.identity, "anchor": link.anchor, "key": list(link.key)}


def _leaver_to_json(name: str, leaver: Leaver) -> dict[str, t.Any]:
    return {
        "object": name,
        "anchor": leaver.anchor,
        "since": leaver.since,
        "container": leaver.container,
        "groups": [list(group) for group in leaver.groups],
        "stamped": {field: to_json(value) for field, value in leaver.stamped.items()},
        "was_enabled": leaver.was_enabled,
    }


def _header(plan: Plan) -> dict[str, t.Any]:
    return {
        "format": FORMAT,
        "job": plan.job,
        "definition": plan.definition_digest,
        "objects": [_object_to_json(part) for part in plan.objects],
    }


def _object_to_json(part: ObjectPlan) -> dict[str, t.Any]:
    target = part.target
    data: dict[str, t.Any] = {
        "name": part.name,
        "container": target.container,
        "key_fields": list(target.key_fields),
        "fields": list(target.fields),
        "replace": target.replace,
        "loose_keys": target.loose_keys,
        "statistics": part.statistics.as_dict(),
    }
    if target.object_classes:
        data["object_classes"] = list(target.object_classes)
    if part.held:
        data["held"] = [asdict(held) for held in part.held]
    return data


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


def _line(data: Mapping[str, t.Any]) -> str:
    return _encode(data) + "\n"
