# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire: whole messages out of whatever pieces come, and no wait without an end, plain and with TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap import ber, requests, wire
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.wire import LostConnectionError, Wire
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support import ldap_bytes as raw

DELETED = raw.result(5, 0x6B)
UNBIND = raw.message(5, b"\x42\x00")
Pair: t.TypeAlias = tuple[Wire, socket.socket]
Moods: t.TypeAlias = dict[str, list[Exception | None]]


@pytest.fixture
def connect() -> Iterator[Callable[..., Pair]]:
    """Give a function that makes a wire and the other end of its line."""
    pairs: list[Pair] = []

    def make(**options: t.Any) -> Pair:
        ours, theirs = socket.socketpair()
        theirs.settimeout(30)
        given: dict[str, t.Any] = {"timeout": 30, "first_message_id": 5, "server": "the peer"} | options
        pairs.append((Wire(ours, **given), theirs))
        return pairs[-1]

    yield make
    for line, theirs in pairs:
        line.close()
        theirs.close()


def read_all(sock: socket.socket) -> bytes:
    found = b""
    while piece := sock.recv(65536):
        found += piece
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_are_put_together_from_pieces(connect: Callable[..., Pair], size: int) -> None:
    line, theirs = connect()
    long = raw.result(6, 0x6B, text=b"x" * 300)
    data = DELETED + long

    def send() -> None:
        for at in range(0, len(data), size):
            theirs.sendall(data[at : at + size])

    thread = threading.Thread(target=send)
    thread.start()
    assert [line.receive().response().message_id for _each in range(2)] == [5, 6]
    thread.join()
    assert not line.buffered()


def test_a_message_knows_where_it_lies(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    theirs.sendall(DELETED + raw.message(6, b"\x64\x02\x04\x00"))
    assert line.receive().response().tag == 0x6B
    assert line.buffered()
    found = line.receive()
    assert (found.message_id, found.tag, found.data[found.start : found.stop]) == (6, 0x64, b"\x04\x00")


def test_ids_begin_anew_after_the_last(connect: Callable[..., Pair]) -> None:
    line, _theirs = connect(first_message_id=2**31 - 3)
    assert line.queue([]) == []
    assert line.queue([requests.unbind()] * 2) == [2**31 - 3, 2**31 - 2]
    assert line.queue([requests.unbind()] * 2) == [1, 2]


def test_one_operation_at_a_time(connect: Callable[..., Pair]) -> None:
    line, _theirs = connect()
    line.claim()
    with pytest.raises(RuntimeError, match="the LDAP channel is in use"):
        line.claim()
    line.release()
    line.claim()


def test_a_line_that_was_lost_stays_lost(connect: Callable[..., Pair]) -> None:
    line, _theirs = connect()
    lost = line.lose("gone", retriable=False)
    with pytest.raises(LostConnectionError, match="gone") as caught:
        line.claim()
    assert caught.value is lost
    assert not lost.retriable


def test_answers_nobody_waits_for_are_dropped_until_their_result(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    line.forgotten.add(4)
    theirs.sendall(raw.message(4, raw.element(0x64, b"\x04\x00\x30\x00")) + raw.result(4, 0x65) + DELETED)
    assert line.receive().message_id == 5
    assert line.forgotten == set()


@pytest.mark.parametrize(("code", "retriable"), [(51, True), (52, True), (2, False), (80, False)])
def test_a_notice_of_disconnection_says_whether_to_try_again(
    connect: Callable[..., Pair], code: int, retriable: bool
) -> None:
    line, theirs = connect()
    theirs.sendall(raw.result(0, 0x78, raw.element(0x8A, b"1.3.6.1.4.1.1466.20036"), code=code, text=b"bye"))
    with pytest.raises(LostConnectionError, match=r"the peer ended the connection .*: bye") as caught:
        line.receive()
    assert caught.value.retriable == retriable


def test_a_message_cut_off_within_is_malformed(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    theirs.sendall(b"\x30\x02\x02\x82")
    with pytest.raises(ber.MalformedError, match="cut off"):
        line.receive()


def test_silence_ends_by_the_timeout(connect: Callable[..., Pair]) -> None:
    line, theirs = connect(timeout=0.01)
    theirs.sendall(DELETED[:3])
    with pytest.raises(LostConnectionError, match=r"the peer sent nothing for 0\.01 seconds\. Raise the timeout"):
        line.receive()


def test_what_the_peer_still_said_is_read_before_the_fault(connect: Callable[..., Pair]) -> None:
    """The peer is gone when we send: its last words are what to report."""
    line, theirs = connect()
    theirs.sendall(raw.result(0, 0x78, raw.element(0x8A, b"1.3.6.1.4.1.1466.20036"), code=52, text=b"bye"))
    theirs.close()
    line.queue([requests.delete("cn=x")])
    line.flush()
    with pytest.raises(LostConnectionError, match="bye"):
        line.receive()


def test_a_line_that_breaks_is_named(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    # What was sent and not read makes a reset of the close.
    line.queue([requests.delete("cn=x")])
    line.flush()
    theirs.close()
    with pytest.raises(LostConnectionError, match=r"the connection to the peer broke: .*reset") as caught:
        line.receive()
    assert caught.value.retriable


def test_a_line_that_is_closed_is_named(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    theirs.close()
    with pytest.raises(LostConnectionError, match="the peer closed the connection"):
        line.receive()


def test_what_does_not_go_out_at_once_goes_out_while_reading(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    many = [requests.delete(b"x" * 500_000)] * 8
    line.queue(many)
    line.flush()
    assert line._out, "the line must be full"
    found: list[int] = []

    def answer() -> None:
        wanted = sum(len(each(5 + number)) for number, each in enumerate(many))
        size = 0
        while size < wanted:
            size += len(theirs.recv(65536))
        found.append(size)
        theirs.sendall(DELETED)

    thread = threading.Thread(target=answer)
    thread.start()
    assert line.receive().message_id == 5
    thread.join()
    assert found
    assert not line._out


def test_closing_says_goodbye_once(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    line.close()
    line.close()
    assert read_all(theirs) == UNBIND
    with pytest.raises(LostConnectionError, match="the connection to the peer was closed"):
        line.claim()


def test_closing_a_lost_line_says_nothing(connect: Callable[..., Pair]) -> None:
    line, theirs = connect()
    line.lose("gone")
    line.close()
    assert read_all(theirs) == b""


def test_closing_waits_a_moment_for_a_full_line_and_no_longer(connect: Callable[..., Pair]) -> None:
    line, theirs = connect(timeout=0.01)
    line.queue([requests.delete(b"x" * 4_000_000)])
    line.close()
    assert not read_all(theirs).endswith(UNBIND)


class Moody(socket.socket):
    """A socket that does what TLS does on a bad day: each call raises what `moods` has next, None for nothing."""

    moods: t.ClassVar[Moods] = {}

    def send(self, *given: t.Any) -> int:
        self._be_moody("send")
        return super().send(*given)

    def recv_into(self, *given: t.Any) -> int:
        self._be_moody("recv_into")
        return super().recv_into(*given)

    def _be_moody(self, call: str) -> None:
        mood = self.moods[call].pop(0) if self.moods.get(call) else None
        if mood is not None:
            raise mood


@pytest.fixture
def moody() -> Iterator[tuple[Wire, socket.socket, Moods]]:
    ours, theirs = socket.socketpair()
    sock = Moody(fileno=ours.detach())
    sock.moods = {}
    line = Wire(sock, timeout=30, first_message_id=5, server="the peer")
    line._tls = True
    yield line, theirs, sock.moods
    line.close()
    theirs.close()


def test_tls_may_want_to_read_in_order_to_send_and_the_reverse(
    moody: tuple[Wire, socket.socket, Moods],
) -> None:
    line, theirs, moods = moody
    theirs.sendall(DELETED)
    moods["send"] = [ssl.SSLWantReadError(), ssl.SSLWantWriteError()]
    moods["recv_into"] = [ssl.SSLWantWriteError(), ssl.SSLWantReadError()]
    line.queue([requests.delete("cn=x")])
    line.flush()
    assert line._out
    assert line.receive().message_id == 5
    assert not line._out
    assert theirs.recv(100) == requests.delete("cn=x")(5)


def test_what_was_read_before_a_fault_counts(moody: tuple[Wire, socket.socket, Moods]) -> None:
    line, theirs, moods = moody
    moods["recv_into"] = [None, ConnectionResetError("at once"), ConnectionResetError("again")]
    theirs.sendall(DELETED)
    assert line.receive().message_id == 5
    with pytest.raises(LostConnectionError, match="the connection to the peer broke: again"):
        line.receive()


def test_closing_a_broken_line_never_raises(moody: tuple[Wire, socket.socket, Moods]) -> None:
    line, theirs, moods = moody
    moods["send"] = [BrokenPipeError()]
    line.close()
    assert read_all(theirs) == b""


def test_closing_may_need_two_attempts(moody: tuple[Wire, socket.socket, Moods]) -> None:
    line, theirs, moods = moody
    moods["send"] = [ssl.SSLWantWriteError()]
    line.close()
    assert read_all(theirs) == UNBIND


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the peer")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "peer.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


def test_much_in_both_directions_over_tls(certificate: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(30)
    big = raw.result(5, 0x6B, text=b"y" * 3_000_000)
    wanted = requests.delete(b"x" * 3_000_000)

    def serve() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with context.wrap_socket(theirs, server_side=True) as peer:
            # It reads nothing before all it has to say is read.
            peer.sendall(big)
            size = 0
            while size < len(wanted(5)):
                size += len(peer.recv(65536))
            peer.sendall(raw.result(6, 0x6B) + raw.result(7, 0x6B)[:-1])

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=certificate)
    line = Wire(
        context.wrap_socket(ours, server_hostname="127.0.0.1"), timeout=30, first_message_id=5, server="the peer"
    )
    line.queue([wanted])
    line.flush()
    assert len(line.receive().response().diagnostic) == 3_000_000
    assert line.receive().message_id == 6
    with pytest.raises(LostConnectionError, match=r"closed the connection|broke"):
        line.receive()
    thread.join()
    line.close()


def test_chunks_smaller_than_what_is_there(connect: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CHUNK", 16)
    line, theirs = connect()
    line._tls = True
    theirs.sendall(raw.result(5, 0x6B, text=b"x" * 100))
    assert line.receive().response().diagnostic == "x" * 100
