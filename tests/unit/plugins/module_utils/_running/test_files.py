# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a run, line by line."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.lines import change_line
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import (
    DONE,
    Action,
    Change,
    Outcome,
    Plan,
    ValueChanges,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange, LogLine
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value, to_json
from ansible_collections.lockstep.sync.plugins.module_utils._running.files import (
    RunFiles,
    make_run_folder,
    save_changes,
    save_log,
    save_plan,
)

UPDATE = Change(
    number=1,
    object="people",
    action="update",
    key=("a", "b"),
    target="row 7",
    before={"photo": b"\x00", "tags": ("x",), "same": "1"},
    after={"photo": b"\xff", "tags": ("x", "y")},
)


def test_bytes_and_multi_valued_fields_are_shown_as_json() -> None:
    assert change_line(AppliedChange(change=UPDATE, outcome=None)) == {
        "object": "people",
        "action": "update",
        "key": "a + b",
        "target": "row 7",
        "fields": {
            "photo": {"before": {"base64": "AA=="}, "after": {"base64": "/w=="}},
            "tags": {"before": ["x"], "after": ["x", "y"]},
        },
    }


def test_what_became_of_a_change_is_part_of_its_line() -> None:
    line = change_line(AppliedChange(change=UPDATE, outcome=Outcome(status="failed", code="value", message="too long")))
    assert (line["status"], line["message"]) == ("failed", "too long")


def test_a_create_shows_what_has_a_value_and_hides_passwords() -> None:
    after = {"id": "1", "empty": None, "secret": GeneratedPassword(rule=PasswordRule())}
    change = Change(number=1, object="people", action="create", key=("1",), before={}, after=after)
    assert change_line(AppliedChange(change=change, outcome=DONE))["fields"] == {
        "id": {"before": None, "after": "1"},
        "secret": {"before": None, "after": "********"},
    }


def field_of(before: dict[str, t.Any], after: t.Any, **options: t.Any) -> dict[str, t.Any]:
    change = Change(number=1, object="group", action="update", key=("g",), before=before, after={"member": after})
    fields: dict[str, dict[str, t.Any]] = change_line(AppliedChange(change=change, outcome=None), **options)["fields"]
    assert list(fields) == ["member"]
    return fields["member"]


def numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{number:05}" for number in range(first, last))


def test_values_that_come_and_go_are_shown_as_the_lists_before_and_after() -> None:
    changes = ValueChanges(added=("b", b"\xff"), removed=("c", "z"))
    assert field_of({"member": ("a", "c")}, changes) == {"before": ["a", "c"], "after": ["a", "b", {"base64": "/w=="}]}
    assert field_of({"member": None}, ValueChanges(added=("b",))) == {"before": None, "after": "b"}
    assert field_of({"member": "a"}, ValueChanges(removed=("a",))) == {"before": "a", "after": None}
    assert field_of({"member": numbers(0, 99)}, ValueChanges(added=("x",)))["after"] == [*numbers(0, 99), "x"]


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ({}, ("x",)),
        ({"member": numbers(0, 101)}, ("x",)),
        ({"member": numbers(0, 100)}, ("x",)),
        ({"member": numbers(0, 60)}, numbers(60, 120)),
    ],
    ids=["not-read", "more-before", "more-after", "more-together"],
)
def test_of_many_values_only_those_that_come_and_go_are_shown(before: dict[str, t.Any], added: tuple[str, ...]) -> None:
    shown = field_of(before, ValueChanges(added=added))
    assert shown == {"before": {"removed": []}, "after": {"added": list(added)}}


def test_of_very_many_values_a_result_shows_some_and_the_changes_file_all(tmp_path: Path) -> None:
    changes = ValueChanges(added=numbers(0, 5000), removed=numbers(6000, 6101))
    assert field_of({}, changes) == {
        "before": {"removed": [*numbers(6000, 6100), "and 1 more"]},
        "after": {"added": [*numbers(0, 100), "and 4900 more"]},
    }
    assert field_of({}, numbers(0, 101)) == {"before": None, "after": [*numbers(0, 100), "and 1 more"]}
    change = Change(number=1, object="group", action="update", key=("g",), before={}, after={"member": changes})
    deleted = Change(
        number=2, object="group", action="delete", key=("h",), before={"member": numbers(0, 5000)}, after={}
    )
    path = tmp_path / "changes.jsonl"
    save_changes([AppliedChange(change=each, outcome=None) for each in (change, deleted)], path)
    first, second = (json.loads(line)["fields"]["member"] for line in path.read_text().splitlines())
    assert (first["before"], first["after"]) == ({"removed": [*changes.removed]}, {"added": [*changes.added]})
    assert (second["before"], second["after"]) == ([*numbers(0, 5000)], None)


def test_text_that_no_file_takes_is_escaped(tmp_path: Path) -> None:
    values: tuple[Value, ...] = ("x\ud800", ("x\ud800",))
    for value in values:
        created = replace(UPDATE, action="create", before={}, after={"a": value})
        save_changes([AppliedChange(change=created, outcome=None)], tmp_path / "changes.jsonl")
        (line,) = (tmp_path / "changes.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["fields"]["a"]["after"] == to_json(value)


@pytest.mark.parametrize("action", ["rename", "move", "disable", "link"])
def test_other_changes_of_a_record_show_the_fields_they_write(action: Action) -> None:
    before, after = {"dn": "CN=a,DC=x", "cn": "a"}, {"dn": "CN=b,DC=x"}
    change = Change(number=1, object="p", action=action, key=("1",), target="CN=a,DC=x", before=before, after=after)
    line = change_line(AppliedChange(change=change, outcome=None))
    assert (line["action"], line["target"]) == (action, "CN=a,DC=x")
    assert line["fields"] == {"dn": {"before": "CN=a,DC=x", "after": "CN=b,DC=x"}}


def test_a_new_container_is_shown_as_a_new_record() -> None:
    after = {"ou": "it", "description": None}
    change = Change(number=1, object="p", action="create_container", key=(), target="OU=it", before={}, after=after)
    line = change_line(AppliedChange(change=change, outcome=DONE))
    assert (line["key"], line["fields"]) == ("", {"ou": {"before": None, "after": "it"}})


def test_a_line_of_the_log_stays_one_line(tmp_path: Path) -> None:
    lines = [
        LogLine(time="T", level="warning", object="people", key="1\nT ERROR forged", message="first\r\n  second"),
        LogLine(time="T", level="error", object="", key="", message="alone"),
    ]
    save_log(lines, tmp_path / "run.log")
    assert (tmp_path / "run.log").read_text() == (
        "T WARNING people 1 T ERROR forged: first   second\nT ERROR   alone\n"
    )
    assert stat.S_IMODE((tmp_path / "run.log").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"changes\.jsonl cannot be written: No such file or directory\."):
        save_changes([], tmp_path / "missing" / "changes.jsonl")


def test_a_plan_is_on_the_disk_before_it_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    really = os.fsync

    def look(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        really(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    sealed = save_plan(Plan(job="j", definition_digest="d", objects=()), tmp_path / "plan-1.jsonl")
    assert sealed.digest in (tmp_path / "plan-1.jsonl").read_text()
    assert sizes == [(tmp_path / "plan-1.jsonl").stat().st_size]


def test_tries_are_found_in_their_order(tmp_path: Path) -> None:
    for name in ("plan-10.jsonl", "plan-2.jsonl", "plan-old.jsonl", "journal-3.jsonl"):
        (tmp_path / name).touch()
    assert RunFiles(folder=tmp_path).attempts() == [2, 10]
    assert RunFiles(folder=tmp_path / "missing").attempts() == []


def test_a_run_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(StoreError, match=r"cannot be made: .+ Nothing was changed\."):
        make_run_folder(tmp_path / "runs", 5)
