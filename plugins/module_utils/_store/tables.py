# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the state store, as the newest version of `migrations` leaves them."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from .approval_tables import request_events, requests, workflows
from .columns import CLUSTERED, NAME_LENGTH, OPTIONS, SINCE, TIME_LENGTH, long_text, since, times
from .operation_tables import (
    collection_templates,
    collections,
    messages,
    notification_secrets,
    notifications,
    occurrences,
    schedules,
)
from .run_tables import changes, plan_lines, plans, problems, runs

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
    collections: sa.Table
    collection_templates: sa.Table
    schedules: sa.Table
    occurrences: sa.Table
    notifications: sa.Table
    notification_secrets: sa.Table
    messages: sa.Table


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
        runs=runs(metadata),
        changes=changes(metadata),
        problems=problems(metadata),
        locks=_locks(metadata),
        marks=_marks(metadata),
        links=_links(metadata),
        leavers=_leavers(metadata),
        smart_groups=_smart_groups(metadata),
        job_templates=_job_templates(metadata),
        plans=plans(metadata),
        plan_lines=plan_lines(metadata),
        workflows=workflows(metadata),
        requests=requests(metadata),
        request_events=request_events(metadata),
        collections=collections(metadata),
        collection_templates=collection_templates(metadata),
        schedules=schedules(metadata),
        occurrences=occurrences(metadata),
        notifications=notifications(metadata),
        notification_secrets=notification_secrets(metadata),
        messages=messages(metadata),
    )


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
        *since(4, metadata, sa.Column("quarantine", long_text())),
        **OPTIONS,
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
