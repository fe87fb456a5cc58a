# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run from start to end: lock, try, try again, history, result. `tasks` says what a try does."""

from __future__ import annotations

import gc
import hashlib
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._model.checkpoint import Checkpoint
from .._model.definitions import parse_job
from .._model.errors import (
    ConfigError,
    LockedError,
    LockstepError,
    ProviderError,
    StoreError,
    TimeLimitError,
    unknown,
)
from .._model.jobs import JobSpec
from .._model.runs import RunResult, Statistics, Status
from .._store.jobs import StoredJob, job_lock
from .._store.store import Store
from .account import (
    Account,
    RunLog,
    count_changes,
    decide_agreement,
    decide_status,
    object_statistics,
    outcome_problems,
    sum_up,
    total_statistics,
)
from .context import RunContext, Try
from .files import RunFiles, make_preview_folder, make_run_folder, save_changes, save_log
from .lease import hold_lock
from .quarantine import put_in_quarantine, refuse_quarantined
from .remembering import remember
from .runtime import RunRequest, Runtime
from .settling import settle_interrupted
from .standstill import keep
from .tasks import Task, fill_in_request, find_task
from .telling import (
    Remembered,
    deliver_mails,
    queue_mail,
    summary_of,
    tell_of_interrupted,
    watch_secrets,
    wish_of,
)

WAIT_STEP = 60.0
"""Seconds between two looks at the lock while the next try is waited for."""
LONGEST_FILE_NAME = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """The result of a run, and the explanation of one record when it was asked for.

    `locked`: nothing was done, because somebody else is running the job. `parts` are the runs of a job collection's
    jobs, in their order.
    """

    result: RunResult
    explanation: list[dict[str, t.Any]] | None = None
    failure_code: str = ""
    locked: bool = False
    parts: tuple[Ran, ...] = ()


def run_job(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
    """Run a job, preview or explain it, apply a kept plan, take back a run or go on with one.

    Faults of the systems, of the store and of single records are told by the result. Raises ConfigError when there is
    no such job, plan or run or the job's definition cannot be read, and StoreError when the store fails before the run
    has begun or the list of a preview cannot be kept.
    """
    request = fill_in_request(request, store)
    task = find_task(request, store)
    stored = store.jobs.get(task.job)
    if stored is None:
        raise ConfigError(unknown("job", task.job, (job.name for job in store.jobs.list())))
    job = parse_job(stored.name, stored.definition)
    return _Conductor(stored, job, task, request, store=store, runtime=runtime).run()


class _Conductor:
    def __init__(
        self, stored: StoredJob, job: JobSpec, task: Task, request: RunRequest, *, store: Store, runtime: Runtime
    ) -> None:
        self._stored = stored
        self._job = job
        self._task = task
        self._request = request
        self._store = store
        self._runtime, self._secrets = watch_secrets(runtime)
        self._account = Account()
        self._log = RunLog(runtime.now_text)
        self._started = runtime.now_text()
        self._start = runtime.monotonic()
        self._remembered: Remembered | None = None

    def run(self) -> Ran:
        try:
            with self._runtime.board.follow(self._job.name) as self._meter:
                return self._run()
        finally:
            # Planning has set its plan aside, which nobody needs from here on.
            gc.unfreeze()

    def _run(self) -> Ran:
        if self._request.preview or self._request.explain is not None:
            return self._preview()
        if not self._job.enabled:
            return self._skipped(f"Job {self._job.name!r} is disabled; enable it with `enabled: true` to run it.")
        refuse_quarantined(self._stored, self._task.kind)
        try:
            lock, label = job_lock(self._stored), f"a run of job {self._job.name!r}"
            with hold_lock(lock, label, self._store, self._runtime, self._log) as checkpoint:
                ran = self._run_locked(checkpoint)
        except LockedError as error:
            ran = self._skipped(f"Job {self._job.name!r} was not run: it is already being run by {error.holder}.")
            return replace(ran, locked=True)
        if self._remembered is not None and self._request.parent_id is None:
            deliver_mails(self._remembered, self._store, self._runtime, self._log)
        return ran

    # -- preview ------------------------------------------------------------------------------------------------

    def _preview(self) -> Ran:
        explanation: list[dict[str, t.Any]] | None = None
        try:
            explanation = self._attempt(self._timed(lambda: None)).preview()
        except LockstepError as error:
            self._fail(error)
        result = self._result(run_id=None, files=None, preview=True)
        if result.changes_total > len(result.changes):
            result = replace(result, changes_file=self._save_preview())
        return Ran(result=result, explanation=explanation, failure_code=self._account.failure_code)

    def _save_preview(self) -> str:
        """Keep the full list of a preview too long for its result; the next preview of the job replaces it."""
        path = make_preview_folder(self._runtime.run_directory) / f"{_file_name(self._job.name)}.jsonl"
        save_changes(self._account.applied, path)
        return str(path)

    # -- a real run ---------------------------------------------------------------------------------------------

    def _run_locked(self, checkpoint: Callable[[], None]) -> Ran:
        runs = self._store.runs
        unfinished = runs.unfinished(self._job.name)
        settle_interrupted(self._job, self._store, self._runtime, self._log, checkpoint)
        tell_of_interrupted(unfinished, self._job, self._store, self._runtime, self._log)
        run_id = runs.start(
            self._job.name,
            host=self._runtime.host,
            pid=self._runtime.pid,
            boot_id=self._runtime.boot_id,
            started=self._started,
            kind=self._task.kind,
            origin_id=self._task.origin_id,
            requester=self._request.requester,
            schedule=self._request.schedule,
            parent_id=self._request.parent_id,
        )
        self._log.note(f"run {run_id} of job {self._job.name!r} started on {self._runtime.host}")
        try:
            files = make_run_folder(self._runtime.run_directory, run_id)
            self._try(self._timed(checkpoint), files, run_id)
        except StoreError as error:
            files = None
            self._fail(error)
        result = self._result(run_id=run_id, files=files, preview=False)
        return Ran(result=self._remember(run_id, files, result), failure_code=self._account.failure_code)

    def _timed(self, checkpoint: Callable[[], None]) -> Checkpoint:
        """Give the checkpoint that also counts, and stops the run when somebody wants it or its time is over."""
        limit, board, meter = self._request.timeout, self._runtime.board, self._meter

        def check(records: int = 0, /) -> None:
            meter.done += records
            checkpoint()
            board.check()
            if limit is not None and self._runtime.monotonic() - self._start > limit:
                raise TimeLimitError(f"it took longer than its `timeout` of {limit:g} s, and stopped")

        return check

    def _try(self, checkpoint: Checkpoint, files: RunFiles, run_id: int) -> None:
        tries = 1 + self._job.on_error.retries
        for number in range(1, tries + 1):
            try:
                if number > 1:
                    self._wait(checkpoint)
                self._account.try_again()
                self._attempt(checkpoint, run_id).apply(number, files)
            except LockstepError as error:
                self._fail(error)
                if not isinstance(error, ProviderError):
                    return
            else:
                return
            if number < tries:
                delay = self._job.on_error.delay
                self._log.add("warning", f"try {number} of {tries} failed; the next starts in {delay:g} s.")

    def _wait(self, checkpoint: Checkpoint) -> None:
        """Wait for the next try in steps, so that a long delay does not cost the lock."""
        remaining = self._job.on_error.delay
        while remaining > 0:
            step = min(remaining, WAIT_STEP)
            self._runtime.sleep(step)
            checkpoint()
            remaining -= step

    def _attempt(self, checkpoint: Checkpoint, run_id: int | None = None) -> Try:
        return self._task.attempt(
            RunContext(
                job=self._job,
                request=self._request,
                store=self._store,
                runtime=self._runtime,
                account=self._account,
                log=self._log,
                checkpoint=checkpoint,
                meter=self._meter,
                run_id=run_id,
            )
        )

    def _fail(self, error: LockstepError) -> None:
        self._account.failure = error.message
        self._account.failure_code = error.code
        self._log.add("error", error.message)

    def _remember(self, run_id: int, files: RunFiles | None, result: RunResult) -> RunResult:
        """Write files and history. The destination is already as it is, so a fault here is told, never raised away."""
        self._meter.enter("finishing")
        try:
            if files is not None:
                save_changes(self._account.applied, files.changes)
                save_log(self._log.lines, files.log)
            lines = len(self._log.lines)
            with self._store.transaction():
                self._store.runs.add_changes(run_id, self._account.applied)
                self._store.runs.add_problems(run_id, result.problems)
                self._store.runs.finish(run_id, result)
                self._move_marks(result.status)
                if result.status == "succeeded" and self._account.standstill is not None:
                    keep(self._store, self._job.name, run_id, self._account.standstill)
                self._remember_records()
                if self._task.kind == "run":
                    put_in_quarantine(self._job, run_id, result.statistics, self._store, self._log)
                self._queue_mail(result, files)
            self._remembered = Remembered(run_id=run_id, files=files, lines=lines)
        except StoreError as error:
            journal = (
                f" The journal in {files.folder} says what was done; the next run enters it."
                if files is not None
                else ""
            )
            self._fail(error)
            message = (
                f"Job {self._job.name!r} made {count_changes(self._account.written)}, but the history could not be "
                f"written: {error.message}{journal}"
            )
            return replace(result, status="failed", message=message)
        return result

    def _queue_mail(self, result: RunResult, files: RunFiles | None) -> None:
        """Queue the mail about this run together with its history, so that there is never one without the other."""
        if self._request.parent_id is not None:
            return
        summary = summary_of(
            result,
            self._task.subject.rstrip(","),
            self._runtime.host,
            changes=self._account.applied,
            files=None if files is None else files.folder,
        )
        queue_mail(wish_of(self._job), summary, self._store, self._runtime, self._log, secrets=self._secrets)

    def _move_marks(self, status: Status) -> None:
        """Only a run without any fault and over all keys may say what need not be read again."""
        plan = self._account.plan
        if status != "succeeded" or plan is None or self._request.keys or self._job.changed_only is None:
            return
        for part in plan.objects:
            if part.mark is not None:
                self._store.marks.set(self._job.name, part.name, self._job.mapping_digest, part.mark)

    def _remember_records(self) -> None:
        """Remember what a directory's records are linked to, who left and who came back."""
        plan = self._account.plan
        if self._account.waiting is not None and self._account.waiting.whole:
            return
        if plan is None or self._store.jobs.get(self._job.name) is None:
            return
        applied = [*self._account.settled, *self._account.applied]
        for part in plan.objects:
            remember(part, applied, self._job, self._store)

    # -- results ------------------------------------------------------------------------------------------------

    def _result(self, *, run_id: int | None, files: RunFiles | None, preview: bool) -> RunResult:
        account = self._account
        objects = object_statistics(account, preview=preview)
        total = total_statistics(objects)
        problems = [*account.problems, *outcome_problems(account.applied)]
        not_found = sum(1 for problem in account.problems if problem.code == "not_found" and not problem.object)
        total = replace(total, errors=total.errors + not_found)
        for problem in problems:
            self._log.problem(problem)
        status = decide_status(account, total)
        message = sum_up(self._task.subject, status, account, total, preview=preview)
        message += account.remark + self._way_on(run_id, status)
        self._log.add("error" if status == "failed" else "info", message)
        return RunResult(
            id=run_id,
            job=self._job.name,
            status=status,
            agreement="different" if self._task.kind == "undo" else decide_agreement(status, total, preview=preview),
            preview=preview,
            message=message,
            started=self._started,
            finished=self._runtime.now_text(),
            duration=round(self._runtime.monotonic() - self._start, 3),
            statistics=total,
            objects=objects,
            changes=account.applied[: self._request.max_changes],
            changes_total=len(account.applied),
            problems=problems,
            held=account.held,
            log=self._log.lines,
            changes_file=str(files.changes) if files is not None else None,
            log_file=str(files.log) if files is not None else None,
            plan_digest=account.plan.digest if account.plan is not None else None,
            plan_id=account.plan_id,
            stands_on=account.stands_on,
            kind=self._task.kind,
            origin_id=self._task.origin_id,
            request_ids=[] if account.waiting is None else [each.id for each in account.waiting.requests],
            parent_id=self._request.parent_id,
        )

    def _way_on(self, run_id: int | None, status: Status) -> str:
        """Say how to go on with a run that failed with a part of its plan made."""
        plan, made = self._account.plan, self._account.written
        if run_id is None or status != "failed" or plan is None or not 0 < made < plan.change_count:
            return ""
        return f" `resume: {run_id}` goes on from there; running the job again compares both sides anew."

    def _skipped(self, message: str) -> Ran:
        self._log.note(message)
        now = self._runtime.now_text()
        return Ran(
            result=RunResult(
                id=None,
                job=self._job.name,
                status="skipped",
                agreement="different",
                preview=False,
                message=message,
                started=self._started,
                finished=now,
                duration=0.0,
                statistics=Statistics(),
                objects=[],
                changes=[],
                changes_total=0,
                problems=[],
                held=[],
                log=self._log.lines,
                parent_id=self._request.parent_id,
            )
        )


def _file_name(job: str) -> str:
    """Give a file name that no other job's name has: letters, digits, hyphens and inner dots stay."""
    name = "".join(
        char if char.isalnum() or char == "-" or (char == "." and place) else f"_{ord(char):x}_"
        for place, char in enumerate(job)
    )
    if len(name.encode("utf-8")) <= LONGEST_FILE_NAME:
        return name
    return "_" + hashlib.blake2b(job.encode("utf-8"), digest_size=16).hexdigest()
