# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns whose declarations `named` keeps."""

from __future__ import annotations

from .mentions import jobs_that_mention, rename_in_jobs, rename_notification, users_of_notification
from .named import Noun
from .texts import clean

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
NOTIFICATION = Noun(
    word="notification",
    table=lambda tables: tables.notifications,
    follow=rename_notification,
    users=users_of_notification,
)
"""Notifications; whoever names one follows its renaming. The password of its mail server is kept apart."""
