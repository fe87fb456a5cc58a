# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the state store, as the newest version of `migrations` leaves them."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from .approval_tables import request_events, requests, workflows
from .columns import CLUSTERED, NAME_LENGTH, OPTIONS, TIME_LENGTH, long_text, times

if t.TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """All tables; `metadata` knows them together."""

    metadata: sa.MetaData
    meta: sa.Table
    providers: sa.Table
    secrets: sa.Table
    jobs: sa.Table
    runs: sa.Table
    changes: sa.Table
    problems: sa.Table
    locks: sa.Table
    marks: sa.Table
    links: sa.Table
    leavers: sa.Table
    smart_groups: sa.Table
    job_templates: sa.Table
    plans: sa.Table
    plan_lines: sa.Table
    workflows: sa.Table
    requests: sa.Table
    request_events: sa.Table


SINCE: t.Final = "since"
"""In a column's `info`: the version of the store that added it to a table that was there before."""
NEWEST: t.Final = 1_000_000


@functools.cache
def tables(version: int = NEWEST) -> Tables:
    """Give the tables with the columns they have in `version`; built once, because building them needs SQLAlchemy."""
    import sqlalchemy as sa

    metadata = sa.MetaData(info={SINCE: version})
    return Tables(
        metadata=metadata,
        meta=sa.Table(
            "lockstep_meta",
            metadata,
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("value", sa.Text, nullable=False),
            **CLUSTERED,
        ),
        providers=_providers(metadata),
        secrets=_secrets(metadata),
        jobs=_jobs(metadata),
        runs=_runs(metadata),
        changes=_changes(metadata),
        problems=_problems(metadata),
        locks=_locks(metadata),
        marks=_marks(metadata),
        links=_links(metadata),
        leavers=_leavers(metadata),
        smart_groups=_smart_groups(metadata),
        job_templates=_job_templates(metadata),
        plans=_plans(metadata),
        plan_lines=_plan_lines(metadata),
        workflows=workflows(metadata),
        requests=requests(metadata),
        request_events=request_events(metadata),
    )


def _since(version: int, metadata: sa.MetaData, *columns: sa.Column[t.Any]) -> tuple[sa.Column[t.Any], ...]:
    """Give columns that `version` of the store added, none for tables of an earlier one."""
    for column in columns:
        column.info[SINCE] = version
    return columns if metadata.info[SINCE] >= version else ()


def _providers(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_providers",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("options", long_text(), nullable=False),
        *times(),
        **OPTIONS,
    )


def _secrets(metadata: sa.MetaData) -> sa.Table:
    """`kind` says what `value` is: `literal` an encrypted token, `env` a variable's name, `file` a path."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_provider_secrets",
        metadata,
        sa.Column("provider_id", sa.ForeignKey("lockstep_providers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("option", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", long_text(), nullable=False),
        **CLUSTERED,
    )


def _jobs(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    def provider(side: str) -> sa.Column[int]:
        return sa.Column(
            f"{side}_provider_id",
            sa.ForeignKey("lockstep_providers.id", ondelete="RESTRICT"),
            nullable=False,
            index=True,
        )

    return sa.Table(
        "lockstep_jobs",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        provider("source"),
        provider("destination"),
        sa.Column("definition", long_text(), nullable=False),
        *times(),
        *_since(4, metadata, sa.Column("quarantine", long_text())),
        **OPTIONS,
    )


def _runs(metadata: sa.MetaData) -> sa.Table:
    """`job_id` is null once the job is deleted; `job_name` is the name it has or had last. `origin_id` is the run that
    an undo takes back or a resumed one goes on with, `plan_id` the kept plan that was applied or kept.
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
        *_since(
            4,
            metadata,
            sa.Column("kind", sa.String(16), nullable=False, server_default="run"),
            sa.Column("origin_id", sa.BigInteger),
            sa.Column("plan_id", sa.BigInteger),
            sa.Column("requester", sa.String(NAME_LENGTH), nullable=False, server_default=""),
        ),
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


def _changes(metadata: sa.MetaData) -> sa.Table:
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
        *_since(3, metadata, sa.Column("anchor", sa.String(NAME_LENGTH))),
        *_since(4, metadata, sa.Column("image", long_text())),
    )


def _problems(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return _positioned(
        metadata,
        "lockstep_problems",
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", long_text(), nullable=False),
    )


def _locks(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_locks",
        metadata,
        sa.Column("name", sa.String(NAME_LENGTH), primary_key=True),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("host", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("acquired", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("expires", sa.String(TIME_LENGTH), nullable=False),
        **CLUSTERED,
    )


def _marks(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_marks",
        metadata,
        sa.Column("job_id", sa.ForeignKey("lockstep_jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("object", sa.String(NAME_LENGTH), primary_key=True),
        sa.Column("mapping_digest", sa.String(128), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        **CLUSTERED,
    )


def _of_job(name: str, metadata: sa.MetaData, *columns: sa.Column[t.Any]) -> sa.Table:
    """Give a table of what a job remembers of its objects' records; `digest` stands for object and record."""
    import sqlalchemy as sa

    return sa.Table(
        name,
        metadata,
        sa.Column("job_id", sa.ForeignKey("lockstep_jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("object", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("anchor", sa.String(NAME_LENGTH), nullable=False),
        *columns,
        sa.Index(f"{name}_by_object", "job_id", "object"),
        **CLUSTERED,
    )


def _links(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return _of_job(
        "lockstep_links",
        metadata,
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("key", long_text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("mapping_digest", sa.String(128), nullable=False),
    )


def _leavers(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return _of_job(
        "lockstep_leavers",
        metadata,
        sa.Column("since", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("container", sa.Text, nullable=False),
        sa.Column("groups", long_text(), nullable=False),
        sa.Column("stamped", long_text(), nullable=False),
        sa.Column("was_enabled", sa.Boolean, nullable=False),
    )


def _smart_groups(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_smart_groups",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        sa.Column(
            "provider_id", sa.ForeignKey("lockstep_providers.id", ondelete="RESTRICT"), nullable=False, index=True
        ),
        sa.Column("definition", long_text(), nullable=False),
        *times(),
        **OPTIONS,
    )


def _job_templates(metadata: sa.MetaData) -> sa.Table:
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_job_templates",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("definition", long_text(), nullable=False),
        *times(),
        **OPTIONS,
    )


def _plans(metadata: sa.MetaData) -> sa.Table:
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


def _plan_lines(metadata: sa.MetaData) -> sa.Table:
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
