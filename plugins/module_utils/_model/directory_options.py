# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a job that only directories know, between plain data and `ObjectSpec`."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from .dn import canonical_dn
from .errors import ConfigError
from .jobs import CreateIn, ObjectSpec, OnDisable
from .sections import Section, as_text

OBJECT_OPTIONS = ("object_classes", "create_in", "move", "rdn", "on_disable")
JOB_OPTIONS = ("on_disable", "create_containers", "protect")
CREATE_IN = ("container", "field", "expression")
ON_DISABLE = ("move_to", "strip_groups", "stamp", "delete_after_days")
_NOTHING = OnDisable()


def read_container(section: Section, name: str) -> str | None:
    """Give the DN of option `name` in canonical spelling, None when it is not given. Raises ConfigError."""
    text = section.optional_text(name)
    if text is None:
        return None
    try:
        return canonical_dn(text) or None
    except ValueError as error:
        raise ConfigError(f"{section.place}: `{name}` must be a distinguished name: {error}") from None


def read_filter(section: Section, name: str) -> str | None:
    """Give the RFC 4515 filter of option `name`. Only its outer form is checked here. Raises ConfigError."""
    text = section.text(name).strip()
    if not text:
        return None
    if not is_filter(text):
        raise section.wrong(name, "an LDAP filter in brackets, such as (&(objectClass=person)(mail=*))")
    return text


def is_filter(text: str) -> bool:
    """Tell whether `text` has the outer form of a filter: its first bracket is closed by its last character. Brackets
    in values are escaped.
    """
    depth = 0
    for position, char in enumerate(text, start=1):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth <= 0:
            return position == len(text) and char == ")" and depth == 0
    return False


def own_place(given: Mapping[str, t.Any], place: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the options of an object's place that the object gives itself, in their normal form."""
    # A container or filter of blanks alone is none; a table may have such a name.
    blanks = {"container": " ", "filter": None}
    texts = {name: str(value) for name, value in given.items() if value is not None}
    own = {name for name, text in texts.items() if (text.strip(blanks[name]) if name in blanks else text)}
    plain = {name: value for name, value in place.items() if name in own}
    subtree = given.get("include_subcontainers")
    return plain | ({} if subtree is None else {"include_subcontainers": subtree})


def read_on_disable(owner: Section) -> OnDisable | None:
    """Give the `on_disable` of a job or object, None when it gives none. Raises ConfigError."""
    if "on_disable" not in owner.given:
        return None
    section = owner.section("on_disable", ON_DISABLE)
    stamp = section.given.get("stamp", {})
    if not isinstance(stamp, Mapping):
        raise section.wrong("stamp", "a mapping from field to text")
    texts: dict[str, str | None] = {}
    for name, value in stamp.items():
        text = as_text(value)
        if text is None:
            raise ConfigError(f"{section.place}, stamp: {name!r} must be text, got {value!r}.")
        texts[str(name)] = text or None
    return OnDisable(
        move_to=read_container(section, "move_to"),
        strip_groups=section.flag("strip_groups", False),
        stamp=texts,
        delete_after_days=section.optional_integer("delete_after_days", minimum=0),
    )


def check_on_disable(job: Section, objects: Iterable[ObjectSpec]) -> None:
    """Raise ConfigError when the job says how to disable, and none of its objects disables."""
    if read_on_disable(job) not in (None, _NOTHING) and all(spec.missing_at_source != "disable" for spec in objects):
        raise ConfigError(
            f"{job.place}: `on_disable` says how to disable, but no object has `missing_at_source: disable`. Set it, "
            "or give `on_disable: {}`."
        )


def read_object(item: Section, spec: ObjectSpec, job: Section) -> dict[str, t.Any]:
    """Give the directory options of one object as the arguments of `ObjectSpec`. Raises ConfigError.

    `spec` has everything else. An object's own `on_disable` stands instead of the job's as a whole, and the job's is
    only for objects that disable.
    """
    own = read_on_disable(item)
    disables = spec.missing_at_source == "disable"
    if own not in (None, _NOTHING) and not disables:
        raise ConfigError(
            f"{item.place}: `on_disable` says how to disable, but `missing_at_source` is {spec.missing_at_source!r}. "
            "Set `missing_at_source: disable`, or leave `on_disable` out."
        )
    on_disable = read_on_disable(job) if own is None and disables else own
    create_in = _read_create_in(item.section("create_in", CREATE_IN)) if "create_in" in item.given else None
    move = item.flag("move", False)
    if move and create_in is None:
        raise ConfigError(f"{item.place}: `move: true` needs `create_in`, which says where records belong.")
    return {
        "object_classes": item.texts("object_classes"),
        "create_in": create_in,
        "move": move,
        "rdn": item.optional_text("rdn"),
        "on_disable": on_disable or _NOTHING,
    }


def _read_create_in(section: Section) -> CreateIn:
    given = [name for name in CREATE_IN if section.optional_text(name) is not None]
    if len(given) != 1:
        got = ", ".join(map(repr, given)) or "none"
        raise ConfigError(f"{section.place}: give exactly one of {', '.join(map(repr, CREATE_IN))}; got {got}.")
    return CreateIn(
        container=read_container(section, "container"),
        field=section.optional_text("field"),
        expression=section.optional_text("expression"),
    )


def object_to_plain(spec: ObjectSpec, *, full: bool) -> dict[str, t.Any]:
    """Give the directory options of an object in their plain form; without `full` only those that say something."""
    plain: dict[str, t.Any] = {
        "object_classes": list(spec.object_classes) or None,
        "create_in": None if spec.create_in is None else _given(spec.create_in, CREATE_IN),
        "rdn": spec.rdn,
        "on_disable": on_disable_to_plain(spec.on_disable),
    }
    if full and spec.missing_at_source == "disable":
        plain["on_disable"] = own_on_disable(spec.on_disable)
    if spec.move or (full and spec.create_in is not None):
        plain["move"] = spec.move
    return plain


def job_on_disable(job: Section) -> dict[str, t.Any] | None:
    """Give the job's own `on_disable` in its plain form, None when it says nothing."""
    return on_disable_to_plain(read_on_disable(job) or _NOTHING)


def on_disable_to_plain(spec: OnDisable) -> dict[str, t.Any] | None:
    """Give `on_disable` in its plain form, None when it says nothing."""
    plain = _given(spec, ("move_to", "delete_after_days"))
    if spec.strip_groups:
        plain["strip_groups"] = True
    if spec.stamp:
        plain["stamp"] = {name: text or "" for name, text in spec.stamp.items()}
    return {name: plain[name] for name in ON_DISABLE if name in plain} or None


def own_on_disable(spec: OnDisable) -> dict[str, t.Any]:
    """Give the plain form of what an object gives itself. One that says nothing is written out: left out it would be
    the job's.
    """
    return on_disable_to_plain(spec) or {"strip_groups": False}


def _given(data: object, names: tuple[str, ...]) -> dict[str, t.Any]:
    return {name: value for name in names if (value := getattr(data, name)) is not None}
