# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint options fit which type of provider, on each side of a job."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .errors import ConfigError
from .jobs import DIRECTORIES, Endpoint, JobSpec, ObjectSpec, ProviderType, Resolve
from .object_types import DEFAULT_TYPES, ROW, type_of, unmapped_mandatory

Side: t.TypeAlias = t.Literal["source", "destination"]
PROVIDER_TYPES: tuple[ProviderType, ...] = ("csv", "excel", "sql", "ldap", "active_directory")
PLACES = ("table", "query", "sheet", "container", "include_subcontainers", "filter")


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointRule:
    """What one side may give for one type of provider: `one_of` names options of which exactly one is required,
    `optional` those that may be there, `flags` those that are true or false.
    """

    one_of: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_DIRECTORY = EndpointRule(optional=("container", "filter", "include_subcontainers"))

_RULES: dict[tuple[ProviderType, Side], EndpointRule] = {
    ("csv", "source"): EndpointRule(),
    ("csv", "destination"): EndpointRule(flags=("replace_file",)),
    ("excel", "source"): EndpointRule(one_of=("sheet",)),
    ("excel", "destination"): EndpointRule(one_of=("sheet",), flags=("replace_file",)),
    ("sql", "source"): EndpointRule(one_of=("table", "query")),
    ("sql", "destination"): EndpointRule(one_of=("table",)),
    ("ldap", "source"): _DIRECTORY,
    ("ldap", "destination"): _DIRECTORY,
    ("active_directory", "source"): _DIRECTORY,
    ("active_directory", "destination"): _DIRECTORY,
}


def check_endpoint(endpoint: Endpoint, side: Side, type_name: ProviderType, place: str) -> None:
    """Raise ConfigError, starting with `place`, when `endpoint` does not fit a provider of `type_name`."""
    rule = _RULES[type_name, side]
    given = tuple(name for name in PLACES if getattr(endpoint, name) not in (None, True))
    flags = ("replace_file",) if endpoint.replace_file else ()
    known = (*rule.one_of, *rule.optional, *rule.flags)
    valid = " or ".join(f"`{name}`" for name in known) or "no option but `provider`"
    kind = f"provider {endpoint.provider!r}, which is of type {type_name}"
    for name in (*given, *flags):
        if name not in known:
            raise ConfigError(f"{place}, {side}: `{name}` does not fit {kind}. Valid: {valid}.")
    chosen = tuple(name for name in given if name in rule.one_of)
    if len(chosen) > 1:
        raise ConfigError(f"{place}, {side}: give one of {', '.join(map(repr, chosen))}, not both.")
    if rule.one_of and not chosen:
        wanted = " or ".join(f"`{name}`" for name in rule.one_of)
        raise ConfigError(f"{place}, {side}: {wanted} is missing; {kind}, needs it.")


def check_endpoints(job: JobSpec, source_type: ProviderType, destination_type: ProviderType) -> None:
    """Raise ConfigError when an endpoint of any object of `job` does not fit its provider's type."""
    for spec in job.objects:
        place = f"job {job.name!r}, object {spec.name!r}"
        check_endpoint(spec.source, "source", source_type, place)
        check_endpoint(spec.destination, "destination", destination_type, place)
        _check_directory_options(spec, destination_type, place)
        _check_type(spec, source_type, destination_type, place)
    _refuse_shared_deletes(job)


def _check_directory_options(spec: ObjectSpec, destination_type: ProviderType, place: str) -> None:
    """Refuse what only a directory can do where the destination is none."""
    if destination_type in DIRECTORIES:
        return
    given = {
        "missing_at_source: disable": spec.missing_at_source == "disable",
        "object_classes": bool(spec.object_classes),
        "create_in": spec.create_in is not None,
        "move": spec.move,
        "rdn": spec.rdn is not None,
        "create_containers": spec.create_containers,
        "protect": spec.protect is not None,
        "resolve": any(isinstance(step, Resolve) for field in spec.fields for step in field.transform),
    }
    wrong = [name for name, is_given in given.items() if is_given]
    if wrong:
        raise ConfigError(
            f"{place}: {', '.join(f'`{name}`' for name in wrong)} needs a directory as destination; provider "
            f"{spec.destination.provider!r} is of type {destination_type}. Leave it out, or write to a provider of "
            "type ldap or active_directory."
        )


def _check_type(spec: ObjectSpec, source_type: ProviderType, destination_type: ProviderType, place: str) -> None:
    """Check the object's type, and that a new object gets all it must have."""
    if destination_type not in DIRECTORIES:
        if spec.type != ROW and source_type not in DIRECTORIES:
            raise ConfigError(
                f"{place}: type {spec.type!r} is one of directories, and neither side is one. Leave `type` out."
            )
        return
    found = type_of(spec, destination_type)
    if found is None or spec.missing_at_destination != "create":
        return
    missing = unmapped_mandatory(spec, found)
    if missing:
        what = DEFAULT_TYPES[destination_type] if spec.type == ROW else spec.type
        raise ConfigError(
            f"{place}: a new {what} needs {', '.join(map(repr, missing))}, and no field is mapped to "
            f"{'it' if len(missing) == 1 else 'them'}. Add the field{'' if len(missing) == 1 else 's'}, or set "
            "`missing_at_destination: skip`."
        )


def _refuse_shared_deletes(job: JobSpec) -> None:
    """Refuse objects that write to one container and delete: each would miss the other's records at its source."""
    places: dict[tuple[Endpoint, str], str] = {}
    deleting = {(spec.destination, spec.type) for spec in job.objects if spec.missing_at_source != "skip"}
    for spec in job.objects:
        other = places.setdefault((spec.destination, spec.type), spec.name)
        if other != spec.name and (spec.destination, spec.type) in deleting:
            raise ConfigError(
                f"job {job.name!r}: objects {other!r} and {spec.name!r} have the same destination, so with "
                f"`missing_at_source: {spec.missing_at_source}` one would take the other's records for gone. Give them "
                "destinations of their own, make them one object, or set `missing_at_source: skip` for both."
            )
