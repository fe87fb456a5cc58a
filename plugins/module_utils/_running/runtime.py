# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run is asked for, and the world it runs in: clock, machine, folders, randomness - all handed in."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .._model.plans import GuardClass
from .progress import Board


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """One call of the run module.

    Attributes:
        job: the job's name; given by the next four when it is empty.
        plan: apply this kept plan.
        undo: take back this run.
        resume: go on with this run.
        request: apply the kept plan of this request, which must be approved.
        preview: plan only; nothing is written, locked or remembered.
        keys: only these source keys, as text (parts of a key joined by ` + `); empty for all.
        explain: no writes; explain the record with this key.
        full: ignore the mark of an incremental job and read everything.
        max_changes: how many changes come back in the result.
        keep_plan: keep the sealed plan in the store, in a preview too.
        accept: guards that hold nothing.
        timeout: seconds after which the run stops, None for no limit.
        requester: who asks for it.
        scheduled: whether a schedule started it, and not a person.
        schedule: the name of the schedule that it is run for, for the history.
        collection: the name of the job collection to run.
        parent_id: the run of a job collection that this one is a part of.
        smart_groups: those of the job collection, refreshed after those of the job.
    """

    job: str = ""
    plan: int | None = None
    undo: int | None = None
    resume: int | None = None
    request: int | None = None
    preview: bool = False
    keys: tuple[str, ...] = ()
    explain: str | None = None
    full: bool = False
    max_changes: int = 100
    keep_plan: bool = False
    accept: frozenset[GuardClass] = frozenset()
    timeout: float | None = None
    requester: str = ""
    scheduled: bool = False
    schedule: str = ""
    collection: str = ""
    parent_id: int | None = None
    smart_groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """The world of a run.

    Attributes:
        clock: gives the present as an aware datetime in UTC.
        monotonic: seconds that never go back, for durations.
        sleep: waits a number of seconds.
        run_directory: where runs keep plan, journal, changes and log; one folder a run.
        protect: told every secret that was resolved, so that the outermost layer can mask it.
        board: told how far each run is, and asked whether it is to stop.
    """

    clock: Callable[[], dt.datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    host: str
    pid: int
    boot_id: str
    environ: Mapping[str, str]
    run_directory: Path
    randomness: random.Random
    protect: Callable[[str], None]
    board: Board = field(default_factory=Board)

    def now_text(self) -> str:
        """Give the present as ISO 8601 in UTC."""
        return self.clock().isoformat()
