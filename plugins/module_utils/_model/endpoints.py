# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint options fit which type of provider, on each side of a job."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass

from .directory_options import is_filter
from .dn import fold_dn, is_within_folded
from .errors import ConfigError
from .jobs import DIRECTORIES, Endpoint, JobSpec, ObjectSpec, ProviderType, Resolve
from .object_types import DEFAULT_TYPES, ROW, ObjectType, type_of, unmapped_mandatory
from .standstill import check_proving

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
        _check_protect(spec, destination_type, place)
    _refuse_shared_deletes(job, destination_type)
    check_proving(job, source_type, destination_type)


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
        "resolve": any(isinstance(step, Resolve) for field in spec.fields for step in field.transform),
    }
    wrong = [name for name, is_given in given.items() if is_given]
    if wrong:
        raise ConfigError(
            f"{place}: {', '.join(f'`{name}`' for name in wrong)} needs a directory as destination; provider "
            f"{spec.destination.provider!r} is of type {destination_type}. Leave it out, or write to a provider of "
            "type ldap or active_directory."
        )


def _check_protect(spec: ObjectSpec, destination_type: ProviderType, place: str) -> None:
    if spec.protect is None:
        return
    if destination_type in DIRECTORIES:
        if not is_filter(spec.protect):
            raise ConfigError(
                f"{place}: `protect` must be an LDAP filter in brackets, such as (adminCount=1), got {spec.protect!r}."
            )
    elif spec.destination.replace_file:
        raise ConfigError(
            f"{place}: `protect` keeps records as they are, and `replace_file: true` writes the whole file anew. Leave "
            "one of them out."
        )


def _check_type(spec: ObjectSpec, source_type: ProviderType, destination_type: ProviderType, place: str) -> None:
    """Check the object's type, and that a new object gets all it must have."""
    if destination_type not in DIRECTORIES:
        if spec.type != ROW and source_type not in DIRECTORIES:
            raise ConfigError(
                f"{place}: type {spec.type!r} is one of directories, and neither side is one. Leave `type` out."
            )
        if spec.type != ROW:
            type_of(spec, source_type, place)
        return
    found = type_of(spec, destination_type, place)
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


def _refuse_shared_deletes(job: JobSpec, destination_type: ProviderType) -> None:
    """Refuse objects that read each other's records at the destination and delete or disable: each would miss the
    other's records at its source.
    """
    reads_same = _reads_same_entries if destination_type in DIRECTORIES else _reads_same_rows
    for other, spec in itertools.combinations(job.objects, 2):
        for deleting, victim in ((spec, other), (other, spec)):
            if deleting.missing_at_source != "skip" and reads_same(deleting, victim, destination_type):
                same = "have the same destination" if spec.destination == other.destination else "read the same records"
                raise ConfigError(
                    f"job {job.name!r}: objects {other.name!r} and {spec.name!r} {same}, so with `missing_at_source: "
                    f"{deleting.missing_at_source}` {deleting.name!r} would take the other's records for gone. Give "
                    "them destinations of their own, make them one object, or set `missing_at_source: skip` for both."
                )


def _reads_same_rows(deleting: ObjectSpec, other: ObjectSpec, _type: ProviderType) -> bool:
    # Rows have no type; `type` then narrows what is read at a directory as source.
    return deleting.destination == other.destination


def _reads_same_entries(deleting: ObjectSpec, other: ObjectSpec, type_name: ProviderType) -> bool:
    """Tell whether the records of `other` are among those that `deleting` reads. A filter of its own keeps it apart.

    An object that only updates has no records of its own, unless it reads exactly the same ones.
    """
    mine, its = deleting.destination, other.destination
    if mine.filter != its.filter or not _covers(mine, its):
        return False
    found, found_there = type_of(deleting, type_name), type_of(other, type_name)
    if found is None or found_there is None or not _holds(found, found_there):
        return False
    has_its_own = other.missing_at_destination == "create" or other.missing_at_source != "skip"
    return has_its_own or (_covers(its, mine) and _holds(found_there, found))


def _covers(wide: Endpoint, narrow: Endpoint) -> bool:
    """Tell whether what `wide` reads holds the container of `narrow`. No container is the base of the provider."""
    outer, inner = (fold_dn(side.container) if side.container else "" for side in (wide, narrow))
    return outer == inner or (wide.include_subcontainers and is_within_folded(inner, outer))


def _holds(wide: ObjectType, narrow: ObjectType) -> bool:
    """Tell whether entries of the type `narrow` are read as entries of the type `wide`, too."""
    classes = {name.casefold() for name in narrow.object_classes}
    return wide.object_classes[-1].casefold() in classes and wide.class_filter in (None, narrow.class_filter)
