# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real database servers for the tests: one of each a pytest session, in a throwaway folder, on a free port.

`LOCKSTEP_POSTGRES_URL` and `LOCKSTEP_MARIADB_URL` name servers that run already; those cannot be killed, so tests that
do so start their own with `start_postgres` and `start_mariadb`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent
INSTALL = {
    "postgres": "apt-get install postgresql",
    "mariadb": "apt-get install mariadb-server mariadb-client",
    "slapd": "apt-get install slapd ldap-utils",
    "samba_ad": "apt-get install samba samba-ad-dc samba-ad-provision ldb-tools",
}
PROGRAMS = {
    "postgres": ("initdb",),
    "mariadb": ("mariadbd", "mariadb-install-db", "mariadb"),
    "slapd": ("slapd", "slapadd", "openssl"),
    "samba_ad": ("samba", "samba-tool", "ldbmodify", "openssl"),
}
PLACES = ("/usr/sbin", "/usr/local/bin", *(str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"))))
Kind: t.TypeAlias = t.Literal["postgres", "mariadb"]


class Server:
    """One throwaway server. It can be killed and started again; its data stays until `remove`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._folder = Path(tempfile.mkdtemp(prefix="lockstep-"))
        # The servers run as users of their own, who must be able to enter the folder.
        self._folder.chmod(0o755)
        self._data = self._folder / kind
        self.port = free_port()
        self._pid = 0
        self.url = ""

    @property
    def log(self) -> Path:
        """Where the server writes what it does."""
        return self._data / "run" / "log"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self._folder / "out").open("w") as out:
            # Not a pipe: the server would keep it open.
            done = subprocess.run(
                [str(SCRIPTS / f"{self.kind}.sh"), "start", str(self._data), str(self.port)],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=120,
            )
        assert done.returncode == 0, (self._folder / "out").read_text()
        values = dict(line.split("=", 1) for line in (self._data / "env").read_text().splitlines())
        self.url, self._pid = values["SA_URL"], int(values["PID"])

    def stop(self) -> None:
        """Stop the server in good order."""
        subprocess.run([str(SCRIPTS / f"{self.kind}.sh"), "stop", str(self._data)], check=True, timeout=120)

    def kill(self) -> None:
        """End the server as a crash of the machine would: no goodbye to anybody."""
        children = _children(self._pid)
        os.kill(self._pid, signal.SIGKILL)
        for child in children:
            _kill_if_there(child)
        for pid in (self._pid, *children):
            wait_for_end(pid)

    def restart_killed(self) -> None:
        """Start again after `kill`, with the data as the crash left them."""
        if self.kind == "postgres":
            # Its process is gone, but may be a zombie still, which PostgreSQL would take for a running server.
            for left in (self._data / "data" / "postmaster.pid", *(self._data / "run").glob(".s.PGSQL.*")):
                left.unlink(missing_ok=True)
        self.start()

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_programs(kind: str) -> None:
    """Fail, never skip: a test that does not run proves nothing."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *PLACES))
    missing = [name for name in PROGRAMS[kind] if shutil.which(name, path=path) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} not found; the tests need a real server: {INSTALL[kind]}", pytrace=False)


def run_server(kind: Kind) -> Iterator[Server]:
    """Start a server and remove it at the end."""
    require_programs(kind)
    server = Server(kind)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _kill_if_there(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for_end(pid: int) -> None:
    """Wait until the process is gone, or a zombie that only its parent still has to notice."""
    status = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = status.read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state in "ZX":
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} does not end")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database the tests may do anything with."""
    yield from _given_or_started("LOCKSTEP_POSTGRES_URL", "postgres")


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """The SQLAlchemy URL of a MariaDB database the tests may do anything with."""
    yield from _given_or_started("LOCKSTEP_MARIADB_URL", "mariadb")


def _given_or_started(variable: str, kind: Kind) -> Iterator[str]:
    if given := os.environ.get(variable):
        yield given
        return
    for server in run_server(kind):
        yield server.url


@pytest.fixture
def start_postgres() -> Iterator[Callable[[], Server]]:
    """A PostgreSQL server of the test's own, to be killed."""
    yield from _starter("postgres")


@pytest.fixture
def start_mariadb() -> Iterator[Callable[[], Server]]:
    """A MariaDB server of the test's own, to be killed."""
    yield from _starter("mariadb")


def _starter(kind: Kind) -> Iterator[Callable[[], Server]]:
    running: list[Iterator[Server]] = []

    def start() -> Server:
        running.append(run_server(kind))
        return next(running[-1])

    yield start
    for server in running:
        next(server, None)
