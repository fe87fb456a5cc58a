# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run in the size that Ansible can carry."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.results import size_of
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.run_result import (
    DIFF_BYTES,
    ERRORS,
    LOG_LINES,
    RUN_BYTES,
    make_diff,
    run_to_result,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    DONE,
    Change,
    Held,
    Outcome,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import (
    AppliedChange,
    LogLine,
    Problem,
    RunResult,
    Statistics,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule

RESULT = RunResult(
    id=42,
    job="hr",
    status="succeeded",
    agreement="equal",
    preview=False,
    message="Job 'hr' made nothing.",
    started="2026-11-21T03:00:00+00:00",
    finished="2026-11-21T03:00:02+00:00",
    duration=2.0,
    statistics=Statistics(read=7),
    objects=[("people", Statistics(read=7))],
    changes=[],
    changes_total=0,
    problems=[],
    held=[],
    log=[],
)


def change(key: str = "1", action: t.Any = "create", outcome: Outcome | None = DONE, **fields: t.Any) -> AppliedChange:
    """Give a change; `fields` are its after-image, and of a delete its before-image."""
    sides = {"before": fields, "after": {}} if action == "delete" else {"before": {}, "after": fields}
    return AppliedChange(change=Change(number=1, object="people", action=action, key=(key,), **sides), outcome=outcome)


def problems(count: int, message: str = "too long", level: t.Any = "error") -> list[Problem]:
    return [
        Problem(level=level, object="people", key=(str(number),), code="value", message=message)
        for number in range(count)
    ]


def log(count: int, message: str = "it happened") -> list[LogLine]:
    return [LogLine(time=str(number), level="info", object="", key="", message=message) for number in range(count)]


def test_a_small_result_is_whole() -> None:
    held = Held(object="people", guard="deletes", count=40, limit="10%", message="too many")
    run = run_to_result(
        replace(RESULT, changes=[change(id="1")], changes_total=1, problems=problems(1), held=[held], log=log(1))
    )
    assert run["truncated"] == {}
    assert (run["id"], run["job"], run["status"], run["outcome"], run["duration_seconds"]) == (
        42,
        "hr",
        "succeeded",
        "equal",
        2.0,
    )
    assert run["objects"][0]["name"] == "people"
    assert run["objects"][0]["statistics"] == run["statistics"] == Statistics(read=7).as_dict()
    assert run["held"] == [{"object": "people", "class": "deletes", "count": 40, "limit": "10%", "message": "too many"}]
    assert run["changes"][0]["fields"] == {"id": {"before": None, "after": "1"}}
    assert run["errors"] == [{"object": "people", "key": "0", "code": "value", "message": "too long"}]
    assert run["log"] == [{"time": "0", "level": "info", "object": "", "key": "", "message": "it happened"}]


def test_only_errors_are_errors_and_the_log_keeps_its_end() -> None:
    run = run_to_result(replace(RESULT, problems=problems(3, level="warning") + problems(2), log=log(100)))
    assert [error["key"] for error in run["errors"]] == ["0", "1"]
    assert [line["time"] for line in run["log"]] == [str(number) for number in range(100 - LOG_LINES, 100)]
    assert run["truncated"] == {"log": 80}


BIG = "x" * 1_000_000


def group(count: int, action: t.Any = "update") -> AppliedChange:
    """Give a change of a group that gets, or had, `count` members."""
    members = tuple(f"CN=Someone {number:06},OU=People,OU=Bonn,DC=example,DC=com" for number in range(count))
    change = Change(
        number=1,
        object="groups",
        action=action,
        key=("staff",),
        target="CN=staff,DC=example,DC=com",
        before={"member": members},
        after={} if action == "delete" else {"member": ValueChanges(added=tuple(each + ",DC=x" for each in members))},
    )
    return AppliedChange(change=change, outcome=DONE)


@pytest.mark.parametrize(
    "result",
    [
        replace(RESULT, problems=problems(10_000), log=log(10_000)),
        replace(RESULT, problems=problems(10_000, "y" * 2000), log=log(10_000, "z" * 2000)),
        replace(RESULT, problems=problems(1, BIG), log=log(1, BIG)),
        replace(RESULT, changes=[change(str(n), id=str(n), text="v" * 50) for n in range(5000)], changes_total=9000),
        replace(RESULT, changes=[change(photo=BIG.encode()), change(text=BIG)], changes_total=2),
        replace(RESULT, problems=problems(100, "\u044f" * 400), log=log(100, "\u65e5" * 400)),
        replace(RESULT, objects=[(f"object {number}", Statistics()) for number in range(500)]),
        replace(
            RESULT,
            held=[Held(object=str(n), guard="deletes", count=n, limit="1", message="h" * 300) for n in range(500)],
        ),
    ],
    ids=[
        "many-errors",
        "many-long-errors",
        "big-texts",
        "changes",
        "big-values",
        "not-ascii",
        "objects",
        "held",
    ],
)
def test_every_result_fits_and_says_what_was_left_out(result: RunResult) -> None:
    run = run_to_result(result)
    assert size_of(run) <= RUN_BYTES + 100
    totals = {
        "changes": result.changes_total,
        "errors": len(result.problems),
        "log": len(result.log),
        "objects": len(result.objects),
        "held": len(result.held),
    }
    left_out = {name: total - len(run[name]) for name, total in totals.items() if total > len(run[name])}
    assert run["truncated"] == left_out
    assert left_out


def test_what_fits_stays() -> None:
    run = run_to_result(replace(RESULT, problems=problems(10_000), log=log(10_000)))
    assert (len(run["errors"]), len(run["log"])) == (ERRORS, LOG_LINES)
    run = run_to_result(replace(RESULT, changes=[change(text=BIG), change("2", id="2")], changes_total=2, log=log(3)))
    assert (run["changes"], len(run["log"]), run["truncated"]) == ([], 3, {"changes": 2})


def test_a_big_group_is_cut_and_hides_no_other_change() -> None:
    changes = [group(50_000), change("9", id="9"), group(50_000, "delete")]
    run = run_to_result(replace(RESULT, changes=changes, changes_total=3))
    assert run["truncated"] == {}
    assert size_of(run) <= RUN_BYTES
    updated, created, deleted = (each["fields"] for each in run["changes"])
    assert updated["member"]["after"]["added"][100:] == ["and 49900 more"]
    assert created == {"id": {"before": None, "after": "9"}}
    assert deleted["member"]["before"][100:] == ["and 49900 more"]
    many = run_to_result(replace(RESULT, changes=[group(50_000)] * 100, changes_total=100))
    assert size_of(many) <= RUN_BYTES + 100
    assert many["truncated"] == {"changes": 100 - len(many["changes"])}


# -- diff --------------------------------------------------------------------------------------------------------


def test_each_kind_of_change_has_its_block() -> None:
    update = AppliedChange(
        change=Change(
            number=2,
            object="people",
            action="update",
            key=("2", "b"),
            before={"tags": ("x",), "photo": b"\x00", "same": "1", "gone": "g", "new": None},
            after={"tags": ("x", "y"), "photo": b"\xff", "gone": None, "new": "n"},
        ),
        outcome=None,
    )
    create = change(id="1", name="\u00c4nn", none=None, secret=GeneratedPassword(rule=PasswordRule()))
    created, updated, deleted = make_diff([create, update, change("9", "delete", id="9", name="Old")], 3)
    assert created == {
        "before_header": "people 1 (create)",
        "after_header": "people 1 (create)",
        "before": "",
        "after": 'id: "1"\nname: "\u00c4nn"\nsecret: "********"\n',
    }
    assert updated["before_header"] == updated["after_header"] == "people 2 + b (update)"
    assert updated["before"] == 'gone: "g"\nphoto: {"base64": "AA=="}\ntags: ["x"]\n'
    assert updated["after"] == 'new: "n"\nphoto: {"base64": "/w=="}\ntags: ["x", "y"]\n'
    assert (deleted["before"], deleted["after"]) == ('id: "9"\nname: "Old"\n', "")


def test_the_diff_of_a_group_shows_what_came_and_went() -> None:
    sets = {"small": ValueChanges(added=("c",), removed=("a",)), "big": ValueChanges(added=("x",), removed=("y",))}
    values = Change(number=1, object="g", action="membership", key=("1",), before={"small": ("a", "b")}, after=sets)
    container = Change(number=2, object="g", action="create_container", key=(), before={}, after={"ou": "it"})
    moved = Change(number=3, object="g", action="move", key=("1",), before={"dn": "CN=a"}, after={"dn": "CN=b"})
    changes = [AppliedChange(change=each, outcome=DONE) for each in (values, container, moved)]
    blocks = make_diff(changes, 3)
    assert [(block["before"], block["after"]) for block in blocks] == [
        ('big: {"removed": ["y"]}\nsmall: ["a", "b"]\n', 'big: {"added": ["x"]}\nsmall: ["b", "c"]\n'),
        ("", 'ou: "it"\n'),
        ('dn: "CN=a"\n', 'dn: "CN=b"\n'),
    ]
    assert blocks[0]["before_header"] == "g 1 (membership)"


def test_the_diff_says_where_records_of_a_directory_lie() -> None:
    container = Change(number=1, object="g", action="create_container", key=(), target="ou=it", before={}, after={})
    created = Change(number=2, object="g", action="create", key=("1",), target="cn=a,ou=it", before={}, after={})
    blocks = make_diff([AppliedChange(change=each, outcome=None) for each in (container, created)], 2)
    assert [block["after_header"] for block in blocks] == ["g (create_container) ou=it", "g 1 (create) cn=a,ou=it"]


def test_the_diff_of_a_big_group_stays_small() -> None:
    (block,) = make_diff([group(50_000)], 1)
    assert size_of(block) <= DIFF_BYTES
    assert block["before"] == 'member: {"removed": []}\n'
    assert block["after"].endswith(', "and 49900 more"]}\n')
    assert size_of(make_diff([group(50_000)] * 100, 100)) <= DIFF_BYTES + 500


def test_what_was_not_made_is_no_difference() -> None:
    moved_on = Outcome(status="skipped", code="moved_on", message="somebody changed it")
    failed = Outcome(status="failed", code="value", message="too long")
    items = [change("1", outcome=moved_on, id="1"), change("2", outcome=failed, id="2"), change("3", id="3")]
    assert [block["after"] for block in make_diff(items, 1)] == ['id: "3"\n']
    assert make_diff(items[:2], 0) == []


def test_the_last_block_says_what_was_left_out() -> None:
    blocks = make_diff([change(id="1")], 4000)
    assert len(blocks) == 2
    assert blocks[-1] == {
        "before_header": "left out",
        "after_header": "left out",
        "before": "",
        "after": "and 3999 more changes; `run.changes_file` has all of them\n",
    }


def test_a_diff_stays_small() -> None:
    blocks = make_diff([change(str(number), text="d" * 200) for number in range(1000)], 1000)
    assert size_of(blocks[:-1]) <= DIFF_BYTES + 2 * len(blocks)
    assert blocks[-1]["after"].startswith(f"and {1000 - len(blocks) + 1} more changes")
    (rest,) = make_diff([change(text=BIG)], 1)
    assert rest["after"].startswith("and 1 more")
    assert make_diff([], 0) == []
