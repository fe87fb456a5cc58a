# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run reads nothing only when both systems prove that nothing changed since a run that found nothing to do."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import normalize_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import RunResult
from servers.directories import OpenLdap
from servers.ldap_box import DirectoryBox
from support.directory_worlds import STAFF, DirectoryWorld
from support.lists import ListProvider, info_of
from support.worlds import KEY, NAME, World

PROOF = {"proof": True}
ROWS = ["id,name,dept", "1,Ann,E", "2,Bob,F", "3,Cy,"]


@pytest.fixture
def files(world: World) -> World:
    """A job between two CSV files that are in step after the first run."""
    world.provider("staff", "csv", path=str(world.folder / "staff.csv"))
    declare(world)
    assert world.run().result.statistics.created == 3
    return world


def declare(world: World, **options: t.Any) -> None:
    world.job(destination={"provider": "staff", "replace_file": True}, changed_only=PROOF, **options)


def stands_on(world: World, **options: t.Any) -> int | None:
    result = world.run(**options).result
    assert result.status == "succeeded", result.message
    return result.stands_on


def test_the_third_run_stands_on_the_second(files: World) -> None:
    second = files.run().result
    assert (second.stands_on, second.statistics.read) == (None, 3)
    third, fourth = files.run().result, files.run().result
    assert third.stands_on == fourth.stands_on == second.id
    assert third.statistics == second.statistics
    assert third.objects == second.objects
    assert (third.status, third.agreement, third.changes_total) == ("succeeded", "equal", 0)
    assert third.message.endswith(
        f"3 unchanged. Neither system has changed since run {second.id}, which read them; nothing was read."
    )
    assert files.store.runs.last_read("j", "people") == 3


def test_a_run_that_changed_something_is_none_to_stand_on(files: World) -> None:
    files.write(*ROWS[1:3])
    assert files.run().result.statistics.deleted == 1
    assert stands_on(files) is None


def test_a_change_on_either_side_is_seen(files: World) -> None:
    stands_on(files)
    files.write("1,Ann,E", "2,Bob,G", "3,Cy,")
    assert files.run().result.statistics.updated == 1
    assert stands_on(files) is None
    assert stands_on(files) is not None
    staff = files.folder / "staff.csv"
    staff.write_text(staff.read_text().replace("Ann", "Eve"))
    assert files.run().result.statistics.updated == 1
    assert "Ann" in staff.read_text()


def test_both_sides_as_they_were_are_in_step_again(files: World) -> None:
    base = files.run().result.id
    before = files.source.read_bytes()
    files.write("1,Ann,E")
    files.run()
    staff = files.folder / "staff.csv"
    changed = staff.read_bytes()
    files.source.write_bytes(before)
    assert files.run().result.statistics.created == 2, "the source alone proves nothing"
    assert staff.read_bytes() != changed
    assert stands_on(files) == base


def test_a_missing_file_is_a_state_like_any_other(files: World) -> None:
    stands_on(files)
    (files.folder / "staff.csv").unlink()
    assert files.run().result.statistics.created == 3


@pytest.mark.parametrize("options", [{"full": True}, {"keys": ("1",)}, {"keep_plan": True}, {"explain": "1"}])
def test_what_only_reading_can_answer_is_read(files: World, options: dict[str, t.Any]) -> None:
    assert stands_on(files) is None
    result = files.run(**options).result
    assert (result.stands_on, result.statistics.read) == (None, 3)
    assert stands_on(files) is not None


def test_a_run_for_some_keys_is_none_to_stand_on(files: World) -> None:
    files.run(keys=("1",))
    assert stands_on(files) is None


@pytest.mark.parametrize(
    "options",
    [
        {"objects": [{"name": "people", "fields": [KEY, NAME]}]},
        {"missing_at_source": "skip"},
        {"limits": {"min_source_records": "2"}},
    ],
)
def test_a_changed_job_is_read_anew(files: World, options: dict[str, t.Any]) -> None:
    stands_on(files)
    assert stands_on(files) is not None
    declare(files, **options)
    assert stands_on(files) is None
    assert stands_on(files) is not None


def test_a_changed_provider_is_read_anew(files: World) -> None:
    stands_on(files)
    files.provider("hr", "csv", path=str(files.source), delimiter=",")
    assert stands_on(files) is None


def test_a_changed_variable_is_read_anew(files: World) -> None:
    site = {"name": "dept", "transform": [{"static": "%SITE%"}]}
    declare(files, objects=[{"name": "people", "fields": [KEY, NAME, site]}])
    files.environ["SITE"] = "Ulm"
    assert files.run().result.statistics.updated == 3
    stands_on(files)
    assert stands_on(files) is not None
    files.environ["SITE"] = "Bonn"
    assert files.run().result.statistics.updated == 3


def test_everything_is_read_once_a_day(files: World) -> None:
    first = files.run().result
    files.now += dt.timedelta(hours=23, minutes=59)
    assert stands_on(files) == first.id
    files.now += dt.timedelta(minutes=1)
    second = files.run().result
    assert (second.stands_on, second.statistics.read) == (None, 3)
    files.now += dt.timedelta(hours=23)
    assert stands_on(files) == second.id


def test_a_run_of_a_clock_that_was_ahead_is_none_to_stand_on(files: World) -> None:
    files.now += dt.timedelta(days=400)
    files.run()
    files.now -= dt.timedelta(days=400)
    assert stands_on(files) is None
    assert stands_on(files) is not None


def test_the_name_of_the_host_counts_and_not_a_variable_of_that_name(files: World) -> None:
    host = {"name": "dept", "transform": [{"static": "%COMPUTERNAME%"}]}
    declare(files, objects=[{"name": "people", "fields": [KEY, NAME, host]}])
    files.environ["COMPUTERNAME"] = "set by somebody"
    files.run()
    stands_on(files)
    assert stands_on(files) is not None
    files.host = "sync02"
    assert files.run().result.statistics.updated == 3


def test_without_the_option_everything_is_read(files: World) -> None:
    stands_on(files)
    files.job(destination={"provider": "staff", "replace_file": True})
    assert stands_on(files) is None


def test_a_run_with_faults_is_none_to_stand_on(files: World) -> None:
    files.write("1,Ann,E", "2,Bob,F", "3,Cy,", "3,Again,")
    for _each in range(2):
        result = files.run().result
        assert (result.status, result.stands_on) == ("completed_with_errors", None)


def test_records_that_ask_to_be_left_alone_are_no_fault(files: World) -> None:
    skip = {"name": "dept", "transform": [{"expression": "skip('no dept') if not source.dept else source.dept"}]}
    declare(files, objects=[{"name": "people", "fields": [KEY, NAME, skip]}])
    base = files.run().result
    assert base.statistics.skipped == 1
    again = files.run().result
    assert (again.stands_on, again.statistics) == (base.id, base.statistics)


def test_a_preview_stands_on_a_run_and_no_run_on_a_preview(files: World) -> None:
    assert files.preview().result.stands_on is None
    base = files.run().result
    assert base.stands_on is None
    preview = files.preview().result
    assert (preview.stands_on, preview.statistics, preview.preview) == (base.id, base.statistics, True)
    assert files.preview(keep_plan=True).result.stands_on is None


def test_a_change_while_a_run_reads_is_seen_by_the_next(world: World, put_in_place: Callable[..., None]) -> None:
    people = [{"id": "1", "name": "Ann", "dept": "E"}]
    source = ListProvider(info=info_of("id", "name", "dept"), records=[dict(each) for each in people], token="s")
    destination = ListProvider(info=info_of("id", "name", "dept"), records=[dict(each) for each in people], token="d")
    put_in_place(hr=source, staff=destination)
    world.provider("staff", "csv", path=str(world.folder / "staff.csv"))
    declare(world)

    def change() -> None:
        # After all was read, and before the run ends.
        source.records[0]["dept"] = "F"
        source.between = lambda: None

    source.between = change
    first = world.run().result
    assert (first.status, first.statistics.changes, first.stands_on) == ("succeeded", 0, None)
    source.records[0]["dept"] = "E"
    assert stands_on(world) is None, "the run before did not see both states"
    assert stands_on(world) is not None


def test_a_system_that_cannot_tell_is_read_and_the_log_says_so(world: World, put_in_place: Callable[..., None]) -> None:
    source = ListProvider(info=info_of("id", "name", "dept"), token="s")
    source.records = [{"id": "1", "name": "Ann", "dept": "E"}]
    destination = ListProvider(info=info_of("id", "name", "dept"), records=[dict(source.records[0])])
    put_in_place(hr=source, staff=destination)
    world.provider("staff", "csv", path=str(world.folder / "staff.csv"))
    declare(world)
    for _each in range(3):
        result = world.run().result
        assert (result.statistics.read, result.stands_on) == (1, None)
        assert any("provider 'staff' does not tell whether something changed" in line.message for line in result.log)


# -- directories


def save(world: DirectoryWorld, **options: t.Any) -> None:
    """Declare a job without anything that depends on the time."""
    fields = [field for field in world.fields() if field["name"] != "unicodePwd"]
    definition = {
        "source": {"provider": "hr"},
        "destination": {"provider": "dir", "container": world.box.base},
        "missing_at_destination": "create",
        "changed_only": PROOF,
        "objects": [{"name": "people", "type": "user" if world.box.is_ad else "inetOrgPerson", "fields": fields}],
        **options,
    }
    world.world.store.jobs.save("j", normalize_job("j", definition))


@pytest.fixture(params=["openldap", "samba"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> DirectoryWorld:
    made = DirectoryWorld(tmp_path, DirectoryBox(request.getfixturevalue(request.param)))
    save(made)
    assert made.run().statistics.created == 3
    return made


def in_step(world: DirectoryWorld) -> RunResult:
    """Run until a run can stand on one before; a server may still have had something to mend after the first."""
    for _each in range(5):
        result = world.run()
        assert (result.status, result.statistics.changes) == ("succeeded", 0)
        if result.stands_on is not None:
            return result
    raise AssertionError("no run stands on one before")


def test_a_directory_at_rest_is_not_read(directory: DirectoryWorld) -> None:
    again = in_step(directory)
    assert (again.statistics.read, again.statistics.unchanged) == (3, 3)


def test_every_change_of_a_directory_is_seen(directory: DirectoryWorld) -> None:
    box = directory.box
    place = f"{directory.naming}=Ann Able,{box.base}"
    in_step(directory)
    box.modify(place, givenName="Spoiled")
    assert directory.run().statistics.updated == 1
    in_step(directory)
    box.delete(f"{directory.naming}=Cid Cook,{box.base}")
    assert directory.run().statistics.created == 1
    in_step(directory)
    # Somebody else comes: of no concern, but everything is read to know that.
    box.person("Stranger")
    result = directory.run()
    assert (result.stands_on, result.statistics.changes, result.statistics.warnings) == (None, 0, 1)
    again = in_step(directory)
    assert (again.statistics.warnings, again.agreement) == (1, "equal_with_warnings")
    assert again.message.endswith("nothing was read. Its 1 warning stands, see the log of that run.")
    directory.staff(*STAFF, "4,Dan,Dow,IT,")
    assert directory.run().statistics.created == 1


def test_what_is_read_outside_of_the_base_proves_nothing(openldap: OpenLdap, tmp_path: Path) -> None:
    box = DirectoryBox(openldap)
    world = DirectoryWorld(tmp_path, box)
    elsewhere = DirectoryBox(openldap).base
    fields = [
        {**field, "transform": [{"resolve": {"match": world.key, "container": elsewhere}}]}
        if field["name"] == "manager"
        else field
        for field in world.fields()
    ]
    from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import parse_provider  # noqa: PLC0415
    from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import SecretReference  # noqa: PLC0415

    spec = parse_provider("dir", {"ldap": {**box.options(), "base_dn": box.base}})
    world.world.store.providers.save(spec, {"password": SecretReference(kind="env", name="BOX_PASSWORD")})
    save(world, objects=[{"name": "people", "type": "inetOrgPerson", "fields": fields}])
    for _each in range(3):
        result = world.run()
        assert result.stands_on is None
    assert any("outside of `base_dn`" in line.message for line in result.log)


def test_a_directory_at_rest_costs_the_same_few_searches(tmp_path: Path, openldap: OpenLdap) -> None:
    counts = []
    for people in (3, 400):
        folder = tmp_path / str(people)
        folder.mkdir()
        world = DirectoryWorld(folder, DirectoryBox(openldap))
        world.staff(*(f"{number},F{number},L,IT," for number in range(1, people + 1)))
        save(world)
        world.run()
        in_step(world)
        with openldap.counting() as counted:
            assert world.run().stands_on is not None
        counts.append(dict(counted))
    assert counts[0] == counts[1]
    assert set(counts[0]) == {"SRCH"}
    assert counts[0]["SRCH"] <= 10
