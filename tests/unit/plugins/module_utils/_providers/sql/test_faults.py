# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that die, and answers that are lost: never a short reading, never a change done twice or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import DONE, Change
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from servers.fixtures import Server
from servers.sql_box import SqlBox, change, read_all, sql_provider, target

FIELDS = ("id", "name")
PEOPLE = Query(container="people")
Starter = Callable[[], Server]


@pytest.fixture(params=["start_postgres", "start_mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    """A server of the test's own."""
    start: Starter = request.getfixturevalue(request.param)
    return start()


def people(count: int) -> list[Row]:
    return [(str(number), f"name {number}") for number in range(count)]


def mixed_changes(count: int) -> tuple[list[Row], list[Change], list[Row]]:
    """Give a table, changes of every third record in turn, and the table they must lead to."""
    before, changes, after = people(count), [], []
    for number, row in enumerate(before):
        image = dict(zip(FIELDS, row, strict=True))
        key = (str(row[0]),)
        match number % 3:
            case 0:
                changes.append(change("update", key, image, {"name": f"new {number}"}))
                after.append((row[0], f"new {number}"))
            case 1:
                changes.append(change("delete", key, image))
            case _:
                made = {"id": f"made {number}", "name": "x"}
                changes.append(change("create", (made["id"],), after=made))
                after += [row, (made["id"], "x")]
    return before, changes, after


def test_a_server_killed_in_the_middle_of_a_reading_is_never_a_short_table(server: Server) -> None:
    box = SqlBox(server.url, None, "people")
    box.make(FIELDS, people(60_000))
    provider = box.open()
    with provider.read(PEOPLE, FIELDS) as reading:
        batches = reading.batches()
        rows = len(next(batches))
        server.kill()
        rows, error = _read_on(batches, rows)
        assert not reading.completeness.proven
    assert rows < 60_000
    assert f"provider 'box': reading table 'people' broke off after {rows} rows" in error.message
    assert error.retriable
    with pytest.raises(ProviderError, match="state that was being read") as again:
        list(provider.read_keys(PEOPLE, FIELDS, ("id",), [("1",)]).batches())
    assert again.value.retriable
    provider.release()
    with pytest.raises(ProviderError):
        list(provider.read(PEOPLE, FIELDS).batches())
    server.restart_killed()
    provider.release()
    assert len(read_all(provider, PEOPLE, FIELDS)) == 60_000
    provider.close()


def _read_on(batches: Iterator[list[Row]], rows: int) -> tuple[int, ProviderError]:
    try:
        for batch in batches:
            rows += len(batch)
    except ProviderError as error:
        return rows, error
    raise AssertionError(f"the reading ended after {rows} rows as if nothing had happened")


def test_a_server_killed_between_two_batches_loses_nothing_when_all_is_applied_again(server: Server) -> None:
    before, changes, after = mixed_changes(1500)
    box = SqlBox(server.url, None, "people")
    box.make(FIELDS, before)
    provider = box.open()
    with provider.writer(target("people", FIELDS)) as writer:
        assert writer.apply(changes[:500]) == [DONE] * 500
        server.kill()
        with pytest.raises(ProviderError) as caught:
            writer.apply(changes[500:1000])
        assert caught.value.retriable
        with pytest.raises(ProviderError, match="cannot connect"):
            writer.apply(changes[500:1000])
        server.restart_killed()
        for start in range(0, 1500, 500):
            outcomes = writer.apply(changes[start : start + 500])
            assert {(one.status, one.code) for one in outcomes} <= {("done", ""), ("skipped", "gone")}
    assert sorted(box.select("SELECT id, name FROM people")) == sorted(after)
    provider.close()


def test_a_server_killed_in_the_middle_of_writing_leaves_what_applying_again_makes_right(server: Server) -> None:
    before, changes, after = mixed_changes(12_000)
    box = SqlBox(server.url, None, "people")
    box.make(FIELDS, before)
    provider = box.open()
    killer = threading.Timer(0.02, server.kill)
    with provider.writer(target("people", FIELDS)) as writer:
        with pytest.raises(ProviderError) as caught:
            _apply_killing(writer.apply, changes, killer)
        assert caught.value.retriable
        killer.join()
        server.restart_killed()
        for start in range(0, len(changes), 500):
            outcomes = writer.apply(changes[start : start + 500])
            assert {(one.status, one.code) for one in outcomes} <= {("done", ""), ("skipped", "gone")}
    assert sorted(box.select("SELECT id, name FROM people")) == sorted(after)
    provider.close()


def _apply_killing(apply: Callable[[list[Change]], object], changes: list[Change], killer: threading.Timer) -> None:
    for start in range(0, len(changes), 500):
        if start == 2000:
            killer.start()
        apply(changes[start : start + 500])


class LosingProxy:
    """Passes everything on to a server; while losing, a COMMIT too, but its answer is lost with the connection."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.lost = 0
        self.losing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            committed = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, committed), daemon=True).start()
            threading.Thread(target=self._return, args=(server, client, committed), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, committed: threading.Event) -> None:
        for data in received(client):
            if data.rstrip(b"\0").endswith(b"COMMIT") and self.losing:
                committed.set()
            server.sendall(data)
        hang_up(server)

    def _return(self, server: socket.socket, client: socket.socket, committed: threading.Event) -> None:
        for data in received(server):
            if committed.is_set():
                self.lost += 1
                break
            client.sendall(data)
        hang_up(client)
        hang_up(server)


def received(source: socket.socket) -> Iterator[bytes]:
    try:
        while data := source.recv(65536):
            yield data
    except OSError:
        return


def hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def test_a_commit_whose_answer_was_lost_is_found_done(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        before, changes, after = mixed_changes(300)
        box.make(FIELDS, before)
        assert box.engine.url.port is not None
        proxy = LosingProxy(box.engine.url.port)
        provider = sql_provider(box.engine.url.set(port=proxy.port).render_as_string(hide_password=False))
        with provider.writer(target("people", FIELDS)) as writer:
            assert writer.apply([change("delete", ("nobody",), {"id": "nobody"})])[0].code == "gone"
            proxy.losing = True
            with pytest.raises(ProviderError) as caught:
                writer.apply(changes)
            assert caught.value.retriable
            assert proxy.lost == 1
            assert sorted(box.select("SELECT id, name FROM people")) == sorted(after)
            proxy.losing = False
            outcomes = writer.apply(changes)
        assert {(one.status, one.code) for one in outcomes} == {("done", ""), ("skipped", "gone")}
        assert sorted(box.select("SELECT id, name FROM people")) == sorted(after)
        provider.close()
        proxy.close()


def test_a_session_ended_by_the_administrator_may_be_tried_again(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box in (postgres_box, mariadb_box):
        box.make(FIELDS, people(3))
        provider = box.open()
        with provider.writer(target("people", FIELDS)) as writer:
            made = change("create", ("9",), after={"id": "9", "name": "x"})
            assert writer.apply([made]) == [DONE]
            _end_other_sessions(box)
            with pytest.raises(ProviderError) as caught:
                writer.apply([change("delete", ("9",), {"id": "9", "name": "x"})])
            assert caught.value.retriable
            assert writer.apply([change("delete", ("9",), {"id": "9", "name": "x"})]) == [DONE]


def _end_other_sessions(box: SqlBox) -> None:
    if box.engine.dialect.name == "postgresql":
        others = "pid <> pg_backend_pid() AND datname = 'test'"
        box.select(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        return
    others = "id <> connection_id() AND user = 'test'"
    for (number,) in box.select(f"SELECT id FROM information_schema.processlist WHERE {others}"):
        box.execute(f"KILL {number}")
