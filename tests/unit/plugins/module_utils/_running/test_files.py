# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a run, line by line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change, Outcome, Plan
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange, LogLine
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._running.files import (
    RunFiles,
    change_line,
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
    sealed = save_plan(Plan(job="j", mapping_digest="d", objects=()), tmp_path / "plan-1.jsonl")
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
