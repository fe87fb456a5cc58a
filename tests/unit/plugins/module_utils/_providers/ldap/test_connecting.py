# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting: every way to log in, and what is said when it fails."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    LockstepError,
    ProviderError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import open_provider
from servers.directories import OpenLdap, SambaAd
from servers.ldap_box import DirectoryBox

CLOSED = "ldap://127.0.0.1:1"


def test_plain_encrypted_and_local(openldap: OpenLdap) -> None:
    box = DirectoryBox(openldap)
    for more in (
        {},
        {"url": [openldap.ldaps_url], "ca_cert": openldap.ca},
        {"url": [openldap.url], "start_tls": True, "ca_cert": openldap.ca},
        {"url": [openldap.ldaps_url], "cert_validation": "ignore"},
        {"url": [openldap.ldapi_url], "auth": "external", "bind_dn": None},
    ):
        provider = box.open(**more)
        assert "bound as dn:cn=admin" in provider.check().details
        provider.close()


def test_anonymous_sees_what_everybody_may(openldap: OpenLdap) -> None:
    provider = DirectoryBox(openldap).open(auth="anonymous", bind_dn=None)
    assert provider.check().server == "OpenLDAP"
    with pytest.raises(ConfigError, match="there is no entry"):
        provider.describe_container(Query())
    provider.close()


def test_the_first_server_that_answers_is_kept(openldap: OpenLdap) -> None:
    provider = DirectoryBox(openldap).open(url=[CLOSED, openldap.url])
    assert provider.check().details.startswith(openldap.url)
    provider.close()
    assert provider.check().details.startswith(openldap.url)
    provider.close()


@pytest.mark.parametrize(
    ("password", "more", "error", "message"),
    [
        ("wrong", {}, ConfigError, "refuses the bind as 'cn=admin,.*': the user name or the password is wrong"),
        ("", {}, ConfigError, "the password is missing. Give `password` or `password_from`"),
        (None, {"url": [CLOSED]}, ProviderError, "no server can be reached. ldap://127.0.0.1:1: .*refused"),
        (None, {"url": ["ldap://no.such.host.invalid"]}, ProviderError, "no server can be reached"),
        (None, {"ca_cert": "/no/such.pem"}, ConfigError, "ca_cert: .*"),
        (None, {"base_dn": None}, ConfigError, "`base_dn` is missing, and the server has several or none"),
        (None, {"start_tls": True}, ProviderError, "the certificate of ldap://.* is not trusted"),
    ],
)
def test_what_is_said_when_it_fails(
    openldap: OpenLdap, password: str | None, more: dict[str, t.Any], error: type[LockstepError], message: str
) -> None:
    provider = DirectoryBox(openldap).open(password, **more)
    with pytest.raises(error, match=message) as caught:
        provider.check()
    assert "secret" not in str(caught.value)


def test_an_untrusted_certificate_says_what_to_do(openldap: OpenLdap) -> None:
    provider = DirectoryBox(openldap).open(url=[openldap.ldaps_url])
    with pytest.raises(ProviderError, match=r"is not trusted.*Give the CA's certificate as `ca_cert`") as caught:
        provider.check()
    assert not caught.value.retriable


def test_active_directory_names_the_reason(samba: SambaAd) -> None:
    box = DirectoryBox(samba)
    with pytest.raises(ConfigError, match=r"an encrypted connection only. Use an ldaps:// address"):
        box.open(url=[samba.plain_url], ca_cert=None).check()
    with pytest.raises(ConfigError, match="the user name or the password is wrong"):
        box.open("wrong").check()
    name = box.texts(
        box.person("Locked", userAccountControl="514", unicodePwd='"Passw0rd!xyz"'.encode("utf-16-le")),
        "sAMAccountName",
    )
    with pytest.raises(ConfigError, match="the account is disabled"):
        box.open("Passw0rd!xyz", username=f"{name[0]}@ad.test").check()
    tls = box.open(url=[samba.plain_url], start_tls=True)
    assert tls.check().server == "Active Directory"
    tls.close()


def test_a_server_that_dies_while_it_is_read_proves_nothing(start_openldap: Callable[..., OpenLdap]) -> None:
    server = start_openldap()
    box = DirectoryBox(server)
    for number in range(40):
        box.person(f"p{number}", description="x" * 1000)
    provider = box.open(page_size=5)
    with provider.read(Query(container=box.base), ("cn", "description")) as reading:
        batches = reading.batches()
        assert next(batches)
        server.kill()
        with pytest.raises(ProviderError) as caught:
            list(batches)
    assert caught.value.retriable
    assert not reading.completeness.proven
    server.start()
    provider.close()
    with provider.read(Query(container=box.base), ("cn",)) as reading:
        assert sum(len(batch) for batch in reading.batches()) == 41
    assert reading.completeness.proven
    provider.close()


def test_a_size_limit_is_not_the_end(start_openldap: Callable[..., OpenLdap]) -> None:
    server = start_openldap({"SLAPD_SIZE_HARD": "3", "SLAPD_SIZE_SOFT": "3", "SLAPD_SIZE_PAGED": "3"})
    box = DirectoryBox(server)
    reader = box.person("reader", userPassword="letmein99")
    for number in range(6):
        box.add(f"cn=g{number},{box.base}", ("top", "groupOfNames"), member=reader)
    provider = box.open("letmein99", bind_dn=reader)
    with provider.read(Query(container=box.base), ("cn",)) as reading:
        assert sum(len(batch) for batch in reading.batches()) <= 4
    assert not reading.completeness.proven
    assert "LimitExceeded" in reading.completeness.reason
    with pytest.raises(ProviderError, match="who is a member of what is not known"):
        provider.memberships([reader])
    provider.close()


def test_what_is_no_directory_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()

        spec = parse_provider("p", {"ldap": {"url": f"ldap://127.0.0.1:{port}", "auth": "anonymous", "timeout": 2}})
        with pytest.raises(LockstepError):
            open_provider(spec, {}).check()
        thread.join()
