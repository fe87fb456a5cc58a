# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._store.secrets import check_literal, resolve

WHAT = "provider 'hr', option password"


def reference(path: Path) -> SecretReference:
    return SecretReference(kind="file", name=str(path))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"s3cr3t\n")
    path.chmod(0o640)
    return path


def test_literal_is_given_as_it_is() -> None:
    assert resolve(Secret("x\n"), WHAT, {}).reveal() == "x\n"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        ("s3cr3t", "s3cr3t"),
        ("s3cr3t\n", "s3cr3t"),
        ("s3cr3t\r\n", "s3cr3t"),
        ("s3cr3t\n\n", "s3cr3t\n"),
        (" x ", " x "),
    ],
)
def test_one_newline_at_the_end_is_cut_off(content: str, secret: str, secret_file: Path) -> None:
    secret_file.write_bytes(content.encode())
    assert resolve(reference(secret_file), WHAT, {}).reveal() == secret
    assert resolve(SecretReference(kind="env", name="HR"), WHAT, {"HR": content}).reveal() == secret


def test_missing_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="provider 'hr', option password: the environment variable HR_PW is not set"):
        resolve(SecretReference(kind="env", name="HR_PW"), WHAT, {"HR": "x"})


@pytest.mark.parametrize("content", ["", "\n"])
def test_empty_secret_is_a_mistake(content: str, secret_file: Path) -> None:
    secret_file.write_text(content)
    with pytest.raises(ConfigError, match=f"option password: the file {secret_file} is empty"):
        resolve(reference(secret_file), WHAT, {})
    with pytest.raises(ConfigError, match="the environment variable HR is empty"):
        resolve(SecretReference(kind="env", name="HR"), WHAT, {"HR": content})


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"option password: the file {tmp_path}/x cannot be read: No such file"):
        resolve(reference(tmp_path / "x"), WHAT, {})


def test_directory_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        resolve(reference(tmp_path), WHAT, {})


def test_file_that_may_not_be_read_is_named(
    open_directory: Path, as_ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    (open_directory / "secret").write_text("s3cr3t")
    (open_directory / "secret").chmod(0o000)
    with as_ordinary_user(), pytest.raises(ConfigError, match="secret cannot be read: Permission denied"):
        resolve(reference(open_directory / "secret"), WHAT, {})


@pytest.mark.parametrize("mode", [0o644, 0o602])
def test_file_open_to_everybody_is_refused(mode: int, secret_file: Path) -> None:
    secret_file.chmod(mode)
    with pytest.raises(ConfigError, match=rf"\(mode {mode:04o}\). Run: chmod 600 {secret_file}"):
        resolve(reference(secret_file), WHAT, {})


def test_file_that_is_no_text_is_refused(secret_file: Path) -> None:
    secret_file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        resolve(reference(secret_file), WHAT, {})


def test_file_that_holds_more_than_a_secret_is_refused(secret_file: Path) -> None:
    secret_file.write_bytes(b"x" * 65537)
    with pytest.raises(ConfigError, match="is longer than 65536 bytes"):
        resolve(reference(secret_file), WHAT, {})


def test_short_literal_is_refused_with_a_way_out_and_not_shown() -> None:
    check_literal(Secret("abcd"), "provider 'hr'", "password")
    with pytest.raises(ConfigError, match=r"at least 4 characters.* password_from: \{env: NAME\}") as caught:
        check_literal(Secret("#5~"), "provider 'hr'", "password")
    assert "#5~" not in caught.value.message
