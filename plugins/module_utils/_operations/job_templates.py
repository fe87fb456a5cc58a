# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates: a job without providers, to start others from; four are predefined."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._model.definitions import normalize_job
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
from .lookup import need_job
from .predefined_templates import PREDEFINED

SIDES = ("source", "destination")
NOT_IN_TEMPLATES = ("smart_groups", "schedule", "template", "notification", "notify")


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateRequest:
    """One declaration of a job template: `from_job` or `definition` says what is in it."""

    name: str
    state: State = "present"
    new_name: str | None = None
    description: str | None = None
    from_job: str | None = None
    definition: Plain | None = None


def declare_job_templates(store: Store, requests: Sequence[TemplateRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        "job template",
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: TemplateRequest) -> Declared:
    templates = store.job_templates
    for name in (request.name, request.new_name):
        _refuse_predefined(name)
    found = find_stored("job template", request.name, request.new_name, lambda name: templates.get(name) is not None)
    stored = None if found is None else templates.get(found)
    name = request.new_name or request.name
    check_name("job template", name)
    job = _wanted_job(store, request)
    if stored is None:
        refuse_empty_rename("job template", request.name, request.new_name, anything_given=job is not None)
    if job is None and stored is None:
        raise ConfigError(f"job template {name!r}: give `from_job` or `definition`, which say what is in it.")
    old = {} if stored is None else stored.definition
    normal = old["job"] if job is None else normalize_template(name, job)
    description = old.get("description", "") if request.description is None else request.description
    before = None if stored is None else {"name": stored.name, **old}
    after = {"name": name, "description": description, "job": normal}
    if stored is not None and stored.name != name:
        templates.rename(stored.name, name)
    if before != after:
        templates.save(name, {"description": description, "job": normal})
    return Declared(name=name, state="present", changed=before != after, before=before, after=after, effective=after)


def _delete(store: Store, request: TemplateRequest) -> Declared:
    refuse_rename_of_absent("job template", request.name, request.new_name)
    _refuse_predefined(request.name)
    stored = store.job_templates.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    store.job_templates.delete(request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def _refuse_predefined(name: str | None) -> None:
    if name in PREDEFINED:
        raise ConfigError(
            f"job template {name!r} is predefined and stays as it is. Declare one of another name; `from_job` takes "
            "over a job that was made from it."
        )


def _wanted_job(store: Store, request: TemplateRequest) -> Plain | None:
    if request.from_job is not None:
        job = need_job(store, request.from_job, f"job template {request.name!r}, from_job")
        return {name: value for name, value in job.definition.items() if name not in NOT_IN_TEMPLATES}
    return None if request.definition is None else t.cast("Plain", drop_none(request.definition))


def normalize_template(name: str, job: Plain) -> dict[str, t.Any]:
    """Give the normal form of a template's job, without providers. Raises ConfigError as for a job."""
    whole = {**job, **{side: {**(job.get(side) or {}), "provider": side} for side in SIDES}}
    normal = normalize_job(f"of template {name}", whole)
    for side in SIDES:
        normal[side] = {option: value for option, value in normal[side].items() if option != "provider"}
    return {option: value for option, value in normal.items() if value != {}}


def template_job(store: Store, name: str, where: str) -> Plain:
    """Give the definition of the job template `name`. Raises ConfigError with `where` in front."""
    if name in PREDEFINED:
        return PREDEFINED[name][1]
    stored = store.job_templates.get(name)
    if stored is None:
        names = [*PREDEFINED, *(each.name for each in store.job_templates.list())]
        raise ConfigError(unknown("job template", name, names, where=where))
    return t.cast("Plain", stored.definition["job"])


def fill_in(template: Plain, given: Plain) -> dict[str, t.Any]:
    """Give `template` with what is given instead; mappings are merged, everything else is replaced."""
    merged = dict(template)
    for name, value in given.items():
        old = merged.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[name] = fill_in(t.cast("Plain", old), value) if both else value
    return merged


def list_job_templates(store: Store, name: str | None) -> list[dict[str, t.Any]]:
    """Give the job templates by name, the predefined ones first. Raises StoreError."""
    predefined = [
        {"name": each, "description": text, "job": dict(job), "predefined": True, "created": None, "modified": None}
        for each, (text, job) in sorted(PREDEFINED.items())
    ]
    stored = [
        {
            "name": each.name,
            **each.definition,
            "predefined": False,
            "created": each.created,
            "modified": each.modified,
        }
        for each in store.job_templates.list()
    ]
    return [each for each in (*predefined, *stored) if name in (None, each["name"])]
