# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open and bind a connection with ldap3, and hand its socket to our own channel.

Several addresses are tried in order; the one that answered is kept, so that one run sees one server.
"""

from __future__ import annotations

import ssl
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._model.errors import ConfigError, DependencyError, ProviderError
from ..._model.secrets import Secret
from .channel import Channel
from .responses import BUSY, UNAVAILABLE, result_text

INSTALL = "pip install ldap3"
INVALID_CREDENTIALS, STRONGER_AUTH_REQUIRED, CONFIDENTIALITY_REQUIRED = 49, 8, 13
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
        ConfigError: the login is incomplete or refused.
        DependencyError: ldap3 is not installed.
        ProviderError: no server answers, or its certificate is not trusted.
    """
    if login.auth == "simple" and (login.password is None or not login.password.reveal()):
        # RFC 4513 section 5.1.2: a bind with an empty password succeeds as anonymous.
        raise ConfigError(f"{where}: the password is missing. Give `password` or `password_from`.")
    failures: list[str] = []
    for url in address.urls:
        try:
            return _connect_one(url, address, login, where)
        except _UnreachableError as error:
            failures.append(f"{url}: {error}")
    raise ProviderError(f"{where}: no server can be reached. {' '.join(failures)}", retriable=True)


class _UnreachableError(Exception):
    """This address does not answer; the next may."""


def _connect_one(url: str, address: Address, login: Login, where: str) -> Bound:
    ldap3 = _ldap3(where)
    verify = ssl.CERT_REQUIRED if address.validate else ssl.CERT_NONE
    try:
        tls = ldap3.Tls(validate=verify, ca_certs_file=address.ca_cert)
    except ldap3.core.exceptions.LDAPExceptionError as error:
        raise ConfigError(f"{where}: ca_cert: {error}. Give the path of a readable PEM file.") from None
    server = ldap3.Server(
        url.rstrip("/"), use_ssl=url.startswith("ldaps:"), tls=tls, get_info=ldap3.NONE, connect_timeout=address.timeout
    )
    options: dict[str, t.Any] = {"authentication": ldap3.ANONYMOUS}
    if login.auth == "simple":
        options = {
            "authentication": ldap3.SIMPLE,
            "user": login.user,
            "password": login.password.reveal() if login.password is not None else None,
        }
    elif login.auth == "external":
        options = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
    connection = ldap3.Connection(
        server, check_names=False, auto_referrals=False, receive_timeout=max(1, round(address.timeout)), **options
    )
    try:
        connection.open(read_server_info=False)
        if address.start_tls and not connection.start_tls(read_server_info=False):
            raise ProviderError(f"{where}: {url} refuses StartTLS: {connection.result.get('message') or 'no reason'}")
        connection.bind(read_server_info=False)
    except ldap3.core.exceptions.LDAPExceptionError as error:
        raise _unreachable(error, where, url) from None
    _check_bind(connection.result, login, where, url)
    channel = Channel(
        connection.socket,
        timeout=address.timeout,
        first_message_id=server.next_message_id() + 1,
        server=url,
    )
    encrypted = isinstance(connection.socket, ssl.SSLSocket) or url.startswith("ldapi:")
    return Bound(channel=channel, url=url, encrypted=encrypted, keep=connection)


def _ldap3(where: str) -> t.Any:
    try:
        import ldap3
        import ldap3.core.exceptions
    except ImportError as error:
        raise DependencyError(f"{where}: the library ldap3 is missing ({error}). Install it: {INSTALL}") from None
    return ldap3


def _unreachable(error: Exception, where: str, url: str) -> Exception:
    text = str(error)
    if "certificate" in text.lower() or "hostname" in text.lower() or "doesn't match" in text.lower():
        return ProviderError(
            f"{where}: the certificate of {url} is not trusted: {text}. Give the CA's certificate as `ca_cert`, and "
            "use the name that stands in the certificate."
        )
    return _UnreachableError(f"{text}.")


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
        raise _UnreachableError(f"the server answers {result_text(code, message)}.")
    raise ConfigError(f"{where}: {url} refuses the bind as {who!r}: {result_text(code, message)}.")


def kept_first(urls: Sequence[str], url: str) -> tuple[str, ...]:
    """Give only the address that answered: a run that saw one server must not see another."""
    return (url,) if url in urls else tuple(urls)
