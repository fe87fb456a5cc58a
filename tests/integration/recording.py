# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that makes Ansible keep the results of our tasks, for the comparison with RETURN."""

from __future__ import annotations

from pathlib import Path


def recording_environment() -> dict[str, str]:
    """Give variables to add to the environment of `ansible` and `ansible-playbook`.

    Results are written only where LOCKSTEP_RECORD_RESULTS names a folder, as `make integration` does.
    """
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parent / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "record_results",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",  # ad hoc commands load none otherwise
    }
