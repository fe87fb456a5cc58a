# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a job collection: its jobs in their order, neighbours side by side where they do not touch the same systems."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .._model.collections import CollectionSpec, Member, parse_collection
from .._model.definitions import parse_job
from .._model.errors import CancelledError, LockedError, LockstepError, StoreError
from .._model.jobs import JobSpec
from .._model.notifications import Wish
from .._model.runs import Agreement, Level, RunResult, Statistics, Status
from .._operations.collections import need_collection
from .._operations.systems import Touched, touched_by
from .._store.jobs import StoredJob
from .._store.named import Stored
from .._store.runs import OfCollection
from .._store.store import Store
from .account import RunLog, count_changes
from .beating import beating
from .conductor import Ran, run_job
from .files import RunFiles, make_run_folder, save_log
from .lease import LEASE_SECONDS, hold_lock
from .runtime import RunRequest, Runtime
from .telling import Remembered, deliver_mails, queue_mail, summary_of, watch_secrets

WORST_FIRST: tuple[Status, ...] = ("failed", "held", "awaiting_approval", "completed_with_errors", "succeeded")
PREVIEW_REMARK = " Each job was previewed on its own: what earlier ones would write, later ones do not see."


def run_collection(request: RunRequest, store: Store, runtime: Runtime) -> Ran:
    """Run or preview a job collection. Faults of its jobs are told by the result.

    Raises ConfigError when there is none of this name or it cannot be read, StoreError when the store fails before the
    run has begun.
    """
    stored = need_collection(store, request.collection)
    spec = parse_collection(stored.name, stored.definition)
    return _Collection(stored, spec, request, store=store, runtime=runtime).run()


@dataclass(kw_only=True, slots=True)
class _Part:
    """One job of the collection: what it touches, and its run once it has ended. Left alone for the reason `left`.

    Its run refreshes the `smart_groups`; then nobody knows what it touches.
    """

    member: Member
    touched: Touched | None
    smart_groups: tuple[str, ...] = ()
    ran: Ran | None = None
    left: str = ""

    @property
    def failed(self) -> bool:
        """Whether the jobs after it may not build on it: it failed, or somebody else is running it."""
        return self.ran is not None and (self.ran.result.status == "failed" or self.ran.locked)


class _Collection:
    def __init__(
        self, stored: Stored, spec: CollectionSpec, request: RunRequest, *, store: Store, runtime: Runtime
    ) -> None:
        self._stored = stored
        self._spec = spec
        self._request = request
        self._store = store
        self._runtime, self._secrets = watch_secrets(runtime)
        self._remembered: Remembered | None = None
        self._log = RunLog(runtime.now_text)
        self._started = runtime.now_text()
        self._start = runtime.monotonic()
        self._lost = ""
        self._subject = f"Job collection {spec.name!r}"

    def run(self) -> Ran:
        if self._request.preview:
            parts = self._parts()
            self._run_parts(parts, None, workers=1)
            return self._ran(parts, run_id=None, files=None)
        if not self._spec.enabled:
            return self._skipped(f"{self._subject} is disabled; enable it with `enabled: true` to run it.")
        lock, label = f"collection {self._stored.id}", f"a run of job collection {self._spec.name!r}"
        try:
            with hold_lock(lock, label, self._store, self._runtime, self._log) as checkpoint:
                ran = self._run_locked(checkpoint)
        except LockedError as error:
            message = f"{self._subject} was not run: it is already being run by {error.holder}."
            return replace(self._skipped(message), locked=True)
        if self._remembered is not None:
            deliver_mails(self._remembered, self._store, self._runtime, self._log)
        return ran

    def _run_locked(self, checkpoint: Callable[[], None]) -> Ran:
        self._settle_interrupted()
        parts = self._parts()
        run_id = self._store.runs.start(
            "",
            host=self._runtime.host,
            pid=self._runtime.pid,
            boot_id=self._runtime.boot_id,
            started=self._started,
            kind="collection",
            requester=self._request.requester,
            schedule=self._request.schedule,
            collection=OfCollection(id=self._stored.id, name=self._spec.name),
        )
        self._log.note(f"run {run_id} of job collection {self._spec.name!r} started on {self._runtime.host}")
        files = None
        try:
            files = make_run_folder(self._runtime.run_directory, run_id)
            # The jobs keep their own locks between two batches; that of the collection has to live as long as they do.
            with beating(lambda: self._keep_lock(checkpoint), LEASE_SECONDS / 6):
                self._run_parts(parts, run_id, workers=self._spec.parallel)
        except StoreError as error:
            self._log.add("error", error.message)
        ran = self._ran(parts, run_id=run_id, files=files)
        return replace(ran, result=self._remember(run_id, files, ran))

    def _settle_interrupted(self) -> None:
        """Close the runs of this collection whose process died; whoever holds its lock knows that none is alive."""
        for run in self._store.runs.unfinished_of_collection(self._stored.id):
            message = "interrupted; `run_info` tells of its jobs' runs, which are settled when each job runs again."
            self._store.runs.mark_interrupted(run.id, message, self._runtime.now_text())
            self._log.add("warning", f"run {run.id} of the collection was {message}")

    # -- the jobs -----------------------------------------------------------------------------------------------

    def _parts(self) -> list[_Part]:
        providers = {stored.spec.name: stored.spec for stored in self._store.providers.list()}
        jobs = {stored.name: stored for stored in self._store.jobs.list()}

        def touched(name: str) -> Touched | None:
            # With nothing to run side by side, nobody asks.
            if self._spec.parallel == 1 or name not in jobs:
                return None
            job: JobSpec = parse_job(name, jobs[name].definition)
            return touched_by(job, providers)

        parts = [_Part(member=member, touched=touched(member.job)) for member in self._spec.jobs]
        last = next((part for part in reversed(parts) if _is_enabled(jobs.get(part.member.job))), None)
        if last is not None and self._spec.smart_groups:
            last.smart_groups, last.touched = self._spec.smart_groups, None
        return parts

    def _run_parts(self, parts: Sequence[_Part], run_id: int | None, *, workers: int) -> None:
        """Run what may run until all have ended or are left alone."""
        if workers > 1:
            self._run_side_by_side(parts, run_id, workers)
            return
        for part in parts:
            self._leave_rest(parts, [])
            if not part.left:
                self._log.add("info", "starts", object_name=part.member.job)
                self._end(part, self._run_one(part, run_id))

    def _run_side_by_side(self, parts: Sequence[_Part], run_id: int | None, workers: int) -> None:
        """Run up to so many at the same time, each in a thread. An abort lets running ones end."""
        running: dict[concurrent.futures.Future[Ran], _Part] = {}
        with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
            while True:
                self._leave_rest(parts, list(running.values()))
                for part in _startable(parts, list(running.values()), workers - len(running)):
                    self._log.add("info", "starts", object_name=part.member.job)
                    running[pool.submit(self._run_one, part, run_id)] = part
                if not running:
                    return
                done, _others = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    self._end(running.pop(future), future.result())

    def _end(self, part: _Part, ran: Ran) -> None:
        part.ran = ran
        level: Level = "error" if part.failed else "info"
        self._log.add(level, f"{ran.result.status}: {ran.result.message}", object_name=part.member.job)

    def _leave_rest(self, parts: Sequence[_Part], running: Sequence[_Part]) -> None:
        """Note why what has not begun does not run."""
        limit = self._request.timeout
        culprit = next((part for part in parts if part.failed and part.member.on_failure == "abort"), None)
        if self._lost:
            first, reason = parts[0], self._lost
        elif self._runtime.board.stop:
            first, reason = parts[0], f"it was stopped: {self._runtime.board.stop}"
        elif limit is not None and self._runtime.monotonic() - self._start > limit:
            first, reason = parts[0], f"the `timeout` of {limit:g} s was over"
        elif culprit is not None:
            first, reason = culprit, f"job {culprit.member.job!r} failed before"
        else:
            return
        for part in parts[parts.index(first) :]:
            if part.ran is None and part not in running:
                part.left = part.left or reason

    def _keep_lock(self, checkpoint: Callable[[], None]) -> None:
        try:
            checkpoint()
        except CancelledError as error:
            self._lost = error.message

    def _run_one(self, part: _Part, run_id: int | None) -> Ran:
        member = part.member
        request = replace(
            self._request,
            job=member.job,
            collection="",
            parent_id=run_id,
            timeout=self._time_left(),
            smart_groups=part.smart_groups,
        )
        started = self._runtime.now_text()
        try:
            return run_job(request, self._store, self._runtime)
        except LockstepError as error:
            result = self._plain_result("failed", f"Job {member.job!r} was not run: {error.message}", started)
            return Ran(result=replace(result, job=member.job, kind="run", parent_id=run_id), failure_code=error.code)

    def _time_left(self) -> float | None:
        limit = self._request.timeout
        return None if limit is None else max(limit - (self._runtime.monotonic() - self._start), 0.001)

    # -- results ------------------------------------------------------------------------------------------------

    def _ran(self, parts: Sequence[_Part], *, run_id: int | None, files: RunFiles | None) -> Ran:
        ran = [self._of(part, run_id) for part in parts]
        results = [each.result for each in ran]
        status = self._status(parts, results)
        total = sum((result.statistics for result in results), Statistics())
        message = self._message(parts, results, status, total)
        first = next((each for each in ran if each.failure_code), None)
        self._log.add("error" if status == "failed" else "info", message)
        return Ran(
            result=replace(
                self._plain_result(status, message, self._started),
                id=run_id,
                agreement=_agreement(results),
                statistics=total,
                objects=[(result.job, result.statistics) for result in results],
                changes_total=sum(result.changes_total for result in results),
                held=[held for result in results for held in result.held],
                log_file=str(files.log) if files is not None else None,
                request_ids=[number for result in results for number in result.request_ids],
            ),
            failure_code=first.failure_code if first is not None else "",
            parts=tuple(ran),
        )

    def _of(self, part: _Part, run_id: int | None) -> Ran:
        if part.ran is not None:
            return part.ran
        message = f"Job {part.member.job!r} was not run: {part.left or 'the collection ended before'}."
        result = self._plain_result("skipped", message, self._runtime.now_text())
        return Ran(result=replace(result, job=part.member.job, kind="run", parent_id=run_id))

    @staticmethod
    def _status(parts: Sequence[_Part], results: Sequence[RunResult]) -> Status:
        """Give the worst status of the jobs; one that somebody else runs, or that was left out, is an error."""
        statuses = {result.status for result in results}
        worst: Status = next((status for status in WORST_FIRST if status in statuses), "succeeded")
        incomplete = any(part.failed or part.ran is None for part in parts)
        return "completed_with_errors" if incomplete and worst == "succeeded" else worst

    def _message(self, parts: Sequence[_Part], results: Sequence[RunResult], status: Status, total: Statistics) -> str:
        verb = "would make" if self._request.preview else "made"
        told = ", ".join(f"{result.job} {result.status}" for result in results)
        summary = f"{self._subject} {verb} {count_changes(total.changes)} in {len(parts)} jobs ({told})."
        if status == "failed":
            first = next(result for result in results if result.status == "failed")
            summary += f" {first.message}"
        left = [part for part in parts if part.ran is None]
        if left:
            names = ", ".join(repr(part.member.job) for part in left)
            summary += f" Not run: {names}, because {left[0].left or 'the store failed'}."
        return summary + (PREVIEW_REMARK if self._request.preview and total.changes and len(parts) > 1 else "")

    def _plain_result(self, status: Status, message: str, started: str) -> RunResult:
        return RunResult(
            id=None,
            job="",
            status=status,
            agreement="different",
            preview=self._request.preview,
            message=message,
            started=started,
            finished=self._runtime.now_text(),
            duration=round(self._runtime.monotonic() - self._start, 3),
            statistics=Statistics(),
            objects=[],
            changes=[],
            changes_total=0,
            problems=[],
            held=[],
            log=self._log.lines,
            kind="collection",
            collection=self._spec.name,
        )

    def _skipped(self, message: str) -> Ran:
        self._log.note(message)
        return Ran(result=self._plain_result("skipped", message, self._started))

    def _remember(self, run_id: int, files: RunFiles | None, ran: Ran) -> RunResult:
        """Write the log and the history. The jobs have written already, so a fault here is told, never raised away."""
        result = ran.result
        try:
            if files is not None:
                save_log(self._log.lines, files.log)
            lines = len(self._log.lines)
            with self._store.transaction():
                self._store.runs.finish(run_id, result)
                self._queue_mail(ran, files)
            self._remembered = Remembered(run_id=run_id, files=files, lines=lines)
        except StoreError as error:
            message = f"{result.message} The history of the collection could not be written: {error.message}"
            return replace(result, status="failed", message=message)
        return result

    def _queue_mail(self, ran: Ran, files: RunFiles | None) -> None:
        """Queue the mail about this run; its changes are in the files of its jobs' runs."""
        if self._spec.notification is None:
            return
        folder = None if files is None else files.folder
        summary = summary_of(ran.result, self._subject, self._runtime.host, changes=(), files=folder)
        problems = [problem for part in ran.parts for problem in part.result.problems]
        wish = Wish(notification=self._spec.notification)
        whole = replace(summary, problems=problems)
        queue_mail(wish, whole, self._store, self._runtime, self._log, secrets=self._secrets)


def _is_enabled(stored: StoredJob | None) -> bool:
    return stored is not None and bool(stored.definition.get("enabled", True))


def _startable(parts: Sequence[_Part], running: Sequence[_Part], room: int) -> list[_Part]:
    """Give the parts to start now, in order: none that touches what an earlier one that has not ended touches."""
    chosen: list[_Part] = []
    unfinished: list[_Part] = []
    for part in parts:
        if part.ran is not None or part.left:
            continue
        if part not in running and len(chosen) < room and all(_apart(part, other) for other in unfinished):
            chosen.append(part)
        unfinished.append(part)
    return chosen


def _apart(part: _Part, other: _Part) -> bool:
    """Tell whether two jobs may run side by side; what nobody knows may touch anything."""
    if part.touched is None or other.touched is None:
        return False
    return not part.touched.collides_with(other.touched)


def _agreement(results: Sequence[RunResult]) -> Agreement:
    agreements = {result.agreement for result in results}
    worst_first: tuple[Agreement, ...] = ("different", "equal_with_warnings")
    return next((agreement for agreement in worst_first if agreement in agreements), "equal")
