# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go on with a run that ended before its plan was done: nothing twice, nothing lost."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._execution.journal import read_journal
from .._execution.recovery import read_plan_file, settle_changes
from .._model.errors import ConfigError
from .._model.plans import Outcome, Plan
from .._store.run_rows import StoredRun
from .._store.store import Store
from .context import RunContext
from .definition import refuse_changed_definition
from .destinations import Destinations
from .files import RunFiles, save_plan
from .protecting import leave_out_protected
from .refreshing import refresh_smart_groups
from .remembering import remember_leavers
from .smart_groups import PREFIX
from .writing import recount, without_done, write_plan

ENDED_EARLY = ("failed", "interrupted", "running")
NOT_MADE = frozenset({"interrupted", "in_doubt", "refused", "half_made"})
"""Outcomes of changes that nobody decided against: the run only did not get to them."""


def check_resumable(run: StoredRun, store: Store) -> None:
    """Raise ConfigError, which says what to do instead, when `run` is not the last one or has come to its end."""
    what = f"run {run.id} of job {run.job!r}"
    if run.status not in ENDED_EARLY:
        raise ConfigError(f"{what} has ended as {run.status}; there is nothing to go on with. Run the job again.")
    last = store.runs.last(run.job)
    if last is None or last.id == run.id:
        return
    if last.kind == "resume" and last.origin_id == run.id:
        if last.status in ENDED_EARLY:
            raise ConfigError(f"{what} was gone on with by run {last.id}, which did not end either. Resume that one.")
        raise ConfigError(f"{what} was gone on with by run {last.id}, which has ended as {last.status}.")
    raise ConfigError(
        f"{what} cannot be gone on with: run {last.id} came after it and compared both sides anew. Run the job again."
    )


class ResumeAttempt:
    """Goes on with the run `origin`: finds out what of its last plan is done, and applies the rest."""

    def __init__(self, origin: StoredRun, context: RunContext) -> None:
        self._origin = origin
        self._context = context

    def preview(self) -> list[dict[str, t.Any]] | None:
        """Show what is left to do."""
        account = self._context.account
        with self._destinations() as destinations:
            plan = self._what_is_left(destinations)
        account.show(plan)
        return None

    def apply(self, number: int, files: RunFiles) -> None:
        """Apply what is left; a later try goes on with what an earlier one has not made."""
        context, account = self._context, self._context.account
        with self._destinations() as destinations:
            plan = account.plan if number > 1 and account.plan is not None else self._what_is_left(destinations)
            account.plan = plan
            account.planned = plan.last_number
            for part in plan.objects:
                remember_leavers(part, context.job, context.store)
            rest = without_done(plan, context)
            account.plan_anew()
            rest = leave_out_protected(rest, context, destinations)
            if rest.change_count:
                sealed = save_plan(rest, files.plan(number))
                context.log.note(f"{rest.change_count} changes of run {self._origin.id} are left")
                policy = destinations.policy(sealed)
                write_plan(sealed, context, files.journal(number), destinations.open_writer, policy)
        if self._origin.kind != "undo":
            tries = 1 + context.job.on_error.retries
            refresh_smart_groups(context, files, tries + 1 + (number - 1) * len(context.smart_groups))

    def _destinations(self) -> Destinations:
        return Destinations(self._context.job, self._context.store, self._context.runtime)

    def _what_is_left(self, destinations: Destinations) -> Plan:
        """Give the run's last plan with the changes that are not done. Raises ConfigError, StoreError and
        ProviderError.
        """
        context, origin = self._context, self._origin
        files = RunFiles(folder=context.runtime.run_directory / str(origin.id))
        found = self._last_plan(files)
        if found is None:
            raise ConfigError(
                f"run {origin.id} cannot be gone on with: it ended before it had a plan, or its folder {files.folder} "
                f"is not on this host (it ran on {origin.host}). Run the job again."
            )
        number, plan = found
        refuse_changed_definition(plan, context.job, context.store, f"the plan of run {origin.id}")
        journal = read_journal(files.journal(number))
        settled = settle_changes(plan, journal, destinations.of)
        context.account.settled = [item for item in settled if item.outcome is not None and not _is_left(item.outcome)]
        left = {item.change.number for item in settled if item.outcome is None or _is_left(item.outcome)}
        parts = tuple(
            recount(
                replace(
                    part,
                    changes=[
                        replace(change, begun=change.number in journal.in_doubt)
                        for change in part.changes
                        if change.number in left
                    ],
                )
            )
            for part in plan.objects
        )
        return replace(plan, objects=parts)

    @staticmethod
    def _last_plan(files: RunFiles) -> tuple[int, Plan] | None:
        """Give the newest plan of the job's objects with its number; smart groups are compared anew in any case."""
        for number in reversed(files.attempts()):
            plan = read_plan_file(files.plan(number))
            if not _is_of_smart_groups(plan):
                return number, plan
        return None


def _is_of_smart_groups(plan: Plan) -> bool:
    return bool(plan.objects) and all(part.name.startswith(PREFIX) for part in plan.objects)


def _is_left(outcome: Outcome) -> bool:
    return outcome.code in NOT_MADE
