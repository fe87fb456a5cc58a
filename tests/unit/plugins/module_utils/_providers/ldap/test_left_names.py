# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following entries from the names they had to those they have."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.left_names import DELETED, LeftNames


def noted(*changes: tuple[Action, str, str]) -> LeftNames:
    names = LeftNames()
    for action, old, new in changes:
        after: t.Any = {"dn": new} if new else {}
        names.note(Change(number=1, object="o", action=action, key=("k",), target=old, before={"dn": old}, after=after))
    return names


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ([], "cn=a,dc=x"),
        ([("update", "cn=a,dc=x", "")], "cn=a,dc=x"),
        ([("rename", "CN=A, dc=x", "cn=b,dc=x")], "cn=b,dc=x"),
        ([("rename", "cn=a,dc=x", "cn=b,dc=x"), ("move", "cn=b,dc=x", "cn=b,ou=o,dc=x")], "cn=b,ou=o,dc=x"),
        ([("rename", "cn=a,dc=x", "cn=b,dc=x"), ("rename", "cn=c,dc=x", "cn=a,dc=x")], "cn=b,dc=x"),
        ([("rename", "cn=a,dc=x", "cn=b,dc=x"), ("delete", "cn=b,dc=x", "")], DELETED),
    ],
)
def test_gives_the_name_that_the_entry_read_under_one_has_now(changes: t.Any, now: str) -> None:
    assert noted(*changes).now("cn=a,dc=x") == now


def test_leaves_out_those_that_are_gone() -> None:
    names = noted(("delete", "cn=a,dc=x", ""), ("move", "cn=b,dc=x", "cn=b,ou=o,dc=x"))
    assert names.has_any_of("CN=B,DC=X")
    assert not names.has_any_of("cn=c,dc=x")
    assert names.without_deleted(("CN=A,dc=x", "cn=b,dc=x", "cn=c,dc=x")) == ("cn=b,dc=x", "cn=c,dc=x")
    assert names.without_deleted("cn=a,dc=x") is None
    assert names.without_deleted("cn=c,dc=x") == "cn=c,dc=x"
