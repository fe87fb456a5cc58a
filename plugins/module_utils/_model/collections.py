# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job collections as declared: jobs to run in a given order."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from .errors import ConfigError
from .providers import check_name
from .sections import Section

OnFailure: t.TypeAlias = t.Literal["abort", "continue"]
ON_FAILURE: tuple[OnFailure, ...] = t.get_args(OnFailure)
OPTIONS = (
    "description",
    "owners",
    "enabled",
    "template",
    "jobs",
    "parallel",
    "smart_groups",
    "schedule",
    "notification",
)
MEMBER_OPTIONS = ("job", "on_failure")
MOST_PARALLEL = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One job of a collection, and whether the jobs after it run when it fails."""

    job: str
    on_failure: OnFailure = "abort"


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionSpec:
    """A job collection.

    Attributes:
        template: the collection template it was made from.
        jobs: in the order in which they run, each once.
        parallel: how many neighbours may run at the same time when they do not touch the same systems.
        smart_groups: refreshed at the end, by the run of the last job.
        schedule: the schedule that runs it.
        notification: the notification that tells of its runs, in place of those of its jobs.
    """

    name: str
    description: str = ""
    owners: tuple[str, ...] = ()
    enabled: bool = True
    template: str | None = None
    jobs: tuple[Member, ...] = ()
    parallel: int = 1
    smart_groups: tuple[str, ...] = ()
    schedule: str | None = None
    notification: str | None = None


def parse_collection(name: str, definition: Mapping[str, t.Any]) -> CollectionSpec:
    """Read a job collection. Raises ConfigError naming it, the option, the value and the valid ones."""
    check_name("job collection", name)
    place = f"job collection {name!r}"
    section = Section(definition, place, OPTIONS)
    jobs = tuple(_read_member(data, place, number) for number, data in enumerate(section.items("jobs"), start=1))
    if not jobs:
        raise ConfigError(f"{place}: `jobs` is missing; name at least one job.")
    _refuse_twice(jobs, place)
    return CollectionSpec(
        name=name,
        description=section.text("description"),
        owners=section.texts("owners"),
        enabled=section.flag("enabled", True),
        template=section.optional_text("template"),
        jobs=jobs,
        parallel=section.integer("parallel", 1, minimum=1, maximum=MOST_PARALLEL),
        smart_groups=tuple(dict.fromkeys(section.texts("smart_groups"))),
        schedule=section.optional_text("schedule"),
        notification=section.optional_text("notification"),
    )


def collection_definition(spec: CollectionSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_collection`; options without a value are left out."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(spec).items()}
    del plain["name"]
    if not spec.smart_groups:
        del plain["smart_groups"]
    return {name: value for name, value in plain.items() if value is not None}


def _read_member(data: object, place: str, number: int) -> Member:
    item = Section(data, f"{place}, job {number}", MEMBER_OPTIONS)
    return Member(job=item.required_text("job"), on_failure=item.choice("on_failure", ON_FAILURE, "abort"))


def _refuse_twice(jobs: tuple[Member, ...], place: str) -> None:
    places: dict[str, int] = {}
    for number, member in enumerate(jobs, start=1):
        first = places.setdefault(member.job, number)
        if first != number:
            raise ConfigError(
                f"{place}: jobs {first} and {number} are both {member.job!r}. A job runs once in a collection; leave "
                "one of them out."
            )
