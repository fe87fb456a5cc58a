# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows in the store."""

from __future__ import annotations

from .named import Named


class Workflows(Named):
    """The workflows of one store. They follow the renaming of jobs; a job that was deleted stays named. Requests keep
    the name of the workflow they were made with, and stay when it is deleted.
    """

    noun = "workflow"
    table = "workflows"
