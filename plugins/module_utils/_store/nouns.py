# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns whose declarations `named` keeps."""

from __future__ import annotations

import typing as t

from .mentions import (
    collections_that_mention,
    jobs_that_mention,
    rename_in_collections,
    rename_in_jobs,
    rename_in_schedules,
    rename_notification,
    schedules_that_mention,
    users_of_notification,
)
from .named import Noun
from .texts import clean

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def _follow_schedule(connection: Connection, old: str, new: str) -> None:
    rename_in_jobs(connection, "schedule", old, new)
    rename_in_collections(connection, "schedule", old, new)


WORKFLOW = Noun(word="workflow", table=lambda tables: tables.workflows)
"""Workflows follow the renaming of jobs; a job that was deleted stays named. Requests keep the name that their workflow
had when they were made, and stay when it is deleted.
"""
JOB_TEMPLATE = Noun(
    word="job template",
    table=lambda tables: tables.job_templates,
    follow=lambda connection, old, new: rename_in_jobs(connection, "template", old, new),
    users=lambda connection, name: jobs_that_mention(connection, "template", name),
    more_values=lambda definition: {"description": clean(str(definition.get("description", "")))},
)
"""Jobs that were made from a template follow its renaming, and keep what they took from it when it is deleted. Its
definition has `description`, and the options of its jobs in `job`.
"""
COLLECTION = Noun(
    word="job collection",
    table=lambda tables: tables.collections,
    follow=lambda connection, old, new: rename_in_schedules(connection, "collections", old, new),
    users=lambda connection, name: schedules_that_mention(connection, "collections", name),
)
"""Schedules follow the renaming of a job collection. Its runs keep the name that it had."""
COLLECTION_TEMPLATE = Noun(
    word="collection template",
    table=lambda tables: tables.collection_templates,
    follow=lambda connection, old, new: rename_in_collections(connection, "template", old, new),
    users=lambda connection, name: collections_that_mention(connection, "template", name),
)
"""Job collections that were made from a template follow its renaming, and keep what they took from it when it is
deleted. Its definition has `description`, and the options of its collections in `collection`.
"""
SCHEDULE = Noun(
    word="schedule",
    table=lambda tables: tables.schedules,
    follow=_follow_schedule,
    users=lambda connection, name: [
        *(f"job {each!r}" for each in jobs_that_mention(connection, "schedule", name)),
        *(f"job collection {each!r}" for each in collections_that_mention(connection, "schedule", name)),
    ],
)
"""Jobs and job collections that name a schedule follow its renaming. `schedules.Schedules` keeps its declarations."""
NOTIFICATION = Noun(
    word="notification",
    table=lambda tables: tables.notifications,
    follow=rename_notification,
    users=users_of_notification,
)
"""Notifications; whoever names one follows its renaming. The password of its mail server is kept apart."""
