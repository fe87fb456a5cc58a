# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the providers ldap and active_directory: defaults, addresses, and what does not go together."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import DIRECTORIES
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import (
    SECRET_OPTIONS,
    parse_provider,
    provider_definition,
)

COMMON = {
    "base_dn": None,
    "start_tls": False,
    "ca_cert": None,
    "cert_validation": "always",
    "page_size": 1000,
    "timeout": 30.0,
}


def ldap(**options: t.Any) -> dict[str, t.Any]:
    return {"ldap": {"url": "ldap://h", "auth": "anonymous", **options}}


def ad(**options: t.Any) -> dict[str, t.Any]:
    return {"active_directory": {"url": "ldaps://dc", "username": "sync@example.com", **options}}


def test_fills_in_the_defaults() -> None:
    simple = {"ldap": {"url": "ldap://h", "bind_dn": " cn=Sync , dc=x"}}
    assert parse_provider("x", simple).options == {
        "url": ["ldap://h"],
        **COMMON,
        "bind_dn": "cn=Sync,dc=x",
        "auth": "simple",
    }
    assert parse_provider("x", ad()).options == {"url": ["ldaps://dc"], **COMMON, "username": "sync@example.com"}


@pytest.mark.parametrize(
    "definition",
    [
        ldap(url=["ldap://one", "ldap://two:1389"], start_tls=True, base_dn="dc=x", ca_cert="/ca.pem"),
        ldap(auth="external", url="ldapi://%2Frun%2Fldapi", page_size=100_000, timeout=0.5),
        ldap(cert_validation="ignore", url=["ldaps://[::1]:636/"]),
        ad(username="EXAMPLE\\sync", base_dn="DC=example,DC=com"),
        ad(username="CN=Sync,DC=example,DC=com"),
    ],
)
def test_what_is_written_is_read_back_the_same(definition: dict[str, t.Any]) -> None:
    spec = parse_provider("x", definition)
    assert parse_provider("x", provider_definition(spec)) == spec


def test_the_password_is_kept_apart() -> None:
    assert all(SECRET_OPTIONS[type_name] == ("password",) for type_name in DIRECTORIES)
    for definition in (ldap(password="hush-hush"), ad(password="hush-hush")):
        with pytest.raises(ConfigError, match="there is no option 'password'") as caught:
            parse_provider("x", definition)
        assert "hush" not in caught.value.message


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (ldap(url=None), "provider 'x', ldap: `url` is missing. Give the server, such as ldaps://dc1"),
        (ldap(url=[]), "`url` is missing"),
        (ldap(url=5), "`url` must be a list"),
        (ldap(url=["ldap://h", ""]), "there is no scheme in `url` 'a text without `://`'"),
        (ldap(url="http://h"), "there is no scheme in `url` 'http'. Valid: 'ldap', 'ldapi', 'ldaps'"),
        (ldap(url="dc1.example.com"), "there is no scheme in `url` 'a text without"),
        (ldap(url="ldap://"), "`url` 'ldap://' names no host"),
        (ldap(url="ldaps://:636"), "`url` 'ldaps://:636' names no host"),
        (ldap(url="ldap://h:99999"), "has no valid host and port. Valid ports: 1 to 65535"),
        (ldap(url="ldap://h:0"), "has no valid host and port"),
        (ldap(url="ldap://h:x"), "has no valid host and port"),
        (ldap(url="ldap://[::1"), "has no valid host and port"),
        (ldap(url="ldap://h/dc=x"), "has a path or query. .* the base as `base_dn`"),
        (ldap(url="ldap://h?cn"), "has a path or query"),
        (ldap(url="ldap://a b"), "has blanks or control characters in it"),
        (ldap(url="ldap://h\n"), "has blanks or control characters in it"),
        (ldap(url="ldapi://"), "names no socket. Give its absolute path with each / written as %2F"),
        (ldap(url="ldapi:///run/ldapi"), "names no socket"),
        (ldap(url="ldapi://ldapi"), "names no socket"),
        (ldap(base_dn="people"), "provider 'x', ldap: `base_dn` must be a distinguished name: 'people' is no"),
        (ldap(auth="simple"), "`bind_dn` is missing; `auth: simple` needs it"),
        (ldap(auth="simple", bind_dn="sync"), "`bind_dn` must be a distinguished name"),
        (ldap(bind_dn="cn=a"), "`bind_dn` does not go with `auth: anonymous`"),
        (ldap(auth="external", bind_dn="cn=a"), "`bind_dn` does not go with `auth: external`"),
        (ldap(auth="gssapi"), "`auth` must be one of 'simple', 'external', 'anonymous', got 'gssapi'"),
        (ldap(url=["ldap://h", "ldaps://h"], start_tls=True), "`start_tls` goes with ldap:// only, got 'ldaps://h'"),
        (ldap(url="ldapi://%2Fs", start_tls=True), "`start_tls` goes with ldap:// only"),
        (ldap(ca_cert="/ca.pem", cert_validation="ignore"), "Leave one of them out"),
        (ldap(cert_validation="never"), "`cert_validation` must be one of 'always', 'ignore', got 'never'"),
        (ldap(page_size=0), "`page_size` must be a whole number of at least 1 and at most 100000, got 0"),
        (ldap(page_size=100_001), "`page_size` must be a whole number"),
        (ldap(timeout=0), "`timeout` must be a number of seconds above 0, got 0"),
        (ldap(timeout=-1), "`timeout` must be a number of seconds, not negative"),
        (ldap(username="a"), "provider 'x', ldap: there is no option 'username'"),
        (ad(username=""), "provider 'x', active_directory: `username` is missing"),
        (ad(bind_dn="cn=a"), "provider 'x', active_directory: there is no option 'bind_dn'"),
        (ad(auth="simple"), "provider 'x', active_directory: there is no option 'auth'"),
    ],
)
def test_refuses_what_is_wrong_and_says_what_is_valid(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_provider("x", definition)


@pytest.mark.parametrize(
    "url", ["ldap://sync:hush-hush@h", "ldaps://hush@h", "ldap://h/sync:hush-hush@x", "ldapi://h@s"]
)
def test_refuses_credentials_in_an_address_without_showing_them(url: str) -> None:
    with pytest.raises(ConfigError, match="must not contain credentials") as caught:
        parse_provider("x", ldap(url=url))
    assert "hush" not in caught.value.message
