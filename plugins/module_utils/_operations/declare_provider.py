# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declare providers: make, change, rename and delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._model.definitions import parse_job
from .._model.endpoints import PROVIDER_TYPES, check_endpoints
from .._model.errors import ConfigError
from .._model.jobs import DIRECTORIES, ProviderSpec, ProviderType
from .._model.providers import SECRET_OPTIONS, check_name, parse_provider, secrets_taken
from .._model.secrets import Secret, SecretReference
from .._store.kept_secrets import AnySecret
from .._store.providers import StoredProvider
from .._store.store import Store
from .declared import (
    Declared,
    Plain,
    State,
    declare_all,
    find_stored,
    refuse_empty_rename,
    refuse_rename_of_absent,
)
from .describe_provider import describe_provider
from .given_secrets import changed_literals, same_if_equal
from .lookup import need_job, need_provider
from .smart_groups import drop_smart_group


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRequest:
    """One declaration of a provider.

    Attributes:
        definition: `{TYPE: {OPTION: VALUE}}` without secrets; empty keeps what is stored.
        secrets: the given secrets by option; an empty literal removes the secret, one that is not named stays.
        force: delete the provider together with the jobs and smart groups that use it.
    """

    name: str
    state: State = "present"
    new_name: str | None = None
    definition: Plain = field(default_factory=dict)
    secrets: Mapping[str, Secret | SecretReference] = field(default_factory=dict)
    force: bool = False


def declare_providers(store: Store, requests: Sequence[ProviderRequest]) -> list[Declared]:
    """Carry out the declarations in order, all or none. In a rehearsal of the store nothing is kept.

    Raises:
        ConfigError: a declaration is wrong, or a provider to delete is used by jobs or smart groups.
        StoreError: the store cannot be read or written, or a secret cannot be decrypted.
    """
    return declare_all(store, "provider", requests, lambda request: _declare(store, request))


def _declare(store: Store, request: ProviderRequest) -> Declared:
    if request.state == "absent":
        return _delete(store, request)
    found = find_stored("provider", request.name, request.new_name, lambda name: store.providers.get(name) is not None)
    stored = None if found is None else store.providers.get(found)
    if stored is None:
        given = bool(request.definition)
        refuse_empty_rename("provider", request.name, request.new_name, anything_given=given)
    name = request.new_name or request.name
    spec = _wanted_spec(name, request, stored)
    secrets = _wanted_secrets(spec, request, stored)
    changed_secrets = changed_literals(secrets, {} if stored is None else stored.secrets)
    before = None if stored is None else describe_provider(stored.spec, stored.secrets)
    after = describe_provider(spec, secrets, changed=changed_secrets)
    if before != after:
        _check_users(store, spec, stored)
        if stored is not None and stored.spec.name != name:
            store.providers.rename(stored.spec.name, name)
        store.providers.save(spec, secrets)
    return Declared(
        name=name,
        state="present",
        changed=before != after,
        before=before,
        after=after,
        effective=describe_provider(spec, secrets),
    )


def _wanted_spec(name: str, request: ProviderRequest, stored: StoredProvider | None) -> ProviderSpec:
    if request.definition:
        return parse_provider(name, request.definition)
    check_name("provider", name)
    if stored is None:
        types = ", ".join(f"`{type_name}`" for type_name in PROVIDER_TYPES)
        raise ConfigError(f"provider {name!r}: it does not exist yet. To make it, give one of {types}.")
    return replace(stored.spec, name=name)


def _wanted_secrets(
    spec: ProviderSpec, request: ProviderRequest, stored: StoredProvider | None
) -> dict[str, AnySecret]:
    """Give all secrets afterwards: those stored, replaced by those given; another type of provider keeps none, nor
    does one that logs in without. Raises ConfigError for a given secret that nobody would use.
    """
    kept = stored.secrets if stored is not None and stored.spec.type == spec.type else {}
    taken = secrets_taken(spec)
    for option, given in request.secrets.items():
        if option in SECRET_OPTIONS[spec.type] and option not in taken and given != Secret(""):
            raise ConfigError(
                f"provider {spec.name!r}, {spec.type}: `{option}` does not go with `auth: {spec.options['auth']}`. "
                "Leave it out, or set `auth: simple`."
            )
    secrets: dict[str, AnySecret] = {}
    for option in taken:
        secret: AnySecret | None = request.secrets.get(option, kept.get(option))
        if secret is not None and secret != Secret(""):
            secrets[option] = same_if_equal(secret, kept.get(option))
    return secrets


def _check_users(store: Store, spec: ProviderSpec, stored: StoredProvider | None) -> None:
    """Raise ConfigError when the type changes and what uses the provider does not fit the new type."""
    if stored is None or stored.spec.type == spec.type:
        return
    groups = store.providers.used_by_smart_groups(stored.spec.name)
    if groups and spec.type not in DIRECTORIES:
        raise ConfigError(
            f"provider {stored.spec.name!r} cannot become {spec.type}, because smart groups are in it: "
            f"{', '.join(map(repr, groups))}. They are in providers of type ldap or active_directory: delete them or "
            "give them another provider first."
        )
    for name in store.providers.used_by(stored.spec.name):
        parsed = parse_job(name, need_job(store, name).definition)
        source, destination = (
            spec.type if side.provider == stored.spec.name else _type_of(store, side.provider)
            for side in (parsed.source, parsed.destination)
        )
        try:
            check_endpoints(parsed, source, destination)
        except ConfigError as error:
            raise ConfigError(
                f"provider {stored.spec.name!r} cannot become {spec.type}, because a job that uses it does not fit: "
                f"{error.message} Change or delete that job first."
            ) from None


def _type_of(store: Store, name: str) -> ProviderType:
    return need_provider(store, name, "").spec.type


def _delete(store: Store, request: ProviderRequest) -> Declared:
    refuse_rename_of_absent("provider", request.name, request.new_name)
    stored = store.providers.get(request.name)
    if stored is None:
        return Declared(name=request.name, state="absent", changed=False, before=None, after=None, effective=None)
    jobs, groups = store.providers.used_by(request.name), store.providers.used_by_smart_groups(request.name)
    if (jobs or groups) and not request.force:
        listed = "; ".join(
            f"{len(names)} {noun}(s): {', '.join(map(repr, names))}"
            for noun, names in (("job", jobs), ("smart group", groups))
            if names
        )
        raise ConfigError(
            f"provider {request.name!r}: it is used by {listed}. Delete or change them first, or set `force: true` to "
            "delete them too (the run history of jobs is kept)."
        )
    for job in jobs:
        store.jobs.delete(job)
    for group in groups:
        drop_smart_group(store, group)
    store.providers.delete(request.name)
    lost_jobs = (
        f"The job {job!r} goes with the provider {request.name!r} that it uses; its history stays." for job in jobs
    )
    lost_groups = (
        f"The smart group {group!r} goes with the provider {request.name!r} that it is in; the group itself stays in "
        "the directory."
        for group in groups
    )
    return Declared(
        name=request.name,
        state="absent",
        changed=True,
        before=describe_provider(stored.spec, stored.secrets),
        after=None,
        effective=None,
        warnings=(*lost_jobs, *lost_groups),
    )
