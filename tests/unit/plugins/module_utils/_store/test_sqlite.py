# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._store import faults, sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._store.store import Store

NOBODY = 65534
SPEC = ProviderSpec(name="hr", type="csv", options={"path": "/data/hr.csv"})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(store: Store) -> list[str]:
    return [provider.spec.name for provider in store.providers.list()]


# -- making and opening


def test_new_store_can_be_read_by_its_owner_only(store: Store, path: Path) -> None:
    store.providers.save(SPEC, {})
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["state.db", "state.db-shm", "state.db-wal"]
    assert [mode(file) for file in files] == [0o600] * 3
    assert mode(path.parent) == 0o700


def test_every_file_of_a_users_store_belongs_to_the_user_even_if_root_makes_it(
    open_at: Callable[..., Store], tmp_path: Path
) -> None:
    owner = os.getuid() or NOBODY
    os.chown(tmp_path, owner, -1)
    store = open_at(tmp_path / "new" / "state.db")
    store.providers.save(SPEC, {})
    files = list((tmp_path / "new").iterdir())
    assert len(files) == 3
    assert {(file.stat().st_uid, mode(file)) for file in files} == {(owner, 0o600)}


def test_closed_store_is_one_file_with_all_content(open_at: Callable[..., Store], path: Path) -> None:
    with open_at(path) as store:
        store.providers.save(SPEC, {})
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]
    assert names(open_at(path)) == ["hr"]


def test_store_uses_a_write_ahead_log_and_checks_references(store: Store) -> None:
    with store._session.read() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1}


def test_file_system_without_shared_memory_keeps_the_journal(open_at: Callable[..., Store], path: Path) -> None:
    open_at(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    # This layer of SQLite locks with files and cannot share memory, as on some network file systems.
    engine = sqlite.file_engine(path, writable=True, vfs="unix-dotfile")
    sqlite.use_write_ahead_log(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO lockstep_meta VALUES ('a', 'b')")
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    engine.dispose()


def test_busy_file_keeps_its_journal_until_it_is_opened_again(
    open_at: Callable[..., Store], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at(path).close()
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN")
        other.execute("SELECT * FROM lockstep_meta").fetchall()
        open_at(path).close()
        assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    open_at(path).close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_other_failure_to_switch_the_journal_is_told(open_at: Callable[..., Store], path: Path) -> None:
    open_at(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        sqlite.use_write_ahead_log(sqlite.file_engine(path, writable=False))


def test_empty_file_becomes_a_store(open_at: Callable[..., Store], tmp_path: Path) -> None:
    (tmp_path / "x.db").touch(mode=0o640)
    assert names(open_at(tmp_path / "x.db")) == []
    assert mode(tmp_path / "x.db") == 0o640


def test_path_with_odd_characters_is_the_file_of_that_name(open_at: Callable[..., Store], tmp_path: Path) -> None:
    open_at(tmp_path / "a b#&=ü.db")
    assert (tmp_path / "a b#&=ü.db").exists()


# -- what cannot be opened


@pytest.mark.parametrize("create", [True, False])
def test_file_that_is_no_database_is_named(create: bool, open_at: Callable[..., Store], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary " * 100)
    with pytest.raises(StoreError, match=rf"{tmp_path}/notes.txt cannot be used: the file is not a SQLite database"):
        open_at(tmp_path / "notes.txt", create=create)
    assert (tmp_path / "notes.txt").read_text() == "dear diary " * 100


@pytest.mark.parametrize("create", [True, False])
def test_database_of_somebody_else_is_refused_and_left_alone(
    create: bool, open_at: Callable[..., Store], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "hr.db")) as connection:
        connection.execute("CREATE TABLE staff (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    before = (tmp_path / "hr.db").read_bytes()
    with pytest.raises(StoreError, match=r"no state store: it holds staff\. Name a file of its own"):
        open_at(tmp_path / "hr.db", create=create)
    assert (tmp_path / "hr.db").read_bytes() == before


def test_store_left_half_made_is_completed(open_at: Callable[..., Store], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE lockstep_marks (x)")
    assert names(open_at(tmp_path / "x.db")) == []


def test_directory_in_place_of_the_file_is_named(open_at: Callable[..., Store], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"{tmp_path} is not a file"):
        open_at(tmp_path)


@pytest.mark.parametrize("place", ["state.db", "."])
def test_store_that_may_only_be_read_is_named_with_the_place(
    place: str,
    open_at: Callable[..., Store],
    open_directory: Path,
    as_ordinary_user: Callable[[], AbstractContextManager[None]],
) -> None:
    path = open_directory / "state.db"
    open_at(path).close()
    path.chmod(0o666)
    open_directory.chmod(0o777)
    (open_directory / place).chmod(0o555)
    with as_ordinary_user(), pytest.raises(StoreError, match=re.escape(f"may not write to the {_kind(place)} ")):
        open_at(path)


def _kind(place: str) -> str:
    return "directory" if place == "." else "file"


def test_store_in_a_closed_directory_is_named_in_check_mode(
    open_at: Callable[..., Store],
    open_directory: Path,
    as_ordinary_user: Callable[[], AbstractContextManager[None]],
) -> None:
    open_at(open_directory / "closed" / "state.db").close()
    (open_directory / "closed").chmod(0o000)
    with as_ordinary_user(), pytest.raises(StoreError, match="cannot be looked at: Permission denied"):
        open_at(open_directory / "closed" / "state.db", create=False)


def test_locked_store_is_told_apart_from_a_broken_one(
    open_at: Callable[..., Store], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    store = open_at(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=f"{path} cannot be used: it was locked by another process"):
            store.providers.save(SPEC, {})
    store.providers.save(SPEC, {})


def test_full_disk_stores_nothing_and_says_so(store: Store) -> None:
    def fill() -> None:
        with store.transaction():
            with store._session.write() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            store.providers.save(SPEC, {})
            store.providers.save(ProviderSpec(name="big", type="csv", options={"path": "x" * 100_000}), {})

    with pytest.raises(StoreError, match=r"the disk is full\. Free some space"):
        fill()
    assert names(store) == []


def test_damaged_store_is_told(open_at: Callable[..., Store], path: Path) -> None:
    with open_at(path) as store:
        store.providers.save(SPEC, {})
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"the file is damaged\. Restore it from a backup"):
        open_at(path).providers.list()


def test_store_deleted_while_the_engine_lives_is_not_made_again(tmp_path: Path) -> None:
    engine = sqlite.file_engine(tmp_path / "gone.db", writable=True)
    with pytest.raises(StoreError, match=r"gone\.db cannot be used: the file or one beside it"):  # noqa: SIM117
        with faults.translated(str(tmp_path / "gone.db")), engine.connect():
            pass
    assert list(tmp_path.iterdir()) == []


# -- check mode


def test_missing_store_is_an_empty_one_in_memory_in_check_mode(open_at: Callable[..., Store], path: Path) -> None:
    store = open_at(path, create=False)
    with store.transaction():
        store.providers.save(SPEC, {})
        assert names(store) == ["hr"]
    assert names(store) == []
    assert (store.rehearsal, store.location) == (True, str(path))
    assert not path.parent.exists()


@pytest.mark.parametrize("content", [None, b""])
def test_store_with_no_content_stays_as_it_is_in_check_mode(
    content: bytes | None, open_at: Callable[..., Store], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" if content == b"" else tmp_path / "file" / "below"
    assert names(open_at(path, create=False)) == []
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [("file", 0)]


def test_check_mode_rehearses_on_an_existing_store_and_leaves_it_as_it_was(
    open_at: Callable[..., Store], path: Path
) -> None:
    with open_at(path) as store:
        store.providers.save(SPEC, {})
    before = path.read_bytes()
    with open_at(path, create=False) as store:
        assert names(store) == ["hr"]
        with store.transaction():
            store.providers.rename("hr", "people")
            assert names(store) == ["people"]
        assert names(store) == ["hr"]
        store.providers.delete("hr")
        assert names(store) == ["hr"]
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]
    assert path.read_bytes() == before


def test_user_who_may_only_read_can_look_in_check_mode(
    open_at: Callable[..., Store],
    open_directory: Path,
    as_ordinary_user: Callable[[], AbstractContextManager[None]],
) -> None:
    path = open_directory / "state.db"
    with open_at(path) as store:
        store.providers.save(SPEC, {})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o444)
    open_directory.chmod(0o555)
    with as_ordinary_user():
        store = open_at(path, create=False)
        with store.transaction():
            assert names(store) == ["hr"]
        with pytest.raises(StoreError, match="it is read-only"):
            store.providers.delete("hr")
        store.close()
