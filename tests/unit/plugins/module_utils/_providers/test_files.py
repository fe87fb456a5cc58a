# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What file providers share."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.files import (
    check_unchanged,
    field_numbers,
    path_option,
    read_error,
    signature_of,
    signature_or_none,
    since_ms,
)

WHERE = "csv provider 'p'"


def test_a_signature_tells_a_rewritten_and_a_replaced_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("one")
    seen = signature_of(path, WHERE)
    check_unchanged(path, WHERE, seen)
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ProviderError) as caught:
        check_unchanged(path, WHERE, seen)
    assert caught.value.retriable
    other = tmp_path / "y"
    other.write_text("two")
    os.utime(other, ns=(1, 1))
    seen = signature_of(path, WHERE)
    other.replace(path)
    with pytest.raises(ProviderError):
        check_unchanged(path, WHERE, seen)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="is a directory"):
        signature_of(tmp_path, WHERE)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProviderError, match="not a regular file"):
        signature_of(tmp_path / "pipe", WHERE)


def test_a_missing_file_and_a_missing_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=f"the file {tmp_path}/x does not exist") as caught:
        signature_of(tmp_path / "x", WHERE)
    assert not caught.value.retriable
    with pytest.raises(ProviderError, match=f"the folder {tmp_path}/no does not exist"):
        signature_of(tmp_path / "no" / "x", WHERE)
    assert signature_or_none(tmp_path / "x", WHERE) is None
    with pytest.raises(ProviderError):
        signature_or_none(tmp_path / "no" / "x", WHERE)


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ProviderError, match="cannot be read"):
        signature_or_none(loop, WHERE)


def test_read_errors_say_whether_trying_again_can_help() -> None:
    denied = read_error(Path("/x"), WHERE, PermissionError(errno.EACCES, "Permission denied"))
    assert "may not be read by this user" in denied.message
    assert not denied.retriable
    assert read_error(Path("/x"), WHERE, OSError(errno.EIO, "Input/output error")).retriable
    assert "odd" in read_error(Path("/x"), WHERE, OSError("odd")).message


@pytest.mark.parametrize("path", [None, "", 5, "a\0b"])
def test_a_path_that_is_none_is_refused(path: object) -> None:
    with pytest.raises(ConfigError, match="the option path"):
        path_option(ProviderSpec(name="p", type="csv", options={"path": path}))


def test_the_home_folder_is_expanded() -> None:
    assert path_option(ProviderSpec(name="p", type="csv", options={"path": "~/x"})) == Path.home() / "x"


def test_field_numbers_follow_the_order_asked() -> None:
    assert field_numbers("here", ("a", "b", "c"), ("c", "a")) == (2, 0)


def test_an_unknown_field_names_the_valid_ones_and_blanks_around_names() -> None:
    with pytest.raises(ConfigError, match=r"here: there is no field 'mail'.*Valid: ' mail', 'id'.*the blanks"):
        field_numbers("here", ("id", " mail"), ("mail",))


def test_milliseconds_are_counted_from_the_start() -> None:
    assert since_ms(time.perf_counter() - 1) >= 1000
