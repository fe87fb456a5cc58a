# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of whatever has some in the store: literals encrypted, references as they are."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .._model.secrets import Secret, SecretReference
from .secrets import check_literal
from .tables import Tables, tables
from .vault import Place, StoredSecret, Vault

if t.TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Connection, Row

_LITERAL = "literal"

AnySecret: t.TypeAlias = Secret | SecretReference | StoredSecret
Kept: t.TypeAlias = StoredSecret | SecretReference


@dataclass(frozen=True, kw_only=True, slots=True)
class Owners:
    """Those of one noun that have secrets.

    Attributes:
        word: the noun; it is a part of the keys of their secrets and must never change.
        table: their table, with the columns id and name.
        secrets: the table of their secrets, with the columns option, kind and value.
        column: the column of that table that says whose a secret is.
    """

    word: str
    table: Callable[[Tables], sa.Table]
    secrets: Callable[[Tables], sa.Table]
    column: str


PROVIDERS = Owners(
    word="provider",
    table=lambda known: known.providers,
    secrets=lambda known: known.secrets,
    column="provider_id",
)
NOTIFICATIONS = Owners(
    word="notification",
    table=lambda known: known.notifications,
    secrets=lambda known: known.notification_secrets,
    column="notification_id",
)
_ALL = (PROVIDERS, NOTIFICATIONS)


class KeptSecrets:
    """The secrets of the owners of one noun."""

    def __init__(self, owners: Owners, vault: Vault) -> None:
        self._owners = owners
        self._vault = vault

    def load(self, connection: Connection, name: str | None = None) -> dict[int, dict[str, Kept]]:
        """Give the secrets by the number of their owner and by option; with `name` only those of one."""
        owner, secrets = self._owners.table(tables()), self._owners.secrets(tables())
        whose = secrets.c[self._owners.column]
        query = secrets.select().add_columns(owner.c.name, whose.label("owner_id")).join_from(secrets, owner)
        if name is not None:
            query = query.where(owner.c.name == name)
        found: dict[int, dict[str, Kept]] = {}
        for row in connection.execute(query.order_by(secrets.c.option)):
            found.setdefault(row.owner_id, {})[row.option] = self._to_secret(row)
        return found

    def check(self, name: str, secrets: Mapping[str, AnySecret]) -> None:
        """Raise ConfigError when a literal is too short."""
        for option, secret in secrets.items():
            if isinstance(secret, Secret):
                check_literal(secret, f"{self._owners.word} {name!r}", option)

    def save(self, connection: Connection, number: int, name: str, secrets: Mapping[str, AnySecret]) -> None:
        """Make `secrets` all that the owner has.

        Args:
            connection: in a transaction.
            number: the owner's number; `name` its name.
            secrets: by option. A `StoredSecret` of this owner and option is kept as it is, without the key; another is
                decrypted and stored anew.

        Raises:
            ConfigError: there is no key file for a literal.
            StoreError: the key file cannot be used.
        """
        table = self._owners.secrets(tables())
        column = self._owners.column
        # Decrypt before the rows go: they may be this owner's own, under another option.
        prepared = {option: self._keep_or_reveal(secret, number, option) for option, secret in sorted(secrets.items())}
        connection.execute(table.delete().where(table.c[column] == number))
        # New literals come last: then those that stay count when a missing key file is about to be made anew.
        for option, secret in sorted(prepared.items(), key=lambda item: isinstance(item[1], Secret)):
            kind, value = _LITERAL, secret
            if isinstance(secret, SecretReference):
                kind, value = secret.kind, secret.name
            elif isinstance(secret, Secret):
                place = Place(noun=self._owners.word, number=number, name=name, option=option)
                value = self._vault.seal(connection, place, secret, others=_literal_holders(connection))
            row = {column: number, "option": option, "kind": kind, "value": value}
            connection.execute(table.insert().values(**row))

    def _to_secret(self, row: Row[t.Any]) -> Kept:
        if row.kind != _LITERAL:
            return SecretReference(kind=row.kind, name=row.value)
        place = Place(noun=self._owners.word, number=row.owner_id, name=row.name, option=row.option)
        return StoredSecret(place=place, token=row.value, vault=self._vault)

    def _keep_or_reveal(self, secret: AnySecret, number: int, option: str) -> Secret | SecretReference | str:
        """Give the token of a stored secret that stays where it is; the secret itself when it comes from elsewhere."""
        if not isinstance(secret, StoredSecret):
            return secret
        place = secret.place
        stays = (place.noun, place.number, place.option) == (self._owners.word, number, option)
        return secret.token if stays else secret.reveal()


def _literal_holders(connection: Connection) -> list[str]:
    """Give whoever has literals, of every noun: they are all encrypted with one key."""
    return [holder for owners in _ALL for holder in _holders(connection, owners)]


def _holders(connection: Connection, owners: Owners) -> Iterable[str]:
    owner, secrets = owners.table(tables()), owners.secrets(tables())
    query = (
        owner.select()
        .with_only_columns(owner.c.name)
        .join_from(owner, secrets)
        .where(secrets.c.kind == _LITERAL)
        .distinct()
        .order_by(owner.c.name)
    )
    return [f"{owners.word} {name!r}" for name in connection.scalars(query)]
