# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workflows a plan falls under, and what a request is about."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    ACTIONS,
    Action,
    Change,
    GuardClass,
    HeldChange,
    ObjectPlan,
    Plan,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import Statistics
from ansible_collections.lockstep.sync.plugins.module_utils._model.workflows import WORKFLOW_ACTIONS, parse_workflow
from ansible_collections.lockstep.sync.plugins.module_utils._planning.coverage import (
    COUNTS_AS,
    changes_asked_for,
    covering,
    covers_job,
    covers_type,
)

TYPES = {"people": "inetOrgPerson", "rooms": "row"}


def change(action: Action, *fields: str, number: int = 1, name: str = "people") -> Change:
    after: dict[str, t.Any] = dict.fromkeys(fields, "x")
    return Change(number=number, object=name, action=action, key=(str(number),), before={}, after=after)


def part(
    *changes: Change, name: str = "people", held: Sequence[tuple[Change, frozenset[GuardClass]]] = ()
) -> ObjectPlan:
    return ObjectPlan(
        name=name,
        target=WriteTarget(container=None, key_fields=("id",), fields=()),
        changes=changes,
        held_changes=[HeldChange(change=each, guards=guards) for each, guards in held],
        held=(),
        problems=(),
        statistics=Statistics(),
    )


def covers(plan: ObjectPlan | Plan, *, scheduled: bool = False, **definition: t.Any) -> bool:
    whole = plan if isinstance(plan, Plan) else Plan(job="j", definition_digest="d", objects=(plan,))
    return bool(covering([parse_workflow("w", definition)], whole, TYPES, scheduled=scheduled))


def test_an_empty_workflow_covers_every_change_and_no_empty_plan() -> None:
    assert covers(part(change("create", "mail")))
    assert not covers(part())


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_one_that_a_workflow_can_name(action: Action) -> None:
    word = COUNTS_AS.get(action, action)
    plan = part(change(action, "mail"))
    assert covers(plan, actions=[word])
    assert not covers(plan, actions=[other for other in WORKFLOW_ACTIONS if other != word])


def test_jobs_and_schedules() -> None:
    plan = part(change("delete"))
    assert covers(plan, jobs=["other", "j"])
    assert not covers(plan, jobs=["other"])
    assert covers(plan, scheduled=True)
    assert not covers(plan, schedules=False, scheduled=True)
    assert covers(plan, schedules=False)
    spec = parse_workflow("w", {"schedules": False})
    assert (covers_job(spec, "j", scheduled=False), covers_job(spec, "j", scheduled=True)) == (True, False)


def test_types_are_those_of_the_job_and_smart_groups_are_groups() -> None:
    assert covers(part(change("update", "cn")), object_types=["INETORGPERSON"])
    assert not covers(part(change("update", "cn")), object_types=["row", "group"])
    group = part(change("update", "member", name="smart group all"), name="smart group all")
    assert covers(group, object_types=["group"])
    assert not covers(group, object_types=["row"])
    assert covers_type(parse_workflow("w", {}), "group")


def test_fields_are_those_that_are_written_and_a_deletion_writes_all() -> None:
    assert covers(part(change("update", "Mail", "cn")), fields=["mail"])
    assert not covers(part(change("update", "cn")), fields=["mail"])
    assert covers(part(change("delete")), fields=["mail"])
    sets = Change(number=1, object="people", action="link", key=("1",), before={}, after={"member": ValueChanges()})
    assert covers(part(sets), fields=["member"], actions=["update"])


def test_one_change_must_match_all_that_is_said() -> None:
    mixed = part(change("update", "mail"), change("create", "cn", number=2))
    assert not covers(mixed, actions=["create"], fields=["mail"])
    assert covers(mixed, actions=["update"], fields=["mail"])


def test_what_guards_hold_does_not_count() -> None:
    held = part(held=[(change("delete"), frozenset({"deletes"}))])
    assert not covers(held, actions=["delete"])


def test_a_request_is_about_what_would_be_applied() -> None:
    one, two, three = (change("update", "cn", number=number) for number in (1, 2, 3))
    plan = Plan(
        job="j",
        definition_digest="d",
        objects=(part(one, held=[(two, frozenset({"deletes"})), (three, frozenset({"deletes", "moves"}))]),),
    )
    assert changes_asked_for(plan, (), rest_applied=False) == [one]
    assert changes_asked_for(plan, ("deletes",), rest_applied=False) == [one, two]
    assert changes_asked_for(plan, ("deletes",), rest_applied=True) == [two]
    assert changes_asked_for(plan, ("deletes", "moves"), rest_applied=True) == [two, three]
