# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec, Password, Unique
from ansible_collections.lockstep.sync.plugins.module_utils._model.plans import PlannedValue
from ansible_collections.lockstep.sync.plugins.module_utils._model.schema import FieldInfo
from ansible_collections.lockstep.sync.plugins.module_utils._model.secrets import GeneratedPassword, PasswordRule
from ansible_collections.lockstep.sync.plugins.module_utils._model.values import Value
from ansible_collections.lockstep.sync.plugins.module_utils._planning.fields import (
    FieldRule,
    canonical_key_part,
    check_create,
    find_differences,
    make_rules,
    prepare_row,
    split_values,
)
from support.lists import info_of
from support.mappings import HandMapping, copied, key, spec_of

PASSWORD = GeneratedPassword(rule=PasswordRule())


def rules_of(
    *fields: FieldSpec, source: t.Sequence[str | FieldInfo] = (), destination: t.Sequence[str | FieldInfo] = ()
) -> tuple[FieldRule, ...]:
    """Give the rules of `fields`; sides that are not given have plain text fields of the names used."""
    spec = spec_of(*fields)
    sources = tuple(dict.fromkeys(each.source for each in fields if each.source))
    mapping = HandMapping(spec=spec, source_fields=sources)
    return make_rules(
        spec, mapping, info_of(*(source or sources)), info_of(*(destination or (each.name for each in fields)))
    )


def rule_of(field: FieldSpec, info: FieldInfo | str = "f", source: FieldInfo | str = "s") -> FieldRule:
    return rules_of(field, source=[source], destination=[info])[0]


def prepared(rule: FieldRule, value: PlannedValue) -> PlannedValue:
    return prepare_row([rule], (value,))[0]


def keep_wish(_rule: FieldRule, wish: str, _current: Value) -> str:
    return wish


def differences(rule: FieldRule, value: PlannedValue, current: Value) -> dict[str, PlannedValue]:
    return find_differences([rule], (value,), {rule.spec.name: current}, keep_wish)


FIELD = copied("f", source="s")


# -- rules ------------------------------------------------------------------------------------------------------


def test_a_field_the_destination_does_not_have_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        rules_of(key(), copied("maill", source="mail"), destination=["id", "mail"])
    assert "object 'person', destination table 'people': there is no field 'maill'" in caught.value.message
    assert "'mail'" in caught.value.message


def test_a_field_the_system_makes_cannot_be_mapped_unless_it_is_the_key() -> None:
    generated = FieldInfo(name="id", type_name="SERIAL", writable=False)
    with pytest.raises(ConfigError, match=r"field 'id' \(SERIAL\) is made by the system"):
        rules_of(copied("id"), destination=[generated])
    assert rules_of(key(), destination=[generated])[0].info is generated


def test_a_binary_key_is_refused_because_keys_are_text() -> None:
    with pytest.raises(ConfigError, match=r"field 'id' \(BINARY\(16\)\) cannot be a key"):
        rules_of(key(), destination=[FieldInfo(name="id", kind="binary", type_name="BINARY(16)")])


def test_a_key_made_unique_is_refused_because_it_would_never_match() -> None:
    with pytest.raises(ConfigError, match="a key field cannot have the step `unique`"):
        rules_of(key(transform=(Unique(),)))


def test_merging_into_one_text_needs_a_delimiter() -> None:
    with pytest.raises(ConfigError, match="field 'f': `values: merge` needs a `delimiter`"):
        rule_of(copied("f", source="s", values="merge"))
    multi = FieldInfo(name="f", multi_valued=True)
    assert rule_of(copied("f", source="s", values="merge"), multi).info.multi_valued


def test_a_container_that_does_not_exist_yet_has_the_fields_of_the_job() -> None:
    spec = spec_of(key(), copied("name"))
    mapping = HandMapping(spec=spec, source_fields=("id", "name"))
    rules = make_rules(spec, mapping, info_of("id", "name"), info_of(exists=False))
    assert [(rule.info.name, rule.info.empty_is_null) for rule in rules] == [("id", True), ("name", True)]


@pytest.mark.parametrize(
    ("field", "compared"),
    [
        (FIELD, True),
        (key("f", source="s"), False),
        (copied("f", source="s", new_only=True), False),
        (copied("f", source="s", stamp=True), False),
        (FieldSpec(name="f", transform=(Password(rule=PasswordRule()),)), False),
    ],
)
def test_keys_new_only_stamps_and_passwords_cause_no_update(field: FieldSpec, compared: bool) -> None:
    assert rule_of(field).compared is compared


@pytest.mark.parametrize(
    ("source", "destination", "ready"),
    [
        (FieldInfo(name="s"), FieldInfo(name="f"), True),
        (FieldInfo(name="s", empty_is_null=True), FieldInfo(name="f", empty_is_null=True), True),
        (FieldInfo(name="s", empty_is_null=True), FieldInfo(name="f"), True),
        (FieldInfo(name="s"), FieldInfo(name="f", empty_is_null=True), False),
        (FieldInfo(name="s"), FieldInfo(name="f", nullable=False), False),
        (FieldInfo(name="s", nullable=False), FieldInfo(name="f", nullable=False), True),
        (FieldInfo(name="s", nullable=False), FieldInfo(name="f", nullable=False, empty_is_null=True), False),
        (FieldInfo(name="s"), FieldInfo(name="f", max_length=5), False),
        (FieldInfo(name="s"), FieldInfo(name="f", kind="integer"), False),
        (FieldInfo(name="s"), FieldInfo(name="f", multi_valued=True, case_sensitive=False), True),
        (FieldInfo(name="s", multi_valued=True), FieldInfo(name="f"), False),
        (FieldInfo(name="s", multi_valued=True), FieldInfo(name="f", multi_valued=True), True),
        (
            FieldInfo(name="s", multi_valued=True),
            FieldInfo(name="f", multi_valued=True, case_sensitive=False),
            False,
        ),
    ],
)
def test_values_are_taken_over_as_they_are_only_when_every_one_fits(
    source: FieldInfo, destination: FieldInfo, ready: bool
) -> None:
    assert (rule_of(FIELD, destination, source).prepare is None) is ready


def test_a_changed_or_split_value_is_always_made_ready() -> None:
    assert rule_of(copied("f", source="s", delimiter=";")).prepare is not None
    assert rule_of(copied("f", source="s", transform=(Unique(),))).prepare is not None


# -- making values ready ------------------------------------------------------------------------------------------


def test_values_become_canonical_for_the_destination() -> None:
    assert prepared(rule_of(FIELD, FieldInfo(name="f", kind="integer")), "007") == "7"


def test_a_value_that_does_not_fit_is_an_error_that_names_object_field_and_type() -> None:
    rule = rule_of(FIELD, FieldInfo(name="f", kind="integer", type_name="BIGINT"))
    with pytest.raises(RecordError) as caught:
        prepared(rule, "seven")
    assert caught.value.message == "object 'person', field 'f' (BIGINT): 'seven' is not a whole number"
    assert (caught.value.field, caught.value.reason_code) == ("f", "value")


@pytest.mark.parametrize(
    ("info", "value", "expected"),
    [
        (FieldInfo(name="f", max_length=9), None, None),
        (FieldInfo(name="f", max_length=9), "", ""),
        (FieldInfo(name="f", empty_is_null=True), "", None),
        (FieldInfo(name="f", nullable=False), None, ""),
        (FieldInfo(name="f", nullable=False, has_default=True, max_length=9), None, None),
        (FieldInfo(name="f", kind="integer"), "", None),
        (FieldInfo(name="f", kind="integer", nullable=False, has_default=True), None, None),
    ],
)
def test_no_value_takes_the_form_the_field_has_for_it(info: FieldInfo, value: Value, expected: Value) -> None:
    assert prepared(rule_of(FIELD, info), value) == expected


def test_a_field_that_must_have_a_value_says_so() -> None:
    rule = rule_of(FIELD, FieldInfo(name="f", kind="integer", nullable=False, type_name="INTEGER"))
    with pytest.raises(RecordError, match=r"field 'f' \(INTEGER\) needs a value and the source gives none") as caught:
        prepared(rule, "")
    assert caught.value.reason_code == "required"


@pytest.mark.parametrize("option", [{"when_empty": "keep"}, {"new_only": True}, {"stamp": True}])
def test_a_field_that_keeps_what_it_has_needs_a_value_only_in_a_new_record(option: dict[str, t.Any]) -> None:
    info = FieldInfo(name="f", kind="integer", nullable=False)
    rule = rule_of(copied("f", source="s", **option), info)
    assert prepared(rule, "") is None
    assert differences(rule, None, "5") == {}
    with pytest.raises(RecordError, match="needs a value"):
        check_create([rule], (None,))


def test_a_new_record_may_leave_out_what_can_be_null_or_has_a_default() -> None:
    rules = rules_of(
        copied("a", source="s"),
        copied("b", source="s"),
        destination=["a", FieldInfo(name="b", nullable=False, has_default=True)],
    )
    check_create(rules, (None, None))


def test_several_values_are_joined_with_the_delimiter() -> None:
    rule = rule_of(copied("f", source="s", delimiter=";"))
    assert prepared(rule, ("a", "b")) == "a;b"
    assert prepared(rule, ("a",)) == "a"
    assert prepared(rule, ()) is None


def test_several_values_without_a_delimiter_are_an_error() -> None:
    rule = rule_of(copied("f", source="s", transform=(Unique(),)))
    with pytest.raises(RecordError, match=r"field 'f' holds one value, got 2: \('a', 'b'\)"):
        prepared(rule, ("a", "b"))


@pytest.mark.parametrize("values", [("a;b", "c"), ("a", b"raw")])
def test_values_that_would_not_come_apart_again_are_an_error(values: Value) -> None:
    with pytest.raises(RecordError, match="cannot be joined with ';'"):
        prepared(rule_of(copied("f", source="s", delimiter=";")), values)


def test_a_password_is_left_alone_even_by_a_field_with_rules() -> None:
    rule = rule_of(copied("f", source="s", delimiter=";"))
    assert prepared(rule, PASSWORD) is PASSWORD
    assert prepare_row([rule_of(FIELD)], ("x",)) == ("x",)


def test_a_written_key_is_read_as_the_destination_has_it() -> None:
    number = rule_of(key("f", source="s"), FieldInfo(name="f", kind="integer"), FieldInfo(name="s", kind="integer"))
    assert number.prepare is None
    assert canonical_key_part(number, "007") == "7"
    assert canonical_key_part(number, "seven") == "seven"


def test_delimited_text_comes_apart_into_each_value_once() -> None:
    assert split_values(" a; b;;a ", ";") == ("a", "b")
    assert split_values(None, ";") == ()
    assert split_values(b"raw", ";") == (b"raw",)
    assert split_values(("a", "b"), ";") == ("a", "b")


# -- differences --------------------------------------------------------------------------------------------------


def test_equal_values_are_no_difference_and_others_are_written() -> None:
    assert differences(rule_of(FIELD), "x", "x") == {}
    assert differences(rule_of(FIELD), "x", "y") == {"f": "x"}


def test_an_empty_source_value_clears_by_default() -> None:
    assert differences(rule_of(FIELD), None, "x") == {"f": None}


def test_an_empty_source_value_keeps_what_is_there_when_asked_to() -> None:
    rule = rule_of(copied("f", source="s", when_empty="keep"))
    assert differences(rule, None, "x") == {}
    assert differences(rule, "", "x") == {}
    assert differences(rule, "y", "x") == {"f": "y"}


def test_a_field_with_a_default_that_takes_no_null_is_left_as_it_is() -> None:
    rule = rule_of(FIELD, FieldInfo(name="f", nullable=False, has_default=True))
    assert differences(rule, None, "made by the system") == {}


@pytest.mark.parametrize(
    ("info", "value", "current", "written"),
    [
        (FieldInfo(name="f"), None, "", True),
        (FieldInfo(name="f"), "", None, True),
        (FieldInfo(name="f", empty_is_null=True), None, "", False),
        (FieldInfo(name="f", empty_is_null=True), "", None, False),
        (FieldInfo(name="f", nullable=False), "", None, False),
    ],
)
def test_empty_text_and_null_differ_only_where_the_system_tells_them_apart(
    info: FieldInfo, value: Value, current: Value, written: bool
) -> None:
    assert bool(differences(rule_of(FIELD, info), value, current)) is written


def test_the_order_of_delimited_values_is_no_difference() -> None:
    rule = rule_of(copied("f", source="s", delimiter=";"))
    assert differences(rule, "a;b", "b; a") == {}
    assert differences(rule, "a;b", "b;a;c") == {"f": "a;b"}


def test_merging_adds_and_never_removes() -> None:
    rule = rule_of(copied("f", source="s", delimiter=";", values="merge"))
    assert differences(rule, "b;c", "a; b") == {"f": "a;b;c"}
    assert differences(rule, "b", "a; b") == {}
    assert differences(rule, None, "a;b") == {}
    assert differences(rule, "a", None) == {"f": "a"}


def test_a_merged_value_that_does_not_fit_any_more_is_an_error_and_not_cut() -> None:
    rule = rule_of(copied("f", source="s", delimiter=";", values="merge"), FieldInfo(name="f", max_length=5))
    with pytest.raises(RecordError, match="has 8 characters, the field takes 5"):
        differences(rule, "cc;dd", "aa")


def test_merging_multi_valued_fields_without_delimiter_replaces_nothing_with_less() -> None:
    rule = rule_of(copied("f", source="s", values="merge"), FieldInfo(name="f", multi_valued=True))
    assert differences(rule, None, "a") == {}


def test_a_unique_field_is_settled_with_wish_and_present_value() -> None:
    asked: list[tuple[str, Value]] = []

    def choose(_rule: FieldRule, wish: str, current: Value) -> str:
        asked.append((wish, current))
        return "ann2"

    rule = rule_of(copied("f", source="s", transform=(Unique(),)))
    assert find_differences([rule], ("ann",), {"f": "ann2"}, choose) == {}
    assert find_differences([rule], ("ann",), {"f": "bob"}, choose) == {"f": "ann2"}
    assert asked == [("ann", "ann2"), ("ann", "bob")]


def stamped(**options: t.Any) -> tuple[FieldRule, ...]:
    return rules_of(copied("name"), copied("stamp", stamp=True, **options))


def test_a_stamp_is_written_with_other_changes_and_never_causes_one() -> None:
    before: dict[str, Value] = {"name": "Ann", "stamp": "yesterday"}
    assert find_differences(stamped(), ("Ann", "today"), before, keep_wish) == {}
    assert find_differences(stamped(), ("Bob", "today"), before, keep_wish) == {"name": "Bob", "stamp": "today"}
    assert find_differences(stamped(), ("Bob", "yesterday"), before, keep_wish) == {"name": "Bob"}


def test_an_empty_stamp_keeps_what_is_there_when_asked_to() -> None:
    before: dict[str, Value] = {"name": "Ann", "stamp": "yesterday"}
    assert find_differences(stamped(when_empty="keep"), ("Bob", None), before, keep_wish) == {"name": "Bob"}
    assert find_differences(stamped(), ("Bob", None), before, keep_wish) == {"name": "Bob", "stamp": None}


def test_a_password_is_written_at_create_only_even_as_a_stamp() -> None:
    rules = rules_of(copied("name"), FieldSpec(name="pw", stamp=True, transform=(Password(rule=PasswordRule()),)))
    assert find_differences(rules, ("Bob", PASSWORD), {"name": "Ann"}, keep_wish) == {"name": "Bob"}


def test_a_computed_password_in_a_plain_field_is_always_a_difference() -> None:
    assert differences(rule_of(FIELD), PASSWORD, "x") == {"f": PASSWORD}
