# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that several modules share, as parts of an argument spec; `job_arguments` has those of a job.

Each function imports what it needs: a module starts for one noun.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import env_fallback

Arguments: t.TypeAlias = dict[str, t.Any]


def store_arguments() -> Arguments:
    """Give the options that say where the state store is; every module has them."""
    return {
        "store": {"type": "str", "fallback": (env_fallback, ["LOCKSTEP_STORE"])},
        "store_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["LOCKSTEP_STORE_PASSWORD"])},
        "store_key_file": {"type": "path", "no_log": False, "fallback": (env_fallback, ["LOCKSTEP_STORE_KEY_FILE"])},
    }


def declaring_arguments() -> Arguments:
    """Give the options of one declaration."""
    return {
        "name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "new_name": {"type": "str"},
        "force": {"type": "bool", "default": False},
    }


def with_bulk(plural: str, one: Arguments, **rules: t.Any) -> Arguments:
    """Give the spec of a module that takes one declaration, with the options `one`, or a list of them under `plural`.

    Args:
        plural: the name of the list.
        one: the options of one declaration.
        rules: rules of AnsibleModule for one declaration, such as `mutually_exclusive`.
    """
    entry = {**one, "name": {"type": "str", "required": True}}
    bulk = {plural: {"type": "list", "elements": "dict", "options": entry, **rules}}
    exclusive = [[option, plural] for option in one if "default" not in one[option]]
    return {
        **rules,
        "argument_spec": {**one, **bulk},
        "mutually_exclusive": [*rules.get("mutually_exclusive", ()), *exclusive],
        "required_one_of": [["name", plural]],
    }


def workflow_arguments() -> Arguments:
    """Give the options of a workflow; those not given keep what they are."""
    from .._model.workflows import WORKFLOW_ACTIONS

    names: Arguments = {"type": "list", "elements": "str"}
    return {
        "description": {"type": "str"},
        "jobs": names,
        "object_types": names,
        "actions": {**names, "choices": list(WORKFLOW_ACTIONS)},
        "fields": names,
        "approvers": names,
        "quorum": {"type": "int"},
        "schedules": {"type": "bool"},
        "expires_after": {"type": "str"},
    }


def notify_arguments() -> Arguments:
    """Give the options by which a job or another user of a notification names it."""
    from .._model.notifications import SEND

    return {
        "notification": {"type": "str"},
        "notify": {
            "type": "dict",
            "options": {
                "recipients": {"type": "list", "elements": "str"},
                "send": {"type": "str", "choices": list(SEND)},
            },
        },
    }


def notification_arguments() -> Arguments:
    """Give the options of a notification; those not given keep what they are."""
    from .._model.notifications import SECURITY, SEND

    return {
        "description": {"type": "str"},
        "enabled": {"type": "bool"},
        "recipients": {"type": "list", "elements": "str"},
        "send": {"type": "str", "choices": list(SEND)},
        "smtp": {
            "type": "dict",
            "options": {
                "host": {"type": "str", "required": True},
                "port": {"type": "int"},
                "security": {"type": "str", "choices": list(SECURITY), "default": "starttls"},
                "username": {"type": "str"},
                **secret_arguments("password"),
                "sender": {"type": "str", "required": True},
                "timeout": {"type": "float", "default": 20},
                "ca_cert": {"type": "path"},
                "cert_validation": {"type": "str", "choices": ["always", "ignore"], "default": "always"},
            },
            "mutually_exclusive": [["password", "password_from"]],
        },
        "apprise": {
            "type": "dict",
            "options": secret_arguments("urls"),
            "mutually_exclusive": [["urls", "urls_from"]],
        },
    }


def collection_arguments() -> Arguments:
    """Give the options of a job collection; those not given keep what they are."""
    from .._model.collections import ON_FAILURE

    return {
        "description": {"type": "str"},
        "owners": {"type": "list", "elements": "str"},
        "enabled": {"type": "bool"},
        "template": {"type": "str"},
        "jobs": {
            "type": "list",
            "elements": "dict",
            "options": {
                "job": {"type": "str", "required": True},
                "on_failure": {"type": "str", "choices": list(ON_FAILURE), "default": "abort"},
            },
        },
        "parallel": {"type": "int"},
        "smart_groups": {"type": "list", "elements": "str"},
        "schedule": {"type": "str"},
        "notification": {"type": "str"},
    }


def collection_template_arguments() -> Arguments:
    """Give the options of a collection template."""
    left_out = ("template", "schedule", "notification", "smart_groups")
    options = {name: each for name, each in collection_arguments().items() if name not in left_out}
    return {
        "description": {"type": "str"},
        "from_collection": {"type": "str"},
        "definition": {"type": "dict", "options": options},
    }


def provider_arguments() -> Arguments:
    """Give the types of provider, each with its options."""
    return {
        "csv": {
            "type": "dict",
            "options": {
                "path": {"type": "path", "required": True},
                "delimiter": {"type": "str", "default": ","},
                "quote": {"type": "str", "default": '"'},
                "encoding": {"type": "str", "default": "utf-8"},
                "header": {"type": "bool", "default": True},
                "fields": {"type": "list", "elements": "str"},
            },
        },
        "excel": {"type": "dict", "options": {"path": {"type": "path", "required": True}}},
        "sql": {
            "type": "dict",
            "options": {
                "url": {"type": "str", "required": True},
                "username": {"type": "str"},
                **secret_arguments("password"),
            },
            "mutually_exclusive": [["password", "password_from"]],
        },
        "ldap": _directory(
            bind_dn={"type": "str"},
            auth={"type": "str", "choices": ["simple", "external", "anonymous"], "default": "simple"},
        ),
        "active_directory": _directory(username={"type": "str", "required": True}),
    }


def _directory(**own: t.Any) -> Arguments:
    return {
        "type": "dict",
        "options": {
            "url": {"type": "list", "elements": "str", "required": True},
            **own,
            **secret_arguments("password"),
            "base_dn": {"type": "str"},
            "start_tls": {"type": "bool", "default": False},
            "ca_cert": {"type": "path"},
            "cert_validation": {"type": "str", "choices": ["always", "ignore"], "default": "always"},
            "page_size": {"type": "int", "default": 1000},
            "timeout": {"type": "float", "default": 30},
        },
        "mutually_exclusive": [["password", "password_from"]],
    }


def secret_arguments(option: str) -> Arguments:
    """Give a secret option and its twin, the reference to it."""
    reference = {"env": {"type": "str"}, "file": {"type": "path"}}
    return {
        option: {"type": "str", "no_log": True},
        f"{option}_from": {
            "type": "dict",
            "no_log": False,
            "options": reference,
            "mutually_exclusive": [["env", "file"]],
            "required_one_of": [["env", "file"]],
        },
    }
