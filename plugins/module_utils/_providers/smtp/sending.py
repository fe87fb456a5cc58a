# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand mails to a mail server (RFC 5321), over TLS (RFC 8314) or STARTTLS (RFC 3207), and say what it answered."""

from __future__ import annotations

import base64
import functools
import smtplib
import ssl
import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..._model.errors import ProviderError
from ..._model.mails import Delivery, Recipient
from ..._model.notifications import SmtpSpec, read_mailbox
from ..._model.secrets import MASK, Secret

LONGEST_ANSWER = 300
ANSWERS = 10
"""A conversation may take as long as so many answers; then no further command is sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who talks to the server.

    Attributes:
        host: the name of this machine, for EHLO.
        monotonic: seconds that never go back.
        password: of the server's account.
    """

    host: str
    monotonic: Callable[[], float]
    password: Secret | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """What was found at a server: its greeting's name, how the line is encrypted, whether it took the account."""

    server: str
    encryption: str
    logged_in: bool


def check_server(smtp: SmtpSpec, caller: Caller) -> Reached:
    """Reach the server and log in without sending anything. Raises ProviderError."""
    with _Line(smtp, caller).open() as line:
        return line.reached()


def send_mail(smtp: SmtpSpec, caller: Caller, recipients: Sequence[str], content: str) -> Delivery:
    """Hand a mail to the server, and give what became of it with each recipient. No fault is raised.

    Args:
        smtp: the server.
        caller: who talks to it.
        recipients: plain addresses.
        content: the mail as it is sent, in ASCII.
    """
    answers: dict[str, Recipient] = {}
    reached = False
    try:
        with _Line(smtp, caller).open() as line:
            reached = True
            return line.send(recipients, content, answers)
    except ProviderError as error:
        return Delivery(answers=answers, fault=error.message, unreachable=not reached)


class _Line:
    """One conversation with a server."""

    def __init__(self, smtp: SmtpSpec, caller: Caller) -> None:
        self._smtp = smtp
        self._caller = caller
        self._place = f"mail server {smtp.host}:{smtp.port}"
        self._end = caller.monotonic() + ANSWERS * smtp.timeout
        self._client: t.Any = None

    @contextmanager
    def open(self) -> Iterator[_Line]:
        """Connect, encrypt and log in; hang up at the end. Raises ProviderError for every fault of the line."""
        try:
            self._client = self._connect()
            self._log_in()
            yield self
            self._say_goodbye()
        except ssl.SSLCertVerificationError as error:
            raise self._fault(
                f"its certificate cannot be trusted: {error.verify_message}. Name who signed it with `ca_cert`"
            ) from None
        except TimeoutError:
            raise self._silent() from None
        except smtplib.SMTPServerDisconnected as error:
            # smtplib makes a disconnection of a timeout, too.
            timed_out = isinstance(error.__context__, TimeoutError)
            raise (self._silent() if timed_out else self._fault(f"it closed the line ({error})")) from None
        except smtplib.SMTPResponseException as error:
            raise self._fault(self._shown(error.smtp_code, error.smtp_error)) from None
        except smtplib.SMTPException as error:
            raise self._fault(str(error)) from None
        except OSError as error:
            raise self._fault(error.strerror or str(error)) from None
        finally:
            if self._client is not None:
                self._client.close()

    def reached(self) -> Reached:
        """Say what was found."""
        cipher = self._client.sock.version() if isinstance(self._client.sock, ssl.SSLSocket) else "none"
        name = self._text(self._client.ehlo_resp or b"").partition(" ")[0]
        return Reached(server=name, encryption=cipher or "none", logged_in=self._smtp.username is not None)

    def send(self, recipients: Sequence[str], content: str, answers: dict[str, Recipient]) -> Delivery:
        """Send a mail; whom the server refuses for good is entered into `answers` at once, as the line may break."""
        faults: list[str] = []
        code, answer = self._command(lambda: self._client.mail(read_mailbox(self._smtp.sender, "sender").address))
        if code != 250:
            self._judge(recipients, code, answer, answers, faults)
            return Delivery(answers=answers, fault="; ".join(faults))
        taken = []
        for address in recipients:
            code, answer = self._command(functools.partial(self._client.rcpt, address))
            if code in (250, 251):
                taken.append(address)
            else:
                self._judge([address], code, answer, answers, faults)
        if not taken:
            return Delivery(answers=answers, fault="; ".join(faults))
        code, answer = self._command(lambda: self._data(content))
        if code != 250:
            self._judge(taken, code, answer, answers, faults)
            return Delivery(answers=answers, fault="; ".join(faults))
        said = self._shown(code, answer)
        answers.update({each: Recipient(address=each, status="sent", answer=said) for each in taken})
        return Delivery(answers=answers, server=said, fault="; ".join(faults))

    def _judge(
        self, addresses: Sequence[str], code: int, answer: bytes, answers: dict[str, Recipient], faults: list[str]
    ) -> None:
        """Enter what the server said of these: 5yz is for good, everything else may be otherwise later."""
        said = self._shown(code, answer)
        if 500 <= code < 600:
            answers.update({each: Recipient(address=each, status="refused", answer=said) for each in addresses})
        else:
            faults.extend(f"{each}: {said}" for each in addresses)

    def _data(self, content: str) -> tuple[int, bytes]:
        try:
            return t.cast("tuple[int, bytes]", self._client.data(content.encode("ascii")))
        except smtplib.SMTPDataError as error:
            return error.smtp_code, t.cast("bytes", error.smtp_error)

    def _command(self, say: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        if self._caller.monotonic() > self._end:
            raise TimeoutError
        return say()

    def _connect(self) -> smtplib.SMTP:
        smtp = self._smtp
        options: dict[str, t.Any] = {"timeout": smtp.timeout, "local_hostname": self._caller.host}
        if smtp.security == "tls":
            return smtplib.SMTP_SSL(smtp.host, smtp.port, context=self._trust(), **options)
        client = smtplib.SMTP(smtp.host, smtp.port, **options)
        self._client = client
        if smtp.security == "starttls":
            client.ehlo()
            if not client.has_extn("starttls"):
                raise self._fault("it does not offer STARTTLS. Set `security: tls` with its port, or `none`")
            client.starttls(context=self._trust())
        return client

    def _trust(self) -> ssl.SSLContext:
        smtp = self._smtp
        try:
            context = ssl.create_default_context(cafile=smtp.ca_cert)
        except OSError as error:
            raise self._fault(f"`ca_cert` {smtp.ca_cert!r} cannot be read: {error.strerror or error}") from None
        if smtp.cert_validation == "ignore":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _log_in(self) -> None:
        """Log in by PLAIN (RFC 4616) or LOGIN, in UTF-8; smtplib takes ASCII only."""
        client, user = self._client, self._smtp.username
        client.ehlo_or_helo_if_needed()
        if user is None:
            return
        password = "" if self._caller.password is None else self._caller.password.reveal()
        offered = str(client.esmtp_features.get("auth", "")).upper().split()
        if "PLAIN" in offered:
            code, answer = client.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
        elif "LOGIN" in offered:
            code, answer = client.docmd("AUTH", f"LOGIN {_base64(user)}")
            if code == 334:
                code, answer = client.docmd(_base64(password))
        else:
            raise self._fault(f"it offers no login by PLAIN or LOGIN, but: {' '.join(offered) or 'none'}")
        if code != 235:
            raise self._fault(f"it does not take the account {user!r}: {self._shown(code, answer)}")

    def _say_goodbye(self) -> None:
        """Quit. What counts was said before, so a server that does not answer any more is no fault."""
        with suppress(OSError, smtplib.SMTPException):
            self._client.quit()

    def _silent(self) -> ProviderError:
        return self._fault(f"it gave no answer within {self._smtp.timeout:g} s")

    def _fault(self, what: str) -> ProviderError:
        return ProviderError(f"{self._place}: {what}.", retriable=True)

    def _shown(self, code: int, answer: object) -> str:
        return f"{code} {self._text(answer)}".strip()

    def _text(self, answer: object) -> str:
        """Give what a server said as one short line without the password."""
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        password = None if self._caller.password is None else self._caller.password.reveal()
        if password:
            text = text.replace(password, MASK)
        line = " ".join(text.split())
        return "".join(char if char.isprintable() else "?" for char in line)[:LONGEST_ANSWER]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")
