# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open both providers of a job, resolve their secrets, compile the mappings, and ask both sides what they are."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .._mapping.compiler import compile_object
from .._mapping.context import MappingContext
from .._model.access import Provider, Query
from .._model.compiled import CompiledMapping
from .._model.errors import ConfigError, ProviderError, unknown
from .._model.jobs import Endpoint, JobSpec, ObjectSpec
from .._planning.request import Side
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both opened providers of a job and its objects. A snapshot that reading took ends with `release`."""

    source: Provider
    destination: Provider
    objects: tuple[PreparedObject, ...]

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
        objects = tuple(_prepare(spec, job, source, destination, runtime) for spec in job.objects)
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


def query_of(endpoint: Endpoint) -> Query:
    """Give what an endpoint reads."""
    return Query(container=endpoint.table or endpoint.sheet, text=endpoint.query, optional=endpoint.replace_file)


def _prepare(
    spec: ObjectSpec, job: JobSpec, source: Provider, destination: Provider, runtime: Runtime
) -> PreparedObject:
    source_side = _describe(source, spec.source)
    if not source_side.info.exists:
        source.check()
        raise ProviderError(
            f"source {source_side.info.kind} {source_side.info.name!r} is empty or does not exist; there is nothing to "
            "read."
        )
    context = MappingContext(
        job=job.name,
        object=spec.name,
        computer_name=runtime.host,
        environ=runtime.environ,
        clock=runtime.clock,
    )
    mapping: CompiledMapping = compile_object(spec, context, tuple(info.name for info in source_side.info.fields))
    _check_source_fields(job, spec, mapping, source_side)
    return PreparedObject(
        spec=spec, mapping=mapping, source=source_side, destination=_describe(destination, spec.destination)
    )


def _describe(provider: Provider, endpoint: Endpoint) -> Side:
    query = query_of(endpoint)
    return Side(provider=provider, query=query, info=provider.describe_container(query))


def _check_source_fields(job: JobSpec, spec: ObjectSpec, mapping: CompiledMapping, side: Side) -> None:
    names = [info.name for info in side.info.fields]
    wanted: list[t.Any] = [*mapping.source_fields, *([job.changed_only] if job.changed_only else [])]
    for name in wanted:
        if name not in names:
            where = f"job {job.name!r}, object {spec.name!r}, source {side.info.kind} {side.info.name!r}"
            raise ConfigError(unknown("field", name, names, where=where))
