# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declared URL to a connection, and what is said when there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import (
    ConfigError,
    DependencyError,
    ProviderError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.engine import Database, open_database
from servers.fixtures import free_port
from servers.sql_box import SqlBox, sql_provider


def opened(url: object, *, username: str | None = None, password: str | None = None) -> Database:
    spec = ProviderSpec(name="hr", type="sql", options={"url": url, "username": username})
    return open_database(spec, {} if password is None else {"password": Secret(password)})


@pytest.mark.parametrize(
    ("url", "family", "driver"),
    [
        ("postgresql://h/d", "postgresql", "psycopg"),
        ("postgresql+psycopg://h/d", "postgresql", "psycopg"),
        ("mysql://h/d", "mysql", "pymysql"),
        ("mariadb://h/d", "mysql", "pymysql"),
        ("sqlite:////tmp/x.db", "sqlite", "pysqlite"),
    ],
)
def test_the_driver_follows_from_the_url(url: str, family: str, driver: str) -> None:
    database = opened(url)
    assert (database.family, database.driver, database.engine.dialect.driver) == (family, driver, driver)


def test_credentials_come_from_their_own_options() -> None:
    url = opened("postgresql://h/d", username="ann", password="s3cret").engine.url
    assert (url.username, url.password) == ("ann", "s3cret")
    assert opened("postgresql://bob@h/d").engine.url.username == "bob"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3cret@h/d",
        "postgresql://h/d?password=s3cret",
        "mysql://h/d?passwd=s3cret",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cret",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="holds a password") as caught:
        opened(url)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("not a url s3cret", "is not a URL"),
        ("postgresql://h:port/d", "is not a URL"),
        ("mongodb://h/d", "there is no database 'mongodb'"),
        ("postgresql+nosuch://h/d", "there is no driver 'nosuch'"),
        ("postgresql+psycopg_async://h/d", "there is no driver 'psycopg_async'"),
        ("sqlite://host/people.db", "Invalid SQLite URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        opened(url)
    assert "'hr'" in caught.value.message
    assert "s3cret" not in caught.value.message


def test_a_missing_driver_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    monkeypatch.setitem(sys.modules, "oracledb", None)
    with pytest.raises(DependencyError, match="pip install 'mysqlclient'"):
        opened("mysql+mysqldb://h/d")
    with pytest.raises(DependencyError, match="pip install 'oracledb'"):
        opened("oracle://h/d")


def test_a_missing_sqlalchemy_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(DependencyError, match="pip install 'SQLAlchemy"):
        opened("sqlite:////tmp/x.db")


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with pytest.raises(ProviderError, match="no database file"):
        sql_provider(f"sqlite:///{path}").check()
    assert not path.exists()


def test_a_file_that_is_no_database_is_a_provider_error(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    path.write_text("id;name\n" * 1000)
    with pytest.raises(ProviderError, match="not a database") as caught:
        sql_provider(f"sqlite:///{path}").describe()
    assert not caught.value.retriable
    with pytest.raises(ProviderError, match="not a database"):
        sql_provider(f"sqlite:///{path}").describe_container(Query(container="people"))


def test_a_wrong_password_is_told_and_not_shown(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box, message in ((postgres_box, "password authentication failed"), (mariadb_box, "Access denied")):
        with pytest.raises(ProviderError, match=message) as caught:
            sql_provider(box.url, password="wr0ng-s3cret").check()
        assert not caught.value.retriable
        assert "wr0ng-s3cret" not in caught.value.message


def test_an_unknown_database_is_told(postgres_box: SqlBox, mariadb_box: SqlBox) -> None:
    for box, message in ((postgres_box, '"nowhere" does not exist'), (mariadb_box, "nowhere")):
        url = box.engine.url.set(database="nowhere").render_as_string(hide_password=False)
        with pytest.raises(ProviderError, match=message) as caught:
            sql_provider(url).describe()
        assert not caught.value.retriable


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_closed_port_may_be_tried_again(scheme: str) -> None:
    with pytest.raises(ProviderError, match="refused") as caught:
        sql_provider(f"{scheme}://ann:s3cret@127.0.0.1:{free_port()}/d").check()
    assert caught.value.retriable
    assert "s3cret" not in caught.value.message


def test_a_password_in_a_servers_message_is_masked() -> None:
    database = opened("postgresql://h/d", password="s3cret-word")
    assert database.error(OSError("no s3cret-word here"), "doing").message.endswith("no ******** here")
    assert opened("postgresql://h/d", password="no").error(OSError("no way"), "doing").message.endswith("no way")


def test_the_session_does_not_depend_on_the_servers_settings(mariadb_box: SqlBox) -> None:
    provider = mariadb_box.open()
    with provider._database.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT @@sql_mode, @@time_zone, @@sql_select_limit, @@character_set_connection")
        mode, zone, limit, charset = cursor.fetchone()
    assert "STRICT_ALL_TABLES" in mode
    assert "NO_AUTO_VALUE_ON_ZERO" in mode
    assert (zone, int(limit), charset) == ("+00:00", 18446744073709551615, "utf8mb4")


def test_a_setting_of_the_url_wins(postgres_box: SqlBox) -> None:
    url = postgres_box.engine.url.update_query_dict({"connect_timeout": "7"}).render_as_string(hide_password=False)
    assert sql_provider(url).check().server == "PostgreSQL"
