# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the file providers share: what a file looked like when it was read, and errors that say what to do."""

from __future__ import annotations

import errno
import hashlib
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._model.errors import ConfigError, ProviderError, unknown
from .._model.jobs import ProviderSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What tells a file from what it was before: which file it is, its size in bytes and when it was written (ns)."""

    device: int
    inode: int
    size: int
    modified: int


def signature_of(path: Path, where: str) -> Signature:
    """Look at the regular file at `path` (links are followed). Raises ProviderError when there is none."""
    try:
        found = path.stat()
    except OSError as error:
        raise read_error(path, where, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise ProviderError(f"{where}: {path} is a directory, not a file. Give the path of a file.")
    if not stat.S_ISREG(found.st_mode):
        raise ProviderError(f"{where}: {path} is not a regular file. Give the path of a file.")
    return Signature(device=found.st_dev, inode=found.st_ino, size=found.st_size, modified=found.st_mtime_ns)


def signature_or_none(path: Path, where: str) -> Signature | None:
    """Like `signature_of`, but None for a file that does not exist in a folder that does."""
    try:
        path.stat()
    except FileNotFoundError:
        if path.resolve().parent.is_dir():
            return None
    except OSError as error:
        raise read_error(path, where, error) from error
    return signature_of(path, where)


def content_token(path: Path, where: str) -> str:
    """Give a text that stands for the content of the file at `path` (SHA-256), or for there being none."""
    if signature_or_none(path, where) is None:
        return "no file"
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise read_error(path, where, error) from error


def check_unchanged(path: Path, where: str, seen: Signature) -> None:
    """Raise ProviderError (retriable) when the file at `path` is not the one that gave `seen`."""
    if signature_of(path, where) != seen:
        raise ProviderError(f"{where}: {path} was changed while it was in use. Run the job again.", retriable=True)


def read_error(path: Path, where: str, error: OSError) -> ProviderError:
    """Give the error for a file that cannot be opened or read, and what to do about it."""
    if isinstance(error, FileNotFoundError):
        missing = path if path.parent.is_dir() else path.parent
        what = "file" if missing is path else "folder"
        return ProviderError(f"{where}: the {what} {missing} does not exist. Check the option path.")
    if isinstance(error, PermissionError):
        return ProviderError(
            f"{where}: {path} may not be read by this user. Change its owner or mode, or run the job as another user."
        )
    reason = error.strerror or str(error)
    retriable = error.errno in (errno.EIO, errno.ESTALE)
    return ProviderError(f"{where}: {path} cannot be read: {reason}.", retriable=retriable)


def field_numbers(place: str, header: Sequence[str], fields: Sequence[str]) -> tuple[int, ...]:
    """Give the columns, from 0, of `fields` under `header`. Raises ConfigError naming the valid fields."""
    columns = {name: number for number, name in enumerate(header)}
    for field in fields:
        if field not in columns:
            message = unknown("field", field, filter(None, columns), where=place)
            blank = next((name for name in header if name.strip() == field.strip()), None)
            if blank is not None:
                message += f" The header has {blank!r}: the blanks around it belong to the name."
            raise ConfigError(message)
    return tuple(columns[field] for field in fields)


def path_option(spec: ProviderSpec) -> Path:
    """Give the option `path` of a file provider, `~` expanded. Raises ConfigError when there is none."""
    text = spec.options.get("path")
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"{where_of(spec)}: the option path must be the path of a file, got {text!r}.")
    return Path(text).expanduser()


def where_of(spec: ProviderSpec) -> str:
    """Give the start of every message of a provider."""
    return f"{spec.type} provider {spec.name!r}"


def since_ms(start: float) -> float:
    """Give the milliseconds since `start`, a value of `time.perf_counter`."""
    return round((time.perf_counter() - start) * 1000, 3)
