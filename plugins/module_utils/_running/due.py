# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tick: run what schedules say is due. Or run all targets of one schedule now, because somebody asks for it."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._model.due import Occurrence, Target, TargetKind
from .._model.errors import ConfigError, LockstepError
from .._model.notifications import Wish
from .._model.schedules import ScheduleSpec, parse_schedule, schedule_definition
from .._operations.delivering import notify
from .._operations.schedules import need_schedule
from .._operations.targets import find_naming, targets_of
from .._store.claims import Considered
from .._store.locks import Holder
from .._store.store import Store
from .beating import beating
from .conductor import Ran
from .runtime import RunRequest, Runtime
from .telling import occurrence_summary, post_of, watch_secrets

Runner = Callable[[RunRequest, Store, Runtime], Ran]
"""Runs one target, whose name the request has."""
Runners = Mapping[TargetKind, Runner]
Worst: t.TypeAlias = t.Literal["failed", "held", "awaiting_approval", "completed_with_errors", "skipped", "succeeded"]
WORST_FIRST: tuple[Worst, ...] = t.get_args(Worst)
BEAT = 60.0
"""Seconds between two signs of life of a ticker, a fraction of the lease of its claim."""


@dataclass(kw_only=True, slots=True)
class Ticked:
    """What a tick did.

    Attributes:
        runs: all runs, in order.
        occurrences: what was due, each with what became of it; in a preview one that would be run is `due`.
        failures: sentences about what could not even be started.
        warnings: about mails that nobody gets.
        next_due: the schedule that is due next and when (ISO 8601, UTC), None without one.
    """

    runs: list[Ran] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    next_due: tuple[str, str] | None = None


def tick(request: RunRequest, store: Store, runtime: Runtime, *, runners: Runners, up_seconds: float) -> Ticked:
    """Claim what is due now, one schedule after the other, and run it. In a preview nothing is claimed.

    Args:
        request: what holds for every run: preview, timeout, requester and so on.
        store: the state store; for a preview one that keeps nothing (a rehearsal).
        runtime: the world.
        runners: what runs each kind of target.
        up_seconds: how long this host has been up.

    Raises:
        StoreError: the store fails. What was claimed and not finished is run once more by a later tick.
    """
    now = runtime.clock()
    holder = Holder(host=runtime.host, pid=runtime.pid, boot_id=runtime.boot_id, label="a ticker")
    ticked = Ticked()
    work = _work(request, store, runtime, runners, ticked)
    store.claims.rewind(holder, now=now)
    for considered in _considered(store, holder, now, up_seconds):
        if considered.error:
            ticked.failures.append(considered.error)
        for occurrence in considered.occurrences:
            if occurrence.status == "running" and considered.spec is not None:
                ticked.occurrences.append(work.run(occurrence, considered.spec))
            else:
                ticked.occurrences.append(occurrence)
        if runtime.board.stop:
            ticked.failures.append(f"nothing more was claimed: the tick was stopped: {runtime.board.stop}")
            break
    later = {name: due for name, due in store.schedules.next_due().items() if due > now.isoformat()}
    ticked.next_due = next(iter(later.items()), None)
    return ticked


def run_schedule(name: str, request: RunRequest, store: Store, runtime: Runtime, *, runners: Runners) -> Ticked:
    """Run all targets of a schedule now, due or not, and leave alone when it is due. Raises ConfigError, StoreError."""
    stored = need_schedule(store, name, "schedule")
    spec = parse_schedule(stored.name, stored.definition)
    ticked = Ticked()
    targets = targets_of(name, stored.definition, find_naming(store))
    if not targets:
        raise ConfigError(_nothing_to_run(name))
    work = _work(request, store, runtime, runners, ticked)
    started = runtime.now_text()
    ends = [work.run_target(target, spec, scheduled=False) for target in targets]
    if not request.preview:
        work.tell(spec, started, ends, _sum_up(spec, ends))
    return ticked


def _considered(store: Store, holder: Holder, now: dt.datetime, up_seconds: float) -> Iterator[Considered]:
    """Give what is decided one after the other, until nothing is left; first what others left behind.

    What comes again unless it is left out is left out: what waits still, what cannot be read, and in check mode, where
    nothing is kept of a decision, everything.
    """
    waiting: set[int] = set()
    while (found := store.claims.claim_waiting(holder, now=now, passed=waiting)) is not None:
        waiting.update(each.id for each in found.occurrences)
        yield found
    started: set[int] = set()
    while (found := store.claims.claim_startup(holder, now=now, up_seconds=up_seconds, passed=started)) is not None:
        started.add(found.schedule_id)
        yield found
    passed: set[int] = set()
    while (found := store.claims.claim(holder, now=now, passed=passed)) is not None:
        if found.error or store.rehearsal:
            passed.add(found.schedule_id)
        yield found


def _work(request: RunRequest, store: Store, runtime: Runtime, runners: Runners, ticked: Ticked) -> _Work:
    runtime, secrets = watch_secrets(runtime)
    return _Work(request=request, store=store, runtime=runtime, secrets=secrets, runners=runners, ticked=ticked)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """Runs the targets of schedules, and notes in `ticked` what came of it. No mail has one of the `secrets`."""

    request: RunRequest
    store: Store
    runtime: Runtime
    secrets: set[str]
    runners: Runners
    ticked: Ticked

    def run(self, occurrence: Occurrence, spec: ScheduleSpec) -> Occurrence:
        """Run what is still to be run of an occurrence, and give it with its end."""
        targets = occurrence.remaining
        if targets is None:
            targets = tuple(targets_of(spec.name, schedule_definition(spec), find_naming(self.store)))
        if self.request.preview:
            ends = [self.run_target(target, spec, scheduled=True) for target in targets]
            return replace(occurrence, status="due", message=_sum_up(spec, ends))
        kept, started = self.store.occurrences, self.runtime.now_text()
        ends = []
        with beating(lambda: kept.renew(occurrence), BEAT):
            waiting: list[Target] = []
            for number, target in enumerate(targets):
                kept.progress(occurrence, [*targets[number:], *waiting])
                end = self.run_target(target, spec, scheduled=True)
                ends.append(end)
                if end.locked:
                    waiting.append(target)
        message = " ".join(part for part in (occurrence.message, _sum_up(spec, ends)) if part)
        if waiting and spec.overlap == "queue":
            kept.queue(occurrence, waiting, message)
            return replace(occurrence, status="queued", message=message)
        status = _worst(ends)
        if not targets:
            self.ticked.failures.append(message)
        with self.store.transaction():
            kept.finish(occurrence, status, message)
            self.tell(spec, started, ends, message)
        return replace(occurrence, status=status, message=message, finished=self.runtime.now_text())

    def tell(self, spec: ScheduleSpec, started: str, ends: Sequence[_End], message: str) -> None:
        """Queue the mail about these runs of the schedule as a whole, if it names a notification."""
        if spec.notification is None:
            return
        results = [end.ran.result for end in ends if end.ran is not None]
        summary = occurrence_summary(spec.name, results, _worst(ends), message, started=started, runtime=self.runtime)
        wish = Wish(notification=spec.notification)
        _number, warning = notify(self.store, wish, summary, post_of(self.runtime), secrets=self.secrets)
        if warning:
            self.ticked.warnings.append(f"Schedule {spec.name!r}: {warning}")

    def run_target(self, target: Target, spec: ScheduleSpec, *, scheduled: bool) -> _End:
        """Run one target. Whatever is wrong with it must not keep the others from being run."""
        if self.runtime.board.stop:
            return _End(status="failed", message=f"{target} was not run: it was stopped before")
        limits = [each for each in (self.request.timeout, spec.max_seconds) if each is not None]
        request = replace(
            self.request,
            scheduled=scheduled,
            schedule=spec.name,
            timeout=min(limits, default=None),
            job=target.name if target.kind == "job" else "",
            collection=target.name if target.kind == "collection" else "",
        )
        try:
            ran = self.runners[target.kind](request, self.store, self.runtime)
        except LockstepError as error:
            message = f"{target} was not run: {error.message}"
            self.ticked.failures.append(f"schedule {spec.name!r}: {message}")
            return _End(status="failed", message=message)
        self.ticked.runs.append(ran)
        return _End(status=_status(ran), message=f"{target} {ran.result.status}", locked=ran.locked, ran=ran)


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """How one target ended. `locked`: it was not run, because somebody else is running it."""

    status: Worst
    message: str
    locked: bool = False
    ran: Ran | None = None


def _status(ran: Ran) -> Worst:
    """Give the status of a run in the words of occurrences; one that ended is never `running` or `interrupted`."""
    return next((status for status in WORST_FIRST if status == ran.result.status), "failed")


def _worst(ends: Sequence[_End]) -> Worst:
    """Give the status that needs most attention; of nothing at all it is `failed`."""
    statuses = {end.status for end in ends}
    return next((status for status in WORST_FIRST if status in statuses), "failed")


def _sum_up(spec: ScheduleSpec, ends: list[_End]) -> str:
    if not ends:
        return _nothing_to_run(spec.name)
    return "; ".join(end.message.rstrip(".") for end in ends) + "."


def _nothing_to_run(name: str) -> str:
    return (
        f"schedule {name!r} has nothing to run. Give `jobs` or `collections`, or let a job or job collection name it "
        f"with `schedule: {name}`."
    )
