# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint options fit which provider; the same table as the providers' own capabilities."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.endpoints import (
    PROVIDER_TYPES,
    Side,
    check_endpoint,
    check_endpoints,
)
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import Endpoint, JobSpec, ProviderType
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import provider_capabilities

FITTING: list[tuple[ProviderType, Side, dict[str, t.Any]]] = [
    ("csv", "source", {}),
    ("csv", "destination", {"replace_file": True}),
    ("excel", "source", {"sheet": "s"}),
    ("excel", "destination", {"sheet": "s", "replace_file": True}),
    ("sql", "source", {"table": "t"}),
    ("sql", "source", {"query": "q"}),
    ("sql", "destination", {"table": "t"}),
    ("ldap", "source", {}),
    ("ldap", "source", {"container": "dc=x", "filter": "(a=b)", "include_subcontainers": False}),
    ("ldap", "destination", {"container": "dc=x"}),
    ("active_directory", "source", {"container": "dc=x", "filter": "(a=b)", "include_subcontainers": False}),
    ("active_directory", "destination", {}),
]


@pytest.mark.parametrize(("type_name", "side", "options"), FITTING)
def test_takes_what_fits(type_name: ProviderType, side: Side, options: dict[str, t.Any]) -> None:
    check_endpoint(Endpoint(provider="p", **options), side, type_name, "job 'j'")


@pytest.mark.parametrize(
    ("type_name", "side", "options", "message"),
    [
        ("csv", "source", {"table": "t"}, "`table` does not fit .* type csv. Valid: no option but `provider`"),
        ("csv", "destination", {"sheet": "s"}, "`sheet` does not fit .* Valid: `replace_file`"),
        ("excel", "source", {}, "`sheet` is missing; provider 'p', which is of type excel, needs it"),
        ("excel", "source", {"query": "q"}, "`query` does not fit"),
        ("sql", "destination", {"container": "dc=x"}, "`container` does not fit .* Valid: `table`"),
        ("ldap", "source", {"table": "t"}, "`table` does not fit .* Valid: `container` or `filter` or"),
        ("sql", "source", {}, "`table` or `query` is missing"),
        ("sql", "source", {"table": "t", "query": "q"}, "give one of 'table', 'query', not both"),
        ("sql", "source", {"sheet": "s"}, "`sheet` does not fit .* Valid: `table` or `query`"),
        ("sql", "destination", {"query": "q"}, "`query` does not fit .* Valid: `table`"),
        ("sql", "destination", {"table": "t", "replace_file": True}, "`replace_file` does not fit"),
    ],
)
def test_refuses_what_does_not_fit_and_names_place_provider_and_valid_options(
    type_name: ProviderType, side: Side, options: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_endpoint(Endpoint(provider="p", **options), side, type_name, "job 'j'")
    assert caught.value.message.startswith(f"job 'j', {side}: ")


@pytest.mark.parametrize("type_name", PROVIDER_TYPES)
def test_the_table_agrees_with_what_the_providers_say_of_themselves(type_name: ProviderType) -> None:
    taken = {name for type_, _side, options in FITTING if type_ == type_name for name in options}
    assert taken == provider_capabilities(type_name).option_names


def make_job(*objects: dict[str, t.Any]) -> JobSpec:
    field = {"name": "k", "source": "k", "key": True}
    return parse_job(
        "j",
        {
            "source": {"provider": "a"},
            "destination": {"provider": "b"},
            "objects": [{**item, "fields": [field]} for item in objects],
        },
    )


def test_looks_at_every_object_of_a_job() -> None:
    good = {"name": "one", "destination": {"table": "t"}}
    check_endpoints(make_job(good), "csv", "sql")
    with pytest.raises(ConfigError, match="job 'j', object 'two', destination: `table` is missing"):
        check_endpoints(make_job(good, {"name": "two"}), "csv", "sql")


def two_objects(first: str, second: str, missing_at_source: str) -> JobSpec:
    fields = [{"name": "id", "source": "id", "key": True}]
    return parse_job(
        "j",
        {
            "source": {"provider": "s", "table": "people"},
            "destination": {"provider": "d"},
            "missing_at_source": missing_at_source,
            "objects": [
                {"name": "staff", "destination": {"table": first}, "fields": fields},
                {"name": "guests", "destination": {"table": second}, "fields": fields},
            ],
        },
    )


def test_objects_that_would_delete_each_others_records_are_refused() -> None:
    with pytest.raises(ConfigError, match="objects 'staff' and 'guests' have the same destination"):
        check_endpoints(two_objects("people", "people", "delete"), "sql", "sql")


def test_objects_may_share_a_destination_when_nothing_is_deleted() -> None:
    check_endpoints(two_objects("people", "people", "skip"), "sql", "sql")
    check_endpoints(two_objects("staff", "guests", "delete"), "sql", "sql")
