# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load Python functions for the transform `function` from files that only trusted users can change."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import types
import typing as t
from collections.abc import Callable, Collection
from pathlib import Path

from .._model.errors import ConfigError, unknown

MAX_FILE = 1_048_576
"""Bytes of one file of functions."""


def load_function(path: str, name: str, uids: Collection[int]) -> Callable[..., t.Any]:
    """Give the callable `name` of the Python file `path`, which must belong to one of the users `uids`.

    Raises ConfigError that says what is wrong with the file, its folder or its content, and how to put it right.
    """
    module = load_module(path, uids)
    found = getattr(module, name, None)
    if name.startswith("_") or not callable(found):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise ConfigError(unknown("function", name, names, where=path))
    return t.cast("Callable[..., t.Any]", found)


def load_module(path: str, uids: Collection[int]) -> types.ModuleType:
    """Run the trusted Python file `path` and give its module. Raises ConfigError."""
    real = Path(os.path.realpath(Path(path).expanduser()))
    text = _read_trusted(real, uids)
    name = f"lockstep_functions_{hashlib.sha256(os.fsencode(real)).hexdigest()[:16]}"
    module = types.ModuleType(name)
    module.__file__ = str(real)
    # Dataclasses and pickling in the file look their module up by name.
    sys.modules[name] = module
    try:
        exec(compile(text, str(real), "exec"), vars(module))  # noqa: S102 - the file was found to be trusted
    except SyntaxError as error:
        raise ConfigError(f"{real}: line {error.lineno}: {error.msg}.") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{real}: running it failed with {type(error).__name__}: {error}.") from error
    return module


def _read_trusted(path: Path, uids: Collection[int]) -> bytes:
    """Give the file's content. What is checked is the opened file itself, so it cannot be swapped in between."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"{path}: the file of functions cannot be read: {error.strerror}.") from error
    try:
        _check_file(path, os.fstat(descriptor), uids)
        _check_folder(path.parent, path.parent.stat())
        with open(descriptor, "rb", closefd=False) as file:
            text = file.read(MAX_FILE + 1)
    finally:
        os.close(descriptor)
    if len(text) > MAX_FILE:
        raise ConfigError(f"{path}: a file of functions has at most {MAX_FILE:,} bytes.")
    return text


def _check_file(path: Path, status: os.stat_result, uids: Collection[int]) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path}: a file of functions must be a regular file.")
    if status.st_uid not in uids:
        raise ConfigError(
            f"{path}: the file belongs to the user with uid {status.st_uid}. It must belong to root or to "
            f"the user who runs the job (uid {' or '.join(map(str, sorted(uids)))}): chown root {path}"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"{path}: the file can be written by its group or by others (mode {stat.S_IMODE(status.st_mode):04o}). "
            f"Take that away: chmod go-w {path}"
        )


def _check_folder(folder: Path, status: os.stat_result) -> None:
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        raise ConfigError(
            f"{folder}: others can write in the folder of the file of functions "
            f"(mode {stat.S_IMODE(status.st_mode):04o}). Take that away: chmod o-w {folder}"
        )
