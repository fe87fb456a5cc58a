# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a directory (RFC 4512 section 4): attribute types and object classes, and what they mean for fields."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._model.schema import FieldInfo, Kind

_TOKEN = re.compile(r"'([^']*)'|([()$])|([^\s()$']+)")
_LDAP = "1.3.6.1.4.1.1466.115.121.1."
SID_SYNTAX = "2.5.5.17"
"""String(Sid) of Active Directory, which its subschema shows as any octet string (MS-ADTS 3.1.1.2.2.2)."""
_KINDS: Mapping[str, Kind] = {
    f"{_LDAP}7": "boolean",
    f"{_LDAP}27": "integer",
    f"{_LDAP}24": "datetime",
    f"{_LDAP}53": "datetime",
    f"{_LDAP}12": "dn",
    f"{_LDAP}34": "dn",
    f"{_LDAP}4": "binary",
    f"{_LDAP}5": "binary",
    f"{_LDAP}8": "binary",
    f"{_LDAP}9": "binary",
    f"{_LDAP}10": "binary",
    f"{_LDAP}23": "binary",
    f"{_LDAP}28": "binary",
    f"{_LDAP}40": "binary",
    "1.3.6.1.1.16.1": "uuid",
    # Of Active Directory (MS-ADTS 3.1.1.2.2.2).
    "1.2.840.113556.1.4.906": "integer",
    "1.2.840.113556.1.4.907": "binary",
    SID_SYNTAX: "sid",
}
UTC_TIME = "UTC time"
"""The `type_name` of fields whose times have two digits of the year."""
# Certificates and lists of them travel under a name that ends in `;binary` (RFC 4523 section 2).
_TRANSFERRED_BINARY = frozenset({f"{_LDAP}8", f"{_LDAP}9", f"{_LDAP}10", f"{_LDAP}49"})
SECRETS = frozenset(
    name.casefold()
    for name in (
        "userPassword",
        "unicodePwd",
        "dBCSPwd",
        "lmPwdHistory",
        "ntPwdHistory",
        "supplementalCredentials",
        "sambaNTPassword",
        "sambaLMPassword",
        "clearTextPassword",
        "authPassword",
    )
)
_FAMILIES = (("mail", "proxyAddresses", "targetAddress"),)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeType:
    """One attribute type; what it inherits is filled in. `equality` says that single values can be named to delete,
    `ordering` that entries can be found by values that are at least another.

    `name` is the first of its `names`, under which servers give it whatever it was asked for by.
    """

    name: str
    names: tuple[str, ...] = ()
    syntax: str = ""
    single: bool = False
    writable: bool = True
    operational: bool = False
    equality: str = ""
    ordering: str = ""
    max_length: int | None = None

    @property
    def transferred_binary(self) -> bool:
        """Whether servers add the option `;binary` to its name."""
        return self.syntax in _TRANSFERRED_BINARY


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectClass:
    """One object class with its own attributes; `superiors` give the rest."""

    name: str
    kind: str = "STRUCTURAL"
    superiors: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Schema:
    """Attribute types and object classes by folded name."""

    attributes: dict[str, AttributeType] = field(default_factory=dict)
    classes: dict[str, ObjectClass] = field(default_factory=dict)

    def attribute(self, name: str) -> AttributeType | None:
        """Give the attribute type of a description; options (`;lang-de`) do not matter."""
        return self.attributes.get(name.partition(";")[0].casefold())

    def chain(self, name: str) -> tuple[ObjectClass, ...]:
        """Give the class and all above it, from the top down. Unknown ones are left out."""
        found: list[ObjectClass] = []
        waiting = [name]
        while waiting:
            item = self.classes.get(waiting.pop(0).casefold())
            if item is not None and item not in found:
                found.append(item)
                waiting.extend(item.superiors)
        return tuple(reversed(found))

    def mandatory(self, classes: Sequence[str]) -> frozenset[str]:
        """Give the folded names of the attributes that entries of `classes` must have."""
        return frozenset(name.casefold() for each in classes for item in self.chain(each) for name in item.must) - {
            "objectclass"
        }


def parse_schema(attribute_types: Iterable[str], object_classes: Iterable[str]) -> Schema:
    """Read the values of attributeTypes and objectClasses of a subschema entry. What is no description is left out."""
    schema = Schema()
    found = [parsed for text in attribute_types if (parsed := _parse(text)).get("NAME")]
    # A superior is named by any of its names, or by its OID.
    raw = {name.casefold(): parsed for parsed in found for name in (*parsed["NAME"], *parsed[_OID])}
    for parsed in found:
        item = _attribute(parsed, raw)
        for name in parsed["NAME"]:
            schema.attributes[name.casefold()] = item
    for text in object_classes:
        parsed = _parse(text)
        if not parsed.get("NAME"):
            continue
        kind = next((word for word in ("ABSTRACT", "AUXILIARY") if word in parsed), "STRUCTURAL")
        one = ObjectClass(
            name=parsed["NAME"][0],
            kind=kind,
            superiors=tuple(parsed.get("SUP", ())),
            must=tuple(parsed.get("MUST", ())),
            may=tuple(parsed.get("MAY", ())),
        )
        for name in parsed["NAME"]:
            schema.classes[name.casefold()] = one
    return schema


def _attribute(parsed: Mapping[str, list[str]], raw: Mapping[str, Mapping[str, list[str]]]) -> AttributeType:
    def inherited(word: str) -> str:
        seen: Mapping[str, list[str]] | None = parsed
        for _step in range(20):
            if seen is None:
                return ""
            if seen.get(word):
                return seen[word][0]
            seen = raw.get(seen["SUP"][0].casefold()) if seen.get("SUP") else None
        return ""

    usage = parsed.get("USAGE", ["userApplications"])[0]
    return AttributeType(
        name=parsed["NAME"][0],
        names=tuple(parsed["NAME"]),
        syntax=inherited("SYNTAX").partition("{")[0],
        single="SINGLE-VALUE" in parsed,
        writable="NO-USER-MODIFICATION" not in parsed,
        operational=usage != "userApplications",
        equality=inherited("EQUALITY"),
        ordering=inherited("ORDERING"),
    )


_OID = "OID"
_FLAGS = frozenset(
    {"SINGLE-VALUE", "NO-USER-MODIFICATION", "COLLECTIVE", "OBSOLETE", "ABSTRACT", "STRUCTURAL", "AUXILIARY"}
)


def _parse(text: str) -> dict[str, list[str]]:
    """Give the parts of a description by their keyword; flags have an empty list."""
    tokens = list(_tokens(text))
    parts: dict[str, list[str]] = {_OID: [word for _kind, word in tokens[1:2]]}
    position = 2  # after the bracket and the OID
    while position < len(tokens):
        kind, word = tokens[position]
        position += 1
        if kind != "word" or word == ")":
            continue
        if word in _FLAGS:
            parts[word] = []
            continue
        values: list[str] = []
        if position < len(tokens) and tokens[position] == ("mark", "("):
            position += 1
            while position < len(tokens) and tokens[position] != ("mark", ")"):
                if tokens[position][0] != "mark":
                    values.append(tokens[position][1])
                position += 1
            position += 1
        elif position < len(tokens) and tokens[position][0] != "mark":
            values.append(tokens[position][1])
            position += 1
        parts[word] = values
    return parts


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for quoted, mark, word in _TOKEN.findall(text):
        if mark:
            yield "mark", mark
        elif word:
            yield "word", word
        else:
            yield "quoted", quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """What Active Directory's subschema does not say of an attribute (MS-ADTS 3.1.1.2.3).

    It may hold security identifiers, be made up by the server when it is asked for (back links, constructed ones), and
    have a greatest length.
    """

    name: str
    is_sid: bool = False
    is_made_up: bool = False
    max_length: int | None = None


def refine(schema: Schema, details: Iterable[Detail]) -> None:
    """Put details of attributes into the schema."""
    for detail in details:
        item = schema.attribute(detail.name)
        if item is None:
            continue
        new = replace(
            item,
            syntax=SID_SYNTAX if detail.is_sid else item.syntax,
            writable=item.writable and not detail.is_made_up,
            max_length=detail.max_length,
        )
        for name in item.names:
            schema.attributes[name.casefold()] = new


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """How the attributes of one kind of directory differ from what their syntax says, by folded name."""

    case_sensitive_by_rule: bool = True
    accent_sensitive: bool = True
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, t.Any]] = field(default_factory=dict)


def field_of(item: AttributeType, traits: Traits) -> FieldInfo:
    """Give what the attribute type means as a field."""
    folded = item.name.casefold()
    kind = traits.kinds.get(folded) or _KINDS.get(item.syntax, "text")
    exact = traits.case_sensitive_by_rule and item.equality.casefold().startswith(("caseexact", "octetstring"))
    family = next((names for names in _FAMILIES if folded in {name.casefold() for name in names}), ())
    info = FieldInfo(
        name=item.name,
        kind=kind,
        type_name=_type_name(item, kind),
        timezone=kind == "datetime",
        empty_is_null=True,
        max_length=item.max_length if kind in ("text", "binary") else None,
        writable=item.writable,
        case_sensitive=kind != "text" or exact,
        accent_sensitive=kind != "text" or traits.accent_sensitive,
        multi_valued=not item.single,
        secret=folded in SECRETS,
        unique_with=tuple(name for name in family if name.casefold() != folded),
    )
    return replace(info, **traits.limits.get(folded, {}))


def _type_name(item: AttributeType, kind: Kind) -> str:
    if kind == "datetime" and item.syntax == f"{_LDAP}53":
        return UTC_TIME
    return item.syntax.removeprefix(_LDAP) if kind == "text" else kind
