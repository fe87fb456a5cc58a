# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that cannot be read or written, full disks, state stores that cannot be used: nothing is lost or half done."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from integration.harness import FAILED, Workplace, fields, job, run, task

IS_ROOT = os.geteuid() == 0
# Root reads and writes everything, so it gives that right away for these commands.
LIKE_OTHERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if IS_ROOT else ()
NOBODY = 65534
# Half of the file is more than a built module, which the command with a limit on files writes first.
SIZE, WIDTH = 20_000, 600


def can_mount() -> bool:
    """Tell whether a small disk can be made here."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return IS_ROOT and subprocess.run(command, capture_output=True, check=False).returncode == 0


def forbid(path: Path, mode: int) -> None:
    """Make the file one of somebody else's, or take the rights from ourselves."""
    path.chmod(mode)
    if IS_ROOT:
        os.chown(path, NOBODY, NOBODY)


def declare(place: Workplace, *, size: int = 3, width: int = 60) -> tuple[Path, Path]:
    """Declare `people` from one CSV file to another, whose paths are given; the second lacks the last record."""
    rows = [(number, f"Name of number {number:06} {'x' * width}") for number in range(1, size + 1)]
    source = place.write_csv("source.csv", ["id", "name"], rows)
    target = place.write_csv("target.csv", ["id", "name"], rows[:-1])
    place.declare(
        [{"name": "hr", "csv": {"path": str(source)}}, {"name": "out", "csv": {"path": str(target)}}],
        [job("people", "hr", "out", fields("id", "name"))],
    )
    return source, target


def test_a_source_that_may_not_be_read(place: Workplace) -> None:
    source, target = declare(place)
    before = target.read_bytes()
    forbid(source, 0o000)
    place.wrapper = LIKE_OTHERS

    done = place.adhoc("run", job="people")

    assert done.code == FAILED
    assert f"{source} may not be read by this user" in done.only["msg"]
    assert "Change its owner or mode" in done.only["msg"]
    assert target.read_bytes() == before


def test_a_destination_in_a_folder_that_may_not_be_written(place: Workplace) -> None:
    _source, target = declare(place)
    folder = place.folder / "closed"
    folder.mkdir()
    closed = shutil.move(target, folder / "target.csv")
    place.declare([{"name": "out", "csv": {"path": str(closed)}}], [{"name": "people"}])
    before = Path(closed).read_bytes()
    forbid(folder, 0o555)
    place.wrapper = LIKE_OTHERS

    done = place.adhoc("run", job="people")
    folder.chmod(0o755)

    assert done.code == FAILED
    assert str(closed) in done.only["msg"] or str(folder) in done.only["msg"]
    assert Path(closed).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["target.csv"]


@pytest.mark.parametrize("way", ["a limit on files", *(["a full disk"] if can_mount() else [])])
def test_the_old_file_stays_when_the_disk_takes_no_more(place: Workplace, way: str) -> None:
    """One record is new, so that plan and journal are small and the file is large."""
    _source, target = declare(place, size=SIZE, width=WIDTH)
    before = target.read_bytes()
    folder, kept = place.folder / "disk", place.folder / "kept"
    folder.mkdir()
    kept.mkdir()
    path = folder / "target.csv"
    shutil.copy(target, path)
    place.declare([{"name": "out", "csv": {"path": str(path)}}], [{"name": "people"}])
    size = len(before)
    if way == "a full disk":
        script = (
            f"mount -t tmpfs -o size={size + size // 2} tmpfs {folder} && cp {target} {path} && "
            f'"$@"; code=$?; cp -a {folder}/. {kept}; exit $code'
        )
        place.wrapper = ("unshare", "--mount", "bash", "-c", script, "bash")
    else:
        place.wrapper = (
            "bash",
            "-c",
            f'ulimit -f {size // 2 // 1024}; "$@"; code=$?; cp -a {folder}/. {kept}; exit $code',
            "bash",
        )

    done = place.adhoc("run", job="people")

    assert done.code == FAILED, done.output
    assert "out" in done.only["msg"]
    assert str(path) in done.only["msg"]
    assert done.only["run"]["statistics"]["created"] == 0
    assert [each.name for each in kept.iterdir()] == ["target.csv"]
    assert path.read_bytes() == before
    if way == "a full disk":
        assert (kept / "target.csv").read_bytes() == before

    place.wrapper = ()
    assert place.adhoc("run", job="people").code == 0
    assert path.read_bytes().count(b"\n") == SIZE + 1


def test_a_store_that_is_newer_than_the_collection(place: Workplace) -> None:
    _source, target = declare(place)
    before = target.read_bytes()
    store = sqlite3.connect(place.store_file)
    with closing(store), store:
        store.execute("UPDATE lockstep_meta SET value = '999' WHERE name LIKE '%version%'")
        assert store.execute("SELECT changes()").fetchone() == (1,)

    reading = (
        "job_info",
        "smart_group_info",
        "job_template_info",
        "schedule_info",
        "workflow_info",
        "job_collection_info",
        "collection_template_info",
    )
    writing = ("smart_group", "job_template", "workflow")
    listing = {name: task(name, may_fail=True) for name in reading}
    declaring = {name: task(name, name="x", state="absent", may_fail=True) for name in writing}
    done = place.play(run=run("people", may_fail=True), **listing, **declaring)

    assert len(done.results) == 1 + len(reading) + len(writing)
    for result in done.results.values():
        assert result["failed"] is True
        assert result["error"]["code"] == "store"
        assert str(place.store_file) in result["msg"]
        assert "999" in result["msg"]
        assert "pdate" in result["msg"] or "pgrade" in result["msg"]
    assert target.read_bytes() == before


def test_a_store_that_is_read_only(place: Workplace) -> None:
    _source, target = declare(place)
    before = target.read_bytes()
    for path in (*place.store_file.parent.iterdir(), place.store_file.parent):
        forbid(path, 0o555)
    place.wrapper = LIKE_OTHERS

    done = place.play(
        run=run("people", may_fail=True), declared=task("job", name="people", state="absent", may_fail=True)
    )
    place.store_file.parent.chmod(0o755)

    for result in (done["run"], done["declared"]):
        assert result["failed"] is True
        assert result["error"]["code"] == "store"
        assert "read-only" in result["msg"]
        assert "Give this user the right" in result["msg"]
        assert str(place.store_file) in result["msg"]
    assert target.read_bytes() == before


def test_a_store_that_somebody_else_keeps_locked(place: Workplace) -> None:
    """The longest wait of the suite: a run gives the other half a minute."""
    _source, target = declare(place)
    before = target.read_bytes()
    with closing(sqlite3.connect(place.store_file, isolation_level=None)) as store:
        store.execute("BEGIN EXCLUSIVE")
        done = place.adhoc("run", job="people")
        store.execute("ROLLBACK")

    assert done.code == FAILED
    assert str(place.store_file) in done.only["msg"]
    assert "locked" in done.only["msg"] or "busy" in done.only["msg"]
    assert target.read_bytes() == before


def test_a_store_that_is_something_else(place: Workplace) -> None:
    place.store_file.parent.mkdir()
    other = sqlite3.connect(place.store_file)
    with closing(other), other:
        other.execute("CREATE TABLE customers (id INTEGER)")

    text_file = place.folder / "state.txt"
    text_file.write_text("not a database, but a text that is long enough to be read as one" * 50)
    done = place.play(
        foreign=task("job_info", may_fail=True),
        text=task("job_info", store=f"sqlite:///{text_file}", may_fail=True),
        unknown=task("job_info", store="mongodb://localhost/state", may_fail=True),
    )

    assert [result["failed"] for result in done.results.values()] == [True, True, True]
    assert "customers" in done["foreign"]["msg"]
    assert str(text_file) in done["text"]["msg"]
    assert "'mongodb'" in done["unknown"]["msg"]
    assert "'sqlite'" in done["unknown"]["msg"]
