# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destinations of a job's objects and smart groups, for work on plans that were made before."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from .._execution.looking import Destination
from .._model.access import PasswordPolicy, Provider, Query, Writer, as_directory
from .._model.errors import ConfigError, unknown
from .._model.jobs import JobSpec, ObjectSpec, Password, ProviderType
from .._model.object_types import type_of
from .._model.plans import ObjectPlan, Plan
from .._model.schema import ContainerInfo
from .._model.secrets import GeneratedPassword
from .._store.store import Store
from .runtime import Runtime
from .sides import open_named_provider, query_of
from .smart_groups import PREFIX, find_smart_group


class Destinations:
    """Opens each provider once, when it is first needed; a context manager that closes them."""

    def __init__(self, job: JobSpec, store: Store, runtime: Runtime) -> None:
        self._job = job
        self._store = store
        self._runtime = runtime
        self._stack = ExitStack()
        self._opened: dict[str, Provider] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def spec(self, name: str) -> ObjectSpec:
        """Give the object called `name`. Raises ConfigError when the job has none such any more."""
        spec = next((each for each in self._job.objects if each.name == name), None)
        if spec is None:
            names = [each.name for each in self._job.objects]
            raise ConfigError(unknown("object", name, names, where=f"job {self._job.name!r}"))
        return spec

    def info(self, name: str) -> ContainerInfo:
        """Describe the destination of an object. Raises ConfigError, ProviderError."""
        return self.provider_of(name).describe_container(query_of(self.spec(name).destination))

    def type_of(self, name: str) -> ProviderType:
        """Give the type of the provider that the object `name` writes to. Raises ConfigError."""
        provider = self.spec(name).destination.provider
        stored = self._store.providers.get(provider)
        if stored is None:
            raise ConfigError(unknown("provider", provider, (each.spec.name for each in self._store.providers.list())))
        return stored.spec.type

    def query(self, name: str) -> Query:
        """Give what the job reads at the destination of an object: the records of its type. Raises ConfigError."""
        spec = self.spec(name)
        return query_of(spec.destination, type_of(spec, self.type_of(name)))

    def provider_of(self, name: str) -> Provider:
        """Give the provider that the object or smart group `name` writes to. Raises ConfigError."""
        if name.startswith(PREFIX):
            return self._open(find_smart_group(self._store, name.removeprefix(PREFIX)).provider)
        return self._open(self.spec(name).destination.provider)

    def of(self, name: str) -> Destination:
        """Give where and how the records of an object or smart group are found. Raises ConfigError, ProviderError."""
        provider = self.provider_of(name)
        if name.startswith(PREFIX):
            info = provider.describe_container(Query())
            return Destination(
                provider=provider, query=Query(), key_fields=(), fields=(), place=info.place, anchor=info.anchor
            )
        spec = self.spec(name)
        query, info = query_of(spec.destination), self.info(name)
        made_up = {field.name for field in spec.fields if any(isinstance(step, Password) for step in field.transform)}
        return Destination(
            provider=provider,
            query=query,
            key_fields=spec.key_fields,
            fields=tuple(field.name for field in info.fields if not field.secret and field.name not in made_up),
            place=info.place,
            anchor=info.anchor,
        )

    def open_writer(self, part: ObjectPlan) -> Writer:
        """Give the writer of one part of a plan. Raises ConfigError."""
        return self.provider_of(part.name).writer(part.target)

    def policy(self, plan: Plan) -> PasswordPolicy:
        """Give what the destination asks of passwords, asked only when the plan makes some. Raises ProviderError."""
        for part in plan.objects:
            if any(isinstance(value, GeneratedPassword) for each in part.changes for value in each.after.values()):
                provider = self.provider_of(part.name)
                return as_directory(provider).password_policy() if provider.capabilities.directory else PasswordPolicy()
        return PasswordPolicy()

    def _open(self, name: str) -> Provider:
        if name not in self._opened:
            provider = open_named_provider(name, self._store, self._runtime)
            self._stack.callback(provider.close)
            self._opened[name] = provider
        return self._opened[name]
