# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handing mails to a real mail server: what it takes, what it refuses, and every way the line can break."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.mails import Delivery
from ansible_collections.lockstep.sync.plugins.module_utils._model.notifications import parse_notification
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._providers.smtp.sending import (
    Caller,
    check_server,
    send_mail,
)
from servers.fixtures import free_port
from servers.mails import MailServer

CONTENT = "Subject: hello\r\n\r\n.one line\r\n"


def caller(password: str | None = MailServer.password, monotonic: Callable[[], float] = lambda: 0.0) -> Caller:
    return Caller(host="sync01", monotonic=monotonic, password=None if password is None else Secret(password))


def send(smtp: dict[str, t.Any], *recipients: str, by: Caller | None = None) -> Delivery:
    spec = parse_notification("n", {"smtp": smtp}).smtp
    return send_mail(spec, by or caller(), recipients or ("ann@example.com",), CONTENT)


def statuses(delivery: Delivery) -> dict[str, str]:
    return {address: each.status for address, each in delivery.answers.items()}


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_mail_arrives_as_it_was_written(mail_server: MailServer, security: str) -> None:
    delivery = send(mail_server.smtp(security))
    assert statuses(delivery) == {"ann@example.com": "sent"}
    assert (delivery.server, delivery.fault) == ("250 2.0.0 queued as 0001", "")
    (mail,) = mail_server.mails
    assert (mail.sender, mail.to) == ("lockstep@example.com", ["ann@example.com"])
    assert (mail.tls, mail.user) == ((True, "test") if security != "none" else (False, None))
    assert mail.message.get_content() == ".one line\r\n"


def test_who_is_refused_keeps_nobody_else_from_getting_it(mail_server: MailServer) -> None:
    delivery = send(
        mail_server.smtp("none"), "ann@example.com", "reject@example.com", "defer@example.com", "bob@x.test"
    )
    assert statuses(delivery) == {"ann@example.com": "sent", "reject@example.com": "refused", "bob@x.test": "sent"}
    assert delivery.answers["reject@example.com"].answer == "550 5.1.1 no such user"
    assert delivery.fault == "defer@example.com: 451 4.7.1 try again later"
    assert mail_server.mails[0].to == ["ann@example.com", "bob@x.test"]
    assert not delivery.unreachable


def test_when_all_are_refused_no_mail_is_sent(mail_server: MailServer) -> None:
    delivery = send(mail_server.smtp("none"), "reject@example.com")
    assert (statuses(delivery), delivery.server, delivery.fault) == ({"reject@example.com": "refused"}, "", "")
    assert mail_server.mails == []


@pytest.mark.parametrize(
    ("recipient", "status", "said"),
    [("spam", "refused", "554 5.7.1 looks like spam"), ("busy", None, "452 4.3.1 disk full")],
)
def test_what_is_said_of_the_mail_itself_holds_for_all(
    mail_server: MailServer, recipient: str, status: str | None, said: str
) -> None:
    delivery = send(mail_server.smtp("none"), f"{recipient}@example.com")
    if status is None:
        assert (delivery.answers, delivery.fault) == ({}, f"{recipient}@example.com: {said}")
    else:
        assert delivery.answers[f"{recipient}@example.com"].answer == said
    assert mail_server.mails == []


@pytest.mark.parametrize(("sender", "refused"), [("nobody@example.com", True), ("later@example.com", False)])
def test_a_refused_sender_holds_for_all_recipients(mail_server: MailServer, sender: str, refused: bool) -> None:
    delivery = send(mail_server.smtp("none", sender=sender))
    assert statuses(delivery) == ({"ann@example.com": "refused"} if refused else {})
    assert bool(delivery.fault) is not refused


def test_a_line_that_is_dropped_leaves_who_was_refused_and_nothing_else(mail_server: MailServer) -> None:
    delivery = send(mail_server.smtp("none"), "reject@example.com", "drop@example.com")
    assert statuses(delivery) == {"reject@example.com": "refused"}
    assert "closed the line" in delivery.fault or "reset" in delivery.fault
    assert not delivery.unreachable


def test_a_wrong_password_is_told_without_showing_it(mail_server: MailServer) -> None:
    delivery = send(mail_server.smtp(), by=caller("not-the-one"))
    assert "does not take the account 'test': 535" in delivery.fault
    assert "not-the-one" not in delivery.fault
    assert (delivery.unreachable, delivery.answers, mail_server.mails) == (True, {}, [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(mail_server: MailServer, security: str) -> None:
    smtp = mail_server.smtp(security)
    del smtp["ca_cert"]
    delivery = send(smtp)
    assert "its certificate cannot be trusted" in delivery.fault
    assert (delivery.unreachable, mail_server.mails) == (True, [])
    assert statuses(send(smtp | {"cert_validation": "ignore"})) == {"ann@example.com": "sent"}


def test_a_certificate_of_another_name_is_refused(mail_server: MailServer) -> None:
    delivery = send(mail_server.smtp(host="127.0.0.2"))
    assert delivery.unreachable  # the sink does not listen there
    with listening(b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n") as port:
        broken = send(mail_server.smtp(port=port))
    assert "454 4.7.0 not now" in broken.fault


def test_a_file_with_certificates_that_is_not_there_is_named(mail_server: MailServer) -> None:
    delivery = send(mail_server.smtp(ca_cert="/nowhere/ca.pem"))
    assert "`ca_cert` '/nowhere/ca.pem' cannot be read: No such file" in delivery.fault


def test_a_server_without_starttls_gets_no_mail_and_no_password(mail_server: MailServer) -> None:
    port = mail_server.smtp("none")["port"]
    delivery = send(mail_server.smtp("starttls", port=port))
    assert "it does not offer STARTTLS" in delivery.fault
    assert mail_server.mails == []


def test_a_server_that_is_not_there_is_a_fault_of_the_line() -> None:
    port = free_port()
    delivery = send({"host": "127.0.0.1", "port": port, "security": "none", "sender": "a@b.c"})
    assert delivery.fault == f"mail server 127.0.0.1:{port}: Connection refused."
    assert (delivery.unreachable, delivery.answers) == (True, {})


@contextmanager
def listening(*answers: bytes) -> Iterator[int]:
    """Listen as a server that says these lines, one after each line that it gets, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _address = server.accept()
            with line:
                for number, answer in enumerate(answers):
                    if number:
                        line.recv(4096)
                    line.sendall(answer)
                line.recv(4096)
                line.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(30)


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_the_timeout() -> None:
    with listening() as port:
        delivery = send({"host": "127.0.0.1", "port": port, "security": "none", "sender": "a@b.c", "timeout": 0.2})
    assert "it gave no answer within 0.2 s" in delivery.fault
    assert delivery.unreachable


def test_a_conversation_ends_when_it_has_taken_ten_answers_time(mail_server: MailServer) -> None:
    times = iter([0.0, 50.0, 99.0, 101.0])
    delivery = send(mail_server.smtp("none"), "a@x.test", "b@x.test", by=caller(None, lambda: next(times)))
    assert "it gave no answer within 10 s" in delivery.fault
    assert (delivery.answers, mail_server.mails) == ({}, [])


def test_a_server_that_takes_no_known_login_is_told_apart() -> None:
    smtp = {"host": "127.0.0.1", "security": "none", "sender": "a@b.c", "username": "test"}
    with listening(b"220 x\r\n", b"250-x\r\n250 AUTH GSSAPI\r\n") as port:
        delivery = send(smtp | {"port": port})
    assert "it offers no login by PLAIN or LOGIN, but: GSSAPI" in delivery.fault


def test_login_is_used_where_plain_is_not_offered() -> None:
    smtp = {"host": "127.0.0.1", "security": "none", "sender": "a@b.c", "username": "test"}
    said = (b"220 x\r\n", b"250-x\r\n250 AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n")
    with listening(*said[:3], b"535 wrong\x1b[1m password\r\n") as port:
        delivery = send(smtp | {"port": port})
    assert delivery.fault.endswith("does not take the account 'test': 535 wrong?[1m password.")


def test_no_greeting_of_a_mail_server_is_told(mail_server: MailServer) -> None:
    with listening(b"554 no service here\r\n") as port:
        delivery = send({"host": "127.0.0.1", "port": port, "security": "none", "sender": "a@b.c"})
    assert "554 no service here" in delivery.fault


def test_a_check_reaches_the_server_and_sends_nothing(mail_server: MailServer) -> None:
    spec = parse_notification("n", {"smtp": mail_server.smtp()}).smtp
    reached = check_server(spec, caller())
    assert (reached.server, reached.logged_in) == ("sink.test", True)
    assert reached.encryption.startswith("TLSv1")
    plain = parse_notification("n", {"smtp": mail_server.smtp("none")}).smtp
    assert check_server(plain, caller(None)).encryption == "none"
    assert mail_server.mails == []
    with pytest.raises(ProviderError, match="does not take the account"):
        check_server(spec, caller(None))
