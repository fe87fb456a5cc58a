# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules as declared: named triggers, their targets, and what is done about runs that were missed or take long."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .durations import parse_duration
from .errors import ConfigError
from .providers import check_name
from .sections import Section
from .triggers import Trigger, parse_trigger, trigger_definition
from .zones import Zone, find_zone

OPTIONS = (
    "description",
    "enabled",
    "jobs",
    "collections",
    "timezone",
    "triggers",
    "max_duration",
    "missed",
    "overlap",
    "notification",
)
TIMING = ("enabled", "timezone", "triggers")
"""The options that decide when a schedule is due."""
MissedPolicy: t.TypeAlias = t.Literal["run_once", "skip"]
MISSED_POLICIES: tuple[MissedPolicy, ...] = ("run_once", "skip")
Overlap: t.TypeAlias = t.Literal["skip", "queue"]
OVERLAPS: tuple[Overlap, ...] = ("skip", "queue")
GRACE = "6h"
TIMEZONE = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """What becomes of an occurrence that nobody saw in time: run once within `grace` (a length of time), or never."""

    policy: MissedPolicy = "run_once"
    grace: str = GRACE

    @property
    def grace_seconds(self) -> float:
        """How long after its time an occurrence may still be run, in seconds."""
        return parse_duration(self.grace, "grace")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSpec:
    """A schedule. Its own lists are not all of its targets: jobs and collections may name it, too.

    Attributes:
        timezone: the name of the zone whose wall clock the triggers follow.
        triggers: any of them fires.
        max_duration: how long a run may take, as text; None for no limit.
        overlap: what becomes of an occurrence while an earlier one is still running.
        notification: the notification that tells of each occurrence as a whole.
    """

    name: str
    description: str = ""
    enabled: bool = True
    jobs: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    timezone: str = TIMEZONE
    triggers: tuple[Trigger, ...]
    max_duration: str | None = None
    missed: Missed = field(default_factory=Missed)
    overlap: Overlap = "skip"
    notification: str | None = None

    @property
    def zone(self) -> Zone:
        """The time zone. Raises ConfigError when this host does not know it."""
        return find_zone(self.timezone, f"schedule {self.name!r}, timezone")

    @property
    def max_seconds(self) -> float | None:
        """How long a run may take, in seconds."""
        return None if self.max_duration is None else parse_duration(self.max_duration, "max_duration")

    @property
    def active(self) -> tuple[Trigger, ...]:
        """The triggers that fire at times of the clock; none when the schedule is disabled."""
        return tuple(each for each in self.triggers if self.enabled and each.enabled and each.type != "startup")

    @property
    def startup(self) -> Trigger | None:
        """The trigger that fires soonest after a host has started, None without one or when disabled."""
        found = [each for each in self.triggers if self.enabled and each.enabled and each.type == "startup"]
        return min(found, key=lambda each: each.delay_seconds, default=None)


def parse_schedule(name: str, definition: Mapping[str, t.Any]) -> ScheduleSpec:
    """Read a schedule. Raises ConfigError naming it, the option, the value and the valid ones."""
    check_name("schedule", name)
    place = f"schedule {name!r}"
    section = Section(definition, place, OPTIONS)
    timezone = section.text("timezone") or TIMEZONE
    zone = find_zone(timezone, f"{place}, timezone")
    triggers = tuple(
        parse_trigger(data, f"{place}, trigger {number}", zone)
        for number, data in enumerate(section.items("triggers"), start=1)
    )
    if not triggers:
        raise ConfigError(
            f"{place}: `triggers` is {'empty' if 'triggers' in section.given else 'missing'}; nothing would ever start "
            "it. Give at least one, such as {type: daily, at: '2026-01-05T03:00:00'}, or set `enabled: false` of a "
            "trigger that should rest."
        )
    return ScheduleSpec(
        name=name,
        description=section.text("description"),
        enabled=section.flag("enabled", True),
        jobs=_names(section, "jobs", "job"),
        collections=_names(section, "collections", "job collection"),
        timezone=timezone,
        triggers=triggers,
        max_duration=_duration(section, "max_duration"),
        missed=_missed(section.section("missed", ("policy", "grace"))),
        overlap=section.choice("overlap", OVERLAPS, "skip"),
        notification=section.optional_text("notification"),
    )


def schedule_definition(spec: ScheduleSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_schedule`; what has no value is left out."""
    plain = {
        "description": spec.description,
        "enabled": spec.enabled,
        "jobs": list(spec.jobs),
        "collections": list(spec.collections),
        "timezone": spec.timezone,
        "triggers": [trigger_definition(each) for each in spec.triggers],
        "max_duration": spec.max_duration,
        "missed": {"policy": spec.missed.policy, "grace": spec.missed.grace},
        "overlap": spec.overlap,
        "notification": spec.notification,
    }
    return {option: value for option, value in plain.items() if value is not None}


def _names(section: Section, option: str, noun: str) -> tuple[str, ...]:
    names = section.texts(option)
    for name in names:
        try:
            check_name(noun, name)
        except ConfigError as error:
            raise ConfigError(f"{section.place}, {option}: {error.message}") from None
    return tuple(dict.fromkeys(names))


def _duration(section: Section, option: str) -> str | None:
    text = section.optional_text(option)
    if text is None:
        return None
    parse_duration(text, f"{section.place}, {option}")
    return " ".join(text.split())


def _missed(section: Section) -> Missed:
    return Missed(
        policy=section.choice("policy", MISSED_POLICIES, "run_once"), grace=_duration(section, "grace") or GRACE
    )
