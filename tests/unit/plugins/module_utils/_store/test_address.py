# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._store.address import parse_url


@pytest.mark.parametrize(
    ("url", "driver", "location"),
    [
        ("sqlite:////var/x.db", "sqlite", "/var/x.db"),
        ("sqlite+pysqlite:////var/a/../x.db", "sqlite+pysqlite", "/var/x.db"),
        ("postgresql://ann@db/sync", "postgresql+psycopg", "postgresql://ann@db/sync"),
        ("mariadb://ann@db/sync", "mysql+pymysql", "mariadb://ann@db/sync"),
        ("mysql://db:3307/sync?ssl_ca=/ca.pem", "mysql+pymysql", "mysql://db:3307/sync?ssl_ca=%2Fca.pem"),
    ],
)
def test_url_gets_the_driver_we_use_and_keeps_its_looks_in_messages(url: str, driver: str, location: str) -> None:
    target = parse_url(url)
    assert (target.url.drivername, target.location) == (driver, location)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3cr3t@db/sync",
        "postgresql://db/sync?password=s3cr3t",
        "mysql://db/sync?passwd=s3cr3t",
        "postgresql://db/sync?sslpassword=s3cr3t",
    ],
)
def test_password_in_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="store_password") as caught:
        parse_url(url)
    assert "s3cr3t" not in caught.value.message


@pytest.mark.parametrize("url", ["", "state.db", "/var/s3cr3t.db", "postgresql://db:s3cr3t/x"])
def test_unreadable_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="the URL cannot be read") as caught:
        parse_url(url)
    assert "s3cr3t" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite://", "does not name a SQLite file"),
        ("sqlite:///:memory:", "does not name a SQLite file"),
        ("sqlite:///file:/x?uri=true", "does not name a SQLite file"),
        ("sqlite:///file:/x", "does not name a SQLite file"),
        ("sqlite://x/var/state.db", "does not name a SQLite file"),
        ("postgresql://db", "names no database"),
        ("oracle://db/x", "there is no kind of state store 'oracle'"),
        ("postgresql+psycopg2://db/x", "Did you mean 'postgresql+psycopg'?"),
    ],
)
def test_url_that_cannot_be_a_store_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        parse_url(url)
