# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sqlite3
import subprocess
import sys
import typing as t
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Link
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import AppliedChange
from ansible_collections.lockstep.sync.plugins.module_utils._store.migrations import MIGRATIONS
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store
from ansible_collections.lockstep.sync.plugins.module_utils._store.tables import tables

if t.TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def add_colour(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE lockstep_providers ADD COLUMN colour VARCHAR(10) DEFAULT 'red'")


def paint(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE lockstep_providers SET colour = colour || 'dish'")


def fail(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE lockstep_providers SET colour = 'blue'")
    raise RuntimeError("half way")


FUTURE = (*MIGRATIONS, add_colour, paint)


def query(path: Path, text: str) -> list[tuple[t.Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(text).fetchall()


def columns(path: Path) -> set[tuple[str, str]]:
    found = query(
        path, "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    return {(table, column) for table, column in found if not table.startswith("sqlite_")}


def test_new_store_has_the_newest_version_and_the_tables_of_this_release(store: Store, path: Path) -> None:
    assert query(path, "SELECT value FROM lockstep_meta WHERE name = 'version'") == [(str(len(MIGRATIONS)),)]
    declared = {(table.name, column.name) for table in tables().metadata.tables.values() for column in table.columns}
    assert columns(path) == declared


@pytest.mark.parametrize("version", range(1, len(FUTURE)))
def test_store_of_every_earlier_version_becomes_as_a_new_one_and_keeps_its_content(
    version: int, open_at: Callable[..., Store], path: Path, tmp_path: Path
) -> None:
    with open_at(path, migrations=FUTURE[:version]) as old:
        old.providers.save(ProviderSpec(name="hr", type="csv", options={"path": "/x"}), {})
    with open_at(path, migrations=FUTURE) as migrated:
        assert migrated.providers.list()[0].spec.options == {"path": "/x"}
    open_at(tmp_path / "new.db", migrations=FUTURE).close()
    assert columns(path) == columns(tmp_path / "new.db")
    assert query(path, "SELECT value FROM lockstep_meta WHERE name = 'version'") == [(str(len(FUTURE)),)]
    assert query(path, "SELECT colour FROM lockstep_providers") == [("reddish",)]


@pytest.fixture
def released(path: Path) -> Path:
    """A store as release 1.0.0 made it and filled it."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "version_1.sql").read_text(encoding="utf-8"))
    return path


COLUMNS = """
    SELECT m.name, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid
"""
INDEXES = """
    SELECT m.name, x.name, x.[unique], c.seqno, c.name
    FROM sqlite_master m, pragma_index_list(m.name) x, pragma_index_info(x.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, x.name, c.seqno
"""
REFERENCES = """
    SELECT m.name, r.[from], r.[table], r.[to], r.on_delete FROM sqlite_master m, pragma_foreign_key_list(m.name) r
    WHERE m.type = 'table' ORDER BY m.name, r.[from]
"""


def test_version_1_makes_what_release_1_made(released: Path, open_at: Callable[..., Store], tmp_path: Path) -> None:
    open_at(tmp_path / "new.db", migrations=MIGRATIONS[:1]).close()
    for part in (COLUMNS, INDEXES, REFERENCES):
        assert query(tmp_path / "new.db", part) == query(released, part)


def test_store_of_release_1_keeps_all_it_has_and_can_do_all_that_is_new(
    released: Path, open_at: Callable[..., Store], tmp_path: Path
) -> None:
    store = open_at(released)
    assert {provider.spec.name: provider.spec.type for provider in store.providers.list()} == {
        "hr": "csv",
        "crm": "sql",
    }
    assert [job.definition["destination"] for job in store.jobs.list()] == [{"provider": "crm", "table": "people"}]
    assert store.marks.get("people", "people", "d1") == "2026-11-20"
    changes = store.runs.changes(1)
    assert [(item.change.action, item.change.anchor) for item in changes] == [
        ("create", None),
        ("update", None),
        ("delete", None),
    ]
    assert changes[0].change.after == {"id": "1", "photo": b"\x00\xff"}
    assert [problem.message for problem in store.runs.problems(1)] == ["too long"]
    link = Link(identity="1", anchor="a1", key=("1",))
    store.links.put("people", "people", [link])
    store.smart_groups.save("bonn", {"provider": "crm"})
    moved = replace(changes[1].change, action="move", anchor="a1")
    store.runs.add_changes(1, [AppliedChange(change=moved, outcome=None)])
    assert store.links.anchors("people", "people") == {"1": "a1"}
    assert store.runs.changes(1, offset=3) == [AppliedChange(change=moved, outcome=None)]
    store.close()
    open_at(tmp_path / "new.db").close()
    for part in (COLUMNS, INDEXES, REFERENCES):
        assert query(tmp_path / "new.db", part) == query(released, part)


def test_column_that_an_interrupted_migration_left_is_kept(released: Path, open_at: Callable[..., Store]) -> None:
    with closing(sqlite3.connect(released)) as connection:
        connection.execute("ALTER TABLE lockstep_changes ADD COLUMN anchor VARCHAR(255)")
    store = open_at(released)
    assert len(store.runs.changes(1)) == 3
    assert query(released, "SELECT value FROM lockstep_meta WHERE name = 'version'") == [(str(len(MIGRATIONS)),)]


LINKS_OF_VERSION_6 = """
    DROP TABLE lockstep_links;
    CREATE TABLE lockstep_links (
        job_id INTEGER NOT NULL, digest VARCHAR(32) NOT NULL, object VARCHAR(255) NOT NULL,
        anchor VARCHAR(255) NOT NULL,
        identity TEXT NOT NULL, "key" TEXT NOT NULL, fingerprint VARCHAR(64) NOT NULL,
        mapping_digest VARCHAR(128) NOT NULL,
        PRIMARY KEY (job_id, digest), FOREIGN KEY(job_id) REFERENCES lockstep_jobs (id) ON DELETE CASCADE
    );
    CREATE INDEX lockstep_links_by_object ON lockstep_links (job_id, object);
    INSERT INTO lockstep_links VALUES
        (1, 'x1', 'users', 'a1', 'né', '["1"]', 'f', 'd'),
        (1, 'x2', 'users', 'a2', '2', '[]', '', 'd');
"""


def test_links_keep_what_is_read_of_them(open_at: Callable[..., Store], path: Path, tmp_path: Path) -> None:
    with open_at(path, migrations=MIGRATIONS[:6]) as old:
        old.providers.save(ProviderSpec(name="hr", type="csv", options={"path": "/x"}), {})
        old.jobs.save("people", {"source": {"provider": "hr"}, "destination": {"provider": "hr"}})
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LINKS_OF_VERSION_6)
    rehearsal = open_at(path, create=False)
    assert rehearsal.links.anchors("people", "users") == {"né": "a1", "2": "a2"}
    assert ("lockstep_links", "fingerprint") in columns(path)
    rehearsal.close()
    with open_at(path) as store:
        assert store.links.anchors("people", "users") == {"né": "a1", "2": "a2"}
        store.jobs.delete("people")
    assert query(path, "SELECT count(*) FROM lockstep_links") == [(0,)]
    open_at(tmp_path / "new.db").close()
    for part in (COLUMNS, INDEXES, REFERENCES):
        assert query(tmp_path / "new.db", part) == query(path, part)


def test_migration_that_fails_leaves_the_old_version(open_at: Callable[..., Store], path: Path) -> None:
    open_at(path).close()
    with pytest.raises(RuntimeError, match="half way"):
        open_at(path, migrations=(*MIGRATIONS, add_colour, fail))
    assert query(path, "SELECT value FROM lockstep_meta WHERE name = 'version'") == [(str(len(MIGRATIONS)),)]
    assert ("lockstep_providers", "colour") not in columns(path)


@pytest.mark.parametrize("create", [True, False])
def test_store_of_a_newer_release_is_refused(create: bool, open_at: Callable[..., Store], path: Path) -> None:
    open_at(path, migrations=FUTURE).close()
    with pytest.raises(
        StoreError,
        match=f"{path} has version {len(FUTURE)}; .* up to {len(MIGRATIONS)}. Update lockstep.sync on this host",
    ):
        open_at(path, create=create)


def test_version_that_is_no_number_is_refused(open_at: Callable[..., Store], path: Path) -> None:
    open_at(path).close()
    connection = sqlite3.connect(path)
    with closing(connection), connection:
        connection.execute("UPDATE lockstep_meta SET value = 'x' WHERE name = 'version'")
    with pytest.raises(StoreError, match="version 'x', which is not a number"):
        open_at(path)


def test_older_store_is_migrated_in_memory_only_in_check_mode(open_at: Callable[..., Store], path: Path) -> None:
    with open_at(path) as old:
        old.providers.save(ProviderSpec(name="hr", type="csv", options={}), {})
    before = path.read_bytes()
    with open_at(path, create=False, migrations=FUTURE) as store:
        assert [provider.spec.name for provider in store.providers.list()] == ["hr"]
        with store.transaction():
            store.providers.rename("hr", "people")
            assert store.providers.get("people") is not None
    assert path.read_bytes() == before


OPENER = """
import sys
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[1])
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import StoreAddress, open_store
sys.stdin.readline()
open_store(StoreAddress(url=sys.argv[2]), create=True, clock=lambda: datetime.now(UTC)).close()
"""


def test_processes_that_open_a_new_store_at_once_make_it_once(path: Path) -> None:
    tree = next(entry for entry in sys.path if (Path(entry) / "ansible_collections" / "lockstep").exists())
    command = [sys.executable, "-c", OPENER, tree, f"sqlite:///{path}"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _each in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 4
    assert query(path, "SELECT value FROM lockstep_meta WHERE name = 'version'") == [(str(len(MIGRATIONS)),)]
