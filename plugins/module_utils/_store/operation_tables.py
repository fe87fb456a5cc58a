# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of what goes on around runs: collections, schedules and their occurrences, notifications and mails."""

from __future__ import annotations

import typing as t

from .columns import CLUSTERED, NAME_LENGTH, OPTIONS, TIME_LENGTH, long_text, times

if t.TYPE_CHECKING:
    import sqlalchemy as sa


def _named(name: str, metadata: sa.MetaData, *columns: sa.Column[t.Any]) -> sa.Table:
    """Give a table of declarations with a name (`named.Named`)."""
    import sqlalchemy as sa

    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(NAME_LENGTH), nullable=False, unique=True),
        sa.Column("definition", long_text(), nullable=False),
        *columns,
        *times(),
        **OPTIONS,
    )


def collections(metadata: sa.MetaData) -> sa.Table:
    """Job collections."""
    return _named("lockstep_collections", metadata)


def collection_templates(metadata: sa.MetaData) -> sa.Table:
    """Collection templates."""
    return _named("lockstep_collection_templates", metadata)


def schedules(metadata: sa.MetaData) -> sa.Table:
    """Schedules. What was due up to and including `considered` has been claimed or passed over; `next_due` is the first
    time after it, null when there is none. Both are written by `schedules.Schedules` only.
    """
    import sqlalchemy as sa

    return _named(
        "lockstep_schedules",
        metadata,
        sa.Column("considered", sa.String(TIME_LENGTH), nullable=False, server_default="", index=True),
        sa.Column("next_due", sa.String(TIME_LENGTH), index=True),
    )


def occurrences(metadata: sa.MetaData) -> sa.Table:
    """Occurrences of schedules that somebody claimed or passed over. `slot` is the time it was due, or the boot of a
    host; that one schedule has each slot once is what keeps two tickers from running it twice.

    `expires` is when its ticker is taken for dead, `remaining` the targets that it has not run yet, null for all.
    """
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_occurrences",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("schedule_id", sa.ForeignKey("lockstep_schedules.id", ondelete="CASCADE"), nullable=False),
        sa.Column("slot", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("due", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("message", long_text(), nullable=False),
        sa.Column("remaining", long_text()),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("host", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("expires", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("claimed", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("finished", sa.String(TIME_LENGTH)),
        sa.UniqueConstraint("schedule_id", "slot", name="lockstep_occurrence_once"),
        sa.Index("lockstep_occurrences_by_status", "status", "id"),
        **OPTIONS,
    )


def notifications(metadata: sa.MetaData) -> sa.Table:
    """Notifications: named settings of mails."""
    return _named("lockstep_notifications", metadata)


def notification_secrets(metadata: sa.MetaData) -> sa.Table:
    """Secrets of notifications, with columns as those of providers have."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_notification_secrets",
        metadata,
        sa.Column("notification_id", sa.ForeignKey("lockstep_notifications.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("option", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", long_text(), nullable=False),
        **CLUSTERED,
    )


def messages(metadata: sa.MetaData) -> sa.Table:
    """Mails that are to be sent or were, of runs that notifications tell of.

    `recipients` says of each address what became of it. `content` is the mail as it is sent, null once nobody is to get
    it any more; `next_try` is null then, too. Until `claimed_until` somebody is sending it.
    """
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_messages",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "notification_id",
            sa.ForeignKey("lockstep_notifications.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("recipients", long_text(), nullable=False),
        sa.Column("content", long_text()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.String(TIME_LENGTH), nullable=False),
        sa.Column("next_try", sa.String(TIME_LENGTH)),
        sa.Column("claimed_until", sa.String(TIME_LENGTH)),
        sa.Column("finished", sa.String(TIME_LENGTH)),
        sa.Column("error", long_text(), nullable=False),
        sa.Index("lockstep_messages_by_status", "status", "next_try"),
        **OPTIONS,
    )
