# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns that a bundle can hold: where they are stored, what they mention, and how they are declared.

`NOUNS` is in the order in which they are declared: what others mention comes first. A noun that is added there is
exported, imported, renamed and compared as the others are.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .._model.bundles import Item
from .._model.collections import collection_definition, parse_collection
from .._model.definitions import normalize_job
from .._model.notifications import PASSWORD, URLS, notification_definition, parse_notification
from .._model.providers import parse_provider, provider_definition
from .._model.schedules import parse_schedule, schedule_definition
from .._model.secrets import Secret
from .._model.sections import Section
from .._model.smart_groups import OPTIONS as SMART_GROUP_OPTIONS
from .._model.smart_groups import parse_smart_group, smart_group_definition
from .._model.workflows import parse_workflow, workflow_definition
from .._store.store import Store
from .bundle_noun import BundleNoun, Means, Mention, as_bundle_secrets, new_secrets, stored_in
from .collection_templates import (
    CollectionTemplateRequest,
    declare_collection_templates,
    normalize_collection_template,
)
from .collections import CollectionRequest, declare_collections
from .declare_job import JobRequest, declare_jobs
from .declare_provider import ProviderRequest, declare_providers
from .declared import Declared
from .job_templates import TemplateRequest, declare_job_templates, normalize_template
from .notifications import NotificationRequest, declare_notifications
from .predefined_templates import PREDEFINED
from .schedules import ScheduleRequest, declare_schedules
from .smart_groups import SmartGroupRequest, declare_smart_groups
from .workflows import WorkflowRequest, declare_workflows

Plain: t.TypeAlias = Mapping[str, t.Any]


# -- providers


def _stored_providers(store: Store) -> list[Item]:
    return [
        Item(
            section="providers",
            name=each.spec.name,
            definition=provider_definition(each.spec),
            secrets=as_bundle_secrets(each.secrets),
        )
        for each in store.providers.list()
    ]


def _declare_providers(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    stored = {each.spec.name: each.secrets for each in store.providers.list()}
    requests = [
        ProviderRequest(
            name=item.name, definition=item.definition, secrets=new_secrets(item, stored.get(item.name, ()))
        )
        for item in items
    ]
    return declare_providers(store, requests)


def _provider_files(definition: Plain) -> Iterator[tuple[str, str]]:
    for type_name, options in definition.items():
        for option in ("path", "ca_cert"):
            if options.get(option):
                yield f"{type_name}.{option}", options[option]
        url = options.get("url")
        if isinstance(url, str) and url.startswith("sqlite") and ":///" in url:
            yield f"{type_name}.url", url.partition(":///")[2]


# -- notifications


def _stored_notifications(store: Store) -> list[Item]:
    return [
        Item(
            section="notifications",
            name=each.name,
            definition=each.definition,
            secrets=as_bundle_secrets(each.secrets),
        )
        for each in store.notifications.list()
    ]


def _declare_notifications(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    stored = {each.name: each.secrets for each in store.notifications.list()}
    requests = []
    for item in items:
        secrets = new_secrets(item, stored.get(item.name, ()))
        # Channels whose addresses were left out of the bundle stay declared, and wait for them.
        urls = secrets.get(URLS)
        requests.append(
            NotificationRequest(
                name=item.name,
                definition=item.definition,
                password=secrets.get(PASSWORD),
                urls=None if urls == Secret("") and item.definition.get("apprise") else urls,
            )
        )
    return declare_notifications(store, requests)


def _notification_files(definition: Plain) -> Iterator[tuple[str, str]]:
    if "ca_cert" in definition.get("smtp", {}):
        yield "smtp.ca_cert", definition["smtp"]["ca_cert"]


# -- jobs and their templates


def _declare_jobs(store: Store, items: Sequence[Item], means: Means) -> list[Declared]:
    requests = [JobRequest(name=item.name, definition=item.definition, whole=True) for item in items]
    return declare_jobs(store, requests, holder=means.holder, check_mapping=means.check_mapping)


def _job_files(definition: Plain) -> Iterator[tuple[str, str]]:
    for item in definition.get("objects", ()):
        for field in item["fields"]:
            for step in field.get("transform", ()):
                if "function" in step:
                    yield f"fields.{field['name']}.function", step["function"].rpartition(":")[0]


def _normalize_template(name: str, definition: Plain) -> Plain:
    given = Section(definition, f"job template {name!r}", ("description", "job"))
    job = given.given.get("job")
    if not isinstance(job, Mapping):
        raise given.wrong("job", "a mapping of options")
    return {"description": given.text("description"), "job": normalize_template(name, job)}


def _declare_templates(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    requests = [
        TemplateRequest(name=item.name, description=item.definition["description"], definition=item.definition["job"])
        for item in items
    ]
    return declare_job_templates(store, requests)


# -- schedules and collections


def _declare_schedules(store: Store, items: Sequence[Item], means: Means) -> list[Declared]:
    requests = [ScheduleRequest(name=item.name, definition=item.definition, whole=True) for item in items]
    return declare_schedules(store, requests, now=means.now)


def _declare_collections(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    return declare_collections(
        store, [CollectionRequest(name=item.name, definition=item.definition, whole=True) for item in items]
    )


def _normalize_collection_template(name: str, definition: Plain) -> Plain:
    given = Section(definition, f"collection template {name!r}", ("description", "collection"))
    options = given.given.get("collection")
    if not isinstance(options, Mapping):
        raise given.wrong("collection", "a mapping of options")
    return {"description": given.text("description"), "collection": normalize_collection_template(name, options)}


def _declare_collection_templates(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    requests = [
        CollectionTemplateRequest(
            name=item.name, description=item.definition["description"], definition=item.definition["collection"]
        )
        for item in items
    ]
    return declare_collection_templates(store, requests)


# -- smart groups and workflows


def _declare_smart_groups(store: Store, items: Sequence[Item], _means: Means) -> list[Declared]:
    empty: dict[str, t.Any] = {**dict.fromkeys(SMART_GROUP_OPTIONS, ""), "limits": {}}
    return declare_smart_groups(
        store, [SmartGroupRequest(name=item.name, definition={**empty, **item.definition}) for item in items]
    )


def _declare_workflows(store: Store, items: Sequence[Item], means: Means) -> list[Declared]:
    return declare_workflows(
        store, [WorkflowRequest(name=item.name, actor=means.actor, definition=item.definition) for item in items]
    )


PROVIDERS = BundleNoun(
    section="providers",
    module="provider",
    stored=_stored_providers,
    normalize=lambda name, definition: provider_definition(parse_provider(name, definition)),
    declare=_declare_providers,
    files=_provider_files,
)
SMART_GROUPS = BundleNoun(
    section="smart_groups",
    module="smart_group",
    stored=stored_in("smart_groups", lambda store: store.smart_groups.list()),
    normalize=lambda name, definition: smart_group_definition(parse_smart_group(name, definition)),
    declare=_declare_smart_groups,
    mentions=(Mention(section="providers", path=("provider",)),),
)
JOB_TEMPLATES = BundleNoun(
    section="job_templates",
    module="job_template",
    stored=stored_in("job_templates", lambda store: store.job_templates.list()),
    normalize=_normalize_template,
    declare=_declare_templates,
    files=lambda definition: _job_files(definition["job"]),
)
SCHEDULES = BundleNoun(
    section="schedules",
    module="schedule",
    stored=stored_in("schedules", lambda store: store.schedules.list()),
    normalize=lambda name, definition: schedule_definition(parse_schedule(name, definition)),
    declare=_declare_schedules,
    mentions=(
        Mention(section="jobs", path=("jobs",)),
        Mention(section="collections", path=("collections",)),
        Mention(section="notifications", path=("notification",)),
    ),
    deferred=("jobs", "collections"),
)
NOTIFICATIONS = BundleNoun(
    section="notifications",
    module="notification",
    stored=_stored_notifications,
    normalize=lambda name, definition: notification_definition(parse_notification(name, definition)),
    declare=_declare_notifications,
    files=_notification_files,
)
JOBS = BundleNoun(
    section="jobs",
    module="job",
    stored=stored_in("jobs", lambda store: store.jobs.list()),
    normalize=normalize_job,
    declare=_declare_jobs,
    mentions=(
        Mention(section="providers", path=("source", "provider")),
        Mention(section="providers", path=("destination", "provider")),
        Mention(section="smart_groups", path=("smart_groups",)),
        Mention(section="schedules", path=("schedule",)),
        Mention(section="notifications", path=("notification",)),
        # Jobs keep what they took from a template when it is deleted, and its name.
        Mention(section="job_templates", path=("template",), optional=True, everywhere=tuple(PREDEFINED)),
    ),
    files=_job_files,
)
COLLECTION_TEMPLATES = BundleNoun(
    section="collection_templates",
    module="collection_template",
    stored=stored_in("collection_templates", lambda store: store.collection_templates.list()),
    normalize=_normalize_collection_template,
    declare=_declare_collection_templates,
    # The jobs of a template need not exist.
    mentions=(Mention(section="jobs", path=("collection", "jobs", "job"), optional=True),),
)
COLLECTIONS = BundleNoun(
    section="collections",
    module="job_collection",
    stored=stored_in("collections", lambda store: store.collections.list()),
    normalize=lambda name, definition: collection_definition(parse_collection(name, definition)),
    declare=_declare_collections,
    mentions=(
        Mention(section="jobs", path=("jobs", "job")),
        Mention(section="smart_groups", path=("smart_groups",)),
        Mention(section="schedules", path=("schedule",)),
        Mention(section="notifications", path=("notification",)),
        # Collections keep what they took from a template when it is deleted, and its name.
        Mention(section="collection_templates", path=("template",), optional=True),
    ),
)
WORKFLOWS = BundleNoun(
    section="workflows",
    module="workflow",
    stored=stored_in("workflows", lambda store: store.workflows.list()),
    normalize=lambda name, definition: workflow_definition(parse_workflow(name, definition)),
    declare=_declare_workflows,
    # A job that was deleted stays named, so that one of that name is covered again.
    mentions=(Mention(section="jobs", path=("jobs",), optional=True),),
    comes_along="jobs",
)

NOUNS: tuple[BundleNoun, ...] = (
    PROVIDERS,
    SMART_GROUPS,
    JOB_TEMPLATES,
    NOTIFICATIONS,
    SCHEDULES,
    JOBS,
    COLLECTION_TEMPLATES,
    COLLECTIONS,
    WORKFLOWS,
)
