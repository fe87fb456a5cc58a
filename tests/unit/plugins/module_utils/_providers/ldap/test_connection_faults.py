# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when a server cannot be reached or must not be trusted, and that no password goes where it must not."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    LockstepError,
    ProviderError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.connection import (
    BIND_FAULTS,
    Address,
    Bound,
    Login,
    connect,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support import ldap_codec

PASSWORD = "pa\u00a0ss\u00adwörd"  # with characters that stringprep would take away
CLOSED = "ldap://127.0.0.1:1"
Peer: t.TypeAlias = Callable[..., "FakePeer"]


class FakePeer:
    """A listener that answers every bind in one way, and keeps what it was sent."""

    def __init__(self, code: int, text: str, certificate: Path | None) -> None:
        self.received = b""
        self.connections = 0
        self.ended = threading.Event()
        self._code, self._text, self._certificate = code, text, certificate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{'ldap' if self._certificate is None else 'ldaps'}://{host}:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                accepted, _peer = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), accepted:
                accepted.settimeout(10)
                self._answer(accepted)
            self.ended.set()

    def _answer(self, connection: socket.socket) -> None:
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            while data := connection.recv(65536):
                self.received += data
                message_id, name, _operation, _controls = ldap_codec.decode_request(data)
                if name == "bindRequest":
                    connection.sendall(
                        ldap_codec.result(message_id, "bindResponse", self._code, diagnostic=self._text, controls={})
                    )

    def close(self) -> None:
        # Closing alone does not wake a thread that waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peers: list[FakePeer] = []

    def start(code: int = 0, text: str = "", certificate: Path | None = None) -> FakePeer:
        peers.append(FakePeer(code, text, certificate))
        return peers[-1]

    yield start
    for each in peers:
        each.close()


@pytest.fixture
def certify(tmp_path: Path) -> Callable[..., Path]:
    def make(*, first: int = 2020, last: int = 2100) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the peer")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(dt.datetime(first, 1, 1, tzinfo=dt.timezone.utc))
            .not_valid_after(dt.datetime(last, 1, 1, tzinfo=dt.timezone.utc))
            .add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = tmp_path / f"{first}-{last}.pem"
        path.write_bytes(private + made.public_bytes(pem))
        return path

    return make


def dial(*urls: str, ca: Path | str | None = None, auth: str = "simple", validate: bool = True) -> Bound:
    address = Address(urls=urls, start_tls=False, ca_cert=None if ca is None else str(ca), validate=validate, timeout=5)
    user, password = ("cn=a", Secret(PASSWORD)) if auth == "simple" else (None, None)
    return connect(address, Login(auth=auth, user=user, password=password), "provider 'p'")


def refused(error: type[LockstepError], message: str, *urls: str, **more: t.Any) -> LockstepError:
    with pytest.raises(error, match=message) as caught:
        dial(*urls, **more)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_the_password_is_sent_as_it_was_given(peer: Peer) -> None:
    # ldap3 would prepare a text (RFC 4013), and the server knows nothing of that.
    server = peer()
    dial(server.url()).channel.close()
    assert PASSWORD.encode() in server.received


@pytest.mark.parametrize("data", BIND_FAULTS)
def test_the_reasons_of_active_directory_are_spelled_out(peer: Peer, data: str) -> None:
    text = f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}, v4563\0"
    server = peer(49, text)
    refused(ConfigError, f"refuses the bind as 'cn=a': {BIND_FAULTS[data]}\\.$", server.url())


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (49, ConfigError, "the user name or the password is wrong"),
        (8, ConfigError, r"an encrypted connection only. Use an ldaps:// address, or set `start_tls: true`"),
        (13, ConfigError, r"an encrypted connection only. Use an ldaps:// address, or set `start_tls: true`"),
        (53, ConfigError, r"refuses the bind as 'cn=a': unwillingToPerform \(53\)\.$"),
        (51, ProviderError, r"no server can be reached. ldap://.*: the server answers busy \(51\)\.$"),
        (52, ProviderError, r"the server answers unavailable \(52\)"),
    ],
)
def test_a_refused_bind(peer: Peer, code: int, error: type[LockstepError], message: str) -> None:
    server = peer(code)
    found = refused(error, message, server.url())
    assert getattr(found, "retriable", None) in (None, True)
    # The line is not left open until the garbage collector comes.
    assert server.ended.wait(5)


def test_external_is_for_local_sockets(peer: Peer) -> None:
    refused(ConfigError, r"Use an ldapi:// address for `auth: external`", peer(7).url(), auth="external")


def test_a_busy_server_is_passed_over(peer: Peer) -> None:
    busy, free = peer(51), peer()
    bound = dial(CLOSED, busy.url(), free.url())
    assert bound.url == free.url()
    bound.channel.close()


def test_every_failure_is_named(peer: Peer) -> None:
    busy = peer(51)
    found = refused(ProviderError, "no server can be reached", CLOSED, busy.url(), "ldapi://%2Fno%2Fsuch%2Fsocket")
    for part in (f"{CLOSED}: ", "refused.", f"{busy.url()}: the server answers busy", "ldapi://%2Fno", "No such file"):
        assert part in str(found)


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example"])
def test_a_name_that_no_host_can_have(host: str) -> None:
    refused(ProviderError, f"ldap://{host}: this is no name a host can have", f"ldap://{host}")


def test_a_certificate_that_is_known_is_taken(peer: Peer, certify: Callable[..., Path]) -> None:
    certificate = certify()
    bound = dial(peer(certificate=certificate).url(), ca=certificate)
    assert bound.encrypted
    bound.channel.close()


@pytest.mark.parametrize(
    ("years", "known", "host", "message"),
    [
        ({}, False, "127.0.0.1", "self-signed certificate. Give the CA's certificate as `ca_cert`"),
        ({"last": 2021}, True, "127.0.0.1", "certificate has expired. Renew the server's certificate"),
        ({"first": 2090}, True, "127.0.0.1", "not yet valid. Renew the server's certificate"),
        ({}, True, "127.1", "Use a name of the server that stands in its certificate"),
    ],
)
def test_a_certificate_that_is_not_trusted(
    peer: Peer, certify: Callable[..., Path], years: dict[str, int], known: bool, host: str, message: str
) -> None:
    certificate = certify(**years)
    server = peer(certificate=certificate)
    found = refused(ProviderError, message, server.url(host), ca=certificate if known else None)
    assert f"the certificate of {server.url(host)} is not trusted: " in str(found)
    assert not getattr(found, "retriable", True)
    assert not server.received


def test_no_password_is_sent_in_clear_after_a_certificate_that_is_not_trusted(
    peer: Peer, certify: Callable[..., Path]
) -> None:
    # Who can answer for the first server can make the second one's line his, too.
    stranger, plain = peer(certificate=certify()), peer()
    found = refused(ProviderError, "not tried after that", stranger.url(), plain.url())
    assert plain.url() in str(found)
    assert plain.connections == 0


def test_the_next_server_with_a_good_certificate_is_taken(peer: Peer, certify: Callable[..., Path]) -> None:
    expired, good = certify(last=2021), certify()
    first, second = peer(certificate=expired), peer(certificate=good)
    bound = dial(first.url(), second.url(), ca=good)
    assert bound.url == second.url()
    bound.channel.close()


def test_whoever_looks_at_no_certificate_sees_none(peer: Peer, certify: Callable[..., Path]) -> None:
    bound = dial(peer(certificate=certify(last=2021)).url("127.1"), validate=False)
    assert bound.encrypted
    bound.channel.close()


def test_a_ca_that_cannot_be_used(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    refused(ConfigError, r"ca_cert: '.*empty.pem' cannot be used: it holds no certificate", CLOSED, ca=empty)
    refused(ConfigError, r"ca_cert: '/no/such' cannot be used: No such file", CLOSED, ca="/no/such")


def test_an_empty_password_is_never_sent(peer: Peer) -> None:
    server = peer()
    for password in (None, Secret("")):
        address = Address(urls=(server.url(),), start_tls=False, ca_cert=None, validate=True, timeout=5)
        with pytest.raises(ConfigError, match="the password is missing"):
            connect(address, Login(auth="simple", user="cn=a", password=password), "provider 'p'")
    assert server.connections == 0
