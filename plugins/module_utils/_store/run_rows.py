# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as table rows, and back."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .._model.plans import Held
from .._model.runs import Agreement, LogLine, RunKind, RunResult, Statistics, Status
from .texts import clean, from_json_text, to_json_text
from .times import normalize

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row

_LOG_LINES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRun:
    """One run as remembered; what is only known at its end is None or empty while it is `running`.

    Attributes:
        job: the name the job has now, or had when it was deleted.
        host: where it ran, with `pid` and the host's `boot_id`: whether it still can be running.
        duration: seconds.
        directory: the folder of the run's files.
        log: the last lines of the log.
        kind: `run`, `plan` for one that applied a kept plan, `undo` and `resume` for one that took back or went on with
            the run `origin_id`.
        plan_id: the kept plan that it applied or made.
        requester: who asked for it.
        schedule: the name that the schedule had for which it was made, empty without one.
        collection: the name that the job collection has or had of which it is the run; `job` is empty then.
        parent_id: the run of a job collection that it was a part of.
        stands_on: the run since which nothing had changed, when it read nothing.
    """

    id: int
    job: str
    status: Status
    agreement: Agreement | None
    message: str
    host: str
    pid: int
    boot_id: str
    started: str
    finished: str | None
    duration: float | None
    statistics: Statistics
    objects: tuple[tuple[str, Statistics], ...]
    held: tuple[Held, ...]
    log: tuple[LogLine, ...]
    changes_total: int
    directory: str | None
    changes_file: str | None
    log_file: str | None
    plan_digest: str | None
    kind: RunKind
    origin_id: int | None
    plan_id: int | None
    requester: str
    schedule: str
    collection: str
    parent_id: int | None
    stands_on: int | None


def result_to_row(result: RunResult) -> dict[str, t.Any]:
    """Give the columns that say how a run ended."""
    return {
        "status": result.status,
        "agreement": result.agreement,
        "message": clean(result.message),
        "finished": normalize(result.finished, "finished"),
        "duration": result.duration,
        "statistics": to_json_text(result.statistics.as_dict()),
        "objects": to_json_text([[name, statistics.as_dict()] for name, statistics in result.objects]),
        "held": to_json_text([asdict(held) for held in result.held]),
        "log": log_to_text(result.log),
        "changes_total": result.changes_total,
        "changes_file": result.changes_file,
        "log_file": result.log_file,
        "plan_digest": result.plan_digest,
        "plan_id": result.plan_id,
        "stands_on": result.stands_on,
    }


def log_to_text(lines: Sequence[LogLine]) -> str:
    """Give the last 1,000 lines of a log."""
    return to_json_text([asdict(line) for line in lines[-_LOG_LINES:]])


def run_from_row(row: Row[t.Any]) -> StoredRun:
    """Give the run of a row."""
    return StoredRun(
        id=row.id,
        job=row.job_name,
        status=row.status,
        agreement=row.agreement,
        message=row.message,
        host=row.host,
        pid=row.pid,
        boot_id=row.boot_id,
        started=row.started,
        finished=row.finished,
        duration=row.duration,
        statistics=Statistics(**from_json_text(row.statistics)),
        objects=tuple((name, Statistics(**counts)) for name, counts in from_json_text(row.objects)),
        held=tuple(Held(**held) for held in from_json_text(row.held)),
        log=tuple(LogLine(**line) for line in from_json_text(row.log)),
        changes_total=row.changes_total,
        directory=row.directory,
        changes_file=row.changes_file,
        log_file=row.log_file,
        plan_digest=row.plan_digest,
        kind=row.kind,
        origin_id=row.origin_id,
        plan_id=row.plan_id,
        requester=row.requester,
        schedule=row.schedule or "",
        collection=row.collection_name or "",
        parent_id=row.parent_id,
        stands_on=row.stands_on,
    )
