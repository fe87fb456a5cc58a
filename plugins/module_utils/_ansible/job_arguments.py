# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a job as parts of an argument spec.

What keeps its stored value when it is not given has no default here, nor has what an object takes from its job.
"""

from __future__ import annotations

import typing as t

from .arguments import Arguments, notify_arguments


def job_arguments() -> Arguments:
    """Give the options of a job."""
    return {
        "copy_of": {"type": "str"},
        "template": {"type": "str"},
        "description": {"type": "str"},
        "owners": {"type": "list", "elements": "str"},
        "enabled": {"type": "bool"},
        "quarantined": {"type": "bool"},
        "source": _source({"provider": {"type": "str", "required": True}}),
        "destination": _destination(
            {"provider": {"type": "str", "required": True}}, {"replace_file": {"type": "bool", "default": False}}
        ),
        **_missing(),
        "objects": {"type": "list", "elements": "dict", "options": _object_arguments()},
        "changed_only": {
            "type": "dict",
            "options": {"field": {"type": "str"}, "proof": {"type": "bool", "default": False}},
        },
        "limits": {"type": "dict", "options": _limit_arguments()},
        "protect": {"type": "str"},
        "create_containers": {"type": "bool"},
        "smart_groups": {"type": "list", "elements": "str"},
        "schedule": {"type": "str"},
        "allow_circular": {"type": "bool"},
        "on_error": {
            "type": "dict",
            "options": {"retries": {"type": "int", "default": 0}, "delay": {"type": "float", "default": 60}},
        },
        **notify_arguments(),
    }


def template_arguments() -> Arguments:
    """Give the options of a job template's definition: those of a job without names and providers."""
    left_out = ("copy_of", "template", "smart_groups", "schedule", "quarantined", "notification", "notify")
    options = {name: option for name, option in job_arguments().items() if name not in left_out}
    options["source"] = _source({})
    options["destination"] = _destination({}, {"replace_file": {"type": "bool", "default": False}})
    return options


def smart_group_arguments() -> Arguments:
    """Give the options of a smart group."""
    return {
        "provider": {"type": "str"},
        "group": {"type": "str"},
        "filter": {"type": "str"},
        "container": {"type": "str"},
        "limits": {
            "type": "dict",
            "options": {
                "member_removals": {"type": "str", "default": "50% above 10"},
                "min_members": {"type": "int", "default": 1},
            },
        },
    }


def _source(first: Arguments) -> Arguments:
    places = {"table": {"type": "str"}, "query": {"type": "str"}, "sheet": {"type": "str"}}
    return {"type": "dict", "options": {**first, **places, **_container()}, "mutually_exclusive": [list(places)]}


def _destination(first: Arguments, last: Arguments) -> Arguments:
    places = {"table": {"type": "str"}, "sheet": {"type": "str"}}
    options = {**first, **places, **_container(), **last}
    return {"type": "dict", "options": options, "mutually_exclusive": [list(places)]}


def _container() -> Arguments:
    """Give where records lie in a directory. No defaults: what an object does not give is its job's."""
    return {
        "container": {"type": "str"},
        "include_subcontainers": {"type": "bool"},
        "filter": {"type": "str"},
    }


def _on_disable() -> Arguments:
    return {
        "type": "dict",
        "options": {
            "move_to": {"type": "str"},
            "strip_groups": {"type": "bool"},
            "stamp": {"type": "dict"},
            "delete_after_days": {"type": "int"},
        },
    }


def _missing() -> Arguments:
    return {
        "missing_at_destination": {"type": "str", "choices": ["create", "skip"]},
        "missing_at_source": {"type": "str", "choices": ["skip", "delete", "disable"]},
        "on_disable": _on_disable(),
    }


def _limit_arguments() -> Arguments:
    return {
        "creates": {"type": "str"},
        "updates": {"type": "str"},
        "moves": {"type": "str"},
        "disables": {"type": "str", "default": "10% above 10"},
        "deletes": {"type": "str", "default": "10% above 10"},
        "member_removals": {"type": "str", "default": "50% above 10"},
        "min_source_records": {"type": "str", "default": "1"},
        "source_drop": {"type": "str"},
    }


def _object_arguments() -> Arguments:
    return {
        "name": {"type": "str"},
        "type": {"type": "str", "default": "row"},
        "object_classes": {"type": "list", "elements": "str"},
        "source": _source({}),
        "destination": _destination({}, {}),
        "when": {"type": "str"},
        **_missing(),
        "create_in": {
            "type": "dict",
            "options": {"container": {"type": "str"}, "field": {"type": "str"}, "expression": {"type": "str"}},
            "mutually_exclusive": [["container", "field", "expression"]],
            "required_one_of": [["container", "field", "expression"]],
        },
        "move": {"type": "bool", "default": False},
        "rdn": {"type": "str"},
        "fields": {"type": "list", "elements": "dict", "required": True, "options": _field_arguments()},
    }


def _field_arguments() -> Arguments:
    steps = _step_arguments()
    return {
        "name": {"type": "str", "required": True},
        "source": {"type": "str"},
        "key": {"type": "bool", "default": False, "no_log": False},
        "new_only": {"type": "bool", "default": False},
        "delimiter": {"type": "str"},
        "values": {"type": "str", "choices": ["replace", "merge"], "default": "replace"},
        "when_empty": {"type": "str", "choices": ["clear", "keep"], "default": "clear"},
        "stamp": {"type": "bool", "default": False},
        "transform": {
            "type": "list",
            "elements": "dict",
            # That an entry has exactly one step is checked where the object and field can be named.
            "options": steps,
        },
    }


def _step_arguments() -> Arguments:
    """Give the steps; each entry of `transform` has exactly one of them."""
    return {
        "static": {"type": "str"},
        "join": _options(
            fields={"type": "list", "elements": "str", "required": True}, separator={"type": "str", "default": " "}
        ),
        "left": _options(field={"type": "str"}, length={"type": "int", "required": True}),
        "right": _options(field={"type": "str"}, length={"type": "int", "required": True}),
        "substring": _options(
            field={"type": "str"}, start={"type": "int", "required": True}, length={"type": "int", "required": True}
        ),
        "case": {"type": "str", "choices": ["lower", "upper", "title"]},
        "trim": {"type": "bool", "choices": [True]},
        "replace": _options(pattern={"type": "str", "required": True}, **{"with": {"type": "str", "default": ""}}),
        "map": _options(values={"type": "dict", "required": True}, default={"type": "str"}),
        "split": _options(separator={"type": "str", "required": True}, index={"type": "int"}),
        "date": _options(**{"from": {"type": "str", "required": True}}, to={"type": "str", "required": True}),
        "ascii": {"type": "bool", "choices": [True]},
        "pad": _options(
            length={"type": "int", "required": True},
            **{"with": {"type": "str", "default": " "}},
            side={"type": "str", "choices": ["left", "right"], "default": "left"},
        ),
        "default": {"type": "str"},
        "unique": _options(
            pattern={"type": "str", "default": "{value}{n}"},
            start={"type": "int", "default": 2},
            max_length={"type": "int"},
        ),
        "resolve": _options(
            match={"type": "str", "required": True},
            field={"type": "str"},
            container={"type": "str"},
            filter={"type": "str"},
        ),
        "password": {**_options(**_password_rule()), "no_log": False},
        "expression": {"type": "str"},
        "function": {"type": "str"},
    }


def _password_rule() -> Arguments:
    return {
        "per": {"type": "str", "choices": ["object", "job"], "default": "object"},
        "length": {"type": "int", "default": 16},
        "upper": {"type": "bool", "default": True},
        "lower": {"type": "bool", "default": True},
        "digits": {"type": "bool", "default": True},
        "special": {"type": "str", "default": "!#$%&*+-=?@_"},
        "no_repeat_special": {"type": "bool", "default": False},
        "exclude_similar": {"type": "bool", "default": True},
    }


def _options(**options: t.Any) -> Arguments:
    return {"type": "dict", "options": options}
