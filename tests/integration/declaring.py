# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare in this process what a test starts from: Ansible would take seconds for what other tests prove already."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from collections.abc import Callable, Mapping

import pytest


def call_module(main: Callable[[], None], options: Mapping[str, t.Any], variables: Mapping[str, str]) -> None:
    """Call the `main` of a module as Ansible would, with these environment variables; it must succeed."""
    from ansible.module_utils.testing import patch_module_args  # noqa: PLC0415

    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with patch_module_args(dict(options)), contextlib.redirect_stdout(output), pytest.raises(SystemExit) as ended:
            main()
    result = json.loads(output.getvalue())
    assert not ended.value.code, result
    assert not result.get("failed"), result


def declare(providers: list[t.Any], jobs: list[t.Any], variables: Mapping[str, str]) -> None:
    """Declare providers and jobs."""
    # Imported where they are used: tests/conftest.py makes the collection importable.
    from ansible_collections.lockstep.sync.plugins.modules import job, provider  # noqa: PLC0415

    call_module(provider.main, {"providers": providers}, variables)
    call_module(job.main, {"jobs": jobs}, variables)
