# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the modules: opening the store, errors, masking, sizes."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    LockedError,
    LockstepError,
    ProviderError,
)

Run = Callable[..., dict[str, t.Any]]
SPEC: dict[str, t.Any] = {
    "argument_spec": {
        "name": {"type": "str"},
        "token": {"type": "str", "no_log": True},
        "inner": {"type": "dict", "options": {"token": {"type": "str", "no_log": True}, "x": {"type": "str"}}},
        "several": {"type": "list", "elements": "dict", "options": {"token": {"type": "str", "no_log": True}}},
    }
}


def module(work: Callable[[Call], Result], **options: t.Any) -> Callable[[], None]:
    return lambda: run_module(SPEC, work, **options)


def test_gives_the_values_and_the_message(run: Run) -> None:
    result = run(module(lambda call: Result(msg="Done.", changed=True, values={"found": [call.check, {1, 2}]})))
    assert (result["msg"], result["changed"], result["found"]) == ("Done.", True, [False, [1, 2]])
    assert "diff" not in result


def test_a_diff_is_given_only_when_asked_for(run: Run) -> None:
    work = module(lambda _call: Result(msg="", diff={"before": "a", "after": "b"}))
    assert "diff" not in run(work)
    assert run(work, diff=True)["diff"] == {"before": "a", "after": "b"}


def test_warnings_are_passed_on(run: Run) -> None:
    result = run(module(lambda _call: Result(msg="", warnings=("Look out for hush-hush.",))), token="hush-hush")
    assert "Look out for ********." in str(result["warnings"])


def test_the_store_is_made_unless_in_check_mode_or_only_read(run: Run, tmp_path: Path) -> None:
    def work(call: Call) -> Result:
        assert call.clock().tzinfo is dt.timezone.utc
        return Result(msg=f"{call.store.rehearsal} {call.store.location}")

    file = tmp_path / "store" / "state.db"
    assert run(module(work), check=True)["msg"] == f"True {file}"
    assert run(module(work, reads_only=True))["msg"] == f"True {file}"
    assert not file.exists()
    assert run(module(work))["msg"] == f"False {file}"
    assert file.exists()


def test_the_option_wins_over_the_environment(run: Run, tmp_path: Path) -> None:
    work = module(lambda call: Result(msg=f"{call.store.location} {call.address.password} {call.address.key_file}"))
    other = tmp_path / "other.db"
    result = run(work, store=f"sqlite:///{other}", store_password="people", store_key_file=str(tmp_path / "key"))
    assert result["msg"] == f"{other} ******** {tmp_path / 'key'}"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError("wrong"), {"code": "config"}),
        (ProviderError("away", retriable=True), {"code": "provider", "retriable": True}),
        (LockedError("locked", holder="run 7"), {"code": "locked", "holder": "run 7"}),
    ],
)
def test_our_errors_fail_the_task_with_their_code(run: Run, error: LockstepError, told: dict[str, t.Any]) -> None:
    def work(_call: Call) -> Result:
        raise error

    result = run(module(work))
    assert (result["failed"], result["msg"], result["error"]) == (True, error.message, told)


def test_an_unexpected_error_fails_the_task_without_showing_a_secret(run: Run) -> None:
    def work(_call: Call) -> Result:
        raise ZeroDivisionError("hush-hush by zero")

    result = run(module(work), token="hush-hush")
    assert result["failed"]
    assert "Unexpected error in lockstep.sync, please report it: ZeroDivisionError: ******** by zero" in result["msg"]
    assert result["error"] == {"code": "unexpected"}
    assert "hush" not in str(result)


def test_a_store_that_cannot_be_used_is_a_clear_failure(run: Run) -> None:
    result = run(module(lambda _call: Result(msg="")), store="ldap://x")
    assert result["error"] == {"code": "config"}
    assert "store" in result["msg"]


def test_a_result_can_fail_the_task_and_still_give_its_values(run: Run) -> None:
    result = run(module(lambda _call: Result(msg="Held.", failed=True, changed=True, values={"run": {"id": 1}})))
    assert (result["failed"], result["changed"], result["msg"], result["run"]) == (True, True, "Held.", {"id": 1})


def test_secrets_are_never_shown_and_results_not_garbled(run: Run) -> None:
    def work(call: Call) -> Result:
        call.protect("from-file")
        call.protect("")
        return Result(msg="people from-file", values={"name": "people", "error": {"message": "people from-file 5"}})

    given = {"token": "people", "inner": {"token": "from", "x": "y"}, "several": [{"token": "5"}]}
    result = run(module(work), name="people", **given)
    assert result["name"] == "people"
    assert result["msg"] == "******** ********"
    assert result["error"] == {"message": "******** ******** 5"}
    shown = result["invocation"]["module_args"]
    assert shown["name"] == "people"
    assert shown["token"] == shown["inner"]["token"] == shown["several"][0]["token"]
    assert shown["token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert shown["inner"]["x"] == "y"


def test_secrets_are_not_in_the_message_of_a_failure(run: Run) -> None:
    def work(_call: Call) -> Result:
        raise ConfigError("login of people with hush-hush failed")

    result = run(module(work), token="hush-hush")
    assert result["msg"] == "login of people with ******** failed"
    assert "hush" not in str(result)


def test_a_big_result_is_cut_and_says_so(run: Run) -> None:
    result = run(module(lambda _call: Result(msg="", values={"jobs": ["x" * 100] * 2000})), several=[{}] * 500)
    assert result["truncated"] == {"jobs": 2000 - len(result["jobs"])}
    assert f"Left out: jobs: {result['truncated']['jobs']}." in str(result["warnings"])
    assert result["invocation"]["module_args"]["several"] == "(500 entries, left out)"
    assert len(str(result)) < 64_000


def test_the_default_store_is_that_of_the_user(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOCKSTEP_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = run(module(lambda call: Result(msg=call.store.location)), check=True)
    assert result["msg"] == str(tmp_path / "lockstep" / "state.db")
