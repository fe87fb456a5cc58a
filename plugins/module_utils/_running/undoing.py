# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take back what a run did: plan the inverse from its history and from what is there now, guard it, apply it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .._execution.looking import find_records
from .._execution.recovery import fold_names
from .._model.access import WriteTarget, as_directory
from .._model.dn import fold_dn
from .._model.plans import Change, ObjectPlan, Plan
from .._model.runs import Statistics
from .._model.schema import ContainerInfo
from .._model.values import Single
from .._planning.guards import Counts, judge_limits, split_held
from .._planning.images import with_images
from .._planning.request import Tally
from .._planning.sealing import seal
from .._planning.undoing import Fold, Inverse, Surroundings, Written, look_for, plan_undo
from .._store.run_rows import StoredRun
from .approving import remark_on_approval
from .asking import must_wait, wait_for_earlier
from .context import RunContext
from .definition import definition_digest
from .destinations import Destinations
from .files import RunFiles, save_plan
from .keeping import keep_plan
from .protecting import protected_changes, reason
from .smart_groups import PREFIX
from .writing import write_plan

PAGE = 1000


class UndoAttempt:
    """Takes back the run `origin`."""

    def __init__(self, origin: StoredRun, context: RunContext) -> None:
        self._origin = origin
        self._context = context
        self._account = context.account
        self._fold: Fold = fold_names

    def preview(self) -> list[dict[str, t.Any]] | None:
        """Show what would be taken back."""
        with self._destinations() as destinations:
            plan = seal(self._plan(destinations, 1))
        self._account.show(plan)
        if self._context.request.keep_plan:
            keep_plan(plan, self._context, kind="undo", origin_id=self._origin.id)
        remark_on_approval(plan, self._context)
        return None

    def apply(self, number: int, files: RunFiles) -> None:
        """Take back; a later try finds what an earlier one did and plans the rest."""
        context = self._context
        if wait_for_earlier(context, kind="undo", origin_id=self._origin.id):
            return
        with self._destinations() as destinations:
            plan = self._plan(destinations, self._account.planned + 1)
            if must_wait(plan, context, kind="undo", origin_id=self._origin.id):
                return
            self._account.plan_anew()
            self._account.planned = max(self._account.planned, plan.last_number)
            if plan.change_count:
                self._account.plan = plan = save_plan(plan, files.plan(number))
                context.log.note(f"sealed plan of {plan.change_count} changes, digest {plan.digest[:16]}")
            else:
                self._account.plan = plan = seal(plan)
            if context.request.keep_plan or plan.held_count:
                keep_plan(plan, context, kind="undo", origin_id=self._origin.id)
                context.store.plans.claim(self._account.plan_id or 0, context.run_id or 0)
            if plan.change_count:
                policy = destinations.policy(plan)
                write_plan(plan, context, files.journal(number), destinations.open_writer, policy)

    def _destinations(self) -> Destinations:
        return Destinations(self._context.job, self._context.store, self._context.runtime)

    # -- planning -----------------------------------------------------------------------------------------------

    def _plan(self, destinations: Destinations, first_number: int) -> Plan:
        by_object = self._written_by_object()
        self._fold = _follow(_moves(by_object.values()))
        parts: list[ObjectPlan] = []
        names = list(reversed(by_object))
        for position, name in enumerate(names):
            later = [written for each in names[position + 1 :] for written in by_object[each]]
            part = self._plan_object(destinations, name, by_object[name], later, first_number)
            parts.append(part)
            first_number += len(part.changes) + len(part.held_changes)
        self._account.problems = [problem for part in parts for problem in part.problems]
        digest = definition_digest(self._context.job, self._context.store)
        return Plan(job=self._context.job.name, definition_digest=digest, objects=tuple(parts))

    def _written_by_object(self) -> dict[str, list[Written]]:
        """Give what the run did, by object in the order of the run. Raises StoreError."""
        found: dict[str, list[Written]] = {}
        offset = 0
        while page := self._context.store.runs.changes(self._origin.id, offset=offset, limit=PAGE):
            for applied in page:
                self._context.checkpoint()
                if applied.outcome is not None and applied.outcome.status == "done":
                    found.setdefault(applied.change.object, []).append(Written.of(applied))
            offset += len(page)
        return found

    def _plan_object(
        self,
        destinations: Destinations,
        name: str,
        done: Sequence[Written],
        later: Sequence[Written],
        first_number: int,
    ) -> ObjectPlan:
        destination = destinations.of(name)
        sought = [look_for(written, destination.place) for written in done]
        makes = any(change.action == "create" for change in sought)
        records = find_records(sought, destination, whole=makes)
        info = None if name.startswith(PREFIX) else destinations.info(name)
        inverse = plan_undo(done, records, self._surroundings(destinations, name, info, later))
        self._leave_out_protected(inverse, name, destinations)
        changes, provider = inverse.changes, destinations.provider_of(name)
        if provider.capabilities.directory:
            changes = with_images(changes, as_directory(provider))
        changes = [replace(change, number=number) for number, change in enumerate(changes, first_number)]
        tally = Tally(name)
        if not name.startswith(PREFIX):
            counts = self._counts(destinations, name, changes)
            tally.held.extend(judge_limits(name, self._context.job.limits, counts))
            tally.accept(self._context.request.accept)
        proceeding, held_changes = split_held(changes, tally.held)
        return ObjectPlan(
            name=name,
            target=self._target(destinations, name, changes),
            changes=proceeding,
            held_changes=held_changes,
            held=tuple(tally.held),
            problems=[*tally.problems, *inverse.problems],
            statistics=_statistics(tally, inverse, proceeding),
            returned=self._no_leavers_any_more(done),
        )

    def _leave_out_protected(self, inverse: Inverse, name: str, destinations: Destinations) -> None:
        protected = protected_changes(name, inverse.changes, self._context, destinations)
        if protected:
            inverse.leave_out(protected, "protected", reason(name, destinations))

    def _surroundings(
        self, destinations: Destinations, name: str, info: ContainerInfo | None, later: Sequence[Written]
    ) -> Surroundings:
        provider = destinations.provider_of(name)
        if info is None or info.place is None:
            if provider.capabilities.directory:
                return Surroundings(place=destinations.of(name).place, fold=self._fold)
            filled = frozenset(field.name for field in info.fields if field.has_default) if info else frozenset()
            return Surroundings(filled_in=filled)
        return Surroundings(
            place=info.place,
            fold=self._fold,
            references=frozenset(field.name for field in info.fields if field.kind == "dn")
            if info.keeps_references
            else frozenset(),
            locked=as_directory(provider).disabled_state(),
            coming=frozenset(
                fold_dn(written.change.target or "") for written in later if written.change.action == "delete"
            ),
        )

    def _target(self, destinations: Destinations, name: str, changes: Sequence[Change]) -> WriteTarget:
        named = dict.fromkeys(field for change in changes for field in (*change.before, *change.after))
        if name.startswith(PREFIX):
            return WriteTarget(container=None, key_fields=(), fields=tuple(named))
        spec, query = destinations.spec(name), destinations.query(name)
        return WriteTarget(
            container=query.container,
            key_fields=spec.key_fields,
            fields=tuple(dict.fromkeys((*spec.key_fields, *named))),
            object_classes=query.object_classes,
        )

    def _counts(self, destinations: Destinations, name: str, changes: Sequence[Change]) -> Counts:
        # Containers that nobody needs any more are no records.
        actions = [change.action for change in changes if change.key]
        total = self._count_records(destinations, name) if "delete" in actions else len(changes)
        return Counts(
            source_read=0,
            source_in_scope=total,
            destination_total=total,
            creates=actions.count("create"),
            updates=actions.count("update"),
            deletes=actions.count("delete"),
            moves=actions.count("move"),
            partial=True,
        )

    def _count_records(self, destinations: Destinations, name: str) -> int:
        """Count the records at the destination, which limits in percent refer to."""
        spec = destinations.spec(name)
        provider = destinations.provider_of(name)
        if not destinations.info(name).exists:
            return 0
        total = 0
        with provider.read(destinations.query(name), spec.key_fields) as reading:
            for batch in reading.batches():
                self._context.checkpoint(len(batch))
                total += len(batch)
        provider.release()
        return total

    @staticmethod
    def _no_leavers_any_more(done: Sequence[Written]) -> list[str]:
        """Give the anchors of records whose disabling is taken back."""
        return [written.anchor for written in done if written.change.action == "disable" and written.anchor]


def _moves(written: Iterable[Sequence[Written]]) -> dict[str, str]:
    """Give by the folded DN that an entry had before the run, or at any time in it, the one it had in the end."""
    final: dict[str, str] = {}
    for one in (one for each in written for one in each if one.change.action in ("rename", "move")):
        ((old, new),) = (
            (fold_dn(str(one.change.before[name])), fold_dn(str(one.change.after[name]))) for name in one.change.after
        )
        final = {place: new if now == old else now for place, now in final.items()} | {old: new}
    return final


def _follow(final: Mapping[str, str]) -> Fold:
    """Give the fold of values that follows entries: a server with referential integrity has renamed them everywhere."""

    def fold(name: str, value: Single) -> Single:
        folded = fold_names(name, value)
        return final.get(folded, folded) if isinstance(folded, str) else folded

    return fold


def _statistics(tally: Tally, inverse: Inverse, changes: Sequence[Change]) -> Statistics:
    if inverse.moved_on:
        for name in ("conflicts", "skipped"):
            tally.count(name, inverse.moved_on)
    if inverse.problems:
        tally.count("warnings", len(inverse.problems))
    return tally.statistics(changes)
