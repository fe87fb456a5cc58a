# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state store as a whole: opened once, with one repository per noun."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from .address import StoreAddress, Target, parse_url
from .claims import Claims
from .jobs import Jobs
from .leavers import Leavers
from .links import Links
from .locks import Locks, process_exists
from .marks import Marks
from .migrations import MIGRATIONS, Migration
from .named import Named
from .notifications import Notifications
from .nouns import COLLECTION, COLLECTION_TEMPLATE, JOB_TEMPLATE, WORKFLOW
from .occurrences import Occurrences
from .outbox import Outbox
from .plans import Plans
from .providers import Providers
from .requests import Requests
from .runs import Runs
from .schedules import Schedules
from .servers import open_server
from .session import Session
from .smart_groups import SmartGroups
from .sqlite import open_file
from .times import Clock
from .vault import Vault

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
        self.runs = Runs(session)
        self.plans = Plans(session)
        self.locks = Locks(session, clock, pid_alive=pid_alive)
        self.marks = Marks(session)
        self.links = Links(session)
        self.leavers = Leavers(session)
        self.smart_groups = SmartGroups(session, clock)
        self.job_templates = Named(session, clock, JOB_TEMPLATE)
        self.workflows = Named(session, clock, WORKFLOW)
        self.collections = Named(session, clock, COLLECTION)
        self.collection_templates = Named(session, clock, COLLECTION_TEMPLATE)
        self.schedules = Schedules(session, clock)
        self.occurrences = Occurrences(session, clock)
        self.claims = Claims(session, pid_alive=pid_alive)
        self.requests = Requests(session, vault, clock)
        self.notifications = Notifications(session, vault, clock)
        self.outbox = Outbox(session, clock)
        self._session = session

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

    def __enter__(self) -> Self:
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
