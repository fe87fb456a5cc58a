# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens to the bytes of a plan or a journal: what is not what the run wrote is named, and nothing of it is
applied or taken for done.
"""

from __future__ import annotations

import sqlite3
import tempfile
import typing as t
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._execution.journal import Journal
from ansible_collections.lockstep.sync.plugins.module_utils._running.conductor import Ran
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.damage import Damage, damages

if t.TYPE_CHECKING:
    from support.worlds import World

BEFORE = [(2, "Bob", "old"), (9, "Gone", "G")]
HALF_WAY = [(1, "Ann", "E"), (2, "Bob", "F"), (3, "Cy", None), (9, "Gone", "G")]
AFTER = HALF_WAY[:3]
WAYS = ("resume", "preview", "next run")
EXAMPLES = max(settings().max_examples // 2, 1)
"""Each is a whole run."""


class Died(BaseException):
    """The process was killed."""


@dataclass(kw_only=True)
class Scene:
    """A world and a photograph of its files, to which it goes back before each damage."""

    world: World = field(repr=False)
    files: dict[Path, bytes] = field(repr=False)

    @classmethod
    def of(cls, world: World) -> Scene:
        world.store.close()
        files = {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
        return cls(world=world, files=files)

    def restore(self) -> None:
        """Make everything as it was."""
        self.world.store.close()
        for path in self.world.folder.rglob("*"):
            if path.is_file() and path not in self.files:
                path.unlink()
        for path, content in self.files.items():
            path.write_bytes(content)
        # Two later runs would find the folders of those that are undone.
        for path in sorted(self.world.folder.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        self.world.store = self.world.open_store()

    def go_on(self, way: str) -> Ran:
        """Do what meets the files of the run that was killed."""
        if way == "next run":
            return self.world.run()
        return self.world.run("", resume=1, preview=way == "preview")


@pytest.fixture(scope="module")
def killed() -> Iterator[Scene]:
    """A run that was killed after its second batch was written, and before the journal said so."""
    from support.worlds import World  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(folder=Path(folder))
        world.job()
        original, ended = Journal.end, []

        def dying(journal: Journal, *arguments: t.Any) -> None:
            ended.append(1)
            if len(ended) == 2:
                raise Died
            original(journal, *arguments)

        patch.setattr(Journal, "end", dying)
        with pytest.raises(Died):
            world.run()
        patch.undo()
        assert world.people() == HALF_WAY
        yield Scene.of(world)
        world.store.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[Scene]:
    """A plan that was kept, and is to be applied."""
    from support.worlds import World  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        world = World(folder=Path(folder))
        world.job(limits={"creates": "1"})
        assert world.preview(keep_plan=True).result.plan_id == 1
        yield Scene.of(world)
        world.store.close()


def check_refused(scene: Scene, way: str, file: Path) -> None:
    """Check that nothing of a damaged file is used, and that whoever looks for the cause finds its name."""
    ran = scene.go_on(way)
    if way == "next run":
        # It compares anew, and does what is left; of the killed run it only says that nobody knows what it did.
        run = scene.world.store.runs.get(1)
        assert run is not None
        assert run.status == "interrupted"
        assert "what it did could not be settled" in run.message
        assert str(file) in run.message
        assert scene.world.store.runs.changes(1) == []
        assert (ran.result.status, scene.world.people()) == ("succeeded", AFTER)
        return
    assert (ran.result.status, ran.failure_code) == ("failed", "store")
    assert str(file) in ran.result.message
    assert ran.result.statistics.changes == 0
    assert scene.world.people() == HALF_WAY


def flip_one(byte: int) -> Damage:
    return lambda data: data[:byte] + bytes([data[byte] ^ 1]) + data[byte + 1 :]


@given(damage=damages(), way=st.sampled_from(WAYS))
@settings(max_examples=EXAMPLES)
@example(damage=flip_one(-10), way="resume")
def test_of_a_damaged_plan_file_nothing_is_applied(killed: Scene, damage: Damage, way: str) -> None:
    killed.restore()
    file = killed.world.runs / "1" / "plan-1.jsonl"
    whole = file.read_bytes()
    damaged = damage(whole)
    assume(damaged.removesuffix(b"\n") != whole.removesuffix(b"\n"))
    file.write_bytes(damaged)
    check_refused(killed, way, file)


@given(damage=damages(), way=st.sampled_from(WAYS))
@settings(max_examples=EXAMPLES)
@example(damage=lambda data: data.replace(b"[3]", b"[4]"), way="resume")
def test_of_a_damaged_journal_nothing_is_taken_for_done(killed: Scene, damage: Damage, way: str) -> None:
    """A journal that only lacks its end is that of a run that was killed earlier: what it does not tell is looked at
    again, and nothing is lost.
    """
    killed.restore()
    file = killed.world.runs / "1" / "journal-1.jsonl"
    whole = file.read_bytes()
    damaged = damage(whole)
    assume(damaged != whole)
    file.write_bytes(damaged)
    lines = damaged[: damaged.rfind(b"\n") + 1]
    if not whole.startswith(lines):
        check_refused(killed, way, file)
        return
    ran = killed.go_on(way)
    assert ran.result.status == "succeeded"
    assert killed.world.people() == (HALF_WAY if way == "preview" else AFTER)


@given(damage=damages(), preview=st.booleans(), accept=st.sampled_from([(), ("creates",)]))
@settings(max_examples=EXAMPLES)
def test_of_a_damaged_kept_plan_nothing_is_applied(
    kept: Scene, damage: Damage, preview: bool, accept: tuple[t.Any, ...]
) -> None:
    kept.restore()
    lines = [line.encode() for line in kept.world.store.plans.lines(1)]
    whole = b"".join(lines)
    damaged = damage(whole)
    assume(damaged.removesuffix(b"\n") != whole.removesuffix(b"\n"))
    put_lines(kept.world, damaged.splitlines(keepends=True))
    ran = kept.world.run("", plan=1, preview=preview, accept=frozenset(accept))
    assert (ran.result.status, ran.failure_code) == ("failed", "store")
    assert "plan 1" in ran.result.message.lower()
    assert (kept.world.people(), ran.result.statistics.changes) == (BEFORE, 0)
    stored = kept.world.store.plans.get(1)
    assert stored is not None
    assert (stored.run_id, stored.accepted) == (None, ())


def put_lines(world: World, lines: list[bytes]) -> None:
    """Let these be the lines of the kept plan, whatever their bytes are."""
    with closing(sqlite3.connect(world.folder / "state.db")) as connection:
        connection.execute("DELETE FROM lockstep_plan_lines WHERE plan_id = 1")
        connection.executemany(
            "INSERT INTO lockstep_plan_lines (plan_id, position, line) VALUES (1, ?, CAST(? AS TEXT))",
            enumerate(lines, 1),
        )
        connection.commit()


def test_files_that_nobody_damaged_are_gone_on_with(killed: Scene, kept: Scene) -> None:
    """What the tests above damage is good: only the damage makes it useless."""
    killed.restore()
    assert killed.go_on("resume").result.status == "succeeded"
    assert killed.world.people() == AFTER
    kept.restore()
    assert kept.world.run("", plan=1, accept=frozenset({"creates"})).result.status == "succeeded"
    assert kept.world.people() == AFTER
