# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts are one SELECT statement, for whose rules of quoting."""

from __future__ import annotations

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.failures import Family
from ansible_collections.lockstep.sync.plugins.module_utils._providers.sql.queries import require_one_select


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("postgresql", "SELECT 1"),
        ("postgresql", "select*from t"),
        ("postgresql", "WITH a AS (SELECT 1) SELECT * FROM a"),
        ("postgresql", "\n -- people; all of them\n SELECT 1"),
        ("postgresql", "/* ; */ SELECT ';' AS a"),
        ("postgresql", "( SELECT 1 )"),
        ("postgresql", 'SELECT "odd;name" FROM t'),
        ("postgresql", "SELECT $$ ; ) $$, $tag$ ; $$ ; $tag$"),
        ("postgresql", r"SELECT E'it\'s ; fine'"),
        ("postgresql", "SELECT 'it''s ; fine'"),
        ("mysql", r"""SELECT 'it\'s ; fine', `odd;name`, "a;\"b;" """),
        ("mysql", "SELECT 1 # ; comment"),
        ("sqlite", "SELECT [odd;name] FROM t"),
        ("mssql", "SELECT [odd;name] FROM t"),
        ("oracle", "SELECT ';' FROM dual"),
    ],
)
def test_one_select_is_taken_whatever_its_literals_and_comments_hold(family: Family, text: str) -> None:
    assert text.startswith(require_one_select(family, text, "here"))


@pytest.mark.parametrize("end", [";", " ; ", ";;\n", "; -- done", " /* done */ ;"])
def test_a_closing_semicolon_and_comment_are_left_out(end: str) -> None:
    assert require_one_select("postgresql", f"SELECT 1{end}", "here").rstrip() in ("SELECT 1", "SELECT 1 /* done */")


def test_a_closing_comment_is_left_out() -> None:
    assert require_one_select("postgresql", "SELECT 'a' -- the end", "here") == "SELECT 'a'"


@pytest.mark.parametrize(
    ("family", "text", "message"),
    [
        ("postgresql", "DELETE FROM t", "begins with 'DELETE'"),
        ("postgresql", "selection", "begins with 'selection'"),
        ("postgresql", "SELECT 1; DELETE FROM t", "several"),
        ("postgresql", r"SELECT '\'; DELETE FROM t; --'", "several"),
        ("mysql", r"SELECT '\''; DELETE FROM t", "several"),
        ("sqlite", "", "empty"),
        ("sqlite", "-- nothing", "empty"),
        ("sqlite", ";", "empty"),
        ("sqlite", "SELECT 1) a, (SELECT 2", "parentheses"),
        ("sqlite", "SELECT (1", "parentheses"),
    ],
)
def test_anything_else_is_refused(family: Family, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_one_select(family, text, "here")
