# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real mail server for the tests, `smtp_sink.py`: started on free ports, stopped by its own process."""

from __future__ import annotations

import email
import email.policy
import json
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from servers.smtp_sink import PASSWORD

PROGRAM = Path(__file__).with_name("smtp_sink.py")
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
START_SECONDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One mail that arrived: envelope and content."""

    sender: str
    to: list[str]
    tls: bool
    user: str | None
    message: EmailMessage

    @property
    def text(self) -> str:
        """The part in plain text."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The part in HTML."""
        return self._body("html")

    def attachment(self, ending: str) -> str:
        """Give the text of the attachment whose name ends so."""
        (found,) = (part for part in self.message.iter_attachments() if str(part.get_filename()).endswith(ending))
        return t.cast("bytes", found.get_payload(decode=True)).decode("utf-8")

    def _body(self, kind: t.Literal["plain", "html"]) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())


class MailServer:
    """The sink; it can be stopped and started again on the same ports, and keeps what it was sent."""

    password = PASSWORD

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: list[int] = []
        self.ca_cert = folder / "cert.pem"
        folder.mkdir()
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "30", "-subj", "/CN=localhost", "-addext", NAMES]
        command += ["-keyout", str(folder / "key.pem"), "-out", str(self.ca_cert)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        """Start the server and wait until it listens."""
        told = self._folder / "ports"
        told.unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(self._folder), *map(str, self._ports)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not told.exists():
            gone = self._process.poll() is not None or time.monotonic() > deadline
            assert not gone, (self._folder / "log").read_text()
            time.sleep(0.02)
        self._ports = json.loads(told.read_text(encoding="utf-8"))

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @property
    def mails(self) -> list[Received]:
        """What arrived, in order."""
        return [self._read(path) for path in sorted((self._folder / "mail").glob("*.json"))]

    def smtp(self, security: str = "starttls", **options: t.Any) -> dict[str, t.Any]:
        """Give the options of a notification that sends through it, with account but without password."""
        port = self._ports[("starttls", "tls", "none").index(security)]
        secure = {"username": "test", "ca_cert": str(self.ca_cert)} if security != "none" else {}
        sender = "lockstep <lockstep@example.com>"
        return (
            {"host": "127.0.0.1", "port": port, "security": security, "sender": sender, "timeout": 10}
            | secure
            | options
        )

    def _read(self, path: Path) -> Received:
        envelope = json.loads(path.read_text(encoding="utf-8"))
        content = path.with_suffix(".eml").read_bytes()
        message = t.cast("EmailMessage", email.message_from_bytes(content, policy=email.policy.default))
        return Received(
            sender=envelope["from"],
            to=envelope["to"],
            tls=envelope["tls"],
            user=envelope["user"],
            message=message,
        )


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server of the test's own."""
    server = MailServer(tmp_path / "mail-server")
    try:
        server.start()
        yield server
    finally:
        server.stop()
