# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell people how a run ended: the mail is queued with its history, and sent when the run has let go of its lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .._model.errors import StoreError
from .._model.jobs import JobSpec, Notify
from .._model.mails import RunSummary
from .._model.notifications import Wish
from .._model.runs import AppliedChange, RunResult, Statistics, Status
from .._operations.delivering import Post, deliver_due, notify
from .._store.run_rows import StoredRun
from .._store.store import Store
from .account import RunLog
from .files import RunFiles, save_log
from .runtime import Runtime


def post_of(runtime: Runtime) -> Post:
    """Give what telling people needs of the world of a run."""
    return Post(
        host=runtime.host,
        clock=runtime.clock,
        monotonic=runtime.monotonic,
        randomness=runtime.randomness,
        environ=runtime.environ,
        protect=runtime.protect,
    )


def watch_secrets(runtime: Runtime) -> tuple[Runtime, set[str]]:
    """Give `runtime`, and a set that gets every secret which is resolved by it, so that no mail has one."""
    secrets: set[str] = set()

    def protect(secret: str) -> None:
        secrets.add(secret)
        runtime.protect(secret)

    return replace(runtime, protect=protect), secrets


def summary_of(
    result: RunResult, subject: str, host: str, *, changes: Sequence[AppliedChange], files: Path | None
) -> RunSummary:
    """Give what is told of a run that has ended; `changes` are all of them."""
    return RunSummary(
        subject=subject,
        number=result.id,
        status=result.status,
        message=result.message,
        started=result.started,
        finished=result.finished,
        duration=result.duration,
        host=host,
        statistics=result.statistics,
        parts=result.objects,
        problems=result.problems,
        held=result.held,
        changes=changes,
        changes_total=len(changes),
        log=list(result.log),
        files="" if files is None else str(files),
    )


def occurrence_summary(
    schedule: str, results: Sequence[RunResult], status: Status, message: str, *, started: str, runtime: Runtime
) -> RunSummary:
    """Give what is told of all that a schedule ran at one time; changes and logs are told by the runs themselves."""
    finished = runtime.now_text()
    return RunSummary(
        subject=f"Schedule {schedule!r}",
        number=None,
        status=status,
        message=f"Schedule {schedule!r}: {message}",
        started=started,
        finished=finished,
        duration=(dt.datetime.fromisoformat(finished) - dt.datetime.fromisoformat(started)).total_seconds(),
        host=runtime.host,
        statistics=sum((result.statistics for result in results), Statistics()),
        parts=[(result.collection or result.job, result.statistics) for result in results],
        problems=[problem for result in results for problem in result.problems],
        held=[held for result in results for held in result.held],
        log=[line for result in results for line in result.log],
    )


def wish_of(job: JobSpec) -> Wish | None:
    """Give which notification is to tell of runs of `job`, None for none."""
    return None if job.notification is None else Wish(notification=job.notification, notify=job.notify or Notify())


def queue_mail(
    wish: Wish | None,
    summary: RunSummary,
    store: Store,
    runtime: Runtime,
    log: RunLog,
    *,
    secrets: Collection[str] = (),
) -> None:
    """Queue the mail about a run, in the transaction that writes its history. Raises StoreError."""
    if wish is None:
        return
    _number, warning = notify(store, wish, summary, post_of(runtime), secrets=secrets)
    if warning:
        log.add("warning", warning)


def tell_of_interrupted(runs: Sequence[StoredRun], job: JobSpec, store: Store, runtime: Runtime, log: RunLog) -> None:
    """Queue the mails about runs whose process died, once they are settled. Raises StoreError."""
    for run in runs:
        settled = store.runs.get(run.id)
        if settled is not None and settled.status == "interrupted":
            queue_mail(wish_of(job), _interrupted(settled), store, runtime, log)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """A run whose history is written: its files, and how many lines of its log are in them."""

    run_id: int
    files: RunFiles | None
    lines: int


def deliver_mails(run: Remembered, store: Store, runtime: Runtime, log: RunLog) -> None:
    """Deliver what is due, and write what did not arrive into the log of this run, its file and its history.

    Call it without the lock of the run: a mail server that does not answer must keep nobody from running the job.
    Nothing here changes what became of the run.
    """
    for warning in deliver_waiting(store, runtime):
        log.add("warning", warning)
    if len(log.lines) == run.lines:
        return
    try:
        if run.files is not None:
            save_log(log.lines, run.files.log)
        store.runs.replace_log(run.run_id, log.lines)
    except StoreError as error:
        log.add("warning", f"the log in the history lacks what became of mails: {error.message}")


def deliver_waiting(store: Store, runtime: Runtime) -> list[str]:
    """Deliver what is due, and give warnings about what did not arrive."""
    try:
        return deliver_due(store, post_of(runtime))
    except StoreError as error:
        return [f"mails that are due could not be sent: {error.message}"]


def _interrupted(run: StoredRun) -> RunSummary:
    return RunSummary(
        subject=f"Job {run.job!r}",
        number=run.id,
        status=run.status,
        message=f"Run {run.id} of job {run.job!r} was {run.message}",
        started=run.started,
        finished=run.finished or "",
        duration=run.duration or 0.0,
        host=run.host,
        statistics=run.statistics,
        log=run.log,
    )
