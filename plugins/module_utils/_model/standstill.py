# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`changed_only` of a job, and which jobs need not be run while nothing changes at their systems.

A job *stands still* when the same records always give the same plan: nothing in it depends on the time, on code of the
user, or on systems of which nobody can say that they are as they were.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .errors import ConfigError
from .jobs import VARIABLE, Expression, FieldSpec, Function, JobSpec, ObjectSpec, ProviderType, Static
from .sections import Section

CHANGED_ONLY = ("field", "proof")
PROVING: frozenset[ProviderType] = frozenset({"csv", "excel", "ldap", "active_directory"})
"""Providers that can show that nothing has changed, see `access.Provider.change_token`."""
_NOW = re.compile(r"\bnow\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standstill:
    """The tokens of both systems as they were before a run read them, as one text, and what the job was then."""

    digest: str
    tokens: str


def read_changed_only(job: Section) -> tuple[str | None, bool]:
    """Give the time stamp field and whether a proof that nothing changed is enough. Raises ConfigError."""
    section = job.section("changed_only", CHANGED_ONLY)
    field, proof = section.optional_text("field"), section.flag("proof", False)
    if field is not None and proof:
        raise ConfigError(
            f"{section.place}: give `field` or `proof: true`, not both. A run that looked only at records with a new "
            "time stamp proves nothing of the others."
        )
    return field, proof


def changed_only_to_plain(job: JobSpec) -> Mapping[str, t.Any] | None:
    """Give the option as `read_changed_only` takes it, None when it has its default."""
    if job.proof:
        return {"proof": True}
    return {"field": job.changed_only} if job.changed_only else None


def check_standstill(job: JobSpec) -> None:
    """Raise ConfigError when `job` asks for a proof and what it does depends on more than its two systems."""
    if not job.proof:
        return
    reason = next(_restless(job), None)
    if reason is not None:
        raise ConfigError(
            f"job {job.name!r}, changed_only: `proof` needs a job that does the same whenever its two systems are the "
            f"same, but {reason}. Leave `proof` out, or that."
        )


def check_proving(job: JobSpec, source_type: ProviderType, destination_type: ProviderType) -> None:
    """Raise ConfigError when `job` asks for a proof that one of its systems cannot give."""
    if not job.proof:
        return
    for endpoint, kind in ((job.source, source_type), (job.destination, destination_type)):
        if kind not in PROVING:
            raise ConfigError(
                f"job {job.name!r}, changed_only: `proof` is nothing that provider {endpoint.provider!r} can give, "
                f"which is of type {kind}. Valid: {', '.join(sorted(PROVING))}. Leave it out, or use `field`."
            )


def variables_of(job: JobSpec) -> tuple[str, ...]:
    """Give the names of the variables in the texts of `job`, sorted."""
    steps = (step for item in job.objects for field in item.fields for step in field.transform)
    texts = (step.text for step in steps if isinstance(step, Static))
    return tuple(sorted({name for text in texts for name in VARIABLE.findall(text)}))


def _restless(job: JobSpec) -> Iterator[str]:
    """Yield what the job depends on beside its two systems."""
    if job.smart_groups:
        yield "it refreshes smart groups"
    for item in job.objects:
        for reason in _restless_object(item):
            yield f"object {item.name!r} {reason}"


def _restless_object(item: ObjectSpec) -> Iterator[str]:
    if item.on_disable.delete_after_days is not None:
        yield "has `delete_after_days`"
    expression = None if item.create_in is None else item.create_in.expression
    for option, text in (("when", item.when), ("create_in", expression), ("protect", item.protect)):
        if text is not None and _NOW.search(text):
            yield f"asks for the time: `{option}` has `now`"
    for field in item.fields:
        for reason in _restless_field(field):
            yield f"{reason} in field {field.name!r}"


def _restless_field(field: FieldSpec) -> Iterator[str]:
    for step in field.transform:
        if isinstance(step, Function):
            yield f"calls {step.name!r}, of which nobody knows what it reads,"
        elif isinstance(step, Expression) and _NOW.search(step.text):
            yield "asks for the time by `now`"
        # A stamp never causes a change, and what only new records get does not either.
        elif isinstance(step, Static) and "%NOW%" in step.text and not (field.stamp or field.new_only):
            yield "writes %NOW%"
