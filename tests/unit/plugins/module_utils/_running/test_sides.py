# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening both sides of a job: secrets, providers, fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Endpoint
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import Secret, SecretReference
from ansible_collections.lockstep.sync.plugins.module_utils._running import sides
from ansible_collections.lockstep.sync.plugins.module_utils._running.sides import (
    open_named_provider,
    open_sides,
    query_of,
)
from support.lists import ListProvider, info_of
from support.worlds import World


def test_secrets_are_looked_up_and_told_to_whom_masks_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Secret] = {}

    def catch(_spec: object, secrets: dict[str, Secret]) -> ListProvider:
        seen.update(secrets)
        return ListProvider(info=info_of("id"))

    monkeypatch.setattr(sides, "open_provider", catch)
    world.environ["DB_PASSWORD"] = "from-outside\n"
    url = f"sqlite:///{world.database}"
    world.provider("one", "sql", url=url, secrets={"password": SecretReference(kind="env", name="DB_PASSWORD")})
    open_named_provider("one", world.store, world.runtime)
    assert (seen["password"].reveal(), world.protected) == ("from-outside", ["from-outside"])
    world.provider("two", "sql", url=url, secrets={"password": Secret("kept-inside")})
    open_named_provider("two", world.store, world.runtime)
    assert (seen["password"].reveal(), world.protected[1:]) == ("kept-inside", ["kept-inside"])


def test_a_secret_that_is_not_there_fails_the_run_and_names_it(world: World) -> None:
    reference = SecretReference(kind="env", name="DB_PASSWORD")
    world.provider("db", "sql", url=f"sqlite:///{world.database}", secrets={"password": reference})
    world.job()
    ran = world.run()
    assert ran.failure_code == "config"
    assert "provider 'db', option 'password'" in ran.result.message
    assert "DB_PASSWORD" in ran.result.message


def test_a_provider_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(ConfigError, match=r"there is no provider 'bd'\. .*Valid: 'db', 'hr'\."):
        open_named_provider("bd", world.store, world.runtime)


def test_both_sides_are_closed_even_when_one_does_not_fit(world: World, put_in_place: Callable[..., None]) -> None:
    closed = [ListProvider(info=info_of("id", "name", "dept")), ListProvider(info=info_of("id", exists=False))]
    put_in_place(hr=closed[1], db=closed[0])
    world.job()
    stored = world.store.jobs.get("j")
    assert stored is not None
    with (
        pytest.raises(ProviderError, match="source table 'people' is empty or does not exist"),
        open_sides(parse_job("j", stored.definition), world.store, world.runtime),
    ):
        pass
    assert [each.released for each in closed] == [1, 1]


@pytest.mark.parametrize(
    ("endpoint", "container", "text", "optional"),
    [
        (Endpoint(provider="x"), None, None, False),
        (Endpoint(provider="x", table="people"), "people", None, False),
        (Endpoint(provider="x", sheet="Staff", replace_file=True), "Staff", None, True),
        (Endpoint(provider="x", query="SELECT 1"), None, "SELECT 1", False),
    ],
)
def test_what_an_endpoint_reads(endpoint: Endpoint, container: str | None, text: str | None, optional: bool) -> None:
    query = query_of(endpoint)
    assert (query.container, query.text, query.optional) == (container, text, optional)
