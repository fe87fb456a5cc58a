# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collection templates: the options of a job collection, to start others from."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from .._model.collections import collection_definition, parse_collection
from .._model.errors import ConfigError, unknown
from .._model.providers import check_name
from .._model.sections import drop_none
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

NOUN = "collection template"
NOT_IN_TEMPLATES = ("template", "schedule", "notification", "smart_groups")


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionTemplateRequest:
    """One declaration of a collection template: `from_collection` or `definition` says what is in it."""

    name: str
    state: State = "present"
    new_name: str | None = None
    description: str | None = None
    from_collection: str | None = None
    definition: Plain | None = None


def declare_collection_templates(store: Store, requests: Sequence[CollectionTemplateRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        NOUN,
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: CollectionTemplateRequest) -> Declared:
    templates = store.collection_templates
    found = find_stored(NOUN, request.name, request.new_name, lambda name: templates.get(name) is not None)
    stored = None if found is None else templates.get(found)
    name = request.new_name or request.name
    check_name(NOUN, name)
    wanted = _wanted(store, request)
    if stored is None:
        refuse_empty_rename(NOUN, request.name, request.new_name, anything_given=wanted is not None)
    if wanted is None and stored is None:
        raise ConfigError(f"{NOUN} {name!r}: give `from_collection` or `definition`, which say what is in it.")
    old = {} if stored is None else stored.definition
    normal = old["collection"] if wanted is None else normalize_collection_template(name, wanted)
    description = old.get("description", "") if request.description is None else request.description
    before = None if stored is None else {"name": stored.name, **old}
    after = {"name": name, "description": description, "collection": normal}
    if stored is not None and stored.name != name:
        templates.rename(stored.name, name)
    if before != after:
        templates.save(name, {"description": description, "collection": normal})
    return Declared(name=name, state="present", changed=before != after, before=before, after=after, effective=after)


def _wanted(store: Store, request: CollectionTemplateRequest) -> Plain | None:
    if request.from_collection is None:
        return None if request.definition is None else t.cast("Plain", drop_none(request.definition))
    stored = store.collections.get(request.from_collection)
    if stored is None:
        names = [each.name for each in store.collections.list()]
        where = f"{NOUN} {request.name!r}, from_collection"
        raise ConfigError(unknown("job collection", request.from_collection, names, where=where))
    return {option: value for option, value in stored.definition.items() if option not in NOT_IN_TEMPLATES}


def normalize_collection_template(name: str, definition: Plain) -> dict[str, t.Any]:
    """Give the normal form of a template's options; jobs that do not exist yet may stand in it. Raises ConfigError."""
    spec = parse_collection(f"of template {name}", definition)
    return {option: value for option, value in collection_definition(spec).items() if option not in NOT_IN_TEMPLATES}


def _delete(store: Store, request: CollectionTemplateRequest) -> Declared:
    refuse_rename_of_absent(NOUN, request.name, request.new_name)
    stored = store.collection_templates.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    store.collection_templates.delete(request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def template_collection(store: Store, name: str, where: str) -> Plain:
    """Give the options in the collection template `name`. Raises ConfigError with `where` in front."""
    stored = store.collection_templates.get(name)
    if stored is None:
        raise ConfigError(unknown(NOUN, name, [each.name for each in store.collection_templates.list()], where=where))
    return t.cast("Plain", stored.definition["collection"])


def list_collection_templates(store: Store, name: str | None) -> list[dict[str, t.Any]]:
    """Give the collection templates by name. Raises StoreError."""
    return [
        {"name": each.name, **each.definition, "created": each.created, "modified": each.modified}
        for each in store.collection_templates.list()
        if name in (None, each.name)
    ]
