# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open both providers of a job, resolve their secrets, compile the mappings, and ask both sides what they are."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from .._mapping.compiler import compile_object
from .._mapping.context import MappingContext
from .._mapping.protection import compile_protection
from .._mapping.steps import fill_in_texts
from .._model.access import Provider, Query, as_directory
from .._model.compiled import CompiledMapping, Protection
from .._model.errors import ConfigError, ProviderError, unknown
from .._model.jobs import DIRECTORIES, Endpoint, JobSpec, ObjectSpec, ProviderType
from .._model.object_types import ROW, ObjectType, type_of
from .._model.schema import ContainerInfo
from .._planning.references import ReferenceBook
from .._planning.request import SharedPlan, Side
from .._providers.registry import open_provider
from .._store.secrets import resolve
from .._store.store import Store
from .runtime import Runtime


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedObject:
    """One object, ready to be planned."""

    spec: ObjectSpec
    mapping: CompiledMapping
    source: Side
    destination: Side
    protection: Protection | None = None
    stamps: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both opened providers of a job and its objects. A snapshot that reading took ends with `release`."""

    source: Provider
    destination: Provider
    objects: tuple[PreparedObject, ...]

    def shared_plan(self) -> SharedPlan | None:
        """Give what the objects of one plan share when the destination is a directory."""
        if not self.destination.capabilities.directory or not self.objects:
            return None
        directory = as_directory(self.destination)
        place = self.objects[0].destination.info.place or "dn"
        return SharedPlan(directory=directory, references=ReferenceBook(directory=directory, place=place))

    def release(self) -> None:
        """End the states that both sides' readings share, so that writing is not in their way."""
        self.source.release()
        self.destination.release()


@contextmanager
def open_sides(job: JobSpec, store: Store, runtime: Runtime) -> Iterator[Sides]:
    """Open both sides of `job` and close them at the end.

    Raises ConfigError when the job does not fit its providers, ProviderError when one cannot be reached.
    """
    with ExitStack() as stack:
        source = open_named_provider(job.source.provider, store, runtime)
        stack.callback(source.close)
        destination = open_named_provider(job.destination.provider, store, runtime)
        stack.callback(destination.close)
        types = tuple(_need_type(store, side.provider) for side in (job.source, job.destination))
        objects = tuple(_prepare(spec, job, source, destination, types, runtime=runtime) for spec in job.objects)
        yield Sides(source=source, destination=destination, objects=objects)


def open_named_provider(name: str, store: Store, runtime: Runtime) -> Provider:
    """Open the provider called `name` with its secrets resolved on this host."""
    stored = store.providers.get(name)
    if stored is None:
        raise ConfigError(unknown("provider", name, (each.spec.name for each in store.providers.list())))
    secrets = {}
    for option, secret in stored.secrets.items():
        resolved = resolve(secret, f"provider {name!r}, option {option!r}", runtime.environ)
        runtime.protect(resolved.reveal())
        secrets[option] = resolved
    return open_provider(stored.spec, secrets)


def query_of(endpoint: Endpoint, found: ObjectType | None = None, *, more: Sequence[str] = ()) -> Query:
    """Give what an endpoint reads. `found` is the type of its records where it is a directory."""
    return Query(
        container=endpoint.table or endpoint.sheet or endpoint.container,
        text=endpoint.query,
        optional=endpoint.replace_file,
        subtree=endpoint.include_subcontainers,
        filter=endpoint.filter,
        more_containers=tuple(more),
        object_classes=() if found is None else found.object_classes,
        class_filter=None if found is None else found.class_filter,
    )


def destination_query(spec: ObjectSpec, provider_type: ProviderType) -> Query:
    """Give what is read at the destination of an object: where leavers go belongs to it."""
    move_to = spec.on_disable.move_to
    return query_of(spec.destination, type_of(spec, provider_type), more=() if move_to is None else (move_to,))


def source_query(spec: ObjectSpec, source_type: ProviderType, destination_type: ProviderType) -> Query:
    """Give what is read at the source. The type is the destination's where that is a directory; else a directory
    source is narrowed by it.
    """
    narrows = spec.type != ROW and destination_type not in DIRECTORIES
    return query_of(spec.source, type_of(spec, source_type) if narrows else None)


def _need_type(store: Store, name: str) -> ProviderType:
    stored = store.providers.get(name)
    if stored is None:
        raise ConfigError(unknown("provider", name, (each.spec.name for each in store.providers.list())))
    return stored.spec.type


def _prepare(
    spec: ObjectSpec,
    job: JobSpec,
    source: Provider,
    destination: Provider,
    types: tuple[ProviderType, ...],
    *,
    runtime: Runtime,
) -> PreparedObject:
    source_type, destination_type = types
    source_side = _describe(source, source_query(spec, source_type, destination_type))
    if not source_side.info.exists:
        source.check()
        raise ProviderError(
            f"source {source_side.info.kind} {source_side.info.name!r} is empty or does not exist; there is nothing to "
            "read."
        )
    context = mapping_context(job, spec, runtime)
    mapping: CompiledMapping = compile_object(spec, context, FieldNames(source_side.info))
    _check_source_fields(job, spec, mapping, source_side)
    side = _describe(destination, destination_query(spec, destination_type))
    found = type_of(spec, destination_type)
    if found is not None:
        side = replace(side, info=replace(side.info, naming=found.rdn))
    return PreparedObject(
        spec=spec,
        mapping=mapping,
        source=source_side,
        destination=side,
        protection=None if found is not None else protection_of(spec, side.info, context),
        stamps=fill_in_texts(spec.on_disable.stamp, context),
    )


def protection_of(spec: ObjectSpec, info: ContainerInfo, context: MappingContext) -> Protection | None:
    """Give what an object protects at the table or file that `info` describes. Raises ConfigError."""
    return compile_protection(spec, context, FieldNames(info)) if info.exists else None


def mapping_context(job: JobSpec, spec: ObjectSpec, runtime: Runtime) -> MappingContext:
    """Give the surroundings in which the expressions of an object are compiled."""
    return MappingContext(
        job=job.name,
        object=spec.name,
        computer_name=runtime.host,
        environ=runtime.environ,
        clock=runtime.clock,
    )


class FieldNames(Collection[str]):
    """The names of a container's fields; where the system folds names, every spelling of one is among them."""

    def __init__(self, info: ContainerInfo) -> None:
        self._info = info

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._info.field(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (info.name for info in self._info.fields)

    def __len__(self) -> int:
        return len(self._info.fields)


def _describe(provider: Provider, query: Query) -> Side:
    return Side(provider=provider, query=query, info=provider.describe_container(query))


def _check_source_fields(job: JobSpec, spec: ObjectSpec, mapping: CompiledMapping, side: Side) -> None:
    names = FieldNames(side.info)
    wanted: list[t.Any] = [*mapping.source_fields, *([job.changed_only] if job.changed_only else [])]
    for name in wanted:
        if name not in names:
            where = f"job {job.name!r}, object {spec.name!r}, source {side.info.kind} {side.info.name!r}"
            raise ConfigError(unknown("field", name, names, where=where))
