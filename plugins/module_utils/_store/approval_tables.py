# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of approvals: workflows, requests, and what happened to each request."""

from __future__ import annotations

import typing as t

from .columns import NAME_LENGTH, OPTIONS, TIME_LENGTH, long_text, times

if t.TYPE_CHECKING:
    import sqlalchemy as sa

MAC_LENGTH = 64


def workflows(metadata: sa.MetaData) -> sa.Table:
    """Rules that say which runs need whose approval."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_workflows",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        sa.Column("definition", long_text(), nullable=False),
        *times(),
        **OPTIONS,
    )


def requests(metadata: sa.MetaData) -> sa.Table:
    """Requests, each with the rules of its workflow as they were when it was made.

    `run_id` is the run that asked, `accepted` the guards it accepted, `after_run_id` the run that had applied the rest
    of the plan before. `status` and `head` (the code of the last event) follow the events; `head` shows when the last
    one was taken away.
    """
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_requests",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        sa.Column("plan_id", sa.ForeignKey("lockstep_plans.id", ondelete="RESTRICT"), nullable=False, index=True),
        sa.Column("job_id", sa.ForeignKey("lockstep_jobs.id", ondelete="SET NULL")),
        sa.Column("job_name", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("workflow_id", sa.ForeignKey("lockstep_workflows.id", ondelete="SET NULL")),
        sa.Column("workflow", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("approvers", long_text(), nullable=False),
        sa.Column("quorum", sa.Integer, nullable=False),
        sa.Column("expires", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("accepted", sa.Text, nullable=False),
        sa.Column("after_run_id", sa.BigInteger),
        sa.Column("requester", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("requester_role", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("created", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("head", sa.String(MAC_LENGTH), nullable=False),
        sa.Index("lockstep_requests_by_job", "job_name", "id"),
        sa.Index("lockstep_requests_by_status", "status", "id"),
        **OPTIONS,
    )


def request_events(metadata: sa.MetaData) -> sa.Table:
    """What happened to requests. Rows are only ever added; `role` is the database role that added one."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_request_events",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.ForeignKey("lockstep_requests.id", ondelete="RESTRICT"), nullable=False, index=True),
        sa.Column("time", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("role", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("reason", long_text(), nullable=False),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("mac", sa.String(MAC_LENGTH), nullable=False),
        **OPTIONS,
    )
