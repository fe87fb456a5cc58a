# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle runs of a job whose process died: find what they did, enter it into the history, and say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from .._execution.applier import Applying, apply_plan
from .._execution.journal import Journal, read_journal
from .._execution.recovery import HALF_MADE, read_plan_file, settle_changes
from .._model.errors import LockstepError, StoreError
from .._model.jobs import JobSpec
from .._model.plans import Plan
from .._model.runs import AppliedChange
from .._store.run_rows import StoredRun
from .._store.store import Store
from .account import RunLog
from .definition import definition_digest
from .destinations import Destinations
from .files import RunFiles, save_changes
from .runtime import Runtime


def settle_interrupted(
    job: JobSpec, store: Store, runtime: Runtime, log: RunLog, checkpoint: Callable[[], None] = lambda: None
) -> None:
    """Settle every run of `job` that is still marked as running. The caller holds the job's lock, so none of them is
    alive. Accounts that such a run, or the last one that failed, left half made are finished.

    A run that cannot be settled now (its destination is gone, its files are damaged) is closed with the reason; what
    it did can then be read from its files.
    """
    settling = _Settling(job, store, runtime, log, checkpoint)
    unfinished = store.runs.unfinished(job.name)
    for run in unfinished:
        settling.close(run)
    last = store.runs.last(job.name)
    if last is not None and last.status == "failed" and not unfinished:
        settling.finish(last)


class _Settling:
    def __init__(
        self, job: JobSpec, store: Store, runtime: Runtime, log: RunLog, checkpoint: Callable[[], None]
    ) -> None:
        self._job = job
        self._store = store
        self._runtime = runtime
        self._log = log
        self._checkpoint = checkpoint

    def close(self, run: StoredRun) -> None:
        """Enter what a dead run did into the history, and mark it as interrupted."""
        files = self._files(run)
        try:
            if run.host != self._runtime.host and not files.folder.exists():
                raise StoreError(f"it ran on {run.host}, where its files are.")
            applied = self._settle(files, files.attempts())
            if applied:
                save_changes(applied, files.changes)
        except LockstepError as error:
            message = (
                f"interrupted; what it did could not be settled: {error.message} Its journal is in {files.folder}."
            )
            applied = []
        else:
            done = sum(1 for item in applied if item.outcome is not None and item.outcome.status == "done")
            message = f"interrupted after {done} of {len(applied)} changes; the rest was not made."
        self._log.add("warning", f"run {run.id} was {message}")
        with self._store.transaction():
            self._store.runs.add_changes(run.id, applied)
            self._store.runs.mark_interrupted(run.id, message, self._runtime.now_text())

    def finish(self, run: StoredRun) -> None:
        """Finish the accounts that a failed run was making when its directory went away."""
        files = self._files(run)
        try:
            doubtful = [each for each in files.attempts() if read_journal(files.journal(each)).in_doubt]
            self._settle(files, doubtful)
        except LockstepError as error:
            self._log.add("warning", f"what run {run.id} left half made could not be looked at: {error.message}")

    def _files(self, run: StoredRun) -> RunFiles:
        return RunFiles(folder=self._runtime.run_directory / str(run.id))

    def _settle(self, files: RunFiles, attempts: Sequence[int]) -> list[AppliedChange]:
        applied: list[AppliedChange] = []
        with Destinations(self._job, self._store, self._runtime) as destinations:
            for attempt in attempts:
                plan, journal_file = read_plan_file(files.plan(attempt)), files.journal(attempt)
                found = settle_changes(plan, read_journal(journal_file), destinations.of)
                applied.extend(self._finish_half_made(plan, found, journal_file, destinations))
        return applied

    def _finish_half_made(
        self, plan: Plan, found: Sequence[AppliedChange], journal_file: Path, destinations: Destinations
    ) -> list[AppliedChange]:
        """Give accounts their password that have none yet: nobody else would, because their fields are as planned."""
        half = {item.change.number for item in found if item.outcome == HALF_MADE}
        if not half or plan.definition_digest != definition_digest(self._job, self._store):
            # A provider that means another directory by now has other accounts under the same names.
            return list(found)
        parts = tuple(
            replace(part, changes=[replace(each, begun=True) for each in part.changes if each.number in half])
            for part in plan.objects
        )
        rest = replace(plan, objects=parts)
        journal = Journal(journal_file)
        try:
            applying = Applying(
                open_writer=destinations.open_writer,
                journal=journal,
                checkpoint=self._checkpoint,
                sleep=self._runtime.sleep,
                note=lambda message: self._log.add("warning", message),
                randomness=self._runtime.randomness,
                policy=destinations.policy(rest),
            )
            outcomes = {change.number: outcome for change, outcome in apply_plan(rest, applying)}
        finally:
            journal.close()
        done = sum(1 for outcome in outcomes.values() if outcome.status == "done")
        self._log.add("warning", f"{done} of {len(half)} accounts that were half made are finished.")
        return [replace(item, outcome=outcomes.get(item.change.number, item.outcome)) for item in found]
