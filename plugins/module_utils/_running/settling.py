# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle runs of a job whose process died: find what they did, enter it into the history, and say so."""

from __future__ import annotations

from .._execution.journal import read_journal
from .._execution.recovery import read_plan_file, settle_changes
from .._model.errors import LockstepError, StoreError
from .._model.jobs import JobSpec
from .._model.runs import AppliedChange
from .._store.store import Store
from .account import RunLog
from .destinations import Destinations
from .files import RunFiles, save_changes
from .runtime import Runtime


def settle_interrupted(job: JobSpec, store: Store, runtime: Runtime, log: RunLog) -> None:
    """Settle every run of `job` that is still marked as running. The caller holds the job's lock, so none of them is
    alive.

    A run that cannot be settled now (its destination is gone, its files are damaged) is closed with the reason; what
    it did can then be read from its files.
    """
    for run in store.runs.unfinished(job.name):
        files = RunFiles(folder=runtime.run_directory / str(run.id))
        try:
            if run.host != runtime.host and not files.folder.exists():
                raise StoreError(f"it ran on {run.host}, where its files are.")
            applied = _settle_run(job, store, runtime, files)
        except LockstepError as error:
            message = (
                f"interrupted; what it did could not be settled: {error.message} Its journal is in {files.folder}."
            )
            applied = []
        else:
            done = sum(1 for item in applied if item.outcome is not None and item.outcome.status == "done")
            message = f"interrupted after {done} of {len(applied)} changes; the rest was not made."
        log.add("warning", f"run {run.id} was {message}")
        with store.transaction():
            store.runs.add_changes(run.id, applied)
            store.runs.mark_interrupted(run.id, message, runtime.now_text())


def _settle_run(job: JobSpec, store: Store, runtime: Runtime, files: RunFiles) -> list[AppliedChange]:
    applied: list[AppliedChange] = []
    with Destinations(job, store, runtime) as destinations:
        for attempt in files.attempts():
            plan = read_plan_file(files.plan(attempt))
            applied.extend(settle_changes(plan, read_journal(files.journal(attempt)), destinations.of))
    if applied:
        save_changes(applied, files.changes)
    return applied
