# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open and bind a connection with ldap3, and hand its socket to our own channel.

Several addresses are tried in order; the one that answered is kept, so that one run sees one server.
"""

from __future__ import annotations

import re
import ssl
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._model.errors import ConfigError, DependencyError, ProviderError
from ..._model.secrets import Secret
from .channel import Channel
from .responses import BUSY, UNAVAILABLE, result_text

INSTALL = "pip install ldap3"
INVALID_CREDENTIALS, STRONGER_AUTH_REQUIRED, CONFIDENTIALITY_REQUIRED, AUTH_METHOD_NOT_SUPPORTED = 49, 8, 13, 7
BIND_FAULTS: Mapping[str, str] = {
    "525": "there is no such user",
    "52e": "the user name or the password is wrong",
    "530": "the account may not log on at this time",
    "531": "the account may not log on from this computer",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked",
}
"""The data codes of Active Directory's answer to a bind (winerror.h)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a directory is and how it is reached; `ca_cert` None takes the system's certificates."""

    urls: tuple[str, ...]
    start_tls: bool
    ca_cert: str | None
    validate: bool
    timeout: float

    def is_checked(self, url: str) -> bool:
        """Tell whether the server at `url` must prove who it is."""
        return self.validate and (self.start_tls or url.startswith("ldaps:"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """Who binds: `auth` is simple, external or anonymous."""

    auth: str
    user: str | None = None
    password: Secret | None = None


@dataclass(kw_only=True, slots=True)
class Bound:
    """A bound connection: its channel, the address that answered, and whether nobody can listen in."""

    channel: Channel
    url: str
    encrypted: bool
    keep: t.Any


def connect(address: Address, login: Login, where: str) -> Bound:
    """Connect to the first address that answers, and bind.

    Raises:
        ConfigError: the login is incomplete or refused, or `ca_cert` cannot be used.
        DependencyError: ldap3 is not installed.
        ProviderError: no server answers, or none whose certificate is trusted; names what each address said.
    """
    if login.auth == "simple" and (login.password is None or not login.password.reveal()):
        # RFC 4513 section 5.1.2: a bind with an empty password succeeds as anonymous.
        raise ConfigError(f"{where}: the password is missing. Give `password` or `password_from`.")
    if address.ca_cert is not None:
        _check_ca(address.ca_cert, where)
    failures: list[_FailedError] = []
    for url in address.urls:
        try:
            if any(error.untrusted for error in failures) and not address.is_checked(url):
                # Who stands between us and the first server must not get the password in clear from the second.
                raise _FailedError(f"{url}: not tried after that, because its certificate would not be checked.")
            return _connect_one(url, address, login, where)
        except _FailedError as error:
            failures.append(error)
    said = " ".join(map(str, failures))
    raise ProviderError(
        f"{where}: no server can be reached. {said}", retriable=not any(error.untrusted for error in failures)
    )


class _FailedError(Exception):
    """This address cannot be used, as the message says in a sentence that names it; the next may.

    `untrusted` says that somebody answered, whose certificate proves nothing.
    """

    def __init__(self, message: str, *, untrusted: bool = False) -> None:
        super().__init__(message)
        self.untrusted = untrusted


def _check_ca(path: str, where: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            f"{where}: ca_cert: {path!r} cannot be used: {reason}. Give the path of a readable PEM file with the "
            "certificate of the CA."
        ) from None


def _connect_one(url: str, address: Address, login: Login, where: str) -> Bound:
    ldap3 = _ldap3(where)
    options: dict[str, t.Any] = {"authentication": ldap3.ANONYMOUS}
    if login.auth == "simple" and login.password is not None:
        # As bytes: in a text ldap3 would replace characters (RFC 4013), and servers do not when they set a password.
        password = login.password.reveal().encode("utf-8")
        options = {"authentication": ldap3.SIMPLE, "user": login.user, "password": password}
    elif login.auth == "external":
        options = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
    connection: t.Any = None
    channel: Channel | None = None
    try:
        verify = ssl.CERT_REQUIRED if address.validate else ssl.CERT_NONE
        tls = ldap3.Tls(validate=verify, ca_certs_file=address.ca_cert)
        encrypts = url.startswith("ldaps:")
        server = ldap3.Server(
            url.rstrip("/"), use_ssl=encrypts, tls=tls, get_info=ldap3.NONE, connect_timeout=address.timeout
        )
        connection = ldap3.Connection(
            server, check_names=False, auto_referrals=False, receive_timeout=max(1, round(address.timeout)), **options
        )
        connection.open(read_server_info=False)
        if address.start_tls and not connection.start_tls(read_server_info=False):
            raise ProviderError(f"{where}: {url} refuses StartTLS: {connection.result.get('message') or 'no reason'}")
        connection.bind(read_server_info=False)
        _check_bind(connection.result, login, where, url)
        channel = Channel(
            connection.socket,
            timeout=address.timeout,
            first_message_id=server.next_message_id() + 1,
            server=url,
        )
    except UnicodeError:
        raise _FailedError(f"{url}: this is no name a host can have.") from None
    except (ldap3.core.exceptions.LDAPExceptionError, OSError) as error:
        raise _failure(str(error), url) from None
    finally:
        if channel is None and connection is not None and connection.socket is not None:
            connection.socket.close()
    encrypted = isinstance(connection.socket, ssl.SSLSocket) or url.startswith("ldapi:")
    return Bound(channel=channel, url=url, encrypted=encrypted, keep=connection)


def _ldap3(where: str) -> t.Any:
    try:
        import ldap3
        import ldap3.core.exceptions
    except ImportError as error:
        raise DependencyError(f"{where}: the library ldap3 is missing ({error}). Install it: {INSTALL}") from None
    return ldap3


_WRAPPING = re.compile(r"^[(\"']+|[)\"',]+$| \(_ssl\.c:\d+\)")
_UNTRUSTED = re.compile(r"certificate verify failed: (.+)")


def _failure(text: str, url: str) -> _FailedError:
    """Give what happened for people. ldap3 wraps its errors in one another, and in brackets and quotes."""
    plain = _WRAPPING.sub("", _WRAPPING.sub("", text)).rstrip(". ")
    found = _UNTRUSTED.search(plain)
    if found is None and "match" not in plain:
        return _FailedError(f"{url}: {plain}.")
    reason = plain if found is None else found[1].rstrip(".,'\") ")
    if "expired" in reason or "not yet valid" in reason:
        advice = "Renew the server's certificate, and check the clocks of both machines"
    elif found is None or "mismatch" in reason:
        advice = "Use a name of the server that stands in its certificate"
    else:
        advice = "Give the CA's certificate as `ca_cert`"
    return _FailedError(f"the certificate of {url} is not trusted: {reason}. {advice}.", untrusted=True)


def _check_bind(result: Mapping[str, t.Any], login: Login, where: str, url: str) -> None:
    code = result.get("result", -1)
    if code == 0:
        return
    message = str(result.get("message") or "")
    who = login.user or login.auth
    if code == INVALID_CREDENTIALS:
        reason = next(
            (text for data, text in BIND_FAULTS.items() if f"data {data}" in message.lower()),
            "the user name or the password is wrong",
        )
        raise ConfigError(f"{where}: {url} refuses the bind as {who!r}: {reason}.")
    if code in (STRONGER_AUTH_REQUIRED, CONFIDENTIALITY_REQUIRED):
        raise ConfigError(
            f"{where}: {url} takes passwords over an encrypted connection only. Use an ldaps:// address, or set "
            "`start_tls: true`."
        )
    if code in (BUSY, UNAVAILABLE):
        raise _FailedError(f"{url}: the server answers {result_text(code, message)}.")
    advice = (
        " Use an ldapi:// address for `auth: external`."
        if code == AUTH_METHOD_NOT_SUPPORTED and login.auth == "external"
        else ""
    )
    raise ConfigError(
        f"{where}: {url} refuses the bind as {who!r}: {result_text(code, message).rstrip(':. ')}.{advice}"
    )


def kept_first(urls: Sequence[str], url: str) -> tuple[str, ...]:
    """Give only the address that answered: a run that saw one server must not see another."""
    return (url,) if url in urls else tuple(urls)
