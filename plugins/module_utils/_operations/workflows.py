# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare and list workflows."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .._model.approvals import Actor, ids_of
from .._model.errors import ConfigError
from .._model.sections import drop_none
from .._model.workflows import WorkflowSpec, parse_workflow, workflow_definition
from .._store.named import Stored
from .._store.requests import StoredRequest
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


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowRequest:
    """One declaration of a workflow. `definition` has the options given, None means "not given".

    Attributes:
        actor: who declares it, noted with requests that end with it.
        force: delete it although requests are pending; these expire.
    """

    name: str
    actor: Actor
    state: State = "present"
    new_name: str | None = None
    definition: Plain = field(default_factory=dict)
    force: bool = False


def declare_workflows(store: Store, requests: Sequence[WorkflowRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. Raises ConfigError, StoreError."""
    return declare_all(
        store,
        "workflow",
        requests,
        lambda request: _delete(store, request) if request.state == "absent" else _declare(store, request),
    )


def _declare(store: Store, request: WorkflowRequest) -> Declared:
    workflows = store.workflows
    found = find_stored("workflow", request.name, request.new_name, lambda name: workflows.get(name) is not None)
    stored = None if found is None else workflows.get(found)
    given = t.cast("Plain", drop_none(request.definition))
    if stored is None:
        refuse_empty_rename("workflow", request.name, request.new_name, anything_given=bool(given))
    name = request.new_name or request.name
    spec = parse_workflow(name, {**({} if stored is None else stored.definition), **given})
    _need_jobs(store, spec, () if stored is None else stored.definition["jobs"])
    plain = workflow_definition(spec)
    before = None if stored is None else {"name": stored.name, **stored.definition}
    after = {"name": name, **plain}
    if stored is not None and stored.name != name:
        workflows.rename(stored.name, name)
    if stored is None or stored.definition != plain:
        workflows.save(name, plain)
    return Declared(name=name, state="present", changed=before != after, before=before, after=after, effective=after)


def _need_jobs(store: Store, spec: WorkflowSpec, known: Iterable[str]) -> None:
    """Refuse jobs that do not exist. One that was named before and deleted since may stay: it may be made again."""
    for job in spec.jobs:
        if job not in known:
            need_job(store, job, f"workflow {spec.name!r}, jobs")


def _delete(store: Store, request: WorkflowRequest) -> Declared:
    refuse_rename_of_absent("workflow", request.name, request.new_name)
    stored = store.workflows.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    pending = _open_requests(store, stored)
    if pending and not request.force:
        numbers = ids_of(each.request for each in pending)
        raise ConfigError(
            f"workflow {request.name!r}: it cannot be deleted, these requests are not decided or not executed: "
            f"{numbers}. Decide them first, or set `force: true`; they expire then."
        )
    for each in pending:
        store.requests.add_event(
            each.request.id, "expired", request.actor, reason=f"workflow {request.name!r} was deleted."
        )
    store.workflows.delete(request.name)
    before = {"name": stored.name, **stored.definition}
    return Declared(name=request.name, state="absent", changed=True, before=before, after=None, effective=None)


def _open_requests(store: Store, stored: Stored) -> list[StoredRequest]:
    return [
        each
        for status in ("pending", "approved")
        for each in store.requests.find(status=status, workflow_id=stored.id, limit=None)
    ]


def all_workflows(store: Store) -> list[WorkflowSpec]:
    """Give all workflows. Raises ConfigError for one that cannot be read, StoreError."""
    return [parse_workflow(stored.name, stored.definition) for stored in store.workflows.list()]


def list_workflows(store: Store, name: str | None) -> list[dict[str, t.Any]]:
    """Give the workflows by name, each with the numbers of its requests that are open. Raises StoreError."""
    return [
        {
            "name": stored.name,
            **stored.definition,
            "open_requests": [each.request.id for each in _open_requests(store, stored)],
            "created": stored.created,
            "modified": stored.modified,
        }
        for stored in store.workflows.list()
        if name in (None, stored.name)
    ]
