# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories that only their owner may read.

When root makes one, it is given to the owner of the directory it lies in: a user's store stays the user's.
"""

from __future__ import annotations

import os
from pathlib import Path

from .._model.errors import StoreError


def make_directory(path: Path) -> None:
    """Make `path` and its missing parents, each for its owner only (0700). Raises StoreError."""
    if os.path.isdir(path):  # noqa: PTH112 - pathlib raises where the way there may not be searched
        return
    make_directory(path.parent)
    try:
        path.mkdir(mode=0o700)
        _give_to_owner_of(path.parent, path)
    except FileExistsError:
        if not path.is_dir():
            raise StoreError(f"{path} is not a directory. Remove it, or name another place.") from None
    except OSError as error:
        raise StoreError(
            f"The directory {path} does not exist and cannot be made: {error.strerror}. "
            "Make it for the user who runs this, or name another place."
        ) from None


def create_private_file(path: Path, content: bytes) -> bool:
    """Make the file `path` (0600) with `content`; give False when it is there already. Raises StoreError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise StoreError(
            f"The file {path} cannot be made: {error.strerror}. "
            "Let the user who runs this write in its directory, or name another place."
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            if os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StoreError(f"The file {path} cannot be written: {error.strerror}.") from None
    return True


def _give_to_owner_of(parent: Path, path: Path) -> None:
    if os.geteuid() == 0:
        owner = parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
