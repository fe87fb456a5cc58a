# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the providers `ldap` and `active_directory`."""

from __future__ import annotations

import typing as t
import urllib.parse

from .directory_options import read_container
from .errors import ConfigError, unknown
from .sections import Section

SCHEMES = ("ldap", "ldaps", "ldapi")
PAGE_SIZE, LARGEST_PAGE = 1000, 100_000
TIMEOUT = 30.0

Validation: t.TypeAlias = t.Literal["always", "ignore"]
Auth: t.TypeAlias = t.Literal["simple", "external", "anonymous"]
_VALIDATIONS: tuple[Validation, ...] = ("always", "ignore")
_AUTHS: tuple[Auth, ...] = ("simple", "external", "anonymous")
_COMMON = ("url", "base_dn", "start_tls", "ca_cert", "cert_validation", "page_size", "timeout")


def read_ldap(data: object, place: str) -> dict[str, t.Any]:
    """Read the options of a provider of type ldap. Raises ConfigError."""
    options = Section(data, place, (*_COMMON, "bind_dn", "auth"))
    auth = options.choice("auth", _AUTHS, "simple")
    bind_dn = read_container(options, "bind_dn")
    if auth == "simple" and bind_dn is None:
        raise ConfigError(
            f"{place}: `bind_dn` is missing; `auth: simple` needs it. For a directory that anybody may read set "
            "`auth: anonymous`, over ldapi:// or with a client certificate `auth: external`."
        )
    if auth != "simple" and bind_dn is not None:
        raise ConfigError(f"{place}: `bind_dn` does not go with `auth: {auth}`. Leave it out, or set `auth: simple`.")
    return {**_read_common(options, place), "bind_dn": bind_dn, "auth": auth}


def read_active_directory(data: object, place: str) -> dict[str, t.Any]:
    """Read the options of a provider of type active_directory. Raises ConfigError."""
    options = Section(data, place, (*_COMMON, "username"))
    return {**_read_common(options, place), "username": options.required_text("username")}


def _read_common(options: Section, place: str) -> dict[str, t.Any]:
    urls = _read_urls(options, place)
    start_tls = options.flag("start_tls", False)
    secure = [url for url in urls if not url.startswith("ldap:")]
    if start_tls and secure:
        raise ConfigError(f"{place}: `start_tls` goes with ldap:// only, got {secure[0]!r}. Leave `start_tls` out.")
    validation = options.choice("cert_validation", _VALIDATIONS, "always")
    ca_cert = options.optional_text("ca_cert")
    if ca_cert is not None and validation == "ignore":
        raise ConfigError(
            f"{place}: `ca_cert` says who signs the server's certificate, and `cert_validation: ignore` that nobody "
            "looks. Leave one of them out."
        )
    return {
        "url": urls,
        "base_dn": read_container(options, "base_dn"),
        "start_tls": start_tls,
        "ca_cert": ca_cert,
        "cert_validation": validation,
        "page_size": options.integer("page_size", PAGE_SIZE, minimum=1, maximum=LARGEST_PAGE),
        "timeout": _read_timeout(options),
    }


def _read_timeout(options: Section) -> float:
    timeout = options.seconds("timeout", TIMEOUT)
    if not timeout:
        raise options.wrong("timeout", "a number of seconds above 0")
    return timeout


def _read_urls(options: Section, place: str) -> list[str]:
    given = options.given.get("url")
    urls = [given] if isinstance(given, str) else list(options.texts("url"))
    if not urls:
        raise ConfigError(f"{place}: `url` is missing. Give the server, such as ldaps://dc1.example.com, or several.")
    for url in urls:
        _check_url(url, place)
    return urls


def _check_url(url: str, place: str) -> None:
    """Refuse what is no address of a directory, or carries credentials. Messages never show credentials."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        got = scheme if separator else "a text without `://`"
        raise ConfigError(unknown("scheme in `url`", got, SCHEMES, where=place))
    if "@" in rest:
        raise ConfigError(
            f"{place}: `url` must not contain credentials. Give them as options, the password as `password` or "
            "`password_from`."
        )
    if any(char.isspace() or not char.isprintable() for char in url):
        raise ConfigError(f"{place}: `url` {url!r} has blanks or control characters in it. Take them out.")
    authority, _slash, path = rest.partition("/")
    if scheme == "ldapi":
        _check_socket(url, authority, path, place)
    elif path or "?" in rest or "#" in rest:
        raise ConfigError(
            f"{place}: `url` {url!r} has a path or query. Give scheme, host and port only, and the base as `base_dn`."
        )
    else:
        _check_host(url, place)


def _check_socket(url: str, authority: str, path: str, place: str) -> None:
    if path or not urllib.parse.unquote(authority).startswith("/"):
        raise ConfigError(
            f"{place}: `url` {url!r} names no socket. Give its absolute path with each / written as %2F, such as "
            "ldapi://%2Frun%2Fslapd%2Fldapi."
        )


def _check_host(url: str, place: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = "", 0
    if port == 0:
        raise ConfigError(f"{place}: `url` {url!r} has no valid host and port. Valid ports: 1 to 65535.")
    if not host:
        raise ConfigError(f"{place}: `url` {url!r} names no host. Give it, such as ldaps://dc1.example.com.")
