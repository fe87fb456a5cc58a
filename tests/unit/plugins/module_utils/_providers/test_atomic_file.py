# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file is replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.atomic_file import replace_file
from ansible_collections.lockstep.sync.plugins.module_utils._providers.files import signature_of, signature_or_none

WHERE = "csv provider 'p'"


def writes(data: bytes) -> t.Callable[[t.BinaryIO], None]:
    def write(file: t.BinaryIO) -> None:
        file.write(data)

    return write


def fails_with(error: BaseException) -> t.Callable[[t.BinaryIO], None]:
    def write(file: t.BinaryIO) -> None:
        file.write(b"half of it")
        raise error

    return write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_bytes(b"old")
    return path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_content_is_replaced_and_nothing_else_is_left(path: Path) -> None:
    replace_file(path, WHERE, signature_of(path, WHERE), writes(b"new"))
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["data.csv"]


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    replace_file(path, WHERE, None, writes(b"new"))
    assert path.stat().st_mode & 0o7777 == 0o600


def test_the_mode_is_kept_and_the_time_is_new(path: Path) -> None:
    path.chmod(0o640)
    os.utime(path, (1, 1))
    replace_file(path, WHERE, signature_of(path, WHERE), writes(b"new"))
    assert path.stat().st_mode & 0o7777 == 0o640
    assert path.stat().st_mtime > 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept(path: Path) -> None:
    os.chown(path, 1234, 4321)
    replace_file(path, WHERE, signature_of(path, WHERE), writes(b"new"))
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_a_link_stays_and_the_file_it_points_to_is_replaced(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.csv"
    link.symlink_to(path)
    replace_file(link, WHERE, signature_of(link, WHERE), writes(b"new"))
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert names(link.parent) == ["link.csv"]


def test_a_link_to_nothing_makes_the_file_it_points_to(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    assert signature_or_none(link, WHERE) is None
    replace_file(link, WHERE, None, writes(b"new"))
    assert (tmp_path / "real.csv").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), ProviderError("x")])
def test_whatever_stops_the_writing_leaves_the_old_file(path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        replace_file(path, WHERE, signature_of(path, WHERE), fails_with(error))
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.csv"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_not_tried_again(path: Path, number: int) -> None:
    with pytest.raises(ProviderError, match="no space is left") as caught:
        replace_file(path, WHERE, signature_of(path, WHERE), fails_with(OSError(number, os.strerror(number))))
    assert not caught.value.retriable
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.csv"]


def test_a_file_size_limit_of_the_system_is_met(path: Path) -> None:
    """The same way as a full disk, but one that any test machine has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ProviderError, match="no space is left"):
            replace_file(path, WHERE, signature_of(path, WHERE), writes(b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["data.csv"]


def test_a_really_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let the tests mount a file system")
    try:
        path = tmp_path / "data.csv"
        path.write_bytes(b"old")
        with pytest.raises(ProviderError, match="no space is left"):
            replace_file(path, WHERE, signature_of(path, WHERE), writes(b"x" * 1_000_000))
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["data.csv"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("rewrite", [b"changed", b"OLD"])
def test_a_file_that_somebody_else_changed_meanwhile_is_left_alone(path: Path, rewrite: bytes) -> None:
    seen = signature_of(path, WHERE)

    def write(file: t.BinaryIO) -> None:
        file.write(b"new")
        path.write_bytes(rewrite)
        os.utime(path, (5, 5))

    with pytest.raises(ProviderError, match="changed by somebody else") as caught:
        replace_file(path, WHERE, seen, write)
    assert caught.value.retriable
    assert path.read_bytes() == rewrite
    assert names(path.parent) == ["data.csv"]


def test_a_file_that_appeared_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"

    def write(file: t.BinaryIO) -> None:
        path.write_bytes(b"theirs")

    with pytest.raises(ProviderError, match="changed by somebody else"):
        replace_file(path, WHERE, None, write)
    assert path.read_bytes() == b"theirs"


def test_a_file_that_went_away_meanwhile_is_not_made_again(path: Path) -> None:
    with pytest.raises(ProviderError):
        replace_file(path, WHERE, signature_of(path, WHERE), lambda _: path.unlink())
    assert names(path.parent) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"the folder .*nowhere does not exist"):
        replace_file(tmp_path / "nowhere" / "x.csv", WHERE, None, writes(b"new"))


@pytest.mark.parametrize(
    ("number", "words", "retriable"),
    [(errno.EROFS, "read-only", False), (errno.EIO, "Input/output", True), (errno.EPERM, "owner of the file", False)],
)
def test_other_failures_say_what_to_do(path: Path, number: int, words: str, retriable: bool) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        replace_file(path, WHERE, signature_of(path, WHERE), fails_with(OSError(number, os.strerror(number))))
    assert caught.value.retriable is retriable
