# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause a job whose runs fail on most of their records: something is wrong that no next run will mend."""

from __future__ import annotations

from .._model.errors import QuarantineError
from .._model.jobs import JobSpec
from .._model.runs import RunKind, Statistics
from .._store.jobs import StoredJob
from .._store.store import Store
from .account import RunLog

MANY_ERRORS = 20
"""Fewer records in error never pause a job."""
PERCENT = 40


def refuse_quarantined(job: StoredJob, kind: RunKind) -> None:
    """Raise QuarantineError for a paused job. What it did can be taken back all the same."""
    if job.quarantine is not None and kind != "undo":
        raise QuarantineError(
            f"Job {job.name!r} is paused: {job.quarantine} Look at a preview (check mode works), mend the cause, and "
            "release the job with `quarantined: false`."
        )


def put_in_quarantine(job: JobSpec, run_id: int, total: Statistics, store: Store, log: RunLog) -> None:
    """Pause the job when more than 40 % of its records, and at least 20, were in error. Raises StoreError."""
    records = max(total.read, total.errors)
    if total.errors < MANY_ERRORS or total.errors * 100 <= PERCENT * records:
        return
    if store.jobs.get(job.name) is None:
        return
    share = 100 * total.errors / records
    reason = f"run {run_id} failed on {total.errors} of {records} records ({share:.0f} %)."
    store.jobs.quarantine(job.name, reason)
    log.add("warning", f"the job is paused, because {reason}")
