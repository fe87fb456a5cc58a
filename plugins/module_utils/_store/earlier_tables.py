# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as earlier migrations made them: each is copied here before `tables` changes it."""

from __future__ import annotations

import typing as t

from .tables import CLUSTERED, long_text

if t.TYPE_CHECKING:
    import sqlalchemy as sa


def changes_of_version_1(metadata: sa.MetaData) -> sa.Table:
    """Give `lockstep_changes` without the anchor of version 3."""
    import sqlalchemy as sa

    return sa.Table(
        "lockstep_changes",
        metadata,
        sa.Column("run_id", sa.ForeignKey("lockstep_runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("key", long_text(), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("target", long_text()),
        sa.Column("before", long_text(), nullable=False),
        sa.Column("after", long_text(), nullable=False),
        sa.Column("status", sa.String(32)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", long_text(), nullable=False),
        **CLUSTERED,
    )
