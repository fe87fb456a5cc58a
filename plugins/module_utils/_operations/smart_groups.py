# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare and list smart groups."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._model.errors import ConfigError
from .._model.jobs import DIRECTORIES
from .._model.sections import drop_none
from .._model.smart_groups import parse_smart_group, smart_group_definition
from .._store.store import Store
from .declared import (
    Declared,
    Plain,
    State,
    declare_all,
    find_stored,
    refuse_empty_rename,
    refuse_rename_of_absent,
)
from .lookup import need_job, need_provider


@dataclass(frozen=True, kw_only=True, slots=True)
class SmartGroupRequest:
    """One declaration of a smart group. `definition` has the options given, None at any depth means "not given"."""

    name: str
    state: State = "present"
    new_name: str | None = None
    definition: Plain = field(default_factory=dict)
    force: bool = False


def declare_smart_groups(store: Store, requests: Sequence[SmartGroupRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        "smart group",
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: SmartGroupRequest) -> Declared:
    groups = store.smart_groups
    found = find_stored("smart group", request.name, request.new_name, lambda name: groups.get(name) is not None)
    stored = None if found is None else groups.get(found)
    given = t.cast("Plain", drop_none(request.definition))
    if stored is None:
        refuse_empty_rename("smart group", request.name, request.new_name, anything_given=bool(given))
    name = request.new_name or request.name
    spec = parse_smart_group(name, {**({} if stored is None else stored.definition), **given})
    provider = need_provider(store, spec.provider, f"smart group {name!r}")
    if provider.spec.type not in DIRECTORIES:
        raise ConfigError(
            f"smart group {name!r}: provider {spec.provider!r} is of type {provider.spec.type}; groups are in "
            "providers of type ldap or active_directory."
        )
    plain = smart_group_definition(spec)
    before = None if stored is None else {"name": stored.name, **stored.definition}
    after = {"name": name, **plain}
    if stored is not None and stored.name != name:
        groups.rename(stored.name, name)
    if before != after:
        groups.save(name, plain)
    return Declared(name=name, state="present", changed=before != after, before=before, after=after, effective=after)


def _delete(store: Store, request: SmartGroupRequest) -> Declared:
    refuse_rename_of_absent("smart group", request.name, request.new_name)
    stored = store.smart_groups.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    users = store.smart_groups.users(request.name)
    if users and not request.force:
        raise ConfigError(
            f"smart group {request.name!r}: it cannot be deleted, it is refreshed by {', '.join(users)}. Take it out "
            "of them first, or set `force: true`."
        )
    drop_smart_group(store, request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def drop_smart_group(store: Store, name: str) -> None:
    """Take a smart group out of whoever refreshes it and delete it. Raises ConfigError when there is none."""
    for job in store.smart_groups.used_by(name):
        store.jobs.save(job, _without(need_job(store, job).definition, name))
    for collection in store.collections.list():
        if name in collection.definition.get("smart_groups", ()):
            store.collections.save(collection.name, _without(collection.definition, name))
    store.smart_groups.delete(name)


def _without(definition: Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    rest = {option: value for option, value in definition.items() if option != "smart_groups"}
    groups = [each for each in definition["smart_groups"] if each != name]
    return {**rest, "smart_groups": groups} if groups else rest


def list_smart_groups(store: Store, name: str | None) -> list[dict[str, t.Any]]:
    """Give the smart groups by name, each with the jobs and collections that refresh it. Raises StoreError."""
    return [
        {
            "name": stored.name,
            **stored.definition,
            "used_by": store.smart_groups.used_by(stored.name),
            "used_by_collections": store.smart_groups.used_by_collections(stored.name),
            "created": stored.created,
            "modified": stored.modified,
        }
        for stored in store.smart_groups.list()
        if name in (None, stored.name)
    ]
