# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications in the store: declarations with a name that have secrets besides."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .kept_secrets import NOTIFICATIONS, AnySecret, Kept, KeptSecrets
from .mentions import drop_notification
from .named import Named, Stored
from .nouns import NOTIFICATION
from .session import Session
from .times import Clock
from .vault import Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredNotification:
    """A notification as stored, without secrets in its definition; `secrets` has them as handles."""

    id: int
    name: str
    definition: Mapping[str, t.Any]
    secrets: Mapping[str, Kept]
    created: str
    modified: str


StoredNotifications: t.TypeAlias = list[StoredNotification]
Names: t.TypeAlias = list[str]


class Notifications:
    """The notifications of one store."""

    def __init__(self, session: Session, vault: Vault, clock: Clock) -> None:
        self._session = session
        self._named = Named(session, clock, NOTIFICATION)
        self._secrets = KeptSecrets(NOTIFICATIONS, vault)

    def get(self, name: str) -> StoredNotification | None:
        """Give the one called `name`, or None."""
        return next(iter(self._load(self._named.get(name))), None)

    def list(self) -> StoredNotifications:
        """Give all by name."""
        return self._load(*self._named.list())

    def save(self, name: str, definition: Mapping[str, t.Any], secrets: Mapping[str, AnySecret]) -> None:
        """Insert the notification, or replace the one of the same name, with `secrets` as all that it has.

        Raises ConfigError for a bad name, a literal that is too short, or when there is no key file for one; StoreError
        when the key file cannot be used.
        """
        self._secrets.check(name, secrets)
        with self._session.write() as connection:
            self._named.save(name, definition)
            stored = t.cast("Stored", self._named.get(name))
            self._secrets.save(connection, stored.id, name, secrets)

    def rename(self, old: str, new: str) -> None:
        """Rename one; those who mention it follow. Raises ConfigError."""
        self._named.rename(old, new)

    def delete(self, name: str) -> None:
        """Delete one with its secrets and mails, and take it out of its users. Raises ConfigError for none."""
        with self._session.write() as connection:
            drop_notification(connection, name)
            self._named.delete(name)

    def used_by(self, name: str) -> Names:
        """Give those who mention it, as `job 'people'`."""
        return self._named.used_by(name)

    def _load(self, *found: Stored | None) -> StoredNotifications:
        with self._session.read() as connection:
            secrets = self._secrets.load(connection)
        return [
            StoredNotification(
                id=each.id,
                name=each.name,
                definition=each.definition,
                secrets=secrets.get(each.id, {}),
                created=each.created,
                modified=each.modified,
            )
            for each in found
            if each is not None
        ]
