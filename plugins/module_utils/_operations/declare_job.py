# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare jobs: make, copy, change, rename and delete them."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from .._model.definitions import effective_job, normalize_job, parse_job
from .._model.endpoints import check_endpoints
from .._model.errors import ConfigError, LockedError
from .._model.jobs import JobSpec, ProviderType
from .._model.sections import drop_none
from .._store.jobs import StoredJob, job_lock
from .._store.locks import Holder
from .._store.store import Store
from .circular import circular_warnings
from .collections import leave_collections
from .declared import (
    Declared,
    Plain,
    State,
    declare_all,
    find_stored,
    refuse_empty_rename,
    refuse_rename_of_absent,
)
from .job_templates import fill_in, template_job
from .lookup import need_job, need_provider, need_smart_group
from .notifications import check_notification
from .schedules import leave_schedules, need_schedule
from .systems import identity_of

LEASE_SECONDS = 60.0

CompileCheck = Callable[[JobSpec, ProviderType], None]
"""Compiles the mapping of a job whose destination is of that type. Raises ConfigError for a bad expression, pattern or
function file.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest:
    """One declaration of a job.

    Attributes:
        copy_of: the job that gives everything but the name, when this job does not exist yet.
        definition: the options given, by name; None at any depth means "not given".
        whole: the definition is all of the job: nothing that is stored, or in its template, is kept or filled in.
        quarantined: False releases a job that was paused because its runs failed on too many records.
        force: delete or rename the job although a run of it is in progress, delete it although schedules or
            job collections list it.
    """

    name: str
    state: State = "present"
    new_name: str | None = None
    copy_of: str | None = None
    definition: Plain = field(default_factory=dict)
    whole: bool = False
    quarantined: bool | None = None
    force: bool = False


def declare_jobs(
    store: Store, requests: Sequence[JobRequest], *, holder: Holder, check_mapping: CompileCheck
) -> list[Declared]:
    """Carry out the declarations in order, all or none. In a rehearsal of the store nothing is kept.

    Args:
        store: the state store.
        requests: what to declare.
        holder: who asks, for the short lock that keeps a run from starting while its job is renamed or deleted.
        check_mapping: finds the faults of a mapping that only show when it is compiled.

    Raises:
        ConfigError: a declaration is wrong or refers to something that does not exist.
        LockedError: a job to delete or rename is running.
        StoreError: the store cannot be read or written.
    """

    def declare(request: JobRequest) -> Declared:
        if request.state == "absent":
            return _delete(store, request, holder)
        return _declare(store, request, holder, check_mapping)

    with store.transaction():
        results = declare_all(store, "job", requests, declare)
        warnings = _warnings(store, [result.name for result in results if result.state == "present"])
    return [replace(result, warnings=warnings.get(result.name, ())) for result in results]


def _declare(store: Store, request: JobRequest, holder: Holder, check_mapping: CompileCheck) -> Declared:
    found = find_stored("job", request.name, request.new_name, lambda name: store.jobs.get(name) is not None)
    stored = None if found is None else store.jobs.get(found)
    if request.quarantined:
        raise ConfigError(
            f"job {request.name!r}: `quarantined: true` cannot be declared, only a run that fails on too many records "
            "pauses a job. Use `enabled: false` to keep it from running."
        )
    given = t.cast("Plain", drop_none(request.definition))
    base = {} if request.whole else _base(store, request, stored)
    if stored is None:
        refuse_empty_rename("job", request.name, request.new_name, anything_given=bool(given or base))
    name = request.new_name or request.name
    template = given.get("template")
    if template is not None and not request.whole:
        # Each time, so that the same task gives the same job.
        given = fill_in(template_job(store, template, f"job {request.name!r}, template"), given)
    definition = {**base, **given}
    spec = parse_job(name, definition)
    destination_type = _check_references(store, spec)
    normal = normalize_job(name, definition)
    before = None if stored is None else {"name": stored.name, **stored.definition}
    after = {"name": name, **normal}
    if before != after:
        check_mapping(spec, destination_type)
        _save(store, stored, name, normal, _Locking(store=store, holder=holder, force=request.force))
    reason = None if stored is None else stored.quarantine
    if before is not None and reason is not None:
        before = {**before, "quarantine": reason}
        if request.quarantined is False:
            store.jobs.quarantine(name, None)
        else:
            after = {**after, "quarantine": reason}
    return Declared(
        name=name,
        state="present",
        changed=before != after,
        before=before,
        after=after,
        effective=_effective(name, normal, after),
    )


def _effective(name: str, normal: Plain, after: Plain) -> Plain:
    effective = effective_job(name, normal)
    return {**effective, "quarantine": after["quarantine"]} if "quarantine" in after else effective


def _base(store: Store, request: JobRequest, stored: StoredJob | None) -> Plain:
    """Give the definition that the given options change: the stored one, the copied one, or nothing."""
    if stored is not None:
        return stored.definition
    if request.copy_of is not None:
        return need_job(store, request.copy_of, f"job {request.name!r}, copy_of").definition
    return {}


def _check_references(store: Store, spec: JobSpec) -> ProviderType:
    """Check what the job names; give the type of its destination. Raises ConfigError."""
    source = need_provider(store, spec.source.provider, f"job {spec.name!r}, source")
    destination = need_provider(store, spec.destination.provider, f"job {spec.name!r}, destination")
    check_endpoints(spec, source.spec.type, destination.spec.type)
    for name in spec.smart_groups:
        need_smart_group(store, name, f"job {spec.name!r}, smart_groups")
    check_notification(store, spec.notification, f"job {spec.name!r}, notification")
    if spec.schedule is not None:
        need_schedule(store, spec.schedule, f"job {spec.name!r}, schedule")
    return destination.spec.type


def _save(store: Store, stored: StoredJob | None, name: str, normal: Plain, lock: _Locking) -> None:
    if stored is not None and stored.name != name:
        lock.during(stored, "renamed", lambda: store.jobs.rename(stored.name, name))
    if stored is None or stored.definition != normal:
        store.jobs.save(name, normal)


def _delete(store: Store, request: JobRequest, holder: Holder) -> Declared:
    refuse_rename_of_absent("job", request.name, request.new_name)
    stored = store.jobs.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    leave_schedules(store, "jobs", "job", request.name, force=request.force)
    leave_collections(store, request.name, force=request.force)
    lock = _Locking(store=store, holder=holder, force=request.force)
    lock.during(stored, "deleted", lambda: store.jobs.delete(request.name))
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Locking:
    """How a job is kept from running while it is changed; with `force` it is not."""

    store: Store
    holder: Holder
    force: bool

    def during(self, job: StoredJob, done: str, action: Callable[[], None]) -> None:
        """Do `action` while no run of `job` can start. Raises LockedError when one is running."""
        if self.force:
            action()
            return
        try:
            lock = self.store.locks.acquire(job_lock(job), holder=self.holder, lease_seconds=LEASE_SECONDS)
        except LockedError as error:
            raise LockedError(
                f"job {job.name!r}: it cannot be {done} now, it is held by {error.holder}. Try again when that has "
                "ended, or set `force: true`.",
                holder=error.holder,
            ) from None
        action()
        self.store.locks.release(lock)


def _warnings(store: Store, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    if not names:
        return {}
    providers = store.providers.list()
    identities = {stored.spec.name: identity_of(stored.spec) for stored in providers}
    warnings: dict[str, tuple[str, ...]] = {}
    for name, message in circular_warnings(store.jobs.list(), identities, names):
        warnings[name] = (*warnings.get(name, ()), message)
    return warnings
