# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checkout importable as `ansible_collections.lockstep.sync`, wherever it lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

ROOT = Path(__file__).resolve().parent.parent

# No test may depend on how busy the machine is; and CI tries the same examples each time, so that red means changed
# code. `make fuzz` tries many more.
EXAMPLES = int(os.environ.get("LOCKSTEP_EXAMPLES", "100"))
settings.register_profile("lockstep", deadline=None, max_examples=EXAMPLES)
settings.register_profile("lockstep-ci", deadline=None, max_examples=EXAMPLES, derandomize=True)
settings.load_profile("lockstep-ci" if os.environ.get("CI") else "lockstep")

pytest_plugins = ["plugins_no_skip", "servers.fixtures", "servers.directories", "servers.mails", "servers.channels"]

SHARED_SERVERS = {
    "samba": "directories",
    "other_samba": "directories",
    **dict.fromkeys(("postgres", "postgres_url", "postgres_box", "mariadb", "mariadb_url", "mariadb_box"), "databases"),
}
"""Fixtures, also named by parameters, whose server takes long to start; with the group of tests that share it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each server start once (`--dist loadgroup`), and count no coverage by examples that are tried by chance."""
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if is_hypothesis_test(item.obj):
            item.add_marker(pytest.mark.no_cover)
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        asked = [*item.fixturenames, *(value for value in parameters if isinstance(value, str))]
        for group in sorted({SHARED_SERVERS[name] for name in asked if name in SHARED_SERVERS}):
            item.add_marker(pytest.mark.xdist_group(group))


def make_importable() -> None:
    """Lay a link to the checkout under .cache/tree and put that folder on the import path."""
    link = ROOT / ".cache" / "tree" / "ansible_collections" / "lockstep" / "sync"
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.resolve() != ROOT:  # missing, or left by a checkout that was moved
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT, target_is_directory=True)
    tree = str(link.parent.parent.parent)
    if tree not in sys.path:
        sys.path.insert(0, tree)


make_importable()
