# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real SMTP server that keeps what it is sent: smtp_sink.py FOLDER [PORT PORT PORT], a program of its own.

The ports (free ones when none are given) stand in FOLDER/ports: STARTTLS and login needed; TLS from the beginning and
login needed; plain without login. The account is `test` with the password `test-pässword`. Each mail is kept as
FOLDER/mail/NNNN.eml with its envelope in NNNN.json. Recipients decide what happens:

reject@ 550, defer@ 451, grey@ 450 the first time and 250 from then on, drop@ closes the line at DATA, spam@ 554 at
DATA, busy@ 452 at DATA, slow@ answers DATA after 3 seconds. A sender nobody@ is refused with 550, later@ with 451.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "test-pässword"


class Sink:
    """What the server does with each command."""

    def __init__(self, folder: Path) -> None:
        self._mails = folder / "mail"
        self._mails.mkdir(exist_ok=True)
        self._seen: set[str] = set()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.7.1 sender not allowed"
        if address.startswith("later@"):
            return "451 4.7.1 sender not known yet"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("reject@"):
            return "550 5.1.1 no such user"
        if address.startswith("defer@"):
            return "451 4.7.1 try again later"
        if address.startswith("grey@") and address not in self._seen:
            self._seen.add(address)
            return "450 4.2.0 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        asked = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if "drop" in asked:
            server.transport.abort()
            return "421 gone"
        if "slow" in asked:
            await asyncio.sleep(3)
        for name, answer in (("spam", "554 5.7.1 looks like spam"), ("busy", "452 4.3.1 disk full")):
            if name in asked:
                return answer
        number = 1 + len(list(self._mails.glob("*.eml")))
        path = self._mails / f"{number:04}"
        path.with_suffix(".eml").write_bytes(envelope.original_content or b"")
        account = session.auth_data.login.decode() if session.auth_data else None
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": account,
        }
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(told), encoding="utf-8")
        unfinished.rename(path.with_suffix(".json"))
        return f"250 2.0.0 queued as {number:04}"


def check_account(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"test", PASSWORD.encode())
    return AuthResult(success=good, handled=False, auth_data=data if good else None)


async def serve(folder: Path, ports: list[int]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    sink = Sink(folder)
    common = {"hostname": "sink.test", "data_size_limit": 10_000_000, "timeout": 60}
    login = {"authenticator": check_account, "auth_required": True}

    def starttls() -> SMTP:
        return SMTP(sink, tls_context=context, require_starttls=True, **login, **common)

    def tls() -> SMTP:
        return SMTP(sink, auth_require_tls=False, **login, **common)

    def plain() -> SMTP:
        return SMTP(sink, **common)

    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(starttls, "127.0.0.1", ports[0]),
        await loop.create_server(tls, "127.0.0.1", ports[1], ssl=context),
        await loop.create_server(plain, "127.0.0.1", ports[2]),
    ]
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    chosen = [server.sockets[0].getsockname()[1] for server in servers]
    unfinished = folder / "ports.tmp"
    unfinished.write_text(json.dumps(chosen), encoding="utf-8")
    unfinished.rename(folder / "ports")
    await stopped.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), [int(port) for port in sys.argv[2:5]] or [0, 0, 0]))
