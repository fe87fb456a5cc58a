# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Smart groups as declared: a group of a directory whose members are the result of a query."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .directory_options import read_container, read_filter
from .errors import ConfigError
from .limits import parse_limit
from .providers import check_name
from .sections import Section

OPTIONS = ("provider", "group", "filter", "container", "limits")
REMOVALS = "50% above 10"
LIMITS = ("member_removals", "min_members")


@dataclass(frozen=True, kw_only=True, slots=True)
class SmartGroupSpec:
    """A smart group.

    Attributes:
        group: the DN of the group, which must exist.
        filter: an RFC 4515 filter; who matches it is a member.
        container: where members are looked for, None for the provider's base.
        member_removals: how many may be taken out by one refresh, in the grammar of limits.
        min_members: with fewer results nobody is taken out: an empty answer is more often a mistake than the truth.
    """

    name: str
    provider: str
    group: str
    filter: str
    container: str | None = None
    member_removals: str = REMOVALS
    min_members: int = 1


def parse_smart_group(name: str, definition: Mapping[str, t.Any]) -> SmartGroupSpec:
    """Read a smart group. Raises ConfigError naming it and the option."""
    check_name("smart group", name)
    place = f"smart group {name!r}"
    section = Section(definition, place, OPTIONS)
    group, text = read_container(section, "group"), read_filter(section, "filter")
    missing = [option for option, value in (("group", group), ("filter", text)) if value is None]
    if group is None or text is None:
        raise ConfigError(f"{place}: {', '.join(f'`{option}`' for option in missing)} is missing.")
    limits = section.section("limits", LIMITS)
    removals = limits.text("member_removals", REMOVALS)
    try:
        parse_limit(removals)
    except ConfigError as error:
        raise ConfigError(f"{limits.place}, member_removals: {error.message}") from None
    return SmartGroupSpec(
        name=name,
        provider=section.required_text("provider"),
        group=group,
        filter=text,
        container=read_container(section, "container"),
        member_removals=" ".join(removals.split()),
        min_members=limits.integer("min_members", 1, minimum=0),
    )


def smart_group_definition(spec: SmartGroupSpec) -> dict[str, t.Any]:
    """Give the plain form of `spec`, the inverse of `parse_smart_group`."""
    plain: dict[str, t.Any] = {"provider": spec.provider, "group": spec.group, "filter": spec.filter}
    if spec.container is not None:
        plain["container"] = spec.container
    plain["limits"] = {"member_removals": spec.member_removals, "min_members": spec.min_members}
    return plain
