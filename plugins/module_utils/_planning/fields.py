# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of one object's fields: how a mapped value is made ready for its destination field, and what counts as a
difference.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .._model.compiled import CompiledMapping, MappedRow
from .._model.dn import fold_dn
from .._model.errors import ConfigError, RecordError, unknown
from .._model.jobs import FieldSpec, ObjectSpec, Password
from .._model.kinds import canonicalizer, same_form
from .._model.plans import PlannedValue, ValueChanges
from .._model.schema import ContainerInfo, FieldInfo
from .._model.secrets import GeneratedPassword
from .._model.values import Single, Value, as_set, is_empty, members, show
from .references import Pending

Prepare: t.TypeAlias = Callable[[PlannedValue], PlannedValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldRule:
    """One destination field of one object.

    Attributes:
        position: its place in a mapped row.
        info: what the destination says of it.
        compared: a difference in it causes an update (not: keys, new_only, stamp, passwords).
        keeps_empty: an empty source value leaves the destination's value as it is.
        unique: the mapped value is a wish that is made unique at the destination.
        prepare: makes a mapped value canonical for the destination, None when it always is. Raises RecordError.
    """

    position: int
    spec: FieldSpec
    info: FieldInfo
    compared: bool
    keeps_empty: bool
    unique: bool
    prepare: Prepare | None


def make_rules(
    spec: ObjectSpec, mapping: CompiledMapping, source: ContainerInfo, destination: ContainerInfo
) -> tuple[FieldRule, ...]:
    """Give the rules of `spec`'s fields in their order.

    Raises ConfigError when a field does not exist at the destination or cannot be written there.
    """
    return tuple(
        _make_rule(spec, mapping, source, position, _destination_field(spec, field, destination))
        for position, field in enumerate(spec.fields)
    )


def _destination_field(spec: ObjectSpec, field: FieldSpec, destination: ContainerInfo) -> FieldInfo:
    if not destination.exists:
        return FieldInfo(name=field.name, empty_is_null=True)
    info = destination.field(field.name)
    where = f"object {spec.name!r}, destination {destination.kind} {destination.name!r}"
    if info is None:
        raise ConfigError(unknown("field", field.name, (known.name for known in destination.fields), where=where))
    if not info.writable and not field.key:
        raise ConfigError(
            f"{where}: field {field.name!r} ({info.type_name}) is made by the system and cannot be written. "
            "Leave it out of the object's fields."
        )
    if info.secret and not (field.transform and isinstance(field.transform[-1], Password)):
        raise ConfigError(
            f"{where}: field {field.name!r} holds a password, which is never read back, shown or kept in a plan. Give "
            "it the step `password`."
        )
    if field.key and info.kind == "binary":
        raise ConfigError(
            f"{where}: field {field.name!r} ({info.type_name or info.kind}) cannot be a key, because keys are text. "
            "Take a field that holds text, a number, a date or a UUID."
        )
    return info


def _make_rule(
    spec: ObjectSpec, mapping: CompiledMapping, source: ContainerInfo, position: int, info: FieldInfo
) -> FieldRule:
    field = spec.fields[position]
    if field.values == "merge" and field.delimiter is None and not info.multi_valued:
        raise ConfigError(
            f"object {spec.name!r}, field {field.name!r}: `values: merge` needs a `delimiter`, because the "
            "destination field holds one text."
        )
    if field.key and position in mapping.unique:
        raise ConfigError(
            f"object {spec.name!r}, field {field.name!r}: a key field cannot have the step `unique`; a key must give "
            "the same value in every run."
        )
    generated = position in mapping.passwords
    plain = field.source is not None and not field.transform and field.delimiter is None
    source_info = source.field(field.source) if plain and field.source is not None else None
    refers = position in mapping.references
    if refers and info.kind not in ("dn", "text"):
        raise ConfigError(
            f"object {spec.name!r}, field {field.name!r} ({info.type_name or info.kind}): `resolve` gives "
            "distinguished names, which this field does not take. Map a field such as manager, owner or member."
        )
    ready = generated or (source_info is not None and not refers and _always_ready(source_info, info))
    return FieldRule(
        position=position,
        spec=field,
        info=info,
        compared=not (field.key or field.new_only or field.stamp or generated or info.secret),
        keeps_empty=field.when_empty == "keep" or (not info.nullable and (info.has_default or info.kind != "text")),
        unique=position in mapping.unique,
        prepare=None if ready else _make_prepare(spec, field, info),
    )


def _always_ready(source: FieldInfo, destination: FieldInfo) -> bool:
    empties_agree = destination.nullable and (source.empty_is_null or not destination.empty_is_null)
    never_empty = not source.nullable and not destination.empty_is_null
    # One value alone is a set of one. Of several, two may be one to a destination that does not see case.
    several = destination.multi_valued and (destination.case_sensitive or not source.case_sensitive)
    fits = several or not source.multi_valued
    return same_form(source, destination) and fits and (empties_agree or never_empty)


def _make_prepare(spec: ObjectSpec, field: FieldSpec, info: FieldInfo) -> Prepare:
    canonical = canonicalizer(info)
    empty = _make_empty(field, info)
    keeps_empty_text = info.kind == "text" and not info.empty_is_null

    def prepare_set(value: PlannedValue) -> PlannedValue:
        if isinstance(value, (GeneratedPassword, Pending, ValueChanges)):
            return value
        try:
            if isinstance(value, str) and value:  # by far the most: one value alone
                return canonical(value) or empty()
            return _distinct([canonical(part) for part in members(value) if part], info) or empty()
        except ValueError as error:
            raise _bad_value(spec, field, info, error) from None

    def prepare(value: PlannedValue) -> PlannedValue:
        if isinstance(value, (GeneratedPassword, Pending, ValueChanges)):
            return value
        if isinstance(value, tuple):
            value = _join(field, value)
        if value is None or (value == "" and not keeps_empty_text):
            return empty()
        try:
            return canonical(value)
        except ValueError as error:
            raise _bad_value(spec, field, info, error) from None

    return prepare_set if info.multi_valued else prepare


def _bad_value(spec: ObjectSpec, field: FieldSpec, info: FieldInfo, error: ValueError) -> RecordError:
    kind = info.type_name or info.kind
    return RecordError(f"object {spec.name!r}, field {field.name!r} ({kind}): {error}", field=field.name, code="value")


def _distinct(values: list[Single], info: FieldInfo) -> Value:
    """Give `values` as a set in which no two are the same to the system."""
    fold = folding(info)
    if fold is None:
        return as_set(values)
    return as_set({fold(value): value for value in reversed(values)}.values())


def folding(info: FieldInfo) -> Callable[[Single], Single] | None:
    """Give how the system compares single values of the field, None for exactly."""
    if info.kind == "dn":
        return lambda value: fold_dn(value) if isinstance(value, str) else value
    if info.kind == "text" and not info.case_sensitive:
        return lambda value: value.casefold() if isinstance(value, str) else value
    return None


def _make_empty(field: FieldSpec, info: FieldInfo) -> Callable[[], Value]:
    """Give what stands for no value: nothing, or empty text where the field takes no nothing."""

    def missing() -> Value:
        raise _required(field, info)

    if info.nullable or info.has_default:
        return lambda: None
    if info.kind == "text" and not info.empty_is_null:
        return lambda: ""
    # A field that is written at create only, or that keeps what it has, needs a value only when a record is made.
    on_update = not (field.new_only or field.stamp or field.when_empty == "keep" or field.values == "merge")
    return missing if on_update else lambda: None


def _required(field: FieldSpec, info: FieldInfo) -> RecordError:
    return RecordError(
        f"field {field.name!r} ({info.type_name or info.kind}) needs a value and the source gives none. "
        "Map one, give it a `default` step, or leave the record out with `when`.",
        field=field.name,
        code="required",
    )


def check_create(rules: Sequence[FieldRule], planned: MappedRow) -> None:
    """Raise RecordError when a field that a new record needs has no value."""
    for rule in rules:
        if planned[rule.position] is None and not (rule.info.nullable or rule.info.has_default):
            raise _required(rule.spec, rule.info)


def _join(field: FieldSpec, parts: tuple[Single, ...]) -> Single | None:
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    if field.delimiter is None:
        raise RecordError(
            f"field {field.name!r} holds one value, got {len(parts)}: {show(parts)}. Give the field a `delimiter` or "
            "pick one.",
            field=field.name,
            code="value",
        )
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) != len(parts) or any(field.delimiter in text for text in texts):
        raise RecordError(
            f"field {field.name!r}: {show(parts)} cannot be joined with {field.delimiter!r}, a value holds it or is "
            "binary.",
            field=field.name,
            code="value",
        )
    return field.delimiter.join(texts)


def split_values(text: Value, delimiter: str) -> tuple[Single, ...]:
    """Give the single values of a delimited field, trimmed, without empties, each once."""
    if not isinstance(text, str):
        return () if text is None else ((text,) if isinstance(text, bytes) else text)
    return tuple(dict.fromkeys(part.strip() for part in text.split(delimiter) if part.strip()))


def canonical_key_part(rule: FieldRule, text: str) -> str:
    """Give one part of a key as a person wrote it in the form it has at the destination: `007` is the integer 7.

    A text that has no such form stays as it is; no record can have it as its key.
    """
    try:
        part = canonicalizer(rule.info)(text)
    except ValueError:
        return text
    return part if isinstance(part, str) else text


def prepare_row(preparing: Sequence[FieldRule], row: MappedRow) -> MappedRow:
    """Give `row` with the values of `preparing` made canonical for the destination. Raises RecordError."""
    values = list(row)
    for rule in preparing:
        if rule.prepare is not None:
            values[rule.position] = rule.prepare(values[rule.position])
    return tuple(values)


def find_differences(
    rules: Sequence[FieldRule],
    planned: MappedRow,
    before: Mapping[str, Value],
    choose_unique: Callable[[FieldRule, str, Value], str],
    *,
    rekeyed: bool = False,
) -> dict[str, PlannedValue]:
    """Give the fields to write so that the record `before` becomes as `planned`; empty when nothing differs.

    `choose_unique(rule, wish, current)` settles fields that must be unique at the destination. With `rekeyed` the
    record was found by its link, and its key fields are compared like others.
    """
    after: dict[str, PlannedValue] = {}

    def compare(rule: FieldRule) -> None:
        current = before[rule.spec.name]
        value = _wanted_value(rule, planned[rule.position], current, choose_unique)
        if rule.info.multi_valued and not isinstance(value, (GeneratedPassword, ValueChanges)):
            changes = set_changes(rule, value, current)
            if changes is not None:
                after[rule.spec.name] = changes
        elif not _same(rule, value, current):
            after[rule.spec.name] = value

    for rule in rules:
        if rule.compared or (rekeyed and rule.spec.key):
            compare(rule)
    if after:
        for rule in rules:
            # A password is never read back, so it is not in `before`, and it is written at create only.
            if rule.spec.stamp and rule.spec.name in before:
                compare(rule)
    return after


def _wanted_value(
    rule: FieldRule, wish: PlannedValue, current: Value, choose_unique: Callable[[FieldRule, str, Value], str]
) -> PlannedValue:
    if isinstance(wish, GeneratedPassword):
        return wish
    if isinstance(wish, (Pending, ValueChanges)):
        return current  # nobody was found; what is there stays
    if is_empty(wish):
        return current if rule.keeps_empty or rule.spec.values == "merge" else wish
    if rule.spec.values == "merge" and rule.spec.delimiter is not None and not rule.info.multi_valued:
        kept = split_values(current, rule.spec.delimiter)
        added = tuple(part for part in split_values(wish, rule.spec.delimiter) if part not in kept)
        return _prepared(rule, kept + added) if added else current
    if rule.unique and isinstance(wish, str):
        return choose_unique(rule, wish, current)
    return wish


def _prepared(rule: FieldRule, value: PlannedValue) -> PlannedValue:
    return value if rule.prepare is None else rule.prepare(value)


def set_changes(rule: FieldRule, value: Value, current: Value) -> ValueChanges | None:
    """Give the values to add and to remove so that the set `current` becomes `value`, None when nothing differs.

    `values: merge` removes none. Two values that differ in case only are two: a corrected case is written.
    """
    if value == current:
        return None
    fold = fold_dn if rule.info.kind == "dn" else None
    wanted = {_folded(part, fold): part for part in members(value)}
    present = {_folded(part, fold): part for part in members(current)}
    added = tuple(part for key, part in wanted.items() if key not in present)
    removed = tuple(part for key, part in present.items() if key not in wanted)
    if rule.spec.values == "merge":
        removed = ()
    return ValueChanges(added=added, removed=removed) if added or removed else None


def _folded(part: Single, fold: Callable[[str], str] | None) -> Single:
    return part if fold is None or not isinstance(part, str) else fold(part)


def _same(rule: FieldRule, value: PlannedValue, current: Value) -> bool:
    if value == current:
        return True
    if isinstance(value, (GeneratedPassword, ValueChanges)):
        return False
    if rule.info.kind == "dn" and isinstance(value, str) and isinstance(current, str):
        return fold_dn(value) == fold_dn(current)
    if is_empty(value) and is_empty(current) and (rule.info.empty_is_null or not rule.info.nullable):
        return True
    if rule.spec.delimiter is not None:
        return set(split_values(value, rule.spec.delimiter)) == set(split_values(current, rule.spec.delimiter))
    return False
