# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a declaration refers to, or say what there is."""

from __future__ import annotations

from .._model.errors import ConfigError, unknown
from .._store.jobs import StoredJob
from .._store.providers import StoredProvider
from .._store.smart_groups import StoredSmartGroup
from .._store.store import Store


def need_provider(store: Store, name: str, where: str) -> StoredProvider:
    """Give the provider called `name`. Raises ConfigError with `where` in front, naming the valid ones."""
    found = store.providers.get(name)
    if found is None:
        names = [stored.spec.name for stored in store.providers.list()]
        raise ConfigError(unknown("provider", name, names, where=where))
    return found


def need_job(store: Store, name: str, where: str = "") -> StoredJob:
    """Give the job called `name`. Raises ConfigError with `where` in front, naming the valid ones."""
    found = store.jobs.get(name)
    if found is None:
        raise ConfigError(unknown("job", name, [stored.name for stored in store.jobs.list()], where=where))
    return found


def need_smart_group(store: Store, name: str, where: str) -> StoredSmartGroup:
    """Give the smart group called `name`. Raises ConfigError with `where` in front, naming the valid ones."""
    found = store.smart_groups.get(name)
    if found is None:
        raise ConfigError(unknown("smart group", name, [each.name for each in store.smart_groups.list()], where=where))
    return found
