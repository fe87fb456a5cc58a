# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provider declarations: defaults, what is refused, and that nothing secret is shown."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.providers import (
    check_name,
    parse_provider,
    provider_definition,
)


def test_fills_in_the_defaults_of_a_csv_file() -> None:
    assert parse_provider("hr", {"csv": {"path": "/a.csv", "delimiter": None}}) == ProviderSpec(
        name="hr",
        type="csv",
        options={
            "path": "/a.csv",
            "delimiter": ",",
            "quote": '"',
            "encoding": "utf-8",
            "header": True,
            "fields": [],
        },
    )


@pytest.mark.parametrize(
    "definition",
    [
        {"csv": {"path": "/a.csv"}},
        {"csv": {"path": "/a.csv", "header": False, "fields": ["a", "b"], "delimiter": "\t", "encoding": "cp1252"}},
        {"excel": {"path": "/a.xlsx"}},
        {"sql": {"url": "sqlite:////a.db"}},
        {"sql": {"url": "postgresql+psycopg://db.example.com:5433/hr?sslmode=require", "username": "sync"}},
        {"sql": {"url": "mssql+pyodbc://host/db?driver=ODBC+Driver+18", "username": "sync"}},
        {"sql": {"url": "sqlite:////srv/a@b/c.db"}},
    ],
)
def test_what_is_written_is_read_back_the_same(definition: dict[str, t.Any]) -> None:
    spec = parse_provider("x", definition)
    assert parse_provider("x", provider_definition(spec)) == spec


def test_options_without_a_value_are_not_written() -> None:
    spec = parse_provider("x", {"sql": {"url": "sqlite:////a.db", "username": ""}})
    assert provider_definition(spec) == {"sql": {"url": "sqlite:////a.db"}}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, "provider 'x': give exactly one of 'csv', 'excel', 'sql', 'ldap', 'active_directory'; got none"),
        ({"csv": {"path": "/a"}, "excel": {"path": "/b"}}, "give exactly one of .*; got 'csv', 'excel'"),
        ({"scim": {}}, "provider 'x': there is no option 'scim'"),
        ({"csv": {}}, "provider 'x', csv: `path` is missing"),
        ({"csv": {"path": "/a", "sheet": "x"}}, "provider 'x', csv: there is no option 'sheet'"),
        ({"csv": {"path": "/a", "fields": ["a"]}}, "Set `header: false`"),
        ({"csv": {"path": "/a", "header": False}}, "needs `fields`"),
        ({"csv": {"path": "/a", "header": False, "fields": ["a", "a"]}}, "a list of different names"),
        ({"csv": {"path": "/a", "header": False, "fields": [""]}}, "a list of different names"),
        ({"csv": {"path": "/a", "delimiter": ";;"}}, "`delimiter` must be one character, got ';;'"),
        ({"csv": {"path": "/a", "quote": "\n"}}, "`quote` must be one character"),
        ({"csv": {"path": "/a", "delimiter": '"'}}, "`delimiter` and `quote` are both"),
        ({"csv": {"path": "/a", "encoding": "utf-9"}}, "there is no text encoding 'utf-9'. Valid: utf-8"),
        ({"csv": {"path": "/a", "encoding": "base64"}}, "there is no text encoding 'base64'"),
        ({"excel": {"path": ""}}, "provider 'x', excel: `path` is missing"),
        ({"sql": {"url": "postgres://h/d"}}, "'postgres'. Did you mean 'postgresql'"),
        ({"sql": {"url": "/a.db"}}, "there is no database in `url` 'a text without"),
    ],
)
def test_refuses_a_wrong_declaration_and_says_what_is_valid(definition: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_provider("x", definition)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sync:hush-hush@host/db",
        "postgresql://sync@host/db",
        "postgresql://host/db?password=hush-hush",
        "mysql://host/db?user=sync&PASSWORD=hush-hush",
    ],
)
def test_refuses_credentials_in_the_url_without_showing_them(url: str) -> None:
    with pytest.raises(ConfigError, match="must not contain credentials") as caught:
        parse_provider("x", {"sql": {"url": url}})
    assert "hush" not in caught.value.message


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "\x00", "x" * 201])
def test_refuses_names_that_cannot_be_told_apart_or_shown(name: str) -> None:
    with pytest.raises(ConfigError, match="a name is 1 to 200 printable characters"):
        check_name("provider", name)


def test_takes_names_of_any_script() -> None:
    check_name("job", "Häuser 東京 (1)")
