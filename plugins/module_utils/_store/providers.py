# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers in the store."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.errors import ConfigError, unknown
from .._model.jobs import ProviderSpec
from .._model.providers import check_name
from .kept_secrets import PROVIDERS, AnySecret, Kept, KeptSecrets
from .session import Session, inserted_id
from .tables import tables
from .texts import from_json_text, to_json_text
from .times import Clock, to_text
from .vault import Vault

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row

Names: t.TypeAlias = list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredProvider:
    """A provider as stored. Literal secrets are handles; only revealing one needs the key. Times are ISO 8601, UTC."""

    spec: ProviderSpec
    secrets: Mapping[str, Kept]
    created: str
    modified: str


StoredProviders: t.TypeAlias = list[StoredProvider]


class Providers:
    """The providers of one store."""

    def __init__(self, session: Session, vault: Vault, clock: Clock) -> None:
        self._session = session
        self._secrets = KeptSecrets(PROVIDERS, vault)
        self._clock = clock

    def get(self, name: str) -> StoredProvider | None:
        """Give the provider called `name`, or None."""
        with self._session.read() as connection:
            found = self._load(connection, name)
        return found[0] if found else None

    def list(self) -> StoredProviders:
        """Give all providers by name."""
        with self._session.read() as connection:
            return self._load(connection, None)

    def save(self, spec: ProviderSpec, secrets: Mapping[str, AnySecret]) -> None:
        """Insert the provider, or replace the one of the same name.

        Args:
            spec: the provider; its options are plain JSON data.
            secrets: all its secrets by option. A `StoredSecret` of this provider is kept as it is, without the key; one
                of another provider is decrypted and stored for this one. Secrets not named are deleted.

        Raises:
            ConfigError: the name cannot be stored, a literal is too short, or there is no key file for one.
            StoreError: the key file cannot be used.
        """
        check_name("provider", spec.name)
        self._secrets.check(spec.name, secrets)
        table = tables().providers
        now = to_text(self._clock())
        values = {"type": spec.type, "options": to_json_text(dict(spec.options)), "modified": now}
        with self._session.write() as connection:
            number = provider_id(connection, spec.name)
            if number is None:
                result = connection.execute(table.insert().values(name=spec.name, created=now, **values))
                number = inserted_id(result)
            else:
                connection.execute(table.update().where(table.c.id == number).values(**values))
            self._secrets.save(connection, number, spec.name, secrets)

    def rename(self, old: str, new: str) -> None:
        """Rename a provider, and with it every job's reference to it. Raises ConfigError."""
        check_name("provider", new)
        table = tables().providers
        with self._session.write() as connection:
            number = need_provider(connection, old)
            if new != old and provider_id(connection, new) is not None:
                raise ConfigError(f"provider {old!r}: it cannot be renamed, there is already a provider {new!r}.")
            connection.execute(
                table.update().where(table.c.id == number).values(name=new, modified=to_text(self._clock()))
            )

    def delete(self, name: str) -> None:
        """Delete a provider and its secrets.

        Raises ConfigError when there is none, or naming the jobs and smart groups that use it.
        """
        table = tables().providers
        with self._session.write() as connection:
            number = need_provider(connection, name)
            users = {"jobs": _job_names(connection, number), "smart groups": _smart_group_names(connection, number)}
            if any(users.values()):
                listed = "; ".join(
                    f"these {noun} use it: {', '.join(map(repr, names))}" for noun, names in users.items() if names
                )
                raise ConfigError(
                    f"provider {name!r}: it cannot be deleted, {listed}. Delete them or change them first."
                )
            connection.execute(table.delete().where(table.c.id == number))

    def used_by(self, name: str) -> Names:
        """Give the sorted names of the jobs that use the provider on either side."""
        with self._session.read() as connection:
            number = provider_id(connection, name)
            return [] if number is None else _job_names(connection, number)

    def used_by_smart_groups(self, name: str) -> Names:
        """Give the sorted names of the smart groups that are in the provider."""
        with self._session.read() as connection:
            number = provider_id(connection, name)
            return [] if number is None else _smart_group_names(connection, number)

    def _load(self, connection: Connection, name: str | None) -> StoredProviders:
        table = tables().providers
        query = table.select().order_by(table.c.name)
        if name is not None:
            query = query.where(table.c.name == name)
        rows = connection.execute(query).all()
        secrets = self._secrets.load(connection, name)
        return [_to_provider(row, secrets.get(row.id, {})) for row in rows]


def _to_provider(row: Row[t.Any], secrets: Mapping[str, Kept]) -> StoredProvider:
    return StoredProvider(
        spec=ProviderSpec(name=row.name, type=row.type, options=_options_from_text(row.options)),
        secrets=secrets,
        created=row.created,
        modified=row.modified,
    )


def provider_id(connection: Connection, name: str) -> int | None:
    """Give the number of the provider called `name`, or None."""
    table = tables().providers
    number: int | None = connection.scalar(table.select().with_only_columns(table.c.id).where(table.c.name == name))
    return number


def need_provider(connection: Connection, name: str, where: str = "") -> int:
    """Give the number of the provider called `name`. Raises ConfigError with the valid ones; `where` says who asks."""
    number = provider_id(connection, name)
    if number is None:
        table = tables().providers
        raise ConfigError(
            unknown("provider", name, connection.scalars(table.select().with_only_columns(table.c.name)), where=where)
        )
    return number


def _job_names(connection: Connection, number: int) -> list[str]:
    jobs = tables().jobs
    uses = (jobs.c.source_provider_id == number) | (jobs.c.destination_provider_id == number)
    return list(connection.scalars(jobs.select().with_only_columns(jobs.c.name).where(uses).order_by(jobs.c.name)))


def _smart_group_names(connection: Connection, number: int) -> list[str]:
    groups = tables().smart_groups
    query = groups.select().with_only_columns(groups.c.name).where(groups.c.provider_id == number)
    return list(connection.scalars(query.order_by(groups.c.name)))


def _options_from_text(text: str) -> dict[str, t.Any]:
    """Give the options as they were before JSON made lists of tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in from_json_text(text).items()}
