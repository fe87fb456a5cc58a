# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start `ansible` and `ansible-playbook` as people do, in a home of the test's own, and give what they returned."""

from __future__ import annotations

import atexit
import csv
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from integration.declaring import declare
from integration.recording import recording_environment

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
COLLECTION = "lockstep.sync."
TIMEOUT = 600
"""Seconds after which Ansible is taken to hang; one play may have many tasks."""
FAILED = 2
"""The exit status of Ansible when a task failed."""

Result: t.TypeAlias = dict[str, t.Any]
Task: t.TypeAlias = dict[str, t.Any]


@functools.cache
def built_modules() -> str:
    """Give the folder where Ansible finds the modules again that it has built since these tests began."""
    folder = tempfile.mkdtemp(prefix="lockstep-modules-")
    Path(folder).chmod(0o777)  # some tests run as another user
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True, kw_only=True)
class Done:
    """What one start of Ansible gave: exit status, everything it printed, and the result of each task by its name."""

    code: int
    output: str
    results: Mapping[str, Result]

    def __getitem__(self, name: str) -> Result:
        assert name in self.results, f"no task {name!r} was reached:\n{self.output}"
        return self.results[name]

    @property
    def only(self) -> Result:
        """The result of the only task, as an ad hoc command has one."""
        assert len(self.results) == 1, self.output
        return next(iter(self.results.values()))


class Running:
    """Ansible that was started and not waited for; `output` is the file with what it prints."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, results: Path) -> None:
        self._results = results
        self.output = results.with_suffix(".out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def wait(self) -> Done:
        """Wait for the end."""
        try:
            code = self.process.wait(TIMEOUT)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        lines = self._results.read_text(encoding="utf-8").splitlines() if self._results.exists() else []
        results = {result.pop("task"): result for result in map(json.loads, lines)}
        return Done(code=code, output=self.output.read_text(encoding="utf-8", errors="replace"), results=results)


@dataclass(kw_only=True)
class Workplace:
    """A folder with a home, a state store and everything else that one test needs.

    Attributes:
        variables: environment variables on top of the clean environment.
        wrapper: words in front of every command, such as `setpriv ...`.
    """

    folder: Path
    store: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "ansible.cfg").touch()
        self.store = self.store or f"sqlite:///{self.store_file}"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def store_file(self) -> Path:
        return self.folder / "state" / "state.db"

    @property
    def runs_folder(self) -> Path:
        """Where runs of the SQLite store keep plan, journal, changes and log."""
        return self.store_file.with_name("state-runs")

    # -- starting Ansible

    def play(self, *arguments: str, fails: bool = False, **tasks: Task) -> Done:
        """Run tasks, each under the name of its keyword, and check the exit status: 0, or with `fails` 2."""
        named = [{"name": name, **task} for name, task in tasks.items()]
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": named}
        path = self.folder / f"play-{uuid.uuid4().hex}.yml"
        path.write_text(json.dumps([play]), encoding="utf-8")
        return self.playbook(path, *arguments, fails=fails)

    def playbook(
        self, path: Path, *arguments: str, variables: Mapping[str, t.Any] | None = None, fails: bool = False
    ) -> Done:
        """Run a playbook and check the exit status: 0, or with `fails` 2."""
        extra = self.folder / f"variables-{uuid.uuid4().hex}.json"
        extra.write_text(json.dumps(dict(variables or {})), encoding="utf-8")
        done = self.start("ansible-playbook", str(path), "-e", f"@{extra}", *arguments).wait()
        assert done.code == (FAILED if fails else 0), done.output
        return done

    def adhoc(self, module: str, *arguments: str, **options: t.Any) -> Done:
        """Run one module ad hoc; the exit status is for the caller to judge."""
        return self.start_adhoc(module, *arguments, **options).wait()

    def start_adhoc(self, module: str, *arguments: str, **options: t.Any) -> Running:
        """Start one module ad hoc. A single text option is given as people type it, several as JSON."""
        words = list(options.items())
        typed = len(words) == 1 and isinstance(words[0][1], str) and " " not in words[0][1]
        given = f"{words[0][0]}={words[0][1]}" if typed else json.dumps(options)
        return self.start(
            "ansible", "localhost", "-m", COLLECTION + module, *(["-a", given] if words else []), *arguments
        )

    def start(self, program: str, *arguments: str) -> Running:
        """Start a program of Ansible with this Python as interpreter of modules."""
        results = self.folder / f"results-{uuid.uuid4().hex}.jsonl"
        command = [*self.wrapper, str(PROGRAMS / program), *arguments]
        command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        return Running(command, self.environment(results), self.folder, results)

    def environment(self, results: Path) -> dict[str, str]:
        """Give the environment of a program of Ansible that hands its results over in the file `results`."""
        recording = recording_environment()
        enabled = f"{recording['ANSIBLE_CALLBACKS_ENABLED']},hand_over_results"
        kept = {name: os.environ[name] for name in ("PATH", "LOCKSTEP_RECORD_RESULTS", "TMPDIR") if name in os.environ}
        temporary = str(self.home / "tmp")
        return {
            **kept,
            **recording,
            "ANSIBLE_CALLBACKS_ENABLED": enabled,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
            "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),  # empty, so that no other is read
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_LOCAL_TEMP": temporary,
            "ANSIBLE_REMOTE_TEMP": temporary,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_LOOKUP_PLUGINS": str(HERE / "lookup_plugins"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "true",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "LOCKSTEP_STORE": self.store,
            "LOCKSTEP_TEST_MODULES": built_modules(),
            "LOCKSTEP_TEST_RESULTS": str(results),
            **self.variables,
        }

    # -- declaring

    def declare(self, providers: Sequence[Mapping[str, t.Any]], jobs: Sequence[Mapping[str, t.Any]]) -> None:
        """Declare providers and jobs without Ansible, which must succeed."""
        declare(list(providers), list(jobs), {"LOCKSTEP_STORE": self.store, **self.variables})

    # -- files

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
        """Write a CSV file as spreadsheets do, and give its path."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        return path


def task(module: str, *, check: bool = False, may_fail: bool = False, diff: bool = False, **options: t.Any) -> Task:
    """Give a task for `Workplace.play`. Without `may_fail` its failure ends the play."""
    made: Task = {COLLECTION + module: options}
    if check:
        made["check_mode"] = True
    if diff:
        made["diff"] = True
    if may_fail:
        made["ignore_errors"] = True
    return made


def run(job: str, **options: t.Any) -> Task:
    """Give a task that runs a job."""
    return task("run", job=job, **options)


def fields(*names: str, key: str = "id", **special: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Give fields that are copied from source fields of their names; `special` replaces or adds fields."""
    made: dict[str, dict[str, t.Any]] = {name: {"name": name, "source": name} for name in names}
    if key in made:
        made[key]["key"] = True
    made.update({name: {"name": name, **options} for name, options in special.items()})
    return list(made.values())


def job(
    name: str,
    source: str | Mapping[str, t.Any],
    destination: str | Mapping[str, t.Any],
    object_fields: Sequence[Mapping[str, t.Any]],
    **options: t.Any,
) -> dict[str, t.Any]:
    """Give a job with one object `row` that creates and deletes without a limit, unless `options` say otherwise."""
    of_object = {each: options.pop(each) for each in ("when",) if each in options}
    return {
        "name": name,
        "source": {"provider": source} if isinstance(source, str) else dict(source),
        "destination": {"provider": destination} if isinstance(destination, str) else dict(destination),
        "missing_at_destination": "create",
        "missing_at_source": "delete",
        "limits": {"deletes": "100%"},
        "objects": [{"fields": list(object_fields), **of_object}],
        **options,
    }


class Database:
    """A database that tests look into and change without the code that is tested."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._tables: list[str] = []

    @property
    def kind(self) -> str:
        """The database's family as SQLAlchemy names it: sqlite, postgresql or mysql."""
        return self._engine.dialect.name

    @property
    def provider(self) -> dict[str, t.Any]:
        """The options that declare it."""
        url = self._engine.url
        plain = url._replace(username=None, password=None, query={}).render_as_string(hide_password=False)
        options: dict[str, t.Any] = {"url": plain}
        if url.username is not None:
            options |= {"username": url.username, "password": str(url.password)}
        return {"sql": options}

    def make(self, columns: str, rows: Iterable[Sequence[object]] = (), *, name: str = "people") -> str:
        """Make a table with a name of its own, and give that name."""
        table = f"{name}_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE TABLE {table} ({columns})")
        self._tables.append(table)
        self.insert(table, rows)
        return table

    def insert(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Add rows, each with a value for every column."""
        values = [tuple(row) for row in rows]
        if values:
            mark = "?" if self.kind == "sqlite" else "%s"
            statement = f"INSERT INTO {table} VALUES ({', '.join([mark] * len(values[0]))})"
            with self._engine.begin() as connection:
                connection.exec_driver_sql(statement, values)

    def execute(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[t.Any, ...]]:
        """Give the rows of a query."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def content(self, table: str, columns: str = "*") -> list[tuple[t.Any, ...]]:
        """Give all rows of a table in the order of their first column."""
        return self.rows(f"SELECT {columns} FROM {table} ORDER BY 1")

    def connect(self) -> sa.Connection:
        """Open a connection of the test's own, to hold locks with."""
        return self._engine.connect()

    def close(self) -> None:
        """Drop the tables that were made here."""
        for table in reversed(self._tables):
            self.execute(f"DROP TABLE IF EXISTS {table}")
        self._engine.dispose()


def wait_until(happened: Callable[[], object], what: str, *, seconds: float = 60) -> None:
    """Look again and again until it happened; a test that waits in vain fails with `what`."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.005)


def planned(run_result: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Give the changes of a run without what became of them, to compare a preview with a run."""
    return [
        {name: value for name, value in change.items() if name not in ("status", "message")}
        for change in run_result["changes"]
    ]


def counts(result: Mapping[str, t.Any]) -> dict[str, int]:
    """Give the counts of a run that are not 0."""
    return {name: count for name, count in result["run"]["statistics"].items() if count}
