# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace a file whole: afterwards it has either all of the new content or all of the old."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import typing as t
from collections.abc import Callable
from pathlib import Path

from .._model.errors import ProviderError
from .files import Signature, signature_or_none

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def replace_file(path: Path, where: str, seen: Signature | None, write: Callable[[t.BinaryIO], None]) -> None:
    """Put what `write` writes in the place of the file at `path`.

    The new content goes to a temporary file in the same folder, is forced to disk, gets owner, mode, access lists and
    labels of the old file, and takes its name. A symbolic link stays and the file it points to is replaced; other hard
    links keep the old content. A new file is for its owner only (0600), since it holds personal data.

    Args:
        path: the file to replace or make.
        where: the start of messages (`csv provider 'hr'`).
        seen: the signature of the content that the new one is made from; None when there was no file.
        write: called once with the binary file to write to; what it raises ends the replacement.

    Raises:
        ProviderError: the file was changed since `seen` (retriable), the disk is full, the folder or owner does not
            allow it. The old file is then as it was and no temporary file is left.
    """
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise _write_error(target, where, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            if seen is not None:
                _take_over(target, temporary)
            os.fsync(file.fileno())
        if signature_or_none(path, where) != seen:
            raise ProviderError(
                f"{where}: {target} was changed by somebody else meanwhile; nothing was written. Run the job again.",
                retriable=True,
            )
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise _write_error(target, where, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _take_over(target: Path, temporary: Path) -> None:
    """Give `temporary` the owner, mode, access lists and labels of `target`, with the present as its time."""
    old, new = target.stat(), temporary.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.chown(temporary, old.st_uid, old.st_gid)
    shutil.copystat(target, temporary)
    os.utime(temporary)


def _sync_folder(folder: Path) -> None:
    """Force the new name to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_error(target: Path, where: str, error: OSError) -> ProviderError:
    start = f"{where}: {target} cannot be written"
    kept = "What was there is unchanged."
    if error.errno in _FULL:
        return ProviderError(
            f"{start}: no space is left in {target.parent} for the new content beside the old. {kept} Free some space."
        )
    if isinstance(error, FileNotFoundError):
        return ProviderError(f"{start}: the folder {target.parent} does not exist. Make it, or check the option path.")
    if isinstance(error, PermissionError):
        return ProviderError(
            f"{start}: this user may not make files in {target.parent} or keep the file's owner. {kept} "
            f"Run the job as the owner of the file."
        )
    if error.errno == errno.EROFS:
        return ProviderError(f"{start}: the file system is read-only.")
    return ProviderError(f"{start}: {error.strerror or error}. {kept}", retriable=error.errno == errno.EIO)
