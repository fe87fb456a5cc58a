# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Database errors in the words of the person who has to do something about them."""

from __future__ import annotations

import sqlite3
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from .._model.errors import StoreError
from .._model.secrets import MASK, Secret

BUSY_SECONDS = 30

_SQLITE: t.Final[dict[int, str]] = {
    sqlite3.SQLITE_BUSY: (
        f"it was locked by another process for {BUSY_SECONDS} seconds. "
        "Wait until the other run or task has ended and try again."
    ),
    sqlite3.SQLITE_LOCKED: "it is locked by another process. Wait until that has ended and try again.",
    sqlite3.SQLITE_READONLY: "it is read-only. Let the user who runs this write to the file and to its directory.",
    sqlite3.SQLITE_PERM: "access was refused. Let the user who runs this read and write it.",
    sqlite3.SQLITE_CANTOPEN: (
        "the file or one beside it (-wal, -shm, -journal) cannot be opened. "
        "Check that the directory exists and that the user who runs this may write in it."
    ),
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database. Name another file, or move this one away.",
    sqlite3.SQLITE_CORRUPT: "the file is damaged. Restore it from a backup.",
    sqlite3.SQLITE_FULL: "the disk is full. Free some space and try again; nothing of this step was stored.",
    sqlite3.SQLITE_IOERR: "reading or writing the disk failed. Check the disk and its free space.",
}


@contextmanager
def translated(location: str, password: Secret | None = None) -> Iterator[None]:
    """Turn database errors raised inside into StoreError about the store at `location`."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise _explain(error.orig, location, password) from error
    except sqlite3.Error as error:
        raise _explain(error, location, password) from error
    except SQLAlchemyError as error:
        raise StoreError(f"The state store {location} failed: {_first_line(error, password)}.") from error


def _explain(error: BaseException | None, location: str, password: Secret | None) -> StoreError:
    line = _first_line(error, password)
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code, the others tell variants of it apart.
        text = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if text is not None:
            return StoreError(f"The state store {location} cannot be used: {text} (SQLite says: {line})")
    elif type(error).__name__ == "OperationalError":
        # The class of a driver's own module, but the name is the standard's (PEP 249).
        return StoreError(
            f"The state store {location} cannot be used: {line}. "
            "Check that the server runs and can be reached, the user and store_password, and the user's rights."
        )
    return StoreError(f"The state store {location} refused a step: {line}.")


def _first_line(error: BaseException | None, password: Secret | None) -> str:
    text = " ".join(str(part) for part in getattr(error, "args", ())) or str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__).rstrip(".")
    return line.replace(password.reveal(), MASK) if password is not None and password.reveal() else line
