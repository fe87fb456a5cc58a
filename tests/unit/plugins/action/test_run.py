# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugin does on the host, in a real shell: it enters only the folder that its module has made."""

from __future__ import annotations

import os
import pwd
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.action.run import _Watch

LINE = "hr: reading people, 5 records so far"


class Shell:
    """Runs the commands of a watch as a connection to this host does."""

    def execute(self, command: str) -> str:
        return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False).stdout


def lay_out(folder: Path) -> None:
    """Make the folder as the module does."""
    folder.mkdir()
    (folder / "mark").touch()
    (folder / "status").write_text(f"{LINE}\n", encoding="utf-8")


def look(folder: Path) -> list[str]:
    watch = _Watch(t.cast("t.Any", None), str(folder), 1, "[here]")
    return watch._look(t.cast("t.Any", Shell()))


@pytest.fixture
def somebody() -> int:
    """Another user than the one who runs this test."""
    return pwd.getpwnam("nobody").pw_uid


def test_the_lines_of_the_module_are_read_and_the_lease_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    lay_out(folder)
    assert look(folder) == [LINE]
    assert (folder / "lease").exists()


def test_what_is_not_there_yet_says_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere") == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_the_mark_is_not_entered(tmp_path: Path) -> None:
    lay_out(tmp_path / "other")
    (tmp_path / "other" / "mark").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    assert look(tmp_path / "link") == []
    assert not (tmp_path / "other" / "lease").exists()


@pytest.mark.parametrize("what", [".", "mark"])
def test_what_somebody_else_has_put_there_is_not_entered(tmp_path: Path, somebody: int, what: str) -> None:
    if os.geteuid() != 0:
        # Without the right to give files away there is one that is somebody else's already.
        assert look(Path("/")) == []
        return
    folder = tmp_path / "trap"
    lay_out(folder)
    os.chown(folder / what, somebody, -1)
    assert look(folder) == []
    assert not (folder / "lease").exists()
