# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sqlite3

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import StoreError
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret
from ansible_collections.lockstep.sync.plugins.module_utils._store.faults import translated
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class OperationalError(Exception):
    """As the module of a driver defines it."""


def test_unexpected_refusal_is_passed_on_in_one_line() -> None:
    with pytest.raises(StoreError, match=r"^The state store /x refused a step: UNIQUE constraint failed: a\.b\.$"):  # noqa: SIM117
        with translated("/x"):
            raise sqlite3.IntegrityError("UNIQUE constraint failed: a.b")


def test_error_of_a_server_says_what_to_check_and_hides_the_password() -> None:
    original = OperationalError(1045, "Access denied for ann with s3cr3t.\nHINT: more")
    with pytest.raises(StoreError, match="store_password") as caught:  # noqa: SIM117
        with translated("mariadb://db/x", Secret("s3cr3t")):
            raise DBAPIError("SELECT 1", {}, original)
    assert caught.value.message.startswith(
        "The state store mariadb://db/x cannot be used: 1045 Access denied for ann with ********. Check that the server"
    )


def test_error_without_text_is_named_by_its_class() -> None:
    with pytest.raises(StoreError, match=r"refused a step: ValueError\.$"):  # noqa: SIM117
        with translated("db"):
            raise DBAPIError("SELECT 1", {}, ValueError())


def test_error_of_sqlalchemy_itself_is_a_store_error() -> None:
    with pytest.raises(StoreError, match=r"The state store db failed: no connection free\."):  # noqa: SIM117
        with translated("db"):
            raise PoolTimeoutError("no connection free")


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), translated("db"):
        raise KeyError("x")
