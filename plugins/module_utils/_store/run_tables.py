# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of runs: their history, changes and problems, and kept plans."""

from __future__ import annotations

import typing as t

from .columns import CLUSTERED, NAME_LENGTH, OPTIONS, TIME_LENGTH, long_text, since

if t.TYPE_CHECKING:
    import sqlalchemy as sa


def runs(metadata: sa.MetaData) -> sa.Table:
    """`job_id` is null once the job is deleted; `job_name` is the name it has or had last. `origin_id` is the run that
    an undo takes back or a resumed one goes on with, `plan_id` the kept plan that was applied or kept.

    A run of a collection has the kind `collection`, an empty `job_name`, and `collection_id` and `collection_name`; the
    runs of its jobs have it as their `parent_id`. `schedule` is the name of the schedule that started a run, and
    `stands_on` the run since which nothing had changed.
    """
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_runs",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.ForeignKey("lockstep_jobs.id", ondelete="SET NULL")),
        sa.Column("job_name", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("agreement", sa.String(32)),
        sa.Column("message", long_text(), nullable=False),
        sa.Column("host", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("started", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("finished", sa.String(TIME_LENGTH)),
        sa.Column("duration", sa.Double),
        sa.Column("statistics", long_text(), nullable=False),
        sa.Column("objects", long_text(), nullable=False),
        sa.Column("held", long_text(), nullable=False),
        sa.Column("log", long_text(), nullable=False),
        sa.Column("changes_total", sa.BigInteger, nullable=False),
        sa.Column("directory", sa.Text),
        sa.Column("changes_file", sa.Text),
        sa.Column("log_file", sa.Text),
        sa.Column("plan_digest", sa.String(128)),
        *since(
            4,
            metadata,
            sa.Column("kind", sa.String(16), nullable=False, server_default="run"),
            sa.Column("origin_id", sa.BigInteger),
            sa.Column("plan_id", sa.BigInteger),
            sa.Column("requester", sa.String(NAME_LENGTH), nullable=False, server_default=""),
        ),
        *since(
            6,
            metadata,
            sa.Column("collection_id", sa.BigInteger),
            sa.Column("collection_name", sa.String(NAME_LENGTH)),
            sa.Column("parent_id", sa.BigInteger),
            sa.Column("schedule", sa.String(NAME_LENGTH)),
        ),
        *since(8, metadata, sa.Column("stands_on", sa.BigInteger)),
        sa.Index("lockstep_runs_by_job", "job_id", "id"),
        sa.Index("lockstep_runs_by_name", "job_name", "id"),
        sa.Index("lockstep_runs_by_status", "status", "id"),
        sa.Index("lockstep_runs_by_start", "started"),
        **OPTIONS,
    )


def _positioned(metadata: sa.MetaData, name: str, *columns: sa.Column[t.Any]) -> sa.Table:
    """Give a table of lines of a run, numbered from 1 in `position`, so that a page is found without counting."""
    import sqlalchemy as sa

    return sa.Table(
        name,
        metadata,
        sa.Column("run_id", sa.ForeignKey("lockstep_runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("key", long_text(), nullable=False),
        *columns,
        **CLUSTERED,
    )


def changes(metadata: sa.MetaData) -> sa.Table:
    """`status` is null for a change that was only planned; `anchor` is that of the record, also of one just made;
    `image` is what a deleted record was.
    """
    import sqlalchemy as sa

    return _positioned(
        metadata,
        "lockstep_changes",
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("target", long_text()),
        sa.Column("before", long_text(), nullable=False),
        sa.Column("after", long_text(), nullable=False),
        sa.Column("status", sa.String(32)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", long_text(), nullable=False),
        *since(3, metadata, sa.Column("anchor", sa.String(NAME_LENGTH))),
        *since(4, metadata, sa.Column("image", long_text())),
    )


def problems(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return _positioned(
        metadata,
        "lockstep_problems",
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", long_text(), nullable=False),
    )


def plans(metadata: sa.MetaData) -> sa.Table:
    """Kept plans. `run_id` is the run that applied it, `accepted` the guards whose held changes were applied, too."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_plans",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.ForeignKey("lockstep_jobs.id", ondelete="SET NULL")),
        sa.Column("job_name", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("origin_id", sa.BigInteger),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("created", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("host", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("requester", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("changes_total", sa.BigInteger, nullable=False),
        sa.Column("held_total", sa.BigInteger, nullable=False),
        sa.Column("counts", long_text(), nullable=False),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Index("lockstep_plans_by_job", "job_name", "id"),
        **OPTIONS,
    )


def plan_lines(metadata: sa.MetaData) -> sa.Table:
    """The lines of a sealed plan as `_planning.sealing` wrote them."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_plan_lines",
        metadata,
        sa.Column("plan_id", sa.ForeignKey("lockstep_plans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", long_text(), nullable=False),
        **CLUSTERED,
    )
