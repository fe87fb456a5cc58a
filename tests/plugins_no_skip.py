# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where CI=true, a skipped test is a failed test: nobody reads skips on a build server."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Generator

import pytest

Report = t.TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("true", "1")


def _refuse_skip(report: Report) -> Report:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail") and _in_ci():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = (
            f"{reason}\nSkipping is not allowed where CI=true: install what is missing, or delete the test."
        )
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure."""
    return _refuse_skip((yield))
