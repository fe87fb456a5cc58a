# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a change when the entry is another one by now."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    DONE,
    Action,
    Change,
    Outcome,
    PlannedValue,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.attributes import Attributes
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.fields import Fields
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.flavours import LDAP
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.left_names import LeftNames
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.places import judge_place, new_place
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.schema import parse_schema
from ansible_collections.lockstep.sync.plugins.module_utils._providers.ldap.verdicts import Verdicts, has_sets

SYNTAX = "1.3.6.1.4.1.1466.115.121.1."
SCHEMA = parse_schema(
    [
        *(
            f"( 1.1.{n} NAME '{name}' EQUALITY caseIgnoreMatch SYNTAX {SYNTAX}15 )"
            for n, name in enumerate(("cn", "l"))
        ),
        f"( 1.2.1 NAME 'member' EQUALITY distinguishedNameMatch SYNTAX {SYNTAX}12 )",
        f"( 1.2.2 NAME 'userPassword' SYNTAX {SYNTAX}40 )",
        "( 1.2.3 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
    ],
    [],
)
PLACE = "cn=Ann,ou=x,dc=x"
MANY = tuple(str(number) for number in range(1001))


@pytest.fixture
def verdicts() -> Verdicts:
    return Verdicts(Attributes(Fields(SCHEMA, LDAP)), LeftNames())


def change(action: Action, before: Mapping[str, Value] | None = None, **after: PlannedValue) -> Change:
    return Change(
        number=1, object="o", action=action, key=("k",), target=PLACE, before=before or {}, after=t.cast("t.Any", after)
    )


def code(outcome: Outcome | None) -> str | None:
    return None if outcome is None else outcome.code or outcome.status


@pytest.mark.parametrize(
    ("action", "wish", "now", "expected", "goes_to"),
    [
        ("rename", "cn=Anna,ou=x,dc=x", PLACE, None, "cn=Anna,ou=x,dc=x"),
        ("rename", "cn=Anna,ou=x,dc=x", "cn=Ann,ou=y,dc=x", None, "cn=Anna,ou=y,dc=x"),
        ("rename", "cn=Anna,ou=x,dc=x", "CN=Anna,OU=x,dc=x", "done", None),
        ("rename", "cn=Anna,ou=x,dc=x", "cn=Anna,ou=y,dc=x", "done", None),
        ("rename", "cn=Anna,ou=x,dc=x", "cn=Hanna,ou=x,dc=x", "moved_on", None),
        ("rename", "cn=ANN,ou=x,dc=x", PLACE, None, "cn=ANN,ou=x,dc=x"),
        ("rename", "cn=ANN,ou=x,dc=x", "cn=ANN,ou=x,dc=x", "done", None),
        ("rename", "cn=Anna,ou=x,dc=x", "cn=anna,ou=x,dc=x", None, "cn=Anna,ou=x,dc=x"),
        ("move", "cn=Ann,ou=y,dc=x", PLACE, None, "cn=Ann,ou=y,dc=x"),
        ("move", "cn=Ann,ou=y,dc=x", "cn=Hanna,ou=x,dc=x", None, "cn=Hanna,ou=y,dc=x"),
        ("move", "cn=Ann,ou=y,dc=x", "cn=Hanna,ou=Y,dc=x", "done", None),
        ("move", "cn=Ann,ou=y,dc=x", "cn=Ann,ou=z,dc=x", "moved_on", None),
        ("move", "cn=Anna,ou=y,dc=x", PLACE, None, "cn=Anna,ou=y,dc=x"),
        ("move", "cn=Anna,ou=y,dc=x", "cn=Anna,ou=x,dc=x", None, "cn=Anna,ou=y,dc=x"),
        ("move", PLACE, "cn=Ann,ou=z,dc=x", "done", None),
    ],
)
def test_renames_and_moves_change_only_what_they_are_about(
    verdicts: Verdicts, action: Action, wish: str, now: str, expected: str | None, goes_to: str | None
) -> None:
    planned = change(action, {"dn": PLACE}, dn=wish)
    assert code(judge_place(planned, now)) == expected
    assert code(verdicts.judge(planned, now, {}, whole=True)) == expected
    if goes_to is not None:
        assert new_place(planned, now) == goes_to


def test_without_what_was_read_the_target_is_where_it_was(verdicts: Verdicts) -> None:
    assert new_place(change("move", dn="cn=Ann,ou=y,dc=x"), "cn=Hanna,ou=x,dc=x") == "cn=Hanna,ou=y,dc=x"


def test_sets_that_were_not_read_are_never_taken_for_done(verdicts: Verdicts) -> None:
    planned = change("update", {"l": "old"}, l="new", member=ValueChanges(added=("cn=a",)))
    assert has_sets(planned)
    assert verdicts.judge(planned, PLACE, {"l": "new"}, whole=False) is None
    left = verdicts.left_to_do(planned, {"l": "new"})
    assert (dict(left.after), dict(left.before)) == ({"member": ValueChanges(added=("cn=a",))}, {"l": "new"})
    assert verdicts.judge(planned, PLACE, {"l": "new", "member": "CN=A"}, whole=True) == DONE
    assert code(verdicts.judge(planned, PLACE, {"l": "by hand"}, whole=False)) == "moved_on"


def test_values_that_are_there_or_gone_are_left_out_however_they_are_spelled(verdicts: Verdicts) -> None:
    planned = change(
        "update", member=ValueChanges(added=("cn=a,dc=x", "cn=b,dc=x"), removed=("cn=c,dc=x", "cn=d,dc=x"))
    )
    left = verdicts.left_to_do(planned, {"member": ("CN=A, DC=x", "cn=D,dc=x")})
    assert left.after["member"] == ValueChanges(added=("cn=b,dc=x",), removed=("cn=D,dc=x",)), "as it stands there"


def test_what_an_earlier_try_wrote_is_not_taken_for_somebody_elses(verdicts: Verdicts) -> None:
    planned = change("update", {"l": "old", "cn": "Ann"}, l="new", member=ValueChanges(added=("cn=a",)))
    now: dict[str, Value] = {"l": "new", "cn": "Ann", "member": None}
    assert code(verdicts.judge(planned, PLACE, now, whole=True)) == "moved_on"
    assert verdicts.judge(planned, PLACE, now, whole=True, begun=True) is None
    now["cn"] = "Hanna"
    assert code(verdicts.judge(planned, PLACE, now, whole=True, begun=True)) == "moved_on"


def test_long_lists_that_a_change_leaves_alone_are_not_compared(verdicts: Verdicts) -> None:
    narrowed = verdicts.narrowed(change("update", {"member": MANY, "cn": MANY[:3], "l": MANY}, l="x"), whole=False)
    assert sorted(narrowed.before) == ["cn", "l"]


def test_passwords_are_neither_read_nor_shown(verdicts: Verdicts) -> None:
    planned = change("update", {"userPassword": "{SSHA}hash", "l": "old"}, l="new")
    assert dict(verdicts.narrowed(planned, whole=True).before) == {"l": "old"}
    outcome = verdicts.judge(planned, PLACE, {"l": "by hand"}, whole=True)
    assert outcome is not None
    assert "hash" not in outcome.message
    create = change("create", l="x", userPassword="very secret")
    unknown = verdicts.judge(create, PLACE, {"l": "x"}, whole=True)
    assert unknown is not None
    assert unknown.code == "exists"
    assert "secret" not in unknown.message


@pytest.mark.parametrize(
    ("after", "now", "expected"),
    [
        ({"l": "x", "cn": None}, {"l": "x", "cn": "server's own"}, {}),
        ({"l": "x"}, {"l": "y"}, None),
        ({"l": "x"}, {}, None),
        ({"l": MANY}, {"l": MANY[:1000]}, {"l": ValueChanges(added=MANY[1000:])}),
        ({"l": MANY}, {"l": (*MANY[:10], "y")}, None),
        ({"l": MANY[:3]}, {"l": MANY[:2]}, None),
        ({"l": "x", "enabled": "true", "userPassword": "p", "pwdLastSet": "0"}, {"l": "x", "enabled": "false"}, {}),
    ],
)
def test_a_new_entry_that_was_begun_lacks_only_what_comes_last(
    verdicts: Verdicts, after: dict[str, PlannedValue], now: dict[str, Value], expected: object
) -> None:
    assert verdicts.left_to_create(change("create", **after), now) == expected
