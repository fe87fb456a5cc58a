# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List jobs: what they are, what they need, and how they ran."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.definitions import effective_job
from .._model.runs import Status
from .._store.jobs import StoredJob
from .._store.run_rows import StoredRun
from .._store.store import Store
from .targets import next_run_of_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Which jobs to list: all conditions given must hold. `source` and `destination` are names of providers."""

    name: str | None = None
    source: str | None = None
    destination: str | None = None
    owner: str | None = None
    last_status: Status | None = None

    def accepts(self, job: StoredJob) -> bool:
        """Tell whether the declaration of `job` meets the conditions; `last_status` is not looked at."""
        return (
            self.name in (None, job.name)
            and self.source in (None, job.definition["source"]["provider"])
            and self.destination in (None, job.definition["destination"]["provider"])
            and (self.owner is None or self.owner in job.definition.get("owners", ()))
        )


def list_jobs(store: Store, wanted: JobFilter) -> list[dict[str, t.Any]]:
    """Give the jobs that `wanted` accepts, by name, each as its effective job with its history. Raises StoreError."""
    listed = []
    next_runs = next_run_of_jobs(store)
    for job in store.jobs.list():
        if not wanted.accepts(job):
            continue
        last = store.runs.last(job.name)
        if wanted.last_status is None or (last is not None and last.status == wanted.last_status):
            listed.append(_describe(store, job, last, next_runs.get(job.name)))
    return listed


def _describe(store: Store, job: StoredJob, last: StoredRun | None, next_run: str | None) -> dict[str, t.Any]:
    effective = effective_job(job.name, job.definition)
    providers = sorted({effective["source"]["provider"], effective["destination"]["provider"]})
    return {
        **effective,
        **({} if job.quarantine is None else {"quarantine": job.quarantine}),
        "dependencies": {"providers": providers},
        "last_run": None if last is None else _describe_run(last),
        "next_run": next_run,
        "times_run": store.runs.times_run(job.name),
        "created": job.created,
        "modified": job.modified,
    }


def _describe_run(run: StoredRun) -> dict[str, t.Any]:
    return {
        "id": run.id,
        "status": run.status,
        "outcome": run.agreement,
        "started": run.started,
        "finished": run.finished,
        "duration_seconds": run.duration,
        "message": run.message,
        "statistics": run.statistics.as_dict(),
    }
