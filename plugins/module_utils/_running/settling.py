# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle runs of a job whose process died: find what they did, enter it into the history, and say so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from .._execution.recovery import Destination, settle_changes
from .._model.access import Provider, Query
from .._model.errors import LockstepError, StoreError
from .._model.jobs import JobSpec, Password
from .._model.runs import AppliedChange
from .._model.smart_groups import SmartGroupSpec
from .._store.store import Store
from .account import RunLog
from .files import RunFiles, save_changes
from .runtime import Runtime
from .sides import open_named_provider, query_of
from .smart_groups import PREFIX, find_smart_group


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
    attempts = files.attempts()
    if not attempts:
        return []
    with ExitStack() as stack:

        def opened(name: str) -> Provider:
            provider = open_named_provider(name, store, runtime)
            stack.callback(provider.close)
            return provider

        provider = opened(job.destination.provider)

        def destination_of(name: str) -> Destination:
            if name.startswith(PREFIX):
                return _destination_of_group(find_smart_group(store, name.removeprefix(PREFIX)), opened)
            return _destination_of_object(job, name, provider)

        applied: list[AppliedChange] = []
        for attempt in attempts:
            applied.extend(settle_changes(files.plan(attempt), files.journal(attempt), destination_of))
    save_changes(applied, files.changes)
    return applied


def _destination_of_object(job: JobSpec, name: str, provider: Provider) -> Destination:
    spec = next((each for each in job.objects if each.name == name), None)
    if spec is None:
        raise StoreError(f"the job has no object {name!r} any more.")
    readable = tuple(
        field.name for field in spec.fields if not any(isinstance(step, Password) for step in field.transform)
    )
    query = query_of(spec.destination)
    info = provider.describe_container(query) if provider.capabilities.directory else None
    return Destination(
        provider=provider,
        query=query,
        key_fields=spec.key_fields,
        fields=readable,
        place=None if info is None else info.place,
        anchor=None if info is None else info.anchor,
    )


def _destination_of_group(spec: SmartGroupSpec, opened: Callable[[str], Provider]) -> Destination:
    provider = opened(spec.provider)
    info = provider.describe_container(Query())
    return Destination(provider=provider, query=Query(), key_fields=(), fields=(), place=info.place, anchor=info.anchor)
