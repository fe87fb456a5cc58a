# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing real directories: what both kinds have in common."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Directory, Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.dn import escape_value
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome, ValueChanges
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Row
from servers.ldap_box import PERSON, USER, DirectoryBox

ODD_NAMES = (
    "Smith, John",
    "a+b=c",
    '"quoted"',
    " lead",
    "trail ",
    "#hash",
    "semi;colon",
    "<tag>",
    "back\\slash",
    "漢字 ß",
)


@pytest.fixture(params=["openldap", "samba"])
def box(request: pytest.FixtureRequest) -> DirectoryBox:
    return DirectoryBox(request.getfixturevalue(request.param))


@pytest.fixture
def provider(box: DirectoryBox) -> Iterator[Directory]:
    opened = box.open()
    yield opened
    opened.close()


def rows(provider: Directory, query: Query, *fields: str) -> list[Row]:
    with provider.read(query, fields) as reading:
        found = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven, reading.completeness.reason
    return found


def change(action: Action, place: str, **parts: t.Any) -> Change:
    return Change(
        number=1,
        object="people",
        action=action,
        key=("k",),
        target=place,
        anchor=parts.get("anchor"),
        before=parts.get("before", {}),
        after=parts.get("after", {}),
    )


def apply(
    provider: Directory, box: DirectoryBox, *changes: Change, classes: Sequence[str] | None = None
) -> list[Outcome]:
    target = WriteTarget(
        container=box.base,
        key_fields=("cn",),
        fields=(),
        object_classes=tuple(classes or (USER if box.is_ad else PERSON)),
    )
    with provider.writer(target) as writer:
        return writer.apply(changes)


def person(box: DirectoryBox, name: str, **attributes: t.Any) -> Mapping[str, t.Any]:
    login = {"sAMAccountName": f"x{abs(hash((box.base, name))) % 10**10}"} if box.is_ad else {"sn": name}
    return {"cn": name, **login, **attributes}


def test_what_is_written_is_read_back(box: DirectoryBox, provider: Directory) -> None:
    places = [f"cn={escape_value(name)},{box.base}" for name in ODD_NAMES]
    made = apply(
        provider,
        box,
        *(
            change("create", place, after=person(box, f"p{number}" if box.is_ad else name, cn=name, description=name))
            for number, (name, place) in enumerate(zip(ODD_NAMES, places, strict=True))
        ),
    )
    assert [outcome.status for outcome in made] == ["done"] * len(ODD_NAMES), made
    found = rows(provider, Query(container=box.base, subtree=False), "cn", "description", "dn")
    assert sorted(str(row[0]).strip() for row in found) == sorted(name.strip() for name in ODD_NAMES)
    assert {outcome.anchor for outcome in made} == {box.anchor(place) for place in places}
    again = [(str(row[2]),) for row in found]
    with provider.read_keys(Query(), ("cn",), ("dn",), again) as reading:
        assert sum(len(batch) for batch in reading.batches()) == len(ODD_NAMES)


def test_creating_again_is_done_and_another_entry_is_not_overwritten(box: DirectoryBox, provider: Directory) -> None:
    place = f"cn=Ann,{box.base}"
    first = change("create", place, after=person(box, "Ann", description="one"))
    other = change("create", place, after=person(box, "Ann", description="two"))
    assert [each.status for each in apply(provider, box, first)] == ["done"]
    again, refused = apply(provider, box, first, other)
    assert (again.status, again.anchor) == ("done", box.anchor(place))
    assert (refused.status, refused.code) == ("skipped", "exists")
    assert "description" in refused.message
    assert box.texts(place, "description") == ["one"]


def test_an_update_writes_only_what_differs_and_honours_what_was_read(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("Ann", description="old", telephoneNumber="1")
    anchor = box.anchor(place)
    before = {"description": "old", "telephoneNumber": "1"}
    update = change("update", place, anchor=anchor, before=before, after={"description": "new"})
    assert [each.status for each in apply(provider, box, update)] == ["done"]
    assert box.texts(place, "description") == ["new"]
    assert [each.status for each in apply(provider, box, update)] == ["done"], "done before counts as done"
    box.modify(place, description="by hand")
    (moved_on,) = apply(provider, box, update)
    assert (moved_on.status, moved_on.code) == ("skipped", "moved_on")
    assert "description was 'old', is 'by hand'" in moved_on.message
    assert box.texts(place, "description") == ["by hand"]


def test_clearing_and_adding_values(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("Ann", description="old")
    anchor = box.anchor(place)
    clear = change("update", place, anchor=anchor, before={"description": "old"}, after={"description": None})
    assert [each.status for each in apply(provider, box, clear)] == ["done"]
    assert box.texts(place, "description") == []
    name = "otherTelephone" if box.is_ad else "telephoneNumber"
    values = ValueChanges(added=("1", "2", "3"))
    assert [each.status for each in apply(provider, box, change("update", place, after={name: values}))] == ["done"]
    swap = ValueChanges(added=("4",), removed=("2",))
    assert [each.status for each in apply(provider, box, change("update", place, after={name: swap}))] == ["done"]
    box.modify(place, **{name: ["1", "4", "9"]})
    mixed = ValueChanges(added=("4", "5"), removed=("3", "9"))
    assert [each.status for each in apply(provider, box, change("update", place, after={name: mixed}))] == ["done"]
    assert box.texts(place, name) == ["1", "4", "5"]


def test_an_entry_that_somebody_moved_is_followed(box: DirectoryBox, provider: Directory) -> None:
    place, unit = box.person("Ann", description="old"), box.unit("elsewhere")
    anchor = box.anchor(place)
    box.move(place, "cn=Ann", unit)
    update = change("update", place, anchor=anchor, before={"description": "old"}, after={"description": "new"})
    assert [each.status for each in apply(provider, box, update)] == ["done"]
    assert box.texts(f"cn=Ann,{unit}", "description") == ["new"]


def test_an_entry_that_took_the_place_of_another_is_left_alone(box: DirectoryBox, provider: Directory) -> None:
    place = box.person("Ann", description="old")
    anchor = box.anchor(place)
    box.delete(place)
    box.person("Ann", description="old")
    update = change("update", place, anchor=anchor, before={"description": "old"}, after={"description": "new"})
    delete = change("delete", place, anchor=anchor, before={"description": "old"})
    updated, deleted = apply(provider, box, update, delete)
    assert (updated.status, updated.code) == ("skipped", "gone")
    assert deleted.status == "done"
    assert box.texts(place, "description") == ["old"]
    if box.is_ad:
        assert "it was deleted at 20" in updated.message


def test_rename_and_move(box: DirectoryBox, provider: Directory) -> None:
    place, unit = box.person("Ann"), box.unit("new home")
    anchor = box.anchor(place)
    renamed, moved = f"CN=Anna,{box.base}", f"CN=Anna,{unit}"
    rename = change("rename", place, anchor=anchor, before={"dn": place}, after={"dn": renamed})
    move = change("move", renamed, anchor=anchor, before={"dn": renamed}, after={"dn": moved})
    assert [each.status for each in apply(provider, box, rename, move)] == ["done", "done"]
    assert box.anchor(moved) == anchor
    assert [each.status for each in apply(provider, box, move)] == ["done"], "where it should be already"
    blocked = box.person("Bob")
    taken = change(
        "rename", blocked, anchor=box.anchor(blocked), before={"dn": blocked}, after={"dn": f"cn=Cid,{unit}"}
    )
    box.person("Cid", unit)
    (refused,) = apply(provider, box, taken)
    assert (refused.status, refused.code) == ("failed", "exists")


def test_delete_honours_what_was_read_and_never_takes_what_lies_below(box: DirectoryBox, provider: Directory) -> None:
    place, unit = box.person("Ann", description="kept"), box.unit("full")
    box.person("Bob", unit)
    stale = change("delete", place, anchor=box.anchor(place), before={"description": "other"})
    full = change("delete", unit, anchor=box.anchor(unit))
    outcomes = apply(provider, box, stale, full)
    assert [(each.status, each.code) for each in outcomes] == [("skipped", "moved_on"), ("failed", "not_empty")]
    good = change("delete", place, anchor=box.anchor(place), before={"description": "kept"})
    assert [each.status for each in apply(provider, box, good, good)] == ["done", "done"]
    assert box.read(place) is None


def test_containers_are_made_from_the_top_down(box: DirectoryBox, provider: Directory) -> None:
    top, below = f"ou=top,{box.base}", f"ou=below,ou=top,{box.base}"
    odd = f"st=x,{box.base}"
    outcomes = apply(
        provider,
        box,
        change("create_container", top, after={"ou": "top"}),
        change("create_container", below, after={"ou": "below"}),
        change("create_container", top, after={"ou": "top"}),
        change("create_container", odd, after={"st": "x"}),
        change("create", f"cn=Ann,{below}", after=person(box, "Ann")),
        change("create", f"cn=Ann,ou=none,{box.base}", after=person(box, "Ann2", cn="Ann")),
    )
    assert [(each.status, each.code) for each in outcomes] == [
        ("done", ""),
        ("done", ""),
        ("done", ""),
        ("failed", "container"),
        ("done", ""),
        ("failed", "missing_container"),
    ]
    assert {place.lower() for place in provider.containers(box.base)} == {
        place.lower() for place in (box.base, top, below)
    }


def test_refused_values_name_the_field_or_the_servers_words(box: DirectoryBox, provider: Directory) -> None:
    place = f"cn=Ann,{box.base}"
    wrong, lacking = apply(
        provider,
        box,
        change("create", place, after=person(box, "Ann", manager="no dn")),
        change("create", f"cn=Bob,{box.base}", after={"cn": "Bob", "sn": "B", "c": "toolong"}),
    )
    assert wrong.status == "failed"
    assert "manager" in wrong.message or "invalid" in wrong.message.lower()
    assert (lacking.status, lacking.code in ("constraint", "value")) == ("failed", True), lacking


def test_text_with_a_nul_character_is_kept_whole_or_refused_for_its_record_alone(
    box: DirectoryBox, provider: Directory
) -> None:
    """A value that was cut at its NUL would be another value, and be written again in every run."""
    odd, text = f"cn=Odd,{box.base}", "before\0after"
    first, second = apply(
        provider,
        box,
        change("create", odd, after=person(box, "Odd", description=text)),
        change("create", f"cn=Even,{box.base}", after=person(box, "Even", description="plain")),
    )
    assert second.status == "done"
    if first.status == "done":
        assert rows(provider, Query(container=odd), "description") == [(text,)]
    else:
        assert (first.status, box.read(odd, "description")) == ("failed", None)


def test_disabling_keeps_everything_else(box: DirectoryBox, provider: Directory) -> None:
    assert provider.disabled_state() == {"enabled": "false"}
    extra = {"userAccountControl": "66080"} if box.is_ad else {}
    place = box.person("Ann", **extra)
    anchor = box.anchor(place)
    fields = ("enabled", "password_never_expires", "password_not_required") if box.is_ad else ("enabled",)
    before = rows(provider, Query(container=place), *fields)[0]
    disable = change("disable", place, anchor=anchor, before={"enabled": "true"}, after={"enabled": "false"})
    assert [each.status for each in apply(provider, box, disable, disable)] == ["done", "done"]
    after = rows(provider, Query(container=place), *fields)[0]
    assert (before[0], after[0]) == ("true", "false")
    assert before[1:] == after[1:]
    enable = change("update", place, anchor=anchor, before={"enabled": "false"}, after={"enabled": "true"})
    assert [each.status for each in apply(provider, box, enable)] == ["done"]
    assert rows(provider, Query(container=place), *fields)[0] == before


def test_groups_know_their_members_and_members_their_groups(box: DirectoryBox, provider: Directory) -> None:
    people = [box.person(f"p{number}") for number in range(3)]
    group = f"cn=G,{box.base}"
    classes = ("top", "group") if box.is_ad else ("top", "groupOfNames")
    login = {"sAMAccountName": f"g{abs(hash(box.base)) % 10**9}"} if box.is_ad else {}
    create = change("create", group, after={"cn": "G", **login, "member": tuple(people[:2])})
    (made,) = apply(provider, box, create, classes=classes)
    assert made.status == "done"
    found = provider.memberships(people)
    assert [[each.group.lower() for each in found[place]] for place in people] == [[group.lower()]] * 2 + [[]]
    assert found[people[0]][0].anchor == made.anchor
    assert found[people[0]][0].field == "member"
    leave = change("membership", group, anchor=made.anchor, after={"member": ValueChanges(removed=(people[0],))})
    join = change("membership", group, anchor=made.anchor, after={"member": ValueChanges(added=(people[2],))})
    assert [each.status for each in apply(provider, box, leave, join, join)] == ["done"] * 3
    assert [value.lower() for value in box.texts(group, "member")] == [place.lower() for place in people[1:]]


def test_reading_narrows_and_says_what_is_wrong(box: DirectoryBox, provider: Directory) -> None:
    unit = box.unit("in")
    inside, outside = box.person("Ann", unit, description="yes"), box.person("Bob", description="no")
    classes = USER if box.is_ad else PERSON
    assert len(rows(provider, Query(container=box.base, object_classes=classes), "cn")) == 2
    assert rows(provider, Query(container=box.base, subtree=False, object_classes=classes), "CN") == [("Bob",)]
    assert rows(provider, Query(container=box.base, filter="(description=yes)"), "cn") == [("Ann",)]
    more = Query(container=unit, object_classes=classes, more_containers=(box.base, f"ou=missing,{box.base}"))
    assert sorted(rows(provider, more, "cn")) == [("Ann",), ("Bob",)]
    with provider.read_keys(Query(container=box.base), ("cn",), ("description",), [("yes",), ("x)(y",)]) as reading:
        assert [row for batch in reading.batches() for row in batch] == [("Ann",)]
    with provider.read_keys(Query(filter="(description=yes)"), ("cn",), ("dn",), [(inside,), (outside,)]) as reading:
        assert [row for batch in reading.batches() for row in batch] == [("Ann",)]
    with pytest.raises(ConfigError, match=r"there is no field 'descripton'. Did you mean 'description'"):
        provider.read(Query(container=box.base), ("descripton",))
    with pytest.raises(ConfigError, match=r"provider 'box', filter: .*"):
        provider.read(Query(container=box.base, filter="(description=yes"), ("cn",))
    with pytest.raises(ConfigError, match=r"there is no entry .*ou=no.* The nearest one that exists is"):
        provider.describe_container(Query(container=f"ou=no,{box.base}"))
    with pytest.raises(ProviderError, match="noSuchObject"):
        rows(provider, Query(container=f"ou=no,{box.base}"), "cn")


def test_what_a_container_says_of_its_fields(box: DirectoryBox, provider: Directory) -> None:
    info = provider.describe_container(Query(container=box.base, object_classes=USER if box.is_ad else PERSON))
    assert (info.kind, info.place, info.folds_names) == ("container", "dn", True)
    assert info.anchor == ("objectGUID" if box.is_ad else "entryUUID")
    assert info.keeps_references == box.is_ad
    kinds = {"manager": "dn", "cn": "text", "jpegPhoto": "binary", "enabled": "boolean", "createTimestamp": "datetime"}
    assert {name: found.kind for name in kinds if (found := info.field(name)) is not None} == kinds
    photo, cn = info.field("JPEGPHOTO"), info.field("cn;lang-de")
    assert photo is not None
    assert cn is not None
    assert (photo.name, photo.multi_valued, photo.empty_is_null) == ("JPEGPHOTO", True, True)
    assert (cn.name, cn.case_sensitive) == ("cn;lang-de", False)
    assert info.field("userPassword").secret  # type: ignore[union-attr]
    assert not info.field("dn").writable  # type: ignore[union-attr]
    assert info.field("nonsense") is None
    if not box.is_ad:
        assert not info.field("sn").nullable  # type: ignore[union-attr]
    status = provider.check()
    assert status.server == ("Active Directory" if box.is_ad else "OpenLDAP")
    assert box.server.base.lower() in status.details.lower()
    classes = {each.name: each for each in provider.describe()}
    person_class = classes["user" if box.is_ad else "inetOrgPerson"]
    assert person_class.field("givenname") is not None
    assert not person_class.field("objectclass" if box.is_ad else "sn").nullable  # type: ignore[union-attr]


def test_binary_and_typed_values(box: DirectoryBox, provider: Directory) -> None:
    photo = bytes(range(256)) * 4096
    place = f"cn=Ann,{box.base}"
    assert apply(provider, box, change("create", place, after=person(box, "Ann", jpegPhoto=photo)))[0].status == "done"
    anchor = "objectGUID" if box.is_ad else "entryUUID"
    row = rows(
        provider, Query(container=place), "jpegPhoto", anchor, f"{anchor};bytes", "container", "createTimestamp"
    )[0]
    assert row[0] == photo
    assert row[1] == box.anchor(place)
    assert isinstance(row[2], bytes)
    assert str(row[3]).lower() == box.base.lower()
    assert str(row[4]).endswith("+00:00")
    other = photo[::-1]
    swap = change("update", place, anchor=str(row[1]), before={"jpegPhoto": photo}, after={"jpegPhoto": other})
    assert apply(provider, box, swap)[0].status == "done"
    assert box.read(place, "jpegPhoto") == {"jpegPhoto": [other]}
    newer = Query(
        container=box.base, newer_than=("whenChanged" if box.is_ad else "modifyTimestamp", "2001-01-01T00:00:00+00:00")
    )
    assert len(rows(provider, newer, "cn")) >= 1
    later = Query(
        container=box.base, newer_than=("whenChanged" if box.is_ad else "modifyTimestamp", "2101-01-01T00:00:00+00:00")
    )
    assert rows(provider, later, "cn") == []


def test_a_long_list_is_written_in_parts(box: DirectoryBox, provider: Directory) -> None:
    name = "otherTelephone" if box.is_ad else "telephoneNumber"
    numbers = tuple(str(number) for number in range(1_000_000, 1_002_300))
    place = f"cn=Many,{box.base}"
    assert (
        apply(provider, box, change("create", place, after=person(box, "Many", **{name: numbers})))[0].status == "done"
    )
    assert len(box.texts(place, name)) == 2300
    half = ValueChanges(removed=numbers[:1100], added=tuple(str(number) for number in range(2_000_000, 2_001_050)))
    assert apply(provider, box, change("update", place, after={name: half}))[0].status == "done"
    assert len(box.texts(place, name)) == 2300 - 1100 + 1050
