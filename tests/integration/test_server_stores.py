# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state store on a server instead of a file: declaring, running, looking back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from integration.harness import FAILED, Database, Workplace, fields, job, run, task

SECRET = "kept-encrypted-1"


def drop_store(database: Database) -> None:
    """Drop the tables of the store; those with references first."""
    engine = sa.create_engine(database.url, poolclass=sa.NullPool)
    metadata = sa.MetaData()
    metadata.reflect(engine, only=lambda name, _metadata: name.startswith("lockstep_"))
    metadata.drop_all(engine)


@pytest.fixture
def server(mariadb: Database) -> Iterator[Database]:
    """A server without a store; tests/store has the other kind too."""
    drop_store(mariadb)
    yield mariadb
    drop_store(mariadb)


def test_the_store_on_a_server(place: Workplace, server: Database) -> None:
    url = sa.make_url(server.url)
    place.store = url._replace(password=None, query={}).render_as_string()
    place.variables["LOCKSTEP_STORE_PASSWORD"] = str(url.password)
    source = place.write_csv("people.csv", ["id", "name"], [(1, "Ann"), (2, "Bob")])
    table = server.make("id INTEGER PRIMARY KEY, name VARCHAR(20)")
    providers = [
        {"name": "hr", "csv": {"path": str(source)}},
        {"name": "db", **server.provider},
        {"name": "other", "sql": {"url": "postgresql://localhost/other", "password": SECRET}},
    ]

    refused = place.play(
        preview=task("provider", providers=providers[:1], check=True),
        without_key=task("provider", providers=providers, may_fail=True),
    )

    assert refused["preview"]["changed"] is True
    assert refused["without_key"]["failed"] is True
    assert "store_key_file" in refused["without_key"]["msg"]

    place.variables["LOCKSTEP_STORE_KEY_FILE"] = str(place.folder / "store.key")
    people = job("people", "hr", {"provider": "db", "table": table}, fields("id", "name"))
    done = place.play(
        "-vvv",
        providers=task("provider", providers=providers),
        providers_again=task("provider", providers=providers),
        job=task("job", **people),
        preview=run("people", check=True),
        run=run("people"),
        again=run("people"),
        history=task("run_info", job="people"),
        changes=task("run_info", id=1, changes=True),
        jobs=task("job_info", last_status="succeeded"),
    )

    assert done["providers"]["changed"] is True
    assert done["providers_again"]["changed"] is False
    assert done["preview"]["run"]["statistics"]["created"] == 2
    assert (done["run"]["changed"], done["again"]["changed"]) == (True, False)
    assert [each["id"] for each in done["history"]["runs"]] == [2, 1]
    assert [change["key"] for change in done["changes"]["runs"][0]["changes"]] == ["1", "2"]
    assert done["jobs"]["jobs"][0]["times_run"] == 2
    assert server.content(table) == [(1, "Ann"), (2, "Bob")]
    assert SECRET not in done.output
    assert str(server.rows("SELECT * FROM lockstep_provider_secrets")).count(SECRET) == 0
    key = place.folder / "store.key"
    assert key.stat().st_mode & 0o777 == 0o600

    place.variables["LOCKSTEP_STORE_PASSWORD"] = "not-the-password"
    wrong = place.adhoc("run", "-vvv", job="people")

    assert wrong.code == FAILED
    assert wrong.only["error"]["code"] == "store"
    assert "not-the-password" not in wrong.output

    place.variables["LOCKSTEP_STORE_PASSWORD"] = str(url.password)
    key.unlink()
    keyless = place.adhoc("run", job="people")

    assert keyless.code == FAILED
    # The path itself is masked in places, because the test server's password is a part of it.
    assert "provider 'db', option password: the key file" in keyless.only["msg"]
