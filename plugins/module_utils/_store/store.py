# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state store as a whole: opened once, with one repository per noun."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from .address import StoreAddress, Target, parse_url
from .jobs import Jobs
from .locks import Locks, process_exists
from .migrations import MIGRATIONS, Migration
from .providers import Providers
from .servers import open_server
from .session import Session
from .sqlite import open_file
from .times import Clock
from .vault import Vault

if t.TYPE_CHECKING:
    from .claims import Claims
    from .leavers import Leavers
    from .links import Links
    from .marks import Marks
    from .named import Named
    from .notifications import Notifications
    from .occurrences import Occurrences
    from .outbox import Outbox
    from .plans import Plans
    from .requests import Requests
    from .runs import Runs
    from .schedules import Schedules
    from .smart_groups import SmartGroups

_KEY_FILE = "state.key"


class Store:
    """An open state store; a context manager. Its repositories may be used from several threads.

    Attributes:
        location: the path or URL for messages; it holds no password.
        rehearsal: true in check mode: whatever is written is gone when its transaction ends.
    """

    def __init__(
        self, session: Session, vault: Vault, *, clock: Clock, pid_alive: Callable[[int], bool] = process_exists
    ) -> None:
        self.location = session.location
        self.rehearsal = session.rehearsal
        self.providers = Providers(session, vault, clock)
        self.jobs = Jobs(session, clock)
        self.locks = Locks(session, clock, pid_alive=pid_alive)
        self._session = session
        self._vault = vault
        self._clock = clock
        self._pid_alive = pid_alive

    # The others are imported when they are asked for: a module needs a few of them, and each costs milliseconds.

    @cached_property
    def runs(self) -> Runs:
        from .runs import Runs

        return Runs(self._session)

    @cached_property
    def plans(self) -> Plans:
        from .plans import Plans

        return Plans(self._session)

    @cached_property
    def marks(self) -> Marks:
        from .marks import Marks

        return Marks(self._session)

    @cached_property
    def links(self) -> Links:
        from .links import Links

        return Links(self._session)

    @cached_property
    def leavers(self) -> Leavers:
        from .leavers import Leavers

        return Leavers(self._session)

    @cached_property
    def smart_groups(self) -> SmartGroups:
        from .smart_groups import SmartGroups

        return SmartGroups(self._session, self._clock)

    @cached_property
    def job_templates(self) -> Named:
        from .named import Named
        from .nouns import JOB_TEMPLATE

        return Named(self._session, self._clock, JOB_TEMPLATE)

    @cached_property
    def workflows(self) -> Named:
        from .named import Named
        from .nouns import WORKFLOW

        return Named(self._session, self._clock, WORKFLOW)

    @cached_property
    def collections(self) -> Named:
        from .named import Named
        from .nouns import COLLECTION

        return Named(self._session, self._clock, COLLECTION)

    @cached_property
    def collection_templates(self) -> Named:
        from .named import Named
        from .nouns import COLLECTION_TEMPLATE

        return Named(self._session, self._clock, COLLECTION_TEMPLATE)

    @cached_property
    def schedules(self) -> Schedules:
        from .schedules import Schedules

        return Schedules(self._session, self._clock)

    @cached_property
    def occurrences(self) -> Occurrences:
        from .occurrences import Occurrences

        return Occurrences(self._session, self._clock)

    @cached_property
    def claims(self) -> Claims:
        from .claims import Claims

        return Claims(self._session, pid_alive=self._pid_alive)

    @cached_property
    def requests(self) -> Requests:
        from .requests import Requests

        return Requests(self._session, self._vault, self._clock)

    @cached_property
    def notifications(self) -> Notifications:
        from .notifications import Notifications

        return Notifications(self._session, self._vault, self._clock)

    @cached_property
    def outbox(self) -> Outbox:
        from .outbox import Outbox

        return Outbox(self._session, self._clock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that this thread reads and writes inside one transaction, which no other writer interrupts.

        It is rolled back when an exception leaves it, and in check mode always. Raises StoreError.
        """
        with self._session.write():
            yield

    def database_role(self) -> str:
        """Give the role by which the store's server knows whoever opened it, empty for a file. Raises StoreError."""
        return self._session.role()

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_store(
    address: StoreAddress,
    *,
    create: bool,
    clock: Clock,
    pid_alive: Callable[[int], bool] = process_exists,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> Store:
    """Open the state store.

    Args:
        address: where it is.
        create: make or migrate the store when it is missing or older. False is check mode, and fits reading as well:
            nothing is made or changed. A missing store is then an empty one in memory, an older SQLite store a
            migrated copy in memory, and what is written is rolled back at the end of its transaction.
        clock: the present time, with a time zone.
        pid_alive: whether a process of this host exists; dead holders lose their locks.
        migrations: all migrations in order.

    Raises:
        ConfigError: the address is wrong.
        DependencyError: SQLAlchemy or the driver is missing.
        StoreError: the store cannot be opened; the message says what to do.
    """
    target = parse_url(address.url)
    if target.path is not None:
        session = open_file(target.path, create=create, migrations=migrations)
    else:
        session = open_server(target, address.password, create=create, migrations=migrations)
    vault = Vault(_key_path(address, target), location=target.location, rehearsal=session.rehearsal)
    return Store(session, vault, clock=clock, pid_alive=pid_alive)


def _key_path(address: StoreAddress, target: Target) -> Path | None:
    if address.key_file:
        return Path(address.key_file).expanduser().absolute()
    return None if target.path is None else target.path.with_name(_KEY_FILE)
