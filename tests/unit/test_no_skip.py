# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plug-in that turns skips into failures, tried on a small suite of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import pytest

def test_in_body():
    pytest.skip("no server here")

@pytest.mark.skipif(True, reason="not on this system")
def test_by_mark():
    pass

@pytest.mark.xfail(strict=True)
def test_expected_failure():
    raise AssertionError

def test_fine():
    pass
"""


def run_suite(folder: Path, text: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(text, encoding="utf-8")
    environment = os.environ | {"CI": ci, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "plugins_no_skip", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_skips_fail_in_ci(tmp_path: Path) -> None:
    done = run_suite(tmp_path, SUITE, "true")

    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in done.stdout
    assert "no server here" in done.stdout
    assert "Skipping is not allowed where CI=true" in done.stdout


def test_skips_are_skips_elsewhere(tmp_path: Path) -> None:
    done = run_suite(tmp_path, SUITE, "")

    assert done.returncode == 0
    assert "1 passed, 2 skipped, 1 xfailed" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\npytest.importorskip('nosuchlibrary')\n",
        "import pytest\npytest.skip('x', allow_module_level=True)\n",
    ],
)
def test_a_skipped_file_fails_in_ci(tmp_path: Path, text: str) -> None:
    assert run_suite(tmp_path, text, "true").returncode != 0
    assert run_suite(tmp_path, text, "").returncode == 5  # nothing was run


def test_the_plugin_watches_this_suite(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("plugins_no_skip")
