# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provider declarations between plain data and `ProviderSpec`."""

from __future__ import annotations

import codecs
import typing as t
import urllib.parse
from collections.abc import Callable, Mapping

from .directory_providers import read_active_directory, read_ldap
from .endpoints import PROVIDER_TYPES
from .errors import ConfigError, unknown
from .jobs import ProviderSpec, ProviderType
from .sections import Section

SECRET_OPTIONS: Mapping[ProviderType, tuple[str, ...]] = {
    "csv": (),
    "excel": (),
    "sql": ("password",),
    "ldap": ("password",),
    "active_directory": ("password",),
}
SQL_DIALECTS = ("mariadb", "mssql", "mysql", "oracle", "postgresql", "sqlite")


def parse_provider(name: str, definition: Mapping[str, t.Any]) -> ProviderSpec:
    """Read a provider as declared, `{TYPE: {OPTION: VALUE}}` without secrets, and fill in the defaults.

    Raises:
        ConfigError: naming the provider, the option, what was got and what is valid.
    """
    check_name("provider", name)
    place = f"provider {name!r}"
    given = Section(definition, place, PROVIDER_TYPES).given
    if len(given) != 1:
        got = ", ".join(map(repr, given)) or "none"
        raise ConfigError(f"{place}: give exactly one of {', '.join(map(repr, PROVIDER_TYPES))}; got {got}.")
    (type_name,) = (valid for valid in PROVIDER_TYPES if valid in given)
    options = _READERS[type_name](given[type_name], f"{place}, {type_name}")
    return ProviderSpec(name=name, type=type_name, options=options)


def secrets_taken(spec: ProviderSpec) -> tuple[str, ...]:
    """Give the secret options that go with the others: only `auth: simple` of a directory has a password."""
    return SECRET_OPTIONS[spec.type] if spec.options.get("auth", "simple") == "simple" else ()


def provider_definition(spec: ProviderSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_provider`; options without a value are left out."""
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in spec.options.items()}
    return {spec.type: {name: value for name, value in options.items() if value is not None and value != []}}


def check_name(noun: str, name: str) -> None:
    """Raise ConfigError when `name` cannot name a provider or job."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > 200:
        raise ConfigError(
            f"{noun} {name!r}: a name is 1 to 200 printable characters without a space at either end. Change `name`."
        )


def _csv(data: object, place: str) -> dict[str, t.Any]:
    options = Section(data, place, ("path", "delimiter", "quote", "encoding", "header", "fields"))
    fields = options.texts("fields")
    header = options.flag("header", True)
    if header and fields:
        raise ConfigError(f"{place}: `fields` names the columns of a file without a header line. Set `header: false`.")
    if not header and not fields:
        raise ConfigError(f"{place}: a file without a header line needs `fields`, the names of its columns in order.")
    duplicates = sorted({name for name in fields if fields.count(name) > 1})
    if duplicates or not all(fields):
        raise options.wrong("fields", "a list of different names that are not empty")
    delimiter, quote = options.text("delimiter", ","), options.text("quote", '"')
    for option, value in (("delimiter", delimiter), ("quote", quote)):
        if len(value) != 1 or value in "\r\n\0":
            raise options.wrong(option, "one character")
    if delimiter == quote:
        raise ConfigError(f"{place}: `delimiter` and `quote` are both {quote!r}; they must differ.")
    encoding = options.text("encoding", "utf-8")
    return {
        "path": options.required_text("path"),
        "delimiter": delimiter,
        "quote": quote,
        "encoding": _checked_encoding(encoding, place),
        "header": header,
        "fields": list(fields),
    }


def _checked_encoding(encoding: str, place: str) -> str:
    try:
        text_encoding = codecs.lookup(encoding)._is_text_encoding  # noqa: SLF001 - no public way
    except LookupError:
        text_encoding = False
    if not text_encoding:
        raise ConfigError(
            f"{place}: there is no text encoding {encoding!r}. Valid: utf-8, utf-8-sig, utf-16, latin-1, cp1252, ..."
        )
    return encoding


def _excel(data: object, place: str) -> dict[str, t.Any]:
    return {"path": Section(data, place, ("path",)).required_text("path")}


def _sql(data: object, place: str) -> dict[str, t.Any]:
    options = Section(data, place, ("url", "username"))
    url = options.required_text("url")
    _check_url(url, place)
    return {"url": url, "username": options.optional_text("username")}


def _check_url(url: str, place: str) -> None:
    """Refuse a URL that names no known database or carries credentials. Messages never show the URL."""
    scheme, separator, rest = url.partition("://")
    dialect = scheme.partition("+")[0]
    if not separator or dialect not in SQL_DIALECTS:
        got = dialect if separator else "a text without `://`"
        raise ConfigError(unknown("database in `url`", got, SQL_DIALECTS, where=place))
    authority, _slash, _path = rest.partition("/")
    query = urllib.parse.parse_qs(rest.partition("?")[2], keep_blank_values=True)
    carries = dialect != "sqlite" and "@" in authority
    if carries or any(key.lower() in ("password", "passwd", "pwd", "user", "username", "uid") for key in query):
        raise ConfigError(
            f"{place}: `url` must not contain credentials. Give them as `username` and `password` or `password_from`."
        )


_READERS: Mapping[ProviderType, Callable[[object, str], dict[str, t.Any]]] = {
    "csv": _csv,
    "excel": _excel,
    "sql": _sql,
    "ldap": read_ldap,
    "active_directory": read_active_directory,
}
