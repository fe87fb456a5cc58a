# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a job that only directories know, between plain data and `ObjectSpec`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .dn import canonical_dn
from .errors import ConfigError
from .jobs import CreateIn, ObjectSpec, OnDisable
from .sections import Section, as_text

OBJECT_OPTIONS = ("object_classes", "create_in", "move", "rdn", "on_disable")
JOB_OPTIONS = ("on_disable", "create_containers", "protect")
CREATE_IN = ("container", "field", "expression")
ON_DISABLE = ("move_to", "strip_groups", "stamp", "delete_after_days")


def read_container(section: Section, name: str) -> str | None:
    """Give the DN of option `name` in canonical spelling, None when it is not given. Raises ConfigError."""
    text = section.optional_text(name)
    if text is None:
        return None
    try:
        return canonical_dn(text)
    except ValueError as error:
        raise ConfigError(f"{section.place}: `{name}` must be a distinguished name: {error}") from None


def read_filter(section: Section, name: str) -> str | None:
    """Give the RFC 4515 filter of option `name`. Only its outer form is checked here. Raises ConfigError."""
    text = section.text(name).strip()
    if not text:
        return None
    plain = text.replace("\\28", "").replace("\\29", "")
    if not (plain.startswith("(") and plain.endswith(")")) or plain.count("(") != plain.count(")"):
        raise section.wrong(name, "an LDAP filter in brackets, such as (&(objectClass=person)(mail=*))")
    return text


def read_on_disable(section: Section) -> OnDisable | None:
    """Give `on_disable`, None when nothing is given. Raises ConfigError."""
    if not section.given:
        return None
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


def read_object(item: Section, spec: ObjectSpec, inherited: OnDisable | None) -> dict[str, t.Any]:
    """Give the directory options of one object as the arguments of `ObjectSpec`. Raises ConfigError.

    `spec` has everything else; `inherited` is the job's own `on_disable`.
    """
    on_disable = read_on_disable(item.section("on_disable", ON_DISABLE)) or inherited
    if on_disable is not None and spec.missing_at_source != "disable":
        raise ConfigError(
            f"{item.place}: `on_disable` says how to disable, but `missing_at_source` is {spec.missing_at_source!r}. "
            "Set `missing_at_source: disable`, or leave `on_disable` out."
        )
    create_in = _read_create_in(item.section("create_in", CREATE_IN)) if "create_in" in item.given else None
    move = item.flag("move", False)
    if move and create_in is None:
        raise ConfigError(f"{item.place}: `move: true` needs `create_in`, which says where records belong.")
    return {
        "object_classes": item.texts("object_classes"),
        "create_in": create_in,
        "move": move,
        "rdn": item.optional_text("rdn"),
        "on_disable": on_disable or OnDisable(),
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
    if spec.move or (full and spec.create_in is not None):
        plain["move"] = spec.move
    return plain


def on_disable_to_plain(spec: OnDisable) -> dict[str, t.Any] | None:
    """Give `on_disable` in its plain form, None when it says nothing."""
    plain = _given(spec, ("move_to", "delete_after_days"))
    if spec.strip_groups:
        plain["strip_groups"] = True
    if spec.stamp:
        plain["stamp"] = {name: text or "" for name, text in spec.stamp.items()}
    return {name: plain[name] for name in ON_DISABLE if name in plain} or None


def _given(data: object, names: tuple[str, ...]) -> dict[str, t.Any]:
    return {name: value for name in names if (value := getattr(data, name)) is not None}
