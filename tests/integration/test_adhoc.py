# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ad hoc commands, as an operator types them: results, exit statuses, and where the store is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from integration.harness import FAILED, Database, Done, Workplace, fields, job, task

# Root's default store is a path that tests stay away from, so they are somebody else, who may read this Python all the
# same, wherever it lies.
RIGHTS = "+dac_override,+dac_read_search"
SOMEBODY = (
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    f"--inh-caps={RIGHTS}",
    f"--ambient-caps={RIGHTS}",
)
AS_SOMEBODY = SOMEBODY if os.geteuid() == 0 else ()
PEOPLE = [(1, "Ann"), (2, "Bob"), (3, "Cid")]


def declare(place: Workplace, database: Database) -> str:
    """Declare the job `people` from a CSV file to a table, whose name is given."""
    table = database.make("id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL")
    source = place.write_csv("people.csv", ["id", "name"], PEOPLE)
    place.declare(
        [{"name": "hr", "csv": {"path": str(source)}}, {"name": "directory", **database.provider}],
        [job("people", "hr", {"provider": "directory", "table": table}, fields("id", "name"))],
    )
    return table


@pytest.fixture
def declared(place: Workplace, sqlite: Database) -> str:
    """The table of the job `people`."""
    return declare(place, sqlite)


def test_an_operator_previews_runs_and_looks_back(place: Workplace, sqlite: Database, declared: str) -> None:
    preview = place.adhoc("run", "--check", "--diff", job="people")

    assert preview.code == 0
    assert preview.only["changed"] is True
    assert '+name: "Ann"' in preview.output
    assert sqlite.content(declared) == []

    done = place.adhoc("run", job="people")

    assert done.code == 0
    assert done.only["run"]["statistics"]["created"] == 3
    assert done.only["ansible_stats"]["data"]["lockstep_people"]["status"] == "succeeded"
    assert sqlite.content(declared) == PEOPLE

    history = place.adhoc("run_info", job="people")

    assert history.code == 0
    assert [run["id"] for run in history.only["runs"]] == [done.only["run"]["id"]]


def test_exit_statuses_tell_the_truth(place: Workplace, sqlite: Database, declared: str) -> None:
    assert place.adhoc("run", "--check", job="people", fail_on=["changes"]).code == FAILED
    assert sqlite.content(declared) == []
    assert place.adhoc("run", job="people", fail_on=["changes"]).code == FAILED
    assert sqlite.content(declared) == PEOPLE
    assert place.adhoc("run", "--check", job="people", fail_on=["changes"]).code == 0


BAD_COMMANDS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("run", {}, "one of the following is required: job, collection"),
    ("run", {"job": "peolpe"}, "there is no job 'peolpe'. Did you mean 'people'? Valid: 'people'."),
    ("run", {"job": "people", "fail_on": ["anything"]}, "failed, errors, held, changes"),
    ("run", {"job": "people", "max_changes": -1}, "max_changes: got -1"),
    ("run", {"job": "people", "keys": ["7"]}, "'7'"),
    ("job", {"name": "people", "state": "gone"}, "present, absent"),
    ("job", {"name": "people", "source": {"provider": "rh"}}, "there is no provider 'rh'"),
    ("provider", {"name": "hr", "state": "absent"}, "'people'"),
    ("provider_info", {"name": "hr", "sample": 1, "sheet": "Staff"}, "`sheet` does not fit provider 'hr'"),
    ("job_info", {"last_status": "lost"}, "succeeded"),
    ("run_info", {"id": 7}, "there is no run 7"),
)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """The results of all bad commands, each under what it says; none of them changes anything."""
    place = Workplace(folder=tmp_path_factory.mktemp("refused"))
    with closing(Database(f"sqlite:///{place.folder / 'data.db'}")) as database:
        declare(place, database)
        tasks = {says: task(module, may_fail=True, **options) for module, options, says in BAD_COMMANDS}
        yield place.play(**tasks)


@pytest.mark.parametrize("says", [says for _module, _options, says in BAD_COMMANDS], ids=lambda says: says[:40])
def test_a_failed_command_says_why(refused: Done, says: str) -> None:
    result = refused[says]

    assert result["failed"] is True
    errors = result.get("run", {}).get("errors", [])
    assert says in result["msg"] + "".join(error["message"] for error in errors)


def test_the_store_is_found_by_option_before_variable(place: Workplace, tmp_path: Path) -> None:
    given, named = tmp_path / "given" / "state.db", tmp_path / "named" / "state.db"
    place.store = f"sqlite:///{named}"

    by_option = place.adhoc("provider", name="hr", csv={"path": "/srv/hr.csv"}, store=f"sqlite:///{given}")
    assert by_option.code == 0, by_option.output
    assert (given.exists(), named.exists()) == (True, False)
    assert place.adhoc("provider", name="hr", csv={"path": "/srv/hr.csv"}).code == 0
    assert named.exists()


@pytest.mark.parametrize("variable", ["HOME", "XDG_DATA_HOME"])
def test_the_default_store_of_a_user(place: Workplace, variable: str) -> None:
    place.wrapper = AS_SOMEBODY
    place.variables["LOCKSTEP_STORE"] = ""
    data = place.home / ".local" / "share"
    if variable == "XDG_DATA_HOME":
        data = place.home / "data"
        place.variables["XDG_DATA_HOME"] = str(data)

    declared = place.adhoc("provider", name="hr", csv={"path": "/srv/hr.csv"})
    listed = place.adhoc("provider_info")

    assert declared.code == 0, declared.output
    assert (data / "lockstep" / "state.db").stat().st_mode & 0o777 == 0o600
    assert listed.code == 0, listed.output
    assert [each["name"] for each in listed.only["providers"]] == ["hr"]
