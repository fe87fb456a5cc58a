# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job is at this moment, as one digest: a plan is applied only to the job it was made for."""

from __future__ import annotations

from .._model.digests import content_digest
from .._model.errors import ConfigError
from .._model.jobs import JobSpec
from .._model.plans import Plan
from .._store.store import Store


def definition_digest(job: JobSpec, store: Store) -> str:
    """Give a digest over everything that decides what is written and where: mapping, providers, smart groups.

    Passwords do not belong to it: that of a service account may change between a plan and its approval.
    """
    groups = {name: store.smart_groups.get(name) for name in job.smart_groups}
    names = {job.source.provider, job.destination.provider} | {
        str(group.definition.get("provider")) for group in groups.values() if group is not None
    }
    providers = {name: store.providers.get(name) for name in sorted(names)}
    content = {
        "mapping": job.mapping_digest,
        "providers": {
            name: None if stored is None else [stored.spec.type, dict(stored.spec.options)]
            for name, stored in providers.items()
        },
        "smart_groups": {name: None if group is None else dict(group.definition) for name, group in groups.items()},
    }
    return content_digest(content)


def refuse_changed_definition(plan: Plan, job: JobSpec, store: Store, what: str) -> None:
    """Raise ConfigError when the job is not what it was when `plan` was made."""
    if plan.definition_digest != definition_digest(job, store):
        raise ConfigError(
            f"{what} cannot be applied: the definition of job {job.name!r}, of one of its providers or smart groups "
            "has changed since the plan was made. Preview the job and make a new plan."
        )
