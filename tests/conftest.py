# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the checkout importable as `ansible_collections.lockstep.sync`, wherever it lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# No test may depend on how busy the machine is; and CI tries the same examples each time, so that red means changed
# code.
settings.register_profile("lockstep", deadline=None)
settings.register_profile("lockstep-ci", deadline=None, derandomize=True)
settings.load_profile("lockstep-ci" if os.environ.get("CI") else "lockstep")

pytest_plugins = ["plugins_no_skip", "servers.fixtures", "servers.directories"]


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
