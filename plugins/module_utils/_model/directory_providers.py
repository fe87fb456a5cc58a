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
        "timeout": options.seconds("timeout", TIMEOUT) or TIMEOUT,
    }


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
    authority, _slash, path = rest.partition("/")
    if "@" in authority:
        raise ConfigError(
            f"{place}: `url` must not contain credentials. Give them as options, the password as `password` or "
            "`password_from`."
        )
    if not authority:
        raise ConfigError(f"{place}: `url` {url!r} names no host.")
    if path:
        raise ConfigError(
            f"{place}: `url` {url!r} has a path. Give scheme, host and port only, and the base as `base_dn`."
        )
    try:
        _port = urllib.parse.urlsplit(url).port if scheme != "ldapi" else None
    except ValueError:
        raise ConfigError(f"{place}: `url` {url!r} has no valid port.") from None
