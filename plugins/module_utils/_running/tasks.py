# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is asked to do: run a job, apply a kept plan, take back a run, or go on with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .._model.errors import ConfigError
from .._model.runs import RunKind
from .._operations.approvals import need_request
from .._store.run_rows import StoredRun
from .._store.store import Store
from .attempt import Attempt
from .context import RunContext, Try
from .keeping import KeptAttempt
from .resuming import ResumeAttempt, check_resumable
from .runtime import RunRequest
from .undoing import UndoAttempt


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One kind of work on a job.

    Attributes:
        job: the job's name.
        kind: what the history calls it; `origin_id` is the run it takes back or goes on with.
        subject: the first words of messages about it.
        attempt: makes one try of it.
    """

    job: str
    kind: RunKind
    origin_id: int | None
    subject: str
    attempt: Callable[[RunContext], Try]


def fill_in_request(request: RunRequest, store: Store) -> RunRequest:
    """Give `request` with the plan and the accepted guards of the approval that it executes. Raises ConfigError."""
    if request.request is None:
        return request
    terms = need_request(store, request.request).request.terms
    if request.accept and request.accept != terms.accepted:
        accepted = ", ".join(sorted(terms.accepted)) or "none"
        raise ConfigError(
            f"request {request.request} was made for the accepted guards: {accepted}. Leave `accept` out."
        )
    return replace(request, plan=terms.plan_id, accept=terms.accepted)


def find_task(request: RunRequest, store: Store) -> Task:
    """Give what `request` asks for. Raises ConfigError when plan or run do not exist or do not fit."""
    if request.plan is not None:
        return _apply_plan(request.plan, store)
    if request.undo is not None:
        return _undo(request.undo, store)
    if request.resume is not None:
        return _resume(request.resume, store)
    return Task(job=request.job, kind="run", origin_id=None, subject=f"Job {request.job!r}", attempt=Attempt)


def _apply_plan(plan_id: int, store: Store) -> Task:
    stored = store.plans.get(plan_id)
    if stored is None:
        raise ConfigError(f"plan: there is no plan {plan_id} in {store.location}. `plan_info` lists those there are.")
    return Task(
        job=stored.job,
        kind="undo" if stored.kind == "undo" else "plan",
        origin_id=stored.origin_id,
        subject=f"Plan {plan_id} of job {stored.job!r}",
        attempt=lambda context: KeptAttempt(stored, context),
    )


def _undo(run_id: int, store: Store) -> Task:
    run = _find_run(run_id, store, "undo")
    return Task(
        job=run.job,
        kind="undo",
        origin_id=run_id,
        subject=f"The undo of run {run_id} of job {run.job!r}",
        attempt=lambda context: UndoAttempt(run, context),
    )


def _resume(run_id: int, store: Store) -> Task:
    run = _find_run(run_id, store, "resume")
    check_resumable(run, store)
    return Task(
        job=run.job,
        kind="resume",
        origin_id=run_id,
        subject=f"Run {run_id} of job {run.job!r}, gone on with,",
        attempt=lambda context: ResumeAttempt(run, context),
    )


def _find_run(run_id: int, store: Store, option: str) -> StoredRun:
    run = store.runs.get(run_id)
    if run is None:
        raise ConfigError(f"{option}: there is no run {run_id} in {store.location}. `run_info` lists those there are.")
    if run.kind == "collection":
        numbers = ", ".join(str(part.id) for part in store.runs.parts(run_id)) or "none has begun"
        raise ConfigError(
            f"{option}: run {run_id} is that of a job collection. Give the run of one of its jobs: {numbers}."
        )
    if store.jobs.get(run.job) is None:
        raise ConfigError(
            f"{option}: job {run.job!r} of run {run_id} was deleted, so nobody knows where it wrote. Declare it again "
            "under this name."
        )
    return run
