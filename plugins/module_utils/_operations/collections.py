# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare and list job collections."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._model.collections import CollectionSpec, collection_definition, parse_collection
from .._model.errors import ConfigError, unknown
from .._model.runs import Status
from .._model.sections import drop_none
from .._store.named import Stored
from .._store.run_rows import StoredRun
from .._store.store import Store
from .collection_templates import template_collection
from .declared import (
    Declared,
    Plain,
    State,
    declare_all,
    find_stored,
    refuse_empty_rename,
    refuse_rename_of_absent,
)
from .lookup import need_job, need_smart_group
from .notifications import check_notification
from .schedules import leave_schedules, need_schedule

NOUN = "job collection"


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionRequest:
    """One declaration of a job collection. `definition` has the options given, None means "not given".

    Attributes:
        copy_of: the collection that gives everything but the name, when this one does not exist yet.
        whole: the definition is all of the collection: nothing that is stored, or in its template, is filled in.
        force: delete it although schedules run it; it is taken out of them.
    """

    name: str
    state: State = "present"
    new_name: str | None = None
    copy_of: str | None = None
    definition: Plain = field(default_factory=dict)
    whole: bool = False
    force: bool = False


def declare_collections(store: Store, requests: Sequence[CollectionRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        NOUN,
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: CollectionRequest) -> Declared:
    collections = store.collections
    found = find_stored(NOUN, request.name, request.new_name, lambda name: collections.get(name) is not None)
    stored = None if found is None else collections.get(found)
    given = t.cast("Plain", drop_none(request.definition))
    base = {} if request.whole else _base(store, request, stored)
    if stored is None:
        refuse_empty_rename(NOUN, request.name, request.new_name, anything_given=bool(given or base))
    name = request.new_name or request.name
    template = given.get("template")
    if template is not None and not request.whole:
        # Each time, so that the same task gives the same collection.
        given = {**template_collection(store, template, f"{NOUN} {request.name!r}, template"), **given}
    spec = parse_collection(name, {**base, **given})
    _check_references(store, spec)
    plain = collection_definition(spec)
    before = None if stored is None else {"name": stored.name, **stored.definition}
    after = {"name": name, **plain}
    if stored is not None and stored.name != name:
        collections.rename(stored.name, name)
    if stored is None or stored.definition != plain:
        collections.save(name, plain)
    return Declared(name=name, state="present", changed=before != after, before=before, after=after, effective=after)


def _base(store: Store, request: CollectionRequest, stored: Stored | None) -> Plain:
    """Give the definition that the given options change: the stored one, the copied one, or nothing."""
    if stored is not None:
        return stored.definition
    if request.copy_of is not None:
        return need_collection(store, request.copy_of, f"{NOUN} {request.name!r}, copy_of").definition
    return {}


def _check_references(store: Store, spec: CollectionSpec) -> None:
    where = f"{NOUN} {spec.name!r}"
    for member in spec.jobs:
        if store.jobs.get(member.job) is None and store.collections.get(member.job) is not None:
            raise ConfigError(
                f"{where}, jobs: {member.job!r} is a job collection. A collection holds jobs; name those of "
                f"{member.job!r}, or let a schedule run both."
            )
        need_job(store, member.job, f"{where}, jobs")
    if spec.schedule is not None:
        need_schedule(store, spec.schedule, f"{where}, schedule")
    check_notification(store, spec.notification, f"{where}, notification")
    for name in spec.smart_groups:
        need_smart_group(store, name, f"{where}, smart_groups")


def _delete(store: Store, request: CollectionRequest) -> Declared:
    refuse_rename_of_absent(NOUN, request.name, request.new_name)
    stored = store.collections.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    leave_schedules(store, "collections", NOUN, request.name, force=request.force)
    store.collections.delete(request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def leave_collections(store: Store, job: str, *, force: bool) -> None:
    """Take a job that is about to be deleted out of the collections that run it; only with `force`.

    Raises ConfigError naming the collections: without `force`, and when one would have no job left.
    """
    running = [each for each in store.collections.list() if job in _jobs_of(each)]
    alone = [each.name for each in running if len(_jobs_of(each)) == 1]
    if running and (alone or not force):
        names = ", ".join(repr(each.name) for each in running)
        raise ConfigError(
            f"job {job!r}: it cannot be deleted, these job collections run it: {names}. "
            + (
                f"{', '.join(map(repr, alone))} would have no job left; delete it first."
                if force
                else "Take it out of them first, or set `force: true`, which does that."
            )
        )
    for each in running:
        rest = [entry for entry in each.definition["jobs"] if entry["job"] != job]
        store.collections.save(each.name, {**each.definition, "jobs": rest})


def _jobs_of(stored: Stored) -> list[str]:
    return [entry["job"] for entry in stored.definition["jobs"]]


def need_collection(store: Store, name: str, where: str = "") -> Stored:
    """Give the job collection called `name`. Raises ConfigError with `where` in front, naming the valid ones."""
    found = store.collections.get(name)
    if found is None:
        raise ConfigError(unknown(NOUN, name, [each.name for each in store.collections.list()], where=where))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionFilter:
    """Which job collections to list: all conditions given must hold. `job` is one that it runs."""

    name: str | None = None
    owner: str | None = None
    job: str | None = None
    last_status: Status | None = None

    def accepts(self, stored: Stored, last: StoredRun | None) -> bool:
        """Tell whether the conditions hold for a collection and its newest run."""
        return (
            self.name in (None, stored.name)
            and (self.owner is None or self.owner in stored.definition.get("owners", ()))
            and (self.job is None or self.job in _jobs_of(stored))
            and (self.last_status is None or (last is not None and last.status == self.last_status))
        )


def list_collections(store: Store, wanted: CollectionFilter) -> list[dict[str, t.Any]]:
    """Give the job collections that `wanted` accepts, by name, each with its history. Raises StoreError."""
    found = [(each, store.runs.last_of_collection(each.id)) for each in store.collections.list()]
    return [_describe(store, stored, last) for stored, last in found if wanted.accepts(stored, last)]


def _describe(store: Store, stored: Stored, last: StoredRun | None) -> dict[str, t.Any]:
    return {
        "name": stored.name,
        **collection_definition(parse_collection(stored.name, stored.definition)),
        "last_run": None
        if last is None
        else {
            "id": last.id,
            "status": last.status,
            "outcome": last.agreement,
            "started": last.started,
            "finished": last.finished,
            "duration_seconds": last.duration,
            "message": last.message,
            "statistics": last.statistics.as_dict(),
        },
        "times_run": store.runs.times_run_of_collection(stored.id),
        "created": stored.created,
        "modified": stored.modified,
    }
