# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint options fit which type of provider, on each side of a job."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .errors import ConfigError
from .jobs import Endpoint, JobSpec, ProviderType

Side: t.TypeAlias = t.Literal["source", "destination"]
PROVIDER_TYPES: tuple[ProviderType, ...] = ("csv", "excel", "sql")
PLACES = ("table", "query", "sheet")


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointRule:
    """What one side may give for one type of provider: `one_of` names options of which exactly one is required."""

    one_of: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_RULES: dict[tuple[ProviderType, Side], EndpointRule] = {
    ("csv", "source"): EndpointRule(),
    ("csv", "destination"): EndpointRule(flags=("replace_file",)),
    ("excel", "source"): EndpointRule(one_of=("sheet",)),
    ("excel", "destination"): EndpointRule(one_of=("sheet",), flags=("replace_file",)),
    ("sql", "source"): EndpointRule(one_of=("table", "query")),
    ("sql", "destination"): EndpointRule(one_of=("table",)),
}


def check_endpoint(endpoint: Endpoint, side: Side, type_name: ProviderType, place: str) -> None:
    """Raise ConfigError, starting with `place`, when `endpoint` does not fit a provider of `type_name`."""
    rule = _RULES[type_name, side]
    given = tuple(name for name in PLACES if getattr(endpoint, name) is not None)
    flags = ("replace_file",) if endpoint.replace_file else ()
    known = (*rule.one_of, *rule.flags)
    valid = " or ".join(f"`{name}`" for name in known) or "no option but `provider`"
    kind = f"provider {endpoint.provider!r}, which is of type {type_name}"
    for name in (*given, *flags):
        if name not in known:
            raise ConfigError(f"{place}, {side}: `{name}` does not fit {kind}. Valid: {valid}.")
    if len(given) > 1:
        raise ConfigError(f"{place}, {side}: give one of {', '.join(map(repr, given))}, not both.")
    if rule.one_of and not given:
        wanted = " or ".join(f"`{name}`" for name in rule.one_of)
        raise ConfigError(f"{place}, {side}: {wanted} is missing; {kind}, needs it.")


def check_endpoints(job: JobSpec, source_type: ProviderType, destination_type: ProviderType) -> None:
    """Raise ConfigError when an endpoint of any object of `job` does not fit its provider's type."""
    for spec in job.objects:
        place = f"job {job.name!r}, object {spec.name!r}"
        check_endpoint(spec.source, "source", source_type, place)
        check_endpoint(spec.destination, "destination", destination_type, place)
    _refuse_shared_deletes(job)


def _refuse_shared_deletes(job: JobSpec) -> None:
    """Refuse objects that write to one container and delete: each would miss the other's records at its source."""
    places: dict[Endpoint, str] = {}
    deleting = {spec.destination for spec in job.objects if spec.missing_at_source == "delete"}
    for spec in job.objects:
        other = places.setdefault(spec.destination, spec.name)
        if other != spec.name and spec.destination in deleting:
            raise ConfigError(
                f"job {job.name!r}: objects {other!r} and {spec.name!r} have the same destination, so with "
                "`missing_at_source: delete` one would delete the other's records. Give them destinations of their "
                "own, make them one object, or set `missing_at_source: skip` for both."
            )
