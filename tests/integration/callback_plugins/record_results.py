# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the real result of every lockstep.sync task, so that RETURN can be compared with it.

One JSON file per result, in $LOCKSTEP_RECORD_RESULTS/<module>/. Does nothing where that variable is not set.
"""

from __future__ import annotations

import json
import os
import typing as t
import uuid
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record_results
type: notification
short_description: Keep the results of lockstep.sync tasks
description: Writes each result as one JSON file into the folder that E(LOCKSTEP_RECORD_RESULTS) names.
"""

PREFIX = "lockstep.sync."


class CallbackModule(CallbackBase):
    """Write results as they come; loops are written item by item."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._record(result, failed=False, item=False)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record(result, failed=True, item=False)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._record(result, failed=False, item=True)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._record(result, failed=True, item=True)

    def _record(self, result: t.Any, *, failed: bool, item: bool) -> None:
        folder = os.environ.get("LOCKSTEP_RECORD_RESULTS")
        task = result.task
        name = task.resolved_action or task.action
        if not folder or not name.startswith(PREFIX) or (bool(task.loop) and not item):
            return
        returned = result.result
        from_ansible = {"invocation", "ansible_loop_var", "ansible_index_var", "ansible_loop"}
        # A loop adds its item and number under names that the task chooses.
        from_ansible |= {returned.get("ansible_loop_var"), returned.get("ansible_index_var")}
        kept = {
            key: value for key, value in returned.items() if key not in from_ansible and not key.startswith("_ansible")
        }
        target = Path(folder) / name.removeprefix(PREFIX)
        target.mkdir(parents=True, exist_ok=True)
        record = {"task": task.get_name(), "failed": failed, "result": kept}
        (target / f"{uuid.uuid4().hex}.json").write_text(json.dumps(record, indent=1, default=str), encoding="utf-8")
