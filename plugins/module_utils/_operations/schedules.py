# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare and list schedules."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._model.due import Occurrence
from .._model.errors import ConfigError, LockstepError, unknown
from .._model.native_schedules import native_forms
from .._model.occurrences import next_occurrence, next_runs
from .._model.schedules import ScheduleSpec, parse_schedule, schedule_definition
from .._model.sections import drop_none
from .._store.named import Stored
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
from .notifications import check_notification
from .targets import Naming, find_naming, targets_of

LAST = 10
"""How many of its last occurrences are listed with a schedule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleRequest:
    """One declaration of a schedule. `definition` has the options given, None at any depth means "not given".

    Attributes:
        whole: the definition is all of the schedule: nothing that is stored is kept.
        force: delete it although jobs or job collections name it; they name none afterwards.
    """

    name: str
    state: State = "present"
    new_name: str | None = None
    definition: Plain = field(default_factory=dict)
    whole: bool = False
    force: bool = False


def declare_schedules(store: Store, requests: Sequence[ScheduleRequest], *, now: dt.datetime) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, DependencyError, StoreError."""
    return declare_all(
        store,
        "schedule",
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request, now),
    )


def _declare(store: Store, request: ScheduleRequest, now: dt.datetime) -> Declared:
    schedules = store.schedules
    found = find_stored("schedule", request.name, request.new_name, lambda name: schedules.get(name) is not None)
    stored = None if found is None else schedules.get(found)
    given = t.cast("Plain", drop_none(request.definition))
    if stored is None:
        refuse_empty_rename("schedule", request.name, request.new_name, anything_given=bool(given))
    name = request.new_name or request.name
    spec = parse_schedule(name, {**({} if stored is None or request.whole else stored.definition), **given})
    _need_targets(store, spec)
    check_notification(store, spec.notification, f"schedule {spec.name!r}, notification")
    plain = schedule_definition(spec)
    before = None if stored is None else {"name": stored.name, **stored.definition}
    after = {"name": name, **plain}
    if stored is not None and stored.name != name:
        schedules.rename(stored.name, name)
    if stored is None or stored.definition != plain:
        schedules.save(name, plain)
    naming = find_naming(store)
    return Declared(
        name=name,
        state="present",
        changed=before != after,
        before=before,
        after=after,
        effective={**after, **_outlook(spec, plain, naming, now)},
        warnings=_warnings(spec, plain, naming, now),
    )


def _need_targets(store: Store, spec: ScheduleSpec) -> None:
    for job in spec.jobs:
        need_job(store, job, f"schedule {spec.name!r}, jobs")
    for collection in spec.collections:
        if store.collections.get(collection) is None:
            names = [each.name for each in store.collections.list()]
            raise ConfigError(
                unknown("job collection", collection, names, where=f"schedule {spec.name!r}, collections")
            )


def _warnings(spec: ScheduleSpec, plain: Plain, naming: Naming, now: dt.datetime) -> tuple[str, ...]:
    warnings = []
    if not targets_of(spec.name, plain, naming):
        warnings.append(
            f"Schedule {spec.name!r} has nothing to run. Give `jobs` or `collections`, or let a job or job collection "
            f"name it with `schedule: {spec.name}`."
        )
    if spec.active and not spec.startup and next_occurrence(spec, now) is None:
        warnings.append(f"Schedule {spec.name!r} is never due again: the times of all its triggers are over.")
    return tuple(warnings)


def _outlook(spec: ScheduleSpec, plain: Plain, naming: Naming, now: dt.datetime) -> dict[str, t.Any]:
    """Give what follows from a schedule: its targets, its next times, and its forms elsewhere."""
    targets = targets_of(spec.name, plain, naming)
    return {
        "targets": {
            "jobs": [each.name for each in targets if each.kind == "job"],
            "collections": [each.name for each in targets if each.kind == "collection"],
        },
        "next_runs": next_runs(spec, now),
        **native_forms(spec, now),
    }


def _delete(store: Store, request: ScheduleRequest) -> Declared:
    refuse_rename_of_absent("schedule", request.name, request.new_name)
    stored = store.schedules.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    users = store.schedules.used_by(request.name)
    if users and not request.force:
        raise ConfigError(
            f"schedule {request.name!r}: it cannot be deleted, it is named by {', '.join(users)}. Take it out of them "
            "first, or set `force: true`, which does that."
        )
    _forget(store, request.name)
    store.schedules.delete(request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def _forget(store: Store, name: str) -> None:
    """Take the schedule out of the jobs and job collections that name it."""
    for job in store.jobs.list():
        if job.definition.get("schedule") == name:
            store.jobs.save(job.name, _without_schedule(job.definition))
    for collection in store.collections.list():
        if collection.definition.get("schedule") == name:
            store.collections.save(collection.name, _without_schedule(collection.definition))


def _without_schedule(definition: Plain) -> dict[str, t.Any]:
    return {option: value for option, value in definition.items() if option != "schedule"}


def leave_schedules(
    store: Store, option: t.Literal["jobs", "collections"], noun: str, name: str, *, force: bool
) -> None:
    """Take what is about to be deleted out of the schedules that list it; only with `force`.

    Args:
        store: the state store.
        option: the list of schedules.
        noun: what it is, for messages.
        name: its name.
        force: whether schedules may be changed.

    Raises:
        ConfigError: without `force`, naming the schedules.
    """
    listing = store.schedules.listing(option, name)
    if listing and not force:
        names = ", ".join(map(repr, listing))
        raise ConfigError(
            f"{noun} {name!r}: it cannot be deleted, these schedules run it: {names}. Take it out of them first, or "
            "set `force: true`, which does that."
        )
    for schedule in listing:
        stored = need_schedule(store, schedule)
        rest = [each for each in stored.definition[option] if each != name]
        store.schedules.save(schedule, {**stored.definition, option: rest})


def need_schedule(store: Store, name: str, where: str = "") -> Stored:
    """Give the schedule called `name`. Raises ConfigError with `where` in front, naming the valid ones."""
    found = store.schedules.get(name)
    if found is None:
        raise ConfigError(unknown("schedule", name, [each.name for each in store.schedules.list()], where=where))
    return found


def list_schedules(store: Store, name: str | None, *, now: dt.datetime) -> list[dict[str, t.Any]]:
    """Give the schedules by name, each with its targets, its next times and its last occurrences. Raises StoreError."""
    naming = find_naming(store)
    return [_describe(store, stored, naming, now) for stored in store.schedules.list() if name in (None, stored.name)]


def _describe(store: Store, stored: Stored, naming: Naming, now: dt.datetime) -> dict[str, t.Any]:
    described: dict[str, t.Any] = {"name": stored.name, **stored.definition}
    try:
        described |= _outlook(parse_schedule(stored.name, stored.definition), stored.definition, naming, now)
    except LockstepError as error:  # a zone that this host does not know; it must not hide the other schedules
        described["problem"] = error.message
    described["occurrences"] = [occurrence_line(each) for each in store.occurrences.last(stored.name, LAST)]
    return {**described, "created": stored.created, "modified": stored.modified}


def occurrence_line(occurrence: Occurrence) -> dict[str, t.Any]:
    """Give one occurrence as plain data."""
    return {
        "schedule": occurrence.schedule,
        "slot": occurrence.slot,
        "due": occurrence.due,
        "status": occurrence.status,
        "message": occurrence.message,
        "host": occurrence.host,
        "claimed": occurrence.claimed,
        "finished": occurrence.finished,
    }
