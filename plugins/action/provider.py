# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of all modules but `run` on the controller; meta/runtime.yml leads them here.

It is named after one of them because ansible-test asks for a module of the name of each action plugin.
"""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.plugin_utils.packing import PackedAction


class ActionModule(PackedAction):
    """Runs a module as ever, and packs it only when it changed."""
