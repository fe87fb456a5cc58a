# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workflow says, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.workflows import (
    OPTIONS,
    WorkflowSpec,
    parse_workflow,
    workflow_definition,
)


def test_an_empty_workflow_covers_everything_and_asks_one_person() -> None:
    spec = parse_workflow("w", {})
    assert spec == WorkflowSpec(name="w")
    assert (spec.quorum, spec.schedules, spec.expires_after, spec.expires_seconds) == (1, True, "7d", 7 * 86400)


def test_the_plain_form_comes_back() -> None:
    given = {
        "description": "x",
        "jobs": ["a", "b", "a"],
        "object_types": ["user"],
        "actions": ["delete", "create"],
        "fields": ["mail"],
        "approvers": ["ann", "bob"],
        "quorum": 2,
        "schedules": False,
        "expires_after": "1d  12h",
    }
    spec = parse_workflow("w", given)
    plain = workflow_definition(spec)
    assert set(plain) == set(OPTIONS)
    assert (plain["jobs"], plain["actions"], plain["expires_after"]) == (["a", "b"], ["create", "delete"], "1d 12h")
    assert parse_workflow("w", plain) == spec


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"actions": ["delet"]}, r"workflow 'w', actions: there is no action 'delet'. Did you mean 'delete'\? Valid: "),
        ({"actions": ["membership"]}, r"there is no action 'membership'. .*Valid: 'create', 'delete', 'disable', "),
        ({"quorum": 0}, r"workflow 'w': `quorum` must be a whole number of at least 1, got 0"),
        ({"quorum": True}, "got True"),
        ({"quorum": 3, "approvers": ["a", "b"]}, r"`quorum` is 3, but `approvers` names 2 people"),
        ({"quorum": 2, "approvers": ["Ann", "ann"]}, "names 1 person. No request could ever be approved"),
        ({"approvers": [""]}, r"`approvers` names ''"),
        ({"jobs": [" a"]}, r"`jobs` names ' a'"),
        ({"fields": ["a\n"]}, r"`fields` names"),
        ({"object_types": "user"}, r"`object_types` must be a list"),
        ({"schedules": "yes"}, r"`schedules` must be true or false"),
        ({"expires_after": "soon"}, "workflow 'w', expires_after: 'soon' is not a length of time"),
        ({"expires_after": "0"}, "is no time at all"),
        ({"approver": ["a"]}, r"there is no option 'approver'. Did you mean 'approvers'\?"),
    ],
)
def test_what_is_wrong_is_named(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_workflow("w", definition)


def test_a_name_is_needed() -> None:
    with pytest.raises(ConfigError, match="workflow '': a name is"):
        parse_workflow("", {})
