# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CSV file is written anew with everything kept that no change concerns."""

from __future__ import annotations

import codecs
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.access import Query, WriteTarget
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import Action, Change, Outcome, PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.provider import CsvProvider
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.writing import all_fit, refuse_value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def provider(path: Path, **options: t.Any) -> CsvProvider:
    return CsvProvider(ProviderSpec(name="hr", type="csv", options={"path": str(path), **options}), {})


def make(action: Action, key: str, before: dict[str, Value], after: dict[str, PlannedValue]) -> Change:
    return Change(number=1, object="row", action=action, key=(key,), before=before, after=after)


def create(**after: PlannedValue) -> Change:
    return make("create", str(after["id"]), {}, dict(after))


def update(before: dict[str, Value], **after: PlannedValue) -> Change:
    return make("update", str(before["id"]), before, dict(after))


def delete(before: dict[str, Value]) -> Change:
    return make("delete", str(before["id"]), before, {})


def apply(path: Path, *changes: Change, **options: t.Any) -> list[Outcome]:
    fields = options.pop("mapped", ("id", "name"))
    target = WriteTarget(container=None, key_fields=("id",), fields=fields, replace=options.pop("replace", False))
    with provider(path, **options).writer(target) as writer:
        return writer.apply(changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hr.csv"


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_order_columns_mark_and_line_breaks_are_kept(path: Path, line_break: bytes) -> None:
    lines = [b"note,id,name", b"x,2,Bob", b'"a,b",1,Ann', b"y,3,Cid", b""]
    path.write_bytes(codecs.BOM_UTF8 + line_break.join(lines))
    apply(path, update({"id": "1", "name": "Ann"}, name="Änne"), delete({"id": "3", "name": "Cid"}), create(id="4"))
    lines = [b"note,id,name", b"x,2,Bob", '"a,b",1,Änne'.encode(), b",4,", b""]
    assert path.read_bytes() == codecs.BOM_UTF8 + line_break.join(lines)


@pytest.mark.parametrize("text", ["=1+1", '=cmd|"/C calc"!A0', "+1", "-1", "@x", "\tx"])
def test_formula_like_text_is_written_untouched(path: Path, text: str) -> None:
    path.write_text("id,name\n")
    apply(path, create(id="1", name=text))
    quoted = '"' + text.replace('"', '""') + '"' if '"' in text else text
    assert path.read_text() == f"id,name\n1,{quoted}\n"


def test_a_carriage_return_in_a_value_is_quoted_in_a_file_with_line_feeds(path: Path) -> None:
    path.write_bytes(b"id,name\n")
    apply(path, create(id="1", name="a\rb"), create(id="2", name="a\nb"))
    assert path.read_bytes() == b'id,name\n1,"a\rb"\n2,"a\nb"\n'


def test_utf_16_is_kept(path: Path) -> None:
    path.write_bytes(codecs.BOM_UTF16_BE + "id,name\n1,Ä\n".encode("utf-16-be"))
    apply(path, create(id="2", name="漢"), encoding="utf-16")
    assert path.read_bytes() == codecs.BOM_UTF16_BE + "id,name\n1,Ä\n2,漢\n".encode("utf-16-be")


def test_delimiter_and_quote_are_those_declared(path: Path) -> None:
    path.write_text("id;name\n")
    apply(path, create(id="1", name="a;b'c"), create(id="2", name="a,b"), delimiter=";", quote="'")
    assert path.read_text() == "id;name\n1;'a;b''c'\n2;a,b\n"


def test_a_last_line_without_line_break_gets_one(path: Path) -> None:
    path.write_bytes(b"id,name\n1,Ann")
    apply(path, create(id="2", name="Bob"))
    assert path.read_bytes() == b"id,name\n1,Ann\n2,Bob\n"


def test_a_character_the_encoding_has_not_fails_that_record_only(path: Path) -> None:
    path.write_text("id,name\n", encoding="iso-8859-1")
    outcomes = apply(path, create(id="1", name="Łódź"), create(id="2", name="Zürich"), encoding="iso-8859-1")
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [("failed", "encoding"), ("done", "")]
    assert "'Ł' (U+0141)" in outcomes[0].message
    assert path.read_bytes() == b"id,name\n2,Z\xfcrich\n"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"bytes", "type"),
        (("a", "b"), "type"),
        (GeneratedPassword(rule=PasswordRule()), "type"),
        ("a\0b", "character"),
        ("\ud800", "encoding"),
    ],
)
def test_what_a_file_cannot_hold_fails_that_record(path: Path, value: PlannedValue, code: str) -> None:
    path.write_text("id,name\n")
    outcomes = apply(path, create(id="1", name=value))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [("failed", code)]
    assert "name" in outcomes[0].message
    assert path.read_text() == "id,name\n"


def test_a_key_that_two_records_have_is_ambiguous_and_both_stay(path: Path) -> None:
    path.write_text("id,name\n1,Ann\n1,Ann\n2,Bob\n")
    outcomes = apply(path, delete({"id": "1", "name": "Ann"}), update({"id": "2", "name": "Bob"}, name="B"))
    assert [(outcome.status, outcome.code) for outcome in outcomes] == [("failed", "ambiguous"), ("done", "")]
    assert path.read_text() == "id,name\n1,Ann\n1,Ann\n2,B\n"


def test_a_new_file_gets_the_mapped_fields_and_is_for_its_owner(path: Path) -> None:
    outcomes = apply(path, create(id="1", name="Ann"), create(id="2", name=None))
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert path.read_text() == "id,name\n1,Ann\n2,\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_file_without_a_header_has_the_declared_fields(path: Path) -> None:
    apply(path, create(id="1", name="Ann"), header=False, fields=["name", "other", "id"])
    assert path.read_text() == "Ann,,1\n"
    path.unlink()
    with pytest.raises(ConfigError, match="there is no field 'name'"):
        apply(path, create(id="1", name="Ann"), header=False, fields=["id"])


def test_no_file_is_made_for_nothing(path: Path) -> None:
    outcomes = apply(path, update({"id": "1", "name": "x"}, name="y"), create(id="1", name="\0"))
    assert [outcome.code for outcome in outcomes] == ["gone", "character"]
    assert not path.exists()


def test_a_file_without_header_is_written_without(path: Path) -> None:
    path.write_text("1,Ann\n")
    apply(path, create(id="2", name="Bob"), header=False, fields=["id", "name"])
    assert path.read_text() == "1,Ann\n2,Bob\n"


def test_replace_keeps_only_mapped_columns_in_their_order(path: Path) -> None:
    path.write_text("note,name,id\nx,Ann,1\ny,Bob,2\n")
    apply(path, create(id="3", name="Cid"), replace=True)
    assert path.read_text() == "id,name\n1,Ann\n2,Bob\n3,Cid\n"


def test_replace_adds_the_mapped_columns_that_the_file_lacks(path: Path) -> None:
    path.write_text("name,id\nAnn,1\nBob,2\n")
    changed = make("update", "1", {"id": "1", "name": "Ann"}, {"mail": "a@b"})
    apply(path, changed, mapped=("id", "name", "mail"), replace=True)
    assert path.read_text() == "id,name,mail\n1,Ann,a@b\n2,Bob,\n"


def test_a_mapped_field_the_file_lacks_is_refused(path: Path) -> None:
    path.write_text("id\n1\n")
    with pytest.raises(ConfigError, match="there is no field 'name'"):
        apply(path, create(id="2", name="x"))


def test_a_damaged_file_is_not_written(path: Path) -> None:
    path.write_text('id,name\n1,"Ann\n')
    with pytest.raises(ProviderError, match="a quote is still open"):
        apply(path, create(id="2", name="x"))
    assert path.read_text() == 'id,name\n1,"Ann\n'


@pytest.mark.parametrize("pass_number", [1, 2])
def test_a_file_changed_between_looking_and_writing_is_left_alone(path: Path, pass_number: int) -> None:
    path.write_text("id,name\n" + "".join(f"{number},x\n" for number in range(3000)))

    class Meddling(tuple[Change, ...]):
        """Changes whose reading rewrites the file: somebody else was faster."""

        passes = 0

        def __iter__(self) -> t.Iterator[Change]:
            Meddling.passes += 1
            if Meddling.passes == pass_number:
                path.write_text("id,name\n1,theirs\n")
                os.utime(path, (9, 9))
            return super().__iter__()

    target = WriteTarget(container=None, key_fields=("id",), fields=("id", "name"))
    with provider(path).writer(target) as writer, pytest.raises(ProviderError, match="was changed") as caught:
        writer.apply(Meddling((create(id="n", name="new"),)))
    assert caught.value.retriable
    assert path.read_text() == "id,name\n1,theirs\n"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
tables = st.dictionaries(st.text("abc\n,", min_size=1, max_size=2), texts, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(old=tables, new=tables, line_break=st.sampled_from(["\n", "\r\n", "\r"]))
def test_applying_the_difference_gives_the_other_table(
    path: Path, old: dict[str, str], new: dict[str, str], line_break: str
) -> None:
    path.write_bytes(f"id,name{line_break}".encode())
    apply(path, *(create(id=key, name=name) for key, name in old.items()))
    changes = [create(id=key, name=name) for key, name in new.items() if key not in old]
    changes += [update({"id": key, "name": old[key]}, name=name) for key, name in new.items() if key in old]
    changes += [delete({"id": key, "name": old[key] or None}) for key in old if key not in new]
    assert {outcome.status for outcome in apply(path, *changes)} <= {"done"}
    with provider(path).read(Query(), ("id", "name")) as reading:
        rows = [row for batch in reading.batches() for row in batch]
        assert reading.completeness.proven
    assert dict(rows) == {key: name or None for key, name in new.items()}


@given(
    st.lists(
        st.none()
        | st.text(st.characters(codec=None))
        | st.sampled_from(
            ["", "\0", "\ud83d", "\ude00", "\u20ac", b"", b"x", (), ("a",), GeneratedPassword(rule=PasswordRule())]
        )
    ),
    st.sampled_from(["ascii", "cp1252", "utf-8", "utf-16-le"]),
)
def test_values_fit_together_when_each_does(values: list[PlannedValue], codec: str) -> None:
    assert all_fit(values, codec) == all(refuse_value("name", value, codec) is None for value in values)


def test_new_records_need_not_have_all_columns(path: Path) -> None:
    path.write_text("name,city,id\nAnn,Ulm,1\n", encoding="utf-8")
    outcomes = apply(path, create(id="3", name=None), create(name="Cy", id="4"))
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    assert path.read_text(encoding="utf-8").splitlines()[-2:] == [",,3", "Cy,,4"]


@pytest.mark.parametrize("fields", [("id", "name"), ("name", "id")])
def test_new_records_go_below_their_columns_in_any_order_of_fields(path: Path, fields: tuple[str, ...]) -> None:
    path.write_text("name,id\n", encoding="utf-8")
    apply(path, create(id="3", name=None), create(name="Cy", id="4"), create(id="5"), mapped=fields)
    assert path.read_text(encoding="utf-8").splitlines() == ["name,id", ",3", "Cy,4", ",5"]
