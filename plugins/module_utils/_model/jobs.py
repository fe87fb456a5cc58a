# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers and jobs as declared: the words of a playbook as frozen dataclasses.

`definitions` turns the plain mapping of a playbook or of the store into these and back.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .secrets import PasswordRule

ProviderType: t.TypeAlias = t.Literal["csv", "excel", "sql", "ldap", "active_directory"]
DIRECTORIES: frozenset[ProviderType] = frozenset({"ldap", "active_directory"})
MissingAtDestination: t.TypeAlias = t.Literal["create", "skip"]
MissingAtSource: t.TypeAlias = t.Literal["skip", "delete", "disable"]
Send: t.TypeAlias = t.Literal["always", "updated", "errors", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One side of a job or object: a provider's name and where in it. Only the options its provider takes are set."""

    provider: str
    table: str | None = None
    query: str | None = None
    sheet: str | None = None
    container: str | None = None
    include_subcontainers: bool = True
    filter: str | None = None
    replace_file: bool = False


# -- transform steps: one class a step, named as in the playbook; `field` None = the value so far ----------------


VARIABLE: t.Final = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%")


@dataclass(frozen=True, kw_only=True, slots=True)
class Static:
    """A fixed text, in which %NAME% stands for a variable (`VARIABLE`)."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Join:
    fields: tuple[str, ...]
    separator: str = " "


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    length: int
    field: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    length: int
    field: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Substring:
    """`start` is 0-based and inclusive: start 1, length 2 of `+92-42-5787711` is `92`."""

    start: int
    length: int
    field: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    to: t.Literal["lower", "upper", "title"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trim:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Replace:
    pattern: str
    with_: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MapValues:
    """A look-up table; a value that is not in it becomes `default`, or is a record error when `has_default` is
    false.
    """

    values: Mapping[str, str]
    default: str | None = None
    has_default: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Split at `separator`; `index` picks one part (negative from the end), None keeps all as a multi-valued value."""

    separator: str
    index: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Date:
    """Between strptime formats or the names iso, generalized_time, filetime, epoch."""

    from_: str
    to: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ascii:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Pad:
    length: int
    with_: str = " "
    side: t.Literal["left", "right"] = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Default:
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unique:
    """Unique among the destination's values of this field; taken ones get a number put in by `pattern`."""

    pattern: str = "{value}{n}"
    start: int = 2
    max_length: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolve:
    """A reference: the value so far (or `field`) is looked up in the field `match` of the destination's records, and
    becomes the distinguished name of the one that has it. `container` and `filter` say where they are looked for.
    """

    match: str
    field: str | None = None
    container: str | None = None
    filter: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Password:
    rule: PasswordRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """`path:name` of a Python callable in a trusted file."""

    path: str
    name: str


Step: t.TypeAlias = (
    Static
    | Join
    | Left
    | Right
    | Substring
    | Case
    | Trim
    | Replace
    | MapValues
    | Split
    | Date
    | Ascii
    | Pad
    | Default
    | Unique
    | Resolve
    | Password
    | Expression
    | Function
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldSpec:
    """One destination field and where its value comes from (product.md, fields)."""

    name: str
    source: str | None = None
    key: bool = False
    new_only: bool = False
    delimiter: str | None = None
    values: t.Literal["replace", "merge"] = "replace"
    when_empty: t.Literal["clear", "keep"] = "clear"
    stamp: bool = False
    transform: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateIn:
    """The container of new records (and with `move`, of all): exactly one of a fixed one, a source field, an
    expression.
    """

    container: str | None = None
    field: str | None = None
    expression: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OnDisable:
    """What `missing_at_source: disable` does beside disabling: `stamp` are fields and texts to write (with %NOW%),
    None clears a field; `delete_after_days` deletes records that have been disabled for so long.
    """

    move_to: str | None = None
    strip_groups: bool = False
    stamp: Mapping[str, str | None] = field(default_factory=dict)
    delete_after_days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectSpec:
    """One element of a job with the job's defaults already filled in: nothing below looks at the job again.

    `type` is `row`, or the type of a directory's object (`object_types`). `rdn` None is the type's own.
    """

    name: str
    type: str = "row"
    object_classes: tuple[str, ...] = ()
    source: Endpoint
    destination: Endpoint
    when: str | None = None
    missing_at_destination: MissingAtDestination = "skip"
    missing_at_source: MissingAtSource = "skip"
    on_disable: OnDisable = field(default_factory=OnDisable)
    create_in: CreateIn | None = None
    create_containers: bool = False
    move: bool = False
    rdn: str | None = None
    protect: str | None = None
    fields: tuple[FieldSpec, ...] = ()

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The destination fields that match a source record to a destination record, in declared order."""
        return tuple(spec.name for spec in self.fields if spec.key)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The guards' limits as written (grammar in `limits`); None = no limit."""

    creates: str | None = None
    updates: str | None = None
    moves: str | None = None
    disables: str | None = "10% above 10"
    deletes: str | None = "10% above 10"
    member_removals: str | None = "50% above 10"
    min_source_records: str = "1"
    source_drop: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OnError:
    """How often a failed run is tried again, and the seconds between the tries."""

    retries: int = 0
    delay: float = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify:
    """What a job or another user of a notification has instead of its settings; None where it has none."""

    recipients: tuple[str, ...] | None = None
    send: Send | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """A job as it runs. `mapping_digest` changes when anything that decides what is written changes. `changed_only` is
    the field of its time stamps; with `proof` nothing is read while both systems show that nothing changed.
    """

    name: str
    description: str = ""
    owners: tuple[str, ...] = ()
    enabled: bool = True
    source: Endpoint
    destination: Endpoint
    objects: tuple[ObjectSpec, ...]
    changed_only: str | None = None
    proof: bool = False
    limits: Limits = field(default_factory=Limits)
    protect: str | None = None
    create_containers: bool = False
    smart_groups: tuple[str, ...] = ()
    schedule: str | None = None
    template: str | None = None
    allow_circular: bool = False
    on_error: OnError = field(default_factory=OnError)
    notification: str | None = None
    notify: Notify | None = None
    mapping_digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSpec:
    """A provider as declared: its type and that type's options, without secrets."""

    name: str
    type: ProviderType
    options: Mapping[str, t.Any]
