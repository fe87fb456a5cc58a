# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One try of a run: plan every object, seal, and - outside a preview - apply exactly that."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from .._model.access import PasswordPolicy, Writer, as_directory
from .._model.errors import ConfigError, ProviderError
from .._model.plans import ObjectPlan, Plan
from .._model.runs import Problem
from .._model.standstill import Standstill
from .._model.values import Key, show_key
from .._planning.explaining import explain_object
from .._planning.planner import plan_object
from .._planning.request import Incremental, ObjectRequest, SharedPlan
from .._planning.sealing import seal
from .approving import remark_on_approval
from .asking import may_cover_smart_groups, must_wait, wait_for_earlier
from .context import RunContext
from .definition import definition_digest
from .files import RunFiles, save_plan
from .keeping import keep_plan
from .refreshing import plan_smart_groups, refresh_smart_groups
from .remembering import remember_leavers
from .sides import PreparedObject, Sides, open_sides
from .standstill import look, plan_of, remark_on, run_to_stand_on, still_stands
from .writing import write_plan

READ_DELAYS: tuple[float, ...] = (1, 2, 4)
"""Seconds before each new try of planning when a system failed in a passing way."""


class Attempt:
    """Plans and applies a job once, and enters what happens into the account."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._job = context.job
        self._request = context.request
        self._store = context.store
        self._runtime = context.runtime
        self._account = context.account
        self._log = context.log
        self._checkpoint = context.checkpoint

    def preview(self) -> list[dict[str, t.Any]] | None:
        """Plan only. Gives the explanation of one record when one is asked for."""
        with open_sides(self._job, self._store, self._runtime) as sides:
            explanation = self._explain(sides) if self._request.explain is not None else None
            if self._stand_still(sides, look(self._context, sides)):
                return None
            plan = self._plan(sides, first_number=1)
            self._account.plan = plan = seal(self._with_smart_groups(plan))
            if explanation:
                # It has been found; that it is out of scope is no fault of the question.
                self._account.problems = [each for each in self._account.problems if each.code != "not_found"]
            self._account.show(plan)
            if self._request.keep_plan:
                keep_plan(plan, self._context)
            if self._request.explain is None:
                remark_on_approval(plan, self._context)
        return explanation

    def apply(self, number: int, files: RunFiles) -> None:
        """Plan, seal, save the plan, and apply it; `number` is the try, from 1. Smart groups are refreshed when all is
        done. What needs approval is neither saved as a plan of this run, so that nobody can go on with it, nor applied.
        """
        if wait_for_earlier(self._context):
            return
        with open_sides(self._job, self._store, self._runtime) as sides:
            seen = look(self._context, sides)
            if self._stand_still(sides, seen):
                return
            plan = self._plan(sides, first_number=self._account.planned + 1)
            if self._must_wait(plan):
                return
            for part in plan.objects:
                remember_leavers(part, self._job, self._store)
            self._account.plan_anew()
            self._account.planned = max(self._account.planned, plan.last_number)
            if plan.change_count:
                self._account.plan = plan = save_plan(plan, files.plan(number))
                self._log.note(f"sealed plan of {plan.change_count} changes, digest {plan.digest[:16]}")
            else:
                self._account.plan = plan = seal(plan)
            if self._request.keep_plan or plan.held_count:
                self._keep(plan)
            self._account.standstill = seen if still_stands(self._context, sides, seen, plan) else None
            if plan.change_count:
                open_writer = _writer_opener(sides)
                write_plan(plan, self._context, files.journal(number), open_writer, _policy_of(sides))
        tries = 1 + self._job.on_error.retries
        refresh_smart_groups(self._context, files, tries + 1 + (number - 1) * len(self._context.smart_groups))

    def _stand_still(self, sides: Sides, seen: Standstill | None) -> bool:
        """Enter an empty plan and tell so when nothing changed since a run that found nothing to do."""
        run = None if seen is None else run_to_stand_on(self._context, seen)
        if run is None:
            return False
        self._account.plan = seal(plan_of(run, self._context, sides))
        self._account.stands_on = run.id
        self._account.remark += remark_on(run)
        return True

    def _must_wait(self, plan: Plan) -> bool:
        """Tell whether the plan needs approval, with what it would do to smart groups where these can need it."""
        problems = self._account.problems
        if may_cover_smart_groups(self._context):
            plan = self._with_smart_groups(plan)
        if must_wait(plan, self._context):
            return True
        self._account.problems = problems
        return False

    def _keep(self, plan: Plan) -> None:
        """Keep the plan that is about to be applied; what guards hold of it can be let through later."""
        keep_plan(plan, self._context)
        if self._account.plan_id is not None and self._context.run_id is not None:
            self._store.plans.claim(self._account.plan_id, self._context.run_id)

    def _with_smart_groups(self, plan: Plan) -> Plan:
        """Give `plan` with the plans of the job's smart groups."""
        refreshed = plan_smart_groups(self._context, first_number=plan.last_number + 1)
        return replace(plan, objects=(*plan.objects, *refreshed))

    def _plan(self, sides: Sides, *, first_number: int) -> Plan:
        for delay in READ_DELAYS:
            try:
                return self._plan_once(sides, first_number)
            except ProviderError as error:
                sides.release()
                if not error.retriable:
                    raise
                self._log.add("warning", f"{error.message} Trying again in {delay:g} s.")
                self._runtime.sleep(delay)
                self._checkpoint()
        return self._plan_once(sides, first_number)

    def _plan_once(self, sides: Sides, first_number: int) -> Plan:
        parts: list[ObjectPlan] = []
        number = first_number
        with _few_collections():
            shared = sides.shared_plan()
            if shared is not None:
                self._read_references(sides, shared)
            for item in sides.objects:
                self._context.meter.read(item.spec.name)
                part = plan_object(self._object_request(item, number, shared))
                parts.append(part)
                number += len(part.changes) + len(part.held_changes)
        self._context.meter.enter("planning")
        sides.release()
        self._account.problems = [*(problem for part in parts for problem in part.problems), *self._missing_keys(parts)]
        digest = definition_digest(self._job, self._store)
        return Plan(job=self._job.name, definition_digest=digest, objects=tuple(parts))

    def _read_references(self, sides: Sides, shared: SharedPlan) -> None:
        """Read who may be referred to before anything is planned, so that what each object makes is entered there."""
        for item in sides.objects:
            for rule in item.mapping.references.values():
                shared.references.index(rule, self._checkpoint)

    def _object_request(self, item: PreparedObject, first_number: int, shared: SharedPlan | None) -> ObjectRequest:
        name = self._job.name
        return ObjectRequest(
            spec=item.spec,
            mapping=item.mapping,
            source=item.source,
            destination=item.destination,
            limits=self._job.limits,
            now=self._runtime.clock(),
            checkpoint=self._checkpoint,
            incremental=self._incremental(item),
            wanted_keys=self._wanted_keys(item),
            previous_read=self._store.runs.last_read(self._job.name, item.spec.name),
            first_number=first_number,
            accepted=self._request.accept,
            links={} if shared is None else self._store.links.anchors(name, item.spec.name),
            leavers={} if shared is None else self._store.leavers.load(name, item.spec.name),
            stamps=item.stamps,
            protection=item.protection,
            shared=shared,
        )

    def _incremental(self, item: PreparedObject) -> Incremental | None:
        field = self._job.changed_only
        if field is None:
            return None
        since = None
        if not (self._request.full or self._request.keys or self._request.explain is not None):
            since = self._store.marks.get(self._job.name, item.spec.name, self._job.mapping_digest)
        return Incremental(field=field, since=since)

    def _wanted_keys(self, item: PreparedObject) -> frozenset[Key] | None:
        texts = self._request.keys if self._request.explain is None else (self._request.explain,)
        if not texts:
            return None
        return frozenset(self._split_key(text, item) for text in texts)

    def _split_key(self, text: str, item: PreparedObject) -> Key:
        fields = item.spec.key_fields
        parts = (text,) if len(fields) == 1 else tuple(text.split(" + "))
        if len(parts) != len(fields):
            raise ConfigError(
                f"job {self._job.name!r}, object {item.spec.name!r}: key {text!r} has {len(parts)} parts, the "
                "object's key has "
                f"{len(fields)}: {', '.join(fields)}. Write the parts in this order with ' + ' between them."
            )
        return parts

    def _missing_keys(self, parts: list[ObjectPlan]) -> list[Problem]:
        """A key that was asked for is an error only when no object has it."""
        # As texts: one object may have a key of one part where another has several.
        missing = frozenset.intersection(*(frozenset(map(show_key, part.missing_keys)) for part in parts))
        return [
            Problem(
                level="error",
                object="",
                key=(key,),
                code="not_found",
                message=f"no source record in scope has the key {key!r}.",
            )
            for key in sorted(missing)
        ]

    def _explain(self, sides: Sides) -> list[dict[str, t.Any]]:
        found = []
        for item in sides.objects:
            key = self._split_key(self._request.explain or "", item)
            explanation = explain_object(self._object_request(item, 1, sides.shared_plan()), key)
            if explanation is not None:
                found.append(explanation)
        return found


def _writer_opener(sides: Sides) -> Callable[[ObjectPlan], Writer]:
    def open_writer(part: ObjectPlan) -> Writer:
        return sides.destination.writer(part.target)

    return open_writer


def _policy_of(sides: Sides) -> PasswordPolicy:
    """Give what the destination asks of passwords, asked only when some are made."""
    makes_passwords = any(item.mapping.passwords for item in sides.objects)
    if not makes_passwords or not sides.destination.capabilities.directory:
        return PasswordPolicy()
    return as_directory(sides.destination).password_policy()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the garbage collector from walking a million live tuples again and again while a plan is made, and from
    then on until the run ends (see `run_job`); there are no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
