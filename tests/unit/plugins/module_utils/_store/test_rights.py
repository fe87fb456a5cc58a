# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._store.rights import create_private_file, make_directory

NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_directories_are_made_for_their_owner_only(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_existing_directory_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_directory(tmp_path)
    assert mode(tmp_path) == 0o755


def test_new_directories_and_files_belong_to_the_owner_of_the_place(tmp_path: Path) -> None:
    owner = (os.getuid(), os.getgid())
    if os.getuid() == 0:
        owner = (NOBODY, NOBODY)
        os.chown(tmp_path, *owner)
    make_directory(tmp_path / "a" / "b")
    create_private_file(tmp_path / "a" / "b" / "file", b"x")
    owners = [
        ((tmp_path / place).stat().st_uid, (tmp_path / place).stat().st_gid) for place in ("a", "a/b", "a/b/file")
    ]
    assert owners == [owner] * 3


def test_ordinary_user_owns_what_it_makes_in_the_place_of_another(
    open_directory: Path, as_ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    open_directory.chmod(0o777)
    with as_ordinary_user():
        make_directory(open_directory / "a")
        create_private_file(open_directory / "a" / "file", b"x")
        assert (open_directory / "a" / "file").stat().st_uid == os.getuid()


def test_existing_file_that_was_made_meanwhile_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="dangling is not a directory"):
        make_directory(tmp_path / "dangling")


def test_directory_made_by_another_process_meanwhile_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def come_second(path: Path, mode: int) -> None:
        os.mkdir(path)  # noqa: PTH102 - Path.mkdir is the one that is replaced
        raise FileExistsError

    monkeypatch.setattr(Path, "mkdir", come_second)
    make_directory(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


def test_file_in_the_way_of_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(StoreError, match=re.escape(f"{tmp_path / 'a'} is not a directory")):
        make_directory(tmp_path / "a" / "b")


def test_directory_that_cannot_be_made_is_named(
    open_directory: Path, as_ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    open_directory.chmod(0o555)
    with (
        as_ordinary_user(),
        pytest.raises(StoreError, match=f"{open_directory}/a .* cannot be made: Permission denied"),
    ):
        make_directory(open_directory / "a")


def test_private_file_is_made_once_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert create_private_file(tmp_path / "file", b"first")
        assert not create_private_file(tmp_path / "file", b"second")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "file"), (tmp_path / "file").read_bytes()) == (0o600, b"first")


def test_private_file_is_never_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert not create_private_file(tmp_path / "link", b"x")
    assert not (tmp_path / "elsewhere").exists()


def test_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing/file cannot be made: No such file"):
        create_private_file(tmp_path / "missing" / "file", b"x")


def test_file_that_cannot_be_written_is_taken_away_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="cannot be written: No space left"):
        create_private_file(tmp_path / "file", b"x")
    assert list(tmp_path.iterdir()) == []
