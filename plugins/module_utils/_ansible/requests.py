# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task to typed requests; nobody below reads the options.

Each function imports what it needs: a module starts for one noun, and the others cost as much as its work.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._model.secrets import Secret, SecretReference

if t.TYPE_CHECKING:
    from .._model.approvals import Actor
    from .._operations.collection_templates import CollectionTemplateRequest
    from .._operations.collections import CollectionRequest
    from .._operations.declare_job import JobRequest
    from .._operations.declare_provider import ProviderRequest
    from .._operations.job_templates import TemplateRequest
    from .._operations.notifications import NotificationRequest
    from .._operations.schedules import ScheduleRequest
    from .._operations.smart_groups import SmartGroupRequest
    from .._operations.workflows import WorkflowRequest

Params: t.TypeAlias = Mapping[str, t.Any]


def entries(params: Params, plural: str) -> list[Params]:
    """Give the declarations of a task: those of its list, or the one that its own options make."""
    several: list[Params] | None = params[plural]
    return [params] if several is None else several


def provider_request(params: Params) -> ProviderRequest:
    """Give the request of one declaration of a provider. Relative paths start where the task runs."""
    from .._model.endpoints import PROVIDER_TYPES
    from .._model.providers import SECRET_OPTIONS
    from .._operations.declare_provider import ProviderRequest

    definition: dict[str, t.Any] = {}
    secrets: dict[str, Secret | SecretReference] = {}
    for type_name in PROVIDER_TYPES:
        given = params[type_name]
        if given is None:
            continue
        options = dict(given)
        for option in SECRET_OPTIONS[type_name]:
            secret = _secret(options.pop(option), options.pop(f"{option}_from"))
            if secret is not None:
                secrets[option] = secret
        if options.get("path"):
            options["path"] = _absolute(options["path"])
        if isinstance(options.get("url"), str):
            options["url"] = _absolute_url(options["url"])
        if options.get("ca_cert"):
            options["ca_cert"] = _absolute(options["ca_cert"])
        definition[type_name] = options
    return ProviderRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        definition=definition,
        secrets=secrets,
        force=params["force"],
    )


def job_request(params: Params) -> JobRequest:
    """Give the request of one declaration of a job. Relative paths of function files start where the task runs."""
    from .._model.definitions import JOB_OPTIONS
    from .._operations.declare_job import JobRequest

    definition = {option: params[option] for option in JOB_OPTIONS}
    for item in definition["objects"] or ():
        _make_steps_absolute(item)
    return JobRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        copy_of=params["copy_of"],
        definition=definition,
        quarantined=params["quarantined"],
        force=params["force"],
    )


def smart_group_request(params: Params) -> SmartGroupRequest:
    """Give the request of one declaration of a smart group."""
    from .._model.smart_groups import OPTIONS
    from .._operations.smart_groups import SmartGroupRequest

    return SmartGroupRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        definition={option: params[option] for option in OPTIONS},
        force=params["force"],
    )


def workflow_request(params: Params, actor: Actor) -> WorkflowRequest:
    """Give the request of one declaration of a workflow by `actor`."""
    from .._model.workflows import OPTIONS
    from .._operations.workflows import WorkflowRequest

    return WorkflowRequest(
        name=params["name"],
        actor=actor,
        state=params["state"],
        new_name=params["new_name"],
        definition={option: params[option] for option in OPTIONS},
        force=params["force"],
    )


def notification_request(params: Params) -> NotificationRequest:
    """Give the request of one declaration of a notification. Relative paths start where the task runs."""
    from .._model.notifications import OPTIONS
    from .._operations.notifications import NotificationRequest

    definition = {option: params[option] for option in OPTIONS if option != "apprise"}
    password = None
    channels = params["apprise"] or {"urls": None, "urls_from": None}
    if definition["smtp"] is not None:
        smtp = dict(definition["smtp"])
        password = _secret(smtp.pop("password"), smtp.pop("password_from"))
        if smtp["ca_cert"]:
            smtp["ca_cert"] = _absolute(smtp["ca_cert"])
        definition["smtp"] = smtp
    return NotificationRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        definition=definition,
        password=password,
        urls=_secret(channels["urls"], channels["urls_from"]),
        force=params["force"],
    )


def schedule_request(params: Params) -> ScheduleRequest:
    """Give the request of one declaration of a schedule."""
    from .._model.schedules import OPTIONS
    from .._operations.schedules import ScheduleRequest

    return ScheduleRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        definition={option: params[option] for option in OPTIONS},
        force=params["force"],
    )


def collection_request(params: Params) -> CollectionRequest:
    """Give the request of one declaration of a job collection."""
    from .._model.collections import OPTIONS
    from .._operations.collections import CollectionRequest

    return CollectionRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        copy_of=params["copy_of"],
        definition={option: params[option] for option in OPTIONS},
        force=params["force"],
    )


def collection_template_request(params: Params) -> CollectionTemplateRequest:
    """Give the request of one declaration of a collection template."""
    from .._operations.collection_templates import CollectionTemplateRequest

    return CollectionTemplateRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        description=params["description"],
        from_collection=params["from_collection"],
        definition=params["definition"],
    )


def template_request(params: Params) -> TemplateRequest:
    """Give the request of one declaration of a job template."""
    from .._operations.job_templates import TemplateRequest

    definition = params["definition"]
    for item in (definition or {}).get("objects") or ():
        _make_steps_absolute(item)
    return TemplateRequest(
        name=params["name"],
        state=params["state"],
        new_name=params["new_name"],
        description=params["description"],
        from_job=params["from_job"],
        definition=definition,
    )


def passphrase_given(params: Params) -> Secret | SecretReference | None:
    """Give the passphrase of a bundle as the task has it."""
    return _secret(params["passphrase"], params["passphrase_from"])


def _make_steps_absolute(item: Params) -> None:
    for field in item["fields"]:
        field["transform"] = [_absolute_step(step) for step in field["transform"] or ()]


def _secret(literal: str | None, reference: Mapping[str, str | None] | None) -> Secret | SecretReference | None:
    if literal is not None:
        return Secret(literal)
    if reference is None:
        return None
    if reference["env"] is not None:
        return SecretReference(kind="env", name=reference["env"])
    return SecretReference(kind="file", name=_absolute(reference["file"] or ""))


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _absolute_url(url: str) -> str:
    """Give the URL of a SQLite file with an absolute path; a run may start in another folder than the declaration."""
    scheme, separator, path = url.partition(":///")
    if not separator or not scheme.startswith("sqlite") or not path or path.startswith(("/", ":", "file:")):
        return url
    return f"{scheme}:///{_absolute(path)}"


def _absolute_step(step: Params) -> Params:
    path, colon, name = (step["function"] or "").rpartition(":")
    return {**step, "function": f"{_absolute(path)}:{name}"} if colon and path else step
