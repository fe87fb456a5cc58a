# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a provider's declared type to its code. An entry imports only when asked: a CSV job never loads SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._model.access import Provider
from .._model.errors import ConfigError, unknown
from .._model.jobs import ProviderSpec
from .._model.schema import Capabilities
from .._model.secrets import Secret
from . import capabilities


def open_provider(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    """Give the provider that `spec` declares; the system is not touched before the first call.

    Args:
        spec: the declaration; its `type` picks the code.
        secrets: the resolved secret options by name (`password`).

    Raises:
        ConfigError: the type is unknown or an option is wrong.
        DependencyError: the provider needs a library that is not installed.
    """
    opener = _OPENERS.get(spec.type)
    if opener is None:
        raise ConfigError(unknown("provider type", spec.type, _OPENERS, where=f"provider {spec.name!r}"))
    return opener(spec, secrets)


def provider_capabilities(type_name: str) -> Capabilities:
    """Give what providers of `type_name` can do. Raises ConfigError for an unknown type."""
    found = _CAPABILITIES.get(type_name)
    if found is None:
        raise ConfigError(unknown("provider type", type_name, _CAPABILITIES))
    return found


def _open_csv(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    from .csv.provider import CsvProvider

    return CsvProvider(spec, secrets)


def _open_excel(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    from .excel.provider import ExcelProvider

    return ExcelProvider(spec, secrets)


def _open_sql(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    from .sql.provider import SqlProvider

    return SqlProvider(spec, secrets)


def _open_ldap(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    from .ldap.provider import open_ldap

    return open_ldap(spec, secrets)


def _open_active_directory(spec: ProviderSpec, secrets: Mapping[str, Secret]) -> Provider:
    from .ldap.provider import open_active_directory

    return open_active_directory(spec, secrets)


_OPENERS: Mapping[str, Callable[[ProviderSpec, Mapping[str, Secret]], Provider]] = {
    "csv": _open_csv,
    "excel": _open_excel,
    "sql": _open_sql,
    "ldap": _open_ldap,
    "active_directory": _open_active_directory,
}

_CAPABILITIES: Mapping[str, Capabilities] = {
    "csv": capabilities.CSV,
    "excel": capabilities.EXCEL,
    "sql": capabilities.SQL,
    "ldap": capabilities.DIRECTORY,
    "active_directory": capabilities.DIRECTORY,
}
