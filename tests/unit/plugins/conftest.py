# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in this process as Ansible would, and take its result."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that calls the `main` of a module with options, on a store of its own."""
    from ansible.module_utils.basic import AnsibleModule  # noqa: PLC0415
    from ansible.module_utils.testing import patch_module_args  # noqa: PLC0415

    for name in ("LOCKSTEP_STORE", "LOCKSTEP_STORE_PASSWORD", "LOCKSTEP_STORE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCKSTEP_STORE", f"sqlite:///{tmp_path / 'store' / 'state.db'}")
    monkeypatch.chdir(tmp_path)

    told: list[str] = []
    # In this process Ansible would show warnings on the terminal of the tests instead of returning them.
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: told.append(warning))

    def run_it(
        main: Callable[[], None], *, check: bool = False, diff: bool = False, **options: t.Any
    ) -> dict[str, t.Any]:
        capfd.readouterr()
        told.clear()
        arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff}
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            main()
        result: dict[str, t.Any] = json.loads(capfd.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return {**result, "warnings": [*told]}

    return run_it
