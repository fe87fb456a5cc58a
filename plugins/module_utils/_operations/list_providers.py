# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List providers, and look at the systems behind them: a test, the schema, some records."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from .._model.access import Provider, Query
from .._model.endpoints import check_endpoint
from .._model.errors import LockstepError
from .._model.jobs import Endpoint
from .._model.schema import ContainerInfo
from .._model.secrets import Secret
from .._model.values import to_json
from .._store.providers import StoredProvider
from .._store.secrets import resolve
from .._store.store import Store
from .describe_provider import describe_provider


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderFilter:
    """Which providers to list and what to find out.

    Attributes:
        name: only this one; None for all.
        test: reach the system and say what was found; a system that cannot be reached is an answer, not an error.
        schema: list its containers and their fields.
        sample: how many records to show; 0 for none.
        table, query, sheet, container, filter: where the sample is read.
    """

    name: str | None = None
    test: bool = False
    schema: bool = False
    sample: int = 0
    table: str | None = None
    query: str | None = None
    sheet: str | None = None
    container: str | None = None
    filter: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What looking at a system needs: how to open it, where references find secrets, who masks them."""

    open_provider: Callable[..., Provider]
    environ: Mapping[str, str]
    protect: Callable[[Secret], None]


def list_providers(store: Store, wanted: ProviderFilter, surroundings: Surroundings) -> list[dict[str, t.Any]]:
    """Give the providers by name, each with its options, who uses it, and what was asked for.

    Raises:
        ConfigError: the place of the sample does not fit the provider, or does not exist.
        ProviderError: the system cannot be read for its schema or sample.
        StoreError: the store cannot be read, or a secret cannot be decrypted.
    """
    stored = [item for item in store.providers.list() if wanted.name in (None, item.spec.name)]
    return [_describe(store, item, wanted, surroundings) for item in stored]


def _describe(
    store: Store, stored: StoredProvider, wanted: ProviderFilter, surroundings: Surroundings
) -> dict[str, t.Any]:
    described = {
        **describe_provider(stored.spec, stored.secrets),
        "used_by": store.providers.used_by(stored.spec.name),
        "created": stored.created,
        "modified": stored.modified,
    }
    if wanted.test:
        described["test"] = _test(stored, surroundings)
    # What cannot be reached has been told; it must not hide what the other providers have to say.
    if not described.get("test", {}).get("reached", True):
        return described
    if wanted.schema:
        with _opened(stored, surroundings) as provider:
            described["schema"] = [_container(info) for info in provider.describe()]
    if wanted.sample:
        described["sample"] = _sample(stored, wanted, surroundings)
    return described


def _test(stored: StoredProvider, surroundings: Surroundings) -> dict[str, t.Any]:
    try:
        with _opened(stored, surroundings) as provider:
            return {"reached": True, **asdict(provider.check())}
    except LockstepError as error:
        return {"reached": False, "error": {"code": error.code, "message": error.message}}


def _sample(stored: StoredProvider, wanted: ProviderFilter, surroundings: Surroundings) -> list[dict[str, t.Any]]:
    endpoint = Endpoint(
        provider=stored.spec.name,
        table=wanted.table,
        query=wanted.query,
        sheet=wanted.sheet,
        container=wanted.container,
        filter=wanted.filter,
    )
    check_endpoint(endpoint, "source", stored.spec.type, "sample")
    place = endpoint.table or endpoint.sheet or endpoint.container
    query = Query(container=place, text=endpoint.query, filter=endpoint.filter)
    records: list[dict[str, t.Any]] = []
    with _opened(stored, surroundings) as provider:
        info = provider.describe_container(query)
        fields = [field.name for field in info.fields if not field.secret]
        with provider.read(query, fields) as reading:
            for batch in reading.batches():
                rows = batch[: wanted.sample - len(records)]
                for row in rows:
                    record = dict(zip(reading.fields, map(to_json, row), strict=True))
                    # An entry of a directory has few of the thousand attributes that there are.
                    records.append(
                        {name: value for name, value in record.items() if value is not None or not info.place}
                    )
                if len(records) >= wanted.sample:
                    break
    return records


@contextmanager
def _opened(stored: StoredProvider, surroundings: Surroundings) -> Iterator[Provider]:
    secrets = {}
    for option, secret in stored.secrets.items():
        what = f"provider {stored.spec.name!r}, option {option}"
        secrets[option] = resolve(secret, what, surroundings.environ)
        surroundings.protect(secrets[option])
    provider = surroundings.open_provider(stored.spec, secrets)
    try:
        yield provider
    finally:
        provider.close()


def _container(info: ContainerInfo) -> dict[str, t.Any]:
    fields = [
        {"name": field.name, "kind": field.kind, "type": field.type_name, "nullable": field.nullable}
        for field in info.fields
    ]
    return {
        "name": info.name,
        "kind": info.kind,
        "fields": fields,
        "keys": sorted(sorted(key) for key in info.unique_keys),
    }
