# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world in which jobs run: a real store, a real CSV file, a real SQLite table; time, sleep and process are set."""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
import typing as t
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import LockstepError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran, run_job
from ansible_collections.lockstep.sync.plugins.module_utils._running.runtime import RunRequest, Runtime
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store, StoreAddress, open_store
from support.lists import ListProvider
from support.stores import lay_new_store

Json = dict[str, t.Any]
KEY: Json = {"name": "id", "source": "id", "key": True}
NAME: Json = {"name": "name", "source": "name"}
DEPT: Json = {"name": "dept", "source": "dept"}
ROWS = ("1,Ann,E", "2,Bob,F", "3,Cy,")
"""What stands in the source of a new world, after its header."""
TABLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, dept TEXT, note TEXT)"


@dataclass(kw_only=True)
class World:
    """One machine with a store, the source `hr` (a CSV file) and the destination `db` (a SQLite table `people`).

    Attributes:
        slept: every wait of the run; `on_sleep` is called then, to let the world change.
        protected: every secret that the run told.
        alive: the processes that exist beside the run's own.
        server: the URL, with password, of the database that is the store; a SQLite file when it is empty.
    """

    folder: Path
    now: dt.datetime = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.timezone.utc)
    seconds: float = 0.0
    host: str = "sync01"
    pid: int = 100
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    protected: list[str] = field(default_factory=list)
    alive: set[int] = field(default_factory=lambda: {100})
    environ: dict[str, str] = field(default_factory=dict)
    server: str = ""

    def __post_init__(self) -> None:
        self.write()
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute(TABLE)
            connection.execute("INSERT INTO people VALUES (2, 'Bob', 'old', 'kept'), (9, 'Gone', 'G', NULL)")
            connection.commit()
        self.store: Store = self.open_store()
        self.provider("hr", "csv", path=str(self.source))
        self.provider("db", "sql", url=f"sqlite:///{self.database}")

    @property
    def source(self) -> Path:
        return self.folder / "hr.csv"

    @property
    def database(self) -> Path:
        return self.folder / "data.db"

    @property
    def runs(self) -> Path:
        return self.folder / "logs" / "runs"

    # -- the two sides

    def write(self, *rows: str, header: str = "id,name,dept") -> None:
        """Write the source; without `rows` the three records of a new world."""
        self.source.write_text("\n".join((header, *(rows or ROWS), "")), encoding="utf-8")

    def sql(self, statement: str) -> list[tuple[t.Any, ...]]:
        """Do something to the destination, or ask it."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(statement).fetchall()
            connection.commit()
        return rows

    def people(self) -> list[tuple[t.Any, ...]]:
        """Give what stands at the destination."""
        return self.sql("SELECT id, name, dept FROM people ORDER BY id")

    # -- declaring

    def open_store(self) -> Store:
        """Open the store once more, as another process does."""
        path = self.folder / "state.db"
        address = StoreAddress(url=f"sqlite:///{path}")
        if not self.server:
            lay_new_store(path)
        else:
            url = sa.make_url(self.server)
            plain = url._replace(password=None).render_as_string(hide_password=False)
            address = StoreAddress(url=plain, password=Secret(str(url.password)) if url.password else None)
        return open_store(address, create=True, clock=self.clock, pid_alive=self.alive.__contains__)

    def provider(self, name: str, kind: t.Any, *, secrets: t.Any = None, **options: t.Any) -> None:
        """Declare a provider."""
        self.store.providers.save(ProviderSpec(name=name, type=kind, options=options), secrets or {})

    def job(self, name: str = "j", **options: t.Any) -> None:
        """Declare a job that creates and deletes, with the object `people`, unless `options` say otherwise."""
        definition: Json = {
            "source": {"provider": "hr"},
            "destination": {"provider": "db", "table": "people"},
            "missing_at_destination": "create",
            "missing_at_source": "delete",
            "objects": [{"name": "people", "fields": [KEY, NAME, DEPT]}],
        }
        self.store.jobs.save(name, definition | options)

    # -- running

    def clock(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        self.now += dt.timedelta(seconds=seconds)
        self.on_sleep()

    @property
    def runtime(self) -> Runtime:
        return Runtime(
            clock=self.clock,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            host=self.host,
            pid=self.pid,
            boot_id="boot",
            environ=self.environ,
            run_directory=self.runs,
            randomness=random.Random(1),
            protect=self.protected.append,
        )

    def run(self, job: str = "j", **options: t.Any) -> Ran:
        """Run the job."""
        return run_job(RunRequest(job=job, **options), self.store, self.runtime)

    def preview(self, job: str = "j", **options: t.Any) -> Ran:
        """Preview the job."""
        return self.run(job, preview=True, **options)

    # -- looking

    def photograph(self) -> dict[str, bytes]:
        """Give every file and folder but the store's, with content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.folder.rglob("*"))
            if not path.name.startswith("state.")
        }

    def count_rows(self) -> dict[str, int]:
        """Give how many rows each table of the store has."""
        with closing(sqlite3.connect(self.folder / "state.db")) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}

    def lines(self, run_id: int, name: str) -> list[Json]:
        """Give the JSON lines of one file of a run."""
        text = (self.runs / str(run_id) / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


def warnings(ran: Ran) -> list[str]:
    """Give the warnings in a run's log."""
    return [line.message for line in ran.result.log if line.level == "warning"]


@dataclass(kw_only=True)
class Failing(ListProvider):
    """A list whose next readings fail, one for each error given; `on_read` is called before each."""

    read_failures: list[LockstepError] = field(default_factory=list)
    on_read: Callable[[], None] = lambda: None

    def read(self, query: t.Any, fields: Sequence[str]) -> t.Any:
        self.on_read()
        if self.read_failures:
            raise self.read_failures.pop(0)
        return super().read(query, fields)
