# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks with a lease: whoever dies or hangs loses them, and finds out before it writes on.

Leases end by the clocks of the hosts that share the store; these must agree to within a fraction of a lease.
"""

from __future__ import annotations

import os
import secrets
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from .._model.errors import CancelledError, LockedError
from .session import Session
from .tables import tables
from .times import Clock, to_text

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds a lock: a process of one boot of a host, and the words by which people know it (`run 42`)."""

    host: str
    pid: int
    boot_id: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """A lock that is held; `token` proves it. It is lost at `expires` (ISO 8601, UTC) unless renewed."""

    name: str
    token: str
    lease_seconds: float
    expires: str


def process_exists(pid: int) -> bool:
    """Tell whether this host runs a process with this number, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Locks:
    """The locks of one store."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        *,
        pid_alive: Callable[[int], bool] = process_exists,
        new_token: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._session = session
        self._clock = clock
        self._pid_alive = pid_alive
        self._new_token = new_token

    def acquire(self, name: str, *, holder: Holder, lease_seconds: float) -> Lock:
        """Take the lock, from a holder whose lease has ended or whose process on this host is dead, too.

        Raises LockedError with the holder in readable form.
        """
        table = tables().locks
        with self._session.write() as connection:
            now = self._clock()
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
            if row is not None and not is_gone(row, holder, to_text(now), self._pid_alive):
                described = _describe(row)
                raise LockedError(f"{name} is locked by {described}. Try again when that has ended.", holder=described)
            lock = Lock(
                name=name,
                token=self._new_token(),
                lease_seconds=lease_seconds,
                expires=to_text(now + timedelta(seconds=lease_seconds)),
            )
            connection.execute(table.delete().where(table.c.name == name))
            connection.execute(
                table.insert().values(
                    name=name,
                    token=lock.token,
                    host=holder.host,
                    pid=holder.pid,
                    boot_id=holder.boot_id,
                    label=holder.label,
                    acquired=to_text(now),
                    expires=lock.expires,
                )
            )
        return lock

    def renew(self, lock: Lock) -> Lock:
        """Extend the lease by its length from now. Raises CancelledError when somebody else took the lock."""
        renewed = replace(lock, expires=to_text(self._clock() + timedelta(seconds=lock.lease_seconds)))
        table = tables().locks
        with self._session.write(exclusive=False) as connection:
            update = table.update().where(table.c.name == lock.name, table.c.token == lock.token)
            if connection.execute(update.values(expires=renewed.expires)).rowcount == 0:
                row = connection.execute(table.select().where(table.c.name == lock.name)).one_or_none()
                taken = f"taken over by {_describe(row)}" if row is not None else "released"
                raise CancelledError(f"The lock {lock.name} was lost: it was {taken}. Nothing more is written.")
        return renewed

    def release(self, lock: Lock) -> None:
        """Give the lock back; one that was lost meanwhile is left to its new holder."""
        table = tables().locks
        with self._session.write(exclusive=False) as connection:
            connection.execute(table.delete().where(table.c.name == lock.name, table.c.token == lock.token))


def is_gone(row: Row[t.Any], asking: Holder, now: str, pid_alive: Callable[[int], bool]) -> bool:
    """Tell whether whoever wrote `row` (with `expires`, `host`, `boot_id`, `pid`) has hung or died, to `asking`.

    A dead process is seen at once on its own host; from elsewhere only its lease tells.
    """
    if row.expires <= now:
        return True
    same_boot = row.host == asking.host and row.boot_id == asking.boot_id
    return same_boot and not pid_alive(row.pid)


def _describe(row: Row[t.Any]) -> str:
    return f"{row.label} on {row.host} (process {row.pid}, since {row.acquired}, lease until {row.expires})"
