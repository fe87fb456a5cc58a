# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a sealed plan back, after proof that it is whole and unchanged; nothing of a damaged plan is given."""

from __future__ import annotations

import hashlib
import json
import sys
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model import plans
from .._model.access import WriteTarget
from .._model.errors import StoreError
from .._model.plans import ACTIONS, Change, Held, HeldChange, Leaver, Link, ObjectPlan, Plan, PlannedValue
from .._model.runs import Statistics
from .._model.secrets import GeneratedPassword, PasswordRule
from .._model.values import from_json
from .sealing import FORMAT, PASSWORD_MARK, footer_line


def read_plan(lines: Iterable[str], where: str) -> Plan:
    """Give the plan that `sealing.seal` wrote as `lines`, line breaks included; problems are not kept with a plan.

    Raises StoreError naming `where` and what is wrong.
    """
    reader = _Reader(where)
    for number, line in enumerate(lines, 1):
        reader.take(number, line)
    return reader.finish()


def definition_of(lines: Iterable[str], where: str) -> str:
    """Give the digest of the definition that a sealed plan was made for, from its first line; nothing is proven by it.

    Raises StoreError when that line cannot be read.
    """
    try:
        return str(json.loads(next(iter(lines)))["definition"])
    except (StopIteration, ValueError, KeyError, TypeError):
        raise StoreError(f"{where} is damaged: its first line cannot be read. Nothing of it is used.") from None


@dataclass(kw_only=True, slots=True)
class _Part:
    """One object while its lines are read."""

    target: WriteTarget
    statistics: Statistics
    held: list[Held]
    changes: list[Change] = field(default_factory=list)
    held_changes: list[HeldChange] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, where: str) -> None:
        self._where = where
        self._digest = hashlib.blake2b(digest_size=32)
        self._header: dict[str, t.Any] | None = None
        self._footer: str | None = None
        self._parts: dict[str, _Part] = {}

    def take(self, number: int, line: str) -> None:
        """Read one line. Raises StoreError."""
        try:
            self._take(line)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise StoreError(f"{self._where}, line {number}, is damaged: {error}. Nothing of it is used.") from error

    def _take(self, line: str) -> None:
        data = json.loads(line)
        if self._footer is not None or not isinstance(data, dict):
            raise ValueError("unexpected content")
        if self._header is not None and "digest" in data:
            self._footer = line
            return
        self._digest.update(line.encode("utf-8"))
        if self._header is None:
            if data.get("format") != FORMAT:
                raise ValueError(f"its format is {data.get('format')!r}, this release reads {FORMAT!r}")
            self._header = data
            self._parts = {item["name"]: _part_from_json(item) for item in data["objects"]}
        elif "link" in data:
            self._parts[data["link"].pop("object")].links.append(_link_from_json(data["link"]))
        elif "leaver" in data:
            self._parts[data["leaver"].pop("object")].leavers.append(_leaver_from_json(data["leaver"]))
        elif "returned" in data:
            self._parts[data["returned"]["object"]].returned.append(data["returned"]["anchor"])
        else:
            part = self._parts[data["object"]]
            guards = data.pop("held", None)
            change = change_from_json(data)
            if guards is None:
                part.changes.append(change)
            else:
                part.held_changes.append(HeldChange(change=change, guards=frozenset(guards)))

    def finish(self) -> Plan:
        """Give the plan. Raises StoreError when a part is missing or something was changed."""
        if self._header is None or self._footer is None:
            raise StoreError(f"{self._where} is not whole: its end is missing. Nothing of it is used.")
        digest = self._digest.hexdigest()
        changes = sum(len(part.changes) + len(part.held_changes) for part in self._parts.values())
        if self._footer.removesuffix("\n") != footer_line(digest, changes).removesuffix("\n"):
            raise StoreError(f"{self._where} was changed after it was sealed. Nothing of it is used.")
        return Plan(
            job=self._header["job"],
            definition_digest=self._header["definition"],
            objects=tuple(_object_plan(name, part) for name, part in self._parts.items()),
            digest=digest,
        )


def _object_plan(name: str, part: _Part) -> ObjectPlan:
    return ObjectPlan(
        name=name,
        target=part.target,
        changes=part.changes,
        held_changes=part.held_changes,
        held=part.held,
        problems=(),
        statistics=part.statistics,
        links=part.links,
        leavers=part.leavers,
        returned=part.returned,
    )


def _part_from_json(data: Mapping[str, t.Any]) -> _Part:
    return _Part(
        target=WriteTarget(
            container=data["container"],
            key_fields=tuple(data["key_fields"]),
            fields=tuple(data["fields"]),
            replace=data["replace"],
            loose_keys=data["loose_keys"],
            object_classes=tuple(data.get("object_classes", ())),
        ),
        statistics=Statistics(**data["statistics"]),
        held=[Held(**held) for held in data.get("held", ())],
    )


def change_from_json(data: Mapping[str, t.Any]) -> Change:
    """Give the change that `sealing.change_to_json` wrote. Raises ValueError, KeyError, TypeError or AttributeError
    when `data` is no such thing.
    """
    if data["action"] not in ACTIONS:
        raise ValueError(f"unknown action {data['action']!r}")
    image = data.get("image")
    return Change(
        number=int(data["number"]),
        object=sys.intern(data["object"]),
        action=t.cast("plans.Action", sys.intern(data["action"])),
        key=tuple(data["key"]),
        target=data.get("target"),
        anchor=data.get("anchor"),
        # Each line brings names of its own; a plan has a million of them.
        before={sys.intern(name): from_json(value) for name, value in data["before"].items()},
        after={sys.intern(name): _planned_from_json(value) for name, value in data["after"].items()},
        image=None if image is None else plans.image_from_json(image),
    )


def _planned_from_json(data: t.Any) -> PlannedValue:
    if isinstance(data, Mapping) and set(data) == {PASSWORD_MARK}:
        return GeneratedPassword(rule=PasswordRule(**data[PASSWORD_MARK]))
    return plans.planned_from_json(data)


def _link_from_json(data: Mapping[str, t.Any]) -> Link:
    return Link(identity=data["identity"], anchor=data["anchor"], key=tuple(data["key"]))


def _leaver_from_json(data: Mapping[str, t.Any]) -> Leaver:
    return Leaver(
        anchor=data["anchor"],
        since=data["since"],
        container=data["container"],
        groups=tuple((group, name) for group, name in data["groups"]),
        stamped={name: from_json(value) for name, value in data["stamped"].items()},
        was_enabled=data["was_enabled"],
    )
