# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real directories for the tests: OpenLDAP and Samba as Active Directory, throwaway, on loopback.

Samba cannot listen on other ports, so each forest gets an address of its own (127.0.x.y), which a lock file keeps for
it. A forest is provisioned once for each kind and copied from then on. What a killed pytest left running is stopped
and removed by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import typing as t
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from servers.fixtures import SCRIPTS, free_port, require_programs, wait_for_end

ROOT = SCRIPTS.parent.parent
TEMPLATES = ROOT / ".cache" / "samba"
SLOTS = Path(tempfile.gettempdir()) / "lockstep-addresses"
FIRST_SLOT, LAST_SLOT = 10, 250
AD_PORTS = (389, 636, 3268, 3269)
# Unix socket paths are short.
PLACE, PREFIX, OWNER = Path("/tmp"), "lk-", "owner"


def _run(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    with tempfile.TemporaryFile("w+") as out:
        # Not a pipe: the server would keep it open.
        done = subprocess.run(
            [str(SCRIPTS / script), *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=180,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin", **(environment or {})},
        )
        out.seek(0)
        assert done.returncode == 0, f"{script} {arguments}: {out.read()[-3000:]}"


def _own(folder: Path, script: str) -> int:
    """Mark a server's folder as in use while this process lives. The mark is never there without its lock."""
    descriptor, name = tempfile.mkstemp(dir=folder)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.write(descriptor, script.encode())
    Path(name).rename(folder / OWNER)
    return descriptor


def remove_orphans() -> None:
    """Stop and remove the servers of processes that were killed."""
    for mark in PLACE.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError), mark.open() as held:  # gone meanwhile, or its process lives
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _run(held.read(), "stop", str(mark.parent / "d"))
            shutil.rmtree(mark.parent, ignore_errors=True)


class _Directory:
    """What both kinds share: a folder, an `env` file with the connection data, a process."""

    script = ""

    def __init__(self) -> None:
        require_programs(self.script.removesuffix(".sh"))
        remove_orphans()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
        self._mark = _own(self.folder, self.script)
        self.env: dict[str, str] = {}

    def _started(self) -> None:
        lines = (self.folder / "d" / "env").read_text().splitlines()
        self.env = dict(line.split("=", 1) for line in lines)

    @property
    def pid(self) -> int:
        return int(self.env["PID"])

    def stop(self) -> None:
        """Stop the server in good order; its data stays."""
        _run(self.script, "stop", str(self.folder / "d"))

    def kill(self) -> None:
        """End the server as a crash of the machine would."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for_end(self.pid)

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._mark)


class OpenLdap(_Directory):
    """One slapd with the suffix dc=example,dc=test and the units ou=people and ou=groups.

    `environment` is for slapd.sh, which says what it knows: limits, overlays, another suffix.
    """

    script = "slapd.sh"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._environment = {"SLAPD_DEBUG": "stats", **(environment or {})}
        self._port = 0

    def start(self) -> None:
        """Start it, or start it again on the same port with the same data."""
        self._port = self._port or _free_pair()
        _run(self.script, "start", str(self.folder / "d"), str(self._port), environment=self._environment)
        self._started()

    @property
    def url(self) -> str:
        return self.env["LDAP_URI"]

    @property
    def ldaps_url(self) -> str:
        return self.env["LDAPS_URI"]

    @property
    def ldapi_url(self) -> str:
        return self.env["LDAPI_URI"]

    @property
    def base(self) -> str:
        return self.env["LDAP_SUFFIX"]

    @property
    def bind_dn(self) -> str:
        return self.env["LDAP_BIND_DN"]

    @property
    def password(self) -> str:
        return self.env["LDAP_BIND_PW"]

    @property
    def ca(self) -> str:
        return self.env["LDAP_CA"]

    def log(self) -> str:
        """What slapd has logged: a line `conn=N op=M SRCH ...`, `MOD`, `ADD`, ... for each operation."""
        return (self.folder / "d" / "run" / "slapd.log").read_text(errors="replace")

    @contextlib.contextmanager
    def counting(self) -> Iterator[dict[str, int]]:
        """Count operations by their name in the log (SRCH, ADD, MOD, MODRDN, DEL) while the block runs."""
        start = len(self.log())
        counts: dict[str, int] = {}
        yield counts
        for line in self.log()[start:].splitlines():
            words = line.split()
            for name in ("SRCH", "ADD", "MOD", "MODRDN", "DEL"):
                if name in words and ("dn=" in line or "base=" in line) and "attr=" not in words[-1:]:
                    counts[name] = counts.get(name, 0) + 1


class SambaAd(_Directory):
    """One forest of one domain; the certificate names its address."""

    script = "samba_ad.sh"

    def __init__(self, realm: str = "AD.TEST", *, exchange: bool = False) -> None:
        if os.geteuid() != 0:
            pytest.fail("Samba as Active Directory runs as root only: run these tests as root", pytrace=False)
        super().__init__()
        self._realm = realm
        self._exchange = exchange
        self._slot = _Slot()

    def start(self) -> None:
        """Start it, or start it again with the same data."""
        environment = {"AD_HOST": "dc1"}
        if not (self.folder / "d" / "private").exists():
            environment["AD_TEMPLATE"] = str(_template(self._realm, exchange=self._exchange))
        _run(self.script, "start", str(self.folder / "d"), self._slot.address, self._realm, environment=environment)
        self._started()

    def remove(self) -> None:
        super().remove()
        self._slot.free()

    @property
    def address(self) -> str:
        return self._slot.address

    @property
    def url(self) -> str:
        return self.env["AD_LDAPS"]

    @property
    def plain_url(self) -> str:
        return self.env["AD_LDAP"]

    @property
    def base(self) -> str:
        return self.env["AD_BASE"]

    @property
    def username(self) -> str:
        return self.env["AD_USER"]

    @property
    def password(self) -> str:
        return self.env["AD_PW"]

    @property
    def ca(self) -> str:
        return self.env["AD_CA"]


class _Slot:
    """An address of 127.0.1.x that no other test uses, on this machine, while this process lives."""

    def __init__(self) -> None:
        SLOTS.mkdir(exist_ok=True)
        for number in range(FIRST_SLOT, LAST_SLOT):
            descriptor = os.open(SLOTS / str(number), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                continue
            address = f"127.0.1.{number}"
            if not all(_can_listen(address, port) for port in AD_PORTS):
                os.close(descriptor)
                continue
            self._descriptor = descriptor
            self.address = address
            return
        raise AssertionError("all test addresses are in use; does a server listen on 0.0.0.0?")

    def free(self) -> None:
        os.close(self._descriptor)


def _can_listen(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _free_pair() -> int:
    """Give a port nobody listens on, whose next one is free too."""
    while True:
        port = free_port()
        if port < 65535 and _can_listen("127.0.0.1", port + 1):
            return port


def _template(realm: str, *, exchange: bool) -> Path:
    """Give a stopped forest to copy, made when there is none; who comes second waits."""
    content = "".join((SCRIPTS / name).read_text() for name in ("samba_ad.sh", "ad_extend_schema.sh"))
    digest = hashlib.sha256(f"{content}{realm}{exchange}".encode()).hexdigest()[:12]
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    folder = TEMPLATES / digest
    with (TEMPLATES / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = TEMPLATES / f"{digest}.new"
            _run("samba_ad.sh", "stop", str(making))  # left by a killed process
            shutil.rmtree(making, ignore_errors=True)
            environment = {"AD_HOST": "dc1", **({"AD_EXCHANGE": "1"} if exchange else {})}
            slot = _Slot()
            try:
                _run("samba_ad.sh", "start", str(making), slot.address, realm, environment=environment)
            finally:
                _run("samba_ad.sh", "stop", str(making))
                slot.free()
            making.rename(folder)
    return folder


Started = t.TypeVar("Started", OpenLdap, SambaAd)


def _running(server: Started) -> Iterator[Started]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def openldap() -> Iterator[OpenLdap]:
    """An OpenLDAP server the tests share; each works below a unit of its own."""
    yield from _running(OpenLdap({"SLAPD_PPOLICY": "1"}))


@pytest.fixture(scope="session")
def samba() -> Iterator[SambaAd]:
    """An Active Directory the tests share; each works below a unit of its own."""
    yield from _running(SambaAd(exchange=True))


@pytest.fixture(scope="session")
def other_samba() -> Iterator[SambaAd]:
    """A second forest, with another realm."""
    yield from _running(SambaAd("CORP.EXAMPLE", exchange=True))


@pytest.fixture
def start_openldap() -> Iterator[Callable[..., OpenLdap]]:
    """An OpenLDAP server of the test's own, to be killed."""
    servers: list[OpenLdap] = []

    def start(environment: Mapping[str, str] | None = None) -> OpenLdap:
        servers.append(OpenLdap(environment))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.remove()
