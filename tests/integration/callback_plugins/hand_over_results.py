# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand the result of every task to the test that started Ansible: one JSON line each, into $LOCKSTEP_TEST_RESULTS."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible_collections.lockstep.sync.plugins.plugin_utils.compiled import with_compiled

DOCUMENTATION = """
name: hand_over_results
type: notification
short_description: Hand results to the test
description:
  - Appends each result as one JSON line to the file that E(LOCKSTEP_TEST_RESULTS) names.
  - Modules that were built are found again in the folder that E(LOCKSTEP_TEST_MODULES) names. Ours have compiled files
    as they are kept for people; Ansible's own have them, too, because a role runs dozens.
"""


class CallbackModule(CallbackBase):
    """Write results as they come."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "hand_over_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **options: t.Any) -> None:
        super().__init__(*args, **options)
        built = os.environ.get("LOCKSTEP_TEST_MODULES")
        if built:
            # Ansible keeps the modules it has built for as long as it runs; here, as long as the tests run.
            Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(built, target_is_directory=True)

    def v2_playbook_on_stats(self, _stats: t.Any) -> None:
        built = os.environ.get("LOCKSTEP_TEST_MODULES")
        for path in Path(built).glob("ansible*") if built else ():
            mark = path.with_name(f"{path.name}.compiled")
            if not path.name.endswith(("part", ".compiled")) and not mark.exists():
                mark.touch()
                # Another command may be reading it.
                part = path.with_name(f"{path.name}.{os.getpid()}.part")
                part.write_bytes(with_compiled(path.read_bytes()))
                part.replace(path)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._hand_over(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._hand_over(result, failed=True)

    def _hand_over(self, result: t.Any, *, failed: bool) -> None:
        target = os.environ.get("LOCKSTEP_TEST_RESULTS")
        if not target:
            return
        line = json.dumps({"task": result.task.get_name(), **result.result, "failed": failed}, default=str)
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
