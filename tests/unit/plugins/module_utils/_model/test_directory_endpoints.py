# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fits a directory and what does not, and objects that would take each other's records for gone."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.definitions import parse_job
from ansible_collections.lockstep.sync.plugins.module_utils._model.endpoints import check_endpoints
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderType

KEY = {"name": "employeeID", "source": "id", "key": True}


def check(
    *objects: dict[str, t.Any],
    source: ProviderType = "csv",
    destination: ProviderType = "active_directory",
    **options: t.Any,
) -> None:
    sides = {"csv": {}, "sql": {"table": "people"}}
    definition = {
        "source": {"provider": "a", **sides.get(source, {})},
        "destination": {"provider": "b", **sides.get(destination, {})},
        "objects": [{"name": "people", "fields": [KEY], **item} for item in objects or ({},)],
        **options,
    }
    check_endpoints(parse_job("j", definition), source, destination)


# -- what needs a directory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "options", "named"),
    [
        ({}, {"missing_at_source": "disable"}, "`missing_at_source: disable`"),
        ({"object_classes": ["top"]}, {}, "`object_classes`"),
        ({"create_in": {"container": "dc=x"}}, {}, "`create_in`"),
        ({"create_in": {"field": "a"}, "move": True}, {}, "`create_in`, `move`"),
        ({"rdn": "cn"}, {}, "`rdn`"),
        ({}, {"create_containers": True}, "`create_containers`"),
        (
            {"fields": [KEY, {"name": "boss", "source": "b", "transform": [{"resolve": {"match": "id"}}]}]},
            {},
            "`resolve`",
        ),
    ],
)
@pytest.mark.parametrize("destination", ["csv", "sql"])
def test_what_only_a_directory_can_do_is_refused_elsewhere_by_name(
    item: dict[str, t.Any], options: dict[str, t.Any], named: str, destination: ProviderType
) -> None:
    message = (
        f"^job 'j', object 'people': {named} needs a directory as destination; provider 'b' is of type {destination}"
    )
    with pytest.raises(ConfigError, match=message):
        check(item, destination=destination, **options)
    if "missing_at_source" not in options:
        check(item, destination="ldap", **options)


@pytest.mark.parametrize("text", ["(a=b", "(a=b)(c=d)", "(a=b))(", ")a=b(", "destination.a == 'b'"])
def test_a_directory_protects_by_a_filter(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^job 'j', object 'people': `protect` must be an LDAP filter in brackets"):
        check(protect=text)
    check(protect=text, destination="csv")


def test_a_file_that_is_written_anew_protects_nothing() -> None:
    definition = {"provider": "b", "replace_file": True}
    job = parse_job(
        "j",
        {
            "source": {"provider": "a"},
            "destination": definition,
            "objects": [{"fields": [KEY]}],
            "protect": "destination.a",
        },
    )
    with pytest.raises(ConfigError, match="`replace_file: true` writes the whole file anew"):
        check_endpoints(job, "csv", "csv")


# -- types --------------------------------------------------------------------------------------------------------


def test_a_type_is_checked_on_the_side_it_is_of() -> None:
    with pytest.raises(
        ConfigError, match=r"^job 'j', object 'people', type: there is no object type of Active Directory"
    ):
        check({"type": "usr"})
    with pytest.raises(
        ConfigError, match=r"^job 'j', object 'people', type: there is no object type of Active Directory"
    ):
        check({"type": "usr"}, source="active_directory", destination="sql")
    check({"type": "user"}, source="active_directory", destination="sql")
    check({"type": "ippPrinter"}, destination="ldap")
    check({"type": "inetOrgPerson"}, source="active_directory", destination="ldap")
    check({"type": "row"}, source="ldap", destination="csv")


def test_tables_on_both_sides_have_no_types() -> None:
    with pytest.raises(
        ConfigError, match=r"type 'user' is one of directories, and neither side is one. Leave `type` out"
    ):
        check({"type": "user"}, destination="sql")


@pytest.mark.parametrize(
    ("destination", "type_name", "fields", "message"),
    [
        ("active_directory", "row", [], "a new user needs 'cn', 'sAMAccountName', and no field is mapped to them"),
        (
            "active_directory",
            "user",
            ["cn"],
            "a new user needs 'sAMAccountName', and no field is mapped to it. Add the",
        ),
        ("active_directory", "group", ["sAMAccountName"], "a new group needs 'cn', and"),
        ("ldap", "row", ["cn"], "a new inetOrgPerson needs 'sn', and"),
        ("ldap", "group", ["cn"], "a new group needs 'member', and"),
        ("ldap", "ippPrinter", [], "a new ippPrinter needs 'cn', and"),
    ],
)
def test_what_a_new_object_lacks_is_told_when_the_job_is_declared(
    destination: ProviderType, type_name: str, fields: list[str], message: str
) -> None:
    item = {"type": type_name, "fields": [KEY, *({"name": name, "source": name} for name in fields)]}
    with pytest.raises(ConfigError, match=message):
        check(item, destination=destination, missing_at_destination="create")
    check(item, destination=destination)


def test_a_group_of_active_directory_may_be_made_without_members() -> None:
    names = [{"name": name, "source": name} for name in ("CN", "sAMAccountName")]
    check({"type": "group", "fields": [KEY, *names]}, missing_at_destination="create")


# -- objects that share records -----------------------------------------------------------------------------------


def two(first: dict[str, t.Any], second: dict[str, t.Any], **options: t.Any) -> None:
    check({"type": "user", **first, "name": "one"}, {"type": "user", **second, "name": "two"}, **options)


def place(container: str | None = None, **options: t.Any) -> dict[str, t.Any]:
    return {"destination": {"container": container, **options}}


A, A_AGAIN, BELOW_A, B = place("ou=A,dc=x"), place("OU=a, DC=x"), place("ou=c,ou=a,dc=x"), place("ou=b,dc=x")
FLAT_A = place("ou=a,dc=x", include_subcontainers=False)
SKIP, DELETE, DISABLE = ({"missing_at_source": each} for each in ("skip", "delete", "disable"))


@pytest.mark.parametrize("at_source", ["delete", "disable"])
@pytest.mark.parametrize(
    ("first", "second", "destination"),
    [
        ({}, {}, "active_directory"),
        (A, A_AGAIN, "active_directory"),
        ({"type": "row"}, {"type": "user"}, "active_directory"),
        ({"type": "user"}, {"type": "mail_user"}, "active_directory"),
        ({"type": "contact"}, {"type": "mail_contact"}, "active_directory"),
        ({"type": "group"}, {"type": "groupOfNames"}, "ldap"),
        ({"type": "person"}, {"type": "INETORGPERSON"}, "ldap"),
        ({}, A, "active_directory"),
        (A, BELOW_A, "active_directory"),
        (place(filter="(a=b)"), place("ou=a,dc=x", filter="(a=b)"), "active_directory"),
    ],
)
def test_objects_that_read_each_others_records_may_not_take_them_for_gone(
    first: dict[str, t.Any], second: dict[str, t.Any], destination: ProviderType, at_source: str
) -> None:
    for one, other in ((first, second), (second, first)):
        with pytest.raises(ConfigError, match=f"job 'j': objects 'one' and 'two' .*`missing_at_source: {at_source}`"):
            two(one, other, destination=destination, missing_at_source=at_source)
        two(one, other, destination=destination, missing_at_source="skip")


@pytest.mark.parametrize(
    ("first", "second", "destination"),
    [
        (A, B, "active_directory"),
        (FLAT_A, BELOW_A, "active_directory"),
        ({"type": "user"}, {"type": "group"}, "active_directory"),
        ({"type": "user"}, {"type": "contact"}, "active_directory"),
        ({"type": "group"}, {"type": "inetOrgPerson"}, "ldap"),
        (place(filter="(a=b)"), place(filter="(a=c)"), "active_directory"),
    ],
)
def test_objects_of_other_containers_types_or_filters_do_not_disturb_each_other(
    first: dict[str, t.Any], second: dict[str, t.Any], destination: ProviderType
) -> None:
    for one, other in ((first, second), (second, first)):
        two(one, other, destination=destination, missing_at_source="delete")


def test_the_message_names_who_would_do_the_harm() -> None:
    message = (
        r"^job 'j': objects 'one' and 'two' read the same records, so with `missing_at_source: delete` 'one' would "
        "take the other's records for gone"
    )
    names = [KEY, {"name": "cn", "source": "a"}, {"name": "sAMAccountName", "source": "a"}]
    below = {**BELOW_A, "missing_at_destination": "create", "fields": names}
    with pytest.raises(ConfigError, match=message):
        two({**A, **DELETE}, {**below, **SKIP})
    with pytest.raises(ConfigError, match="'one' and 'two' have the same destination"):
        two(SKIP, DISABLE)


def test_an_object_that_only_updates_may_look_at_a_part_of_anothers_records() -> None:
    two({**A, **DELETE}, {**BELOW_A, **SKIP})
    two({**A, **SKIP}, {**BELOW_A, **DELETE})


def test_types_do_not_keep_rows_apart() -> None:
    with pytest.raises(ConfigError, match="objects 'one' and 'two' have the same destination"):
        two({}, {"type": "contact"}, source="active_directory", destination="sql", missing_at_source="delete")
