# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of `schedule` and `schedule_info`."""

from __future__ import annotations

from .._model.schedules import MISSED_POLICIES, OVERLAPS
from .._model.triggers import TRIGGER_TYPES, WEEKDAYS
from .._operations.schedules import declare_schedules, list_schedules
from .arguments import Arguments
from .declaring import declared_result
from .frame import Call, Result
from .listing import listed_result
from .requests import entries, schedule_request


def schedule_arguments() -> Arguments:
    """Give the options of a schedule; those not given keep what they are."""
    names: Arguments = {"type": "list", "elements": "str"}
    return {
        "description": {"type": "str"},
        "enabled": {"type": "bool"},
        "jobs": names,
        "collections": names,
        "timezone": {"type": "str"},
        "triggers": {"type": "list", "elements": "dict", "options": _trigger_arguments()},
        "max_duration": {"type": "str"},
        "missed": {
            "type": "dict",
            "options": {
                "policy": {"type": "str", "choices": list(MISSED_POLICIES), "default": "run_once"},
                "grace": {"type": "str", "default": "6h"},
            },
        },
        "overlap": {"type": "str", "choices": list(OVERLAPS)},
        "notification": {"type": "str"},
    }


def _trigger_arguments() -> Arguments:
    numbers: Arguments = {"type": "list", "elements": "int"}
    return {
        "type": {"type": "str", "required": True, "choices": list(TRIGGER_TYPES)},
        "enabled": {"type": "bool", "default": True},
        "at": {"type": "str"},
        "every": {"type": "int"},
        "weekdays": {"type": "list", "elements": "str", "choices": list(WEEKDAYS)},
        "days_of_month": numbers,
        "week_of_month": {"type": "int", "choices": [1, 2, 3, 4, 5, -1, -2, -3, -4, -5]},
        "months": numbers,
        "repeat": {
            "type": "dict",
            "options": {"every": {"type": "str", "required": True}, "for": {"type": "str", "required": True}},
        },
        "until": {"type": "str"},
        "delay": {"type": "str"},
    }


def declare(call: Call) -> Result:
    """Carry out the declarations of schedules."""
    requests = [schedule_request(entry) for entry in entries(call.params, "schedules")]
    declared = declare_schedules(call.store, requests, now=call.clock())
    return declared_result("schedule", declared, bulk=call.params["schedules"] is not None, check=call.check)


def find(call: Call) -> Result:
    """List the schedules that the task asks for."""
    found = list_schedules(call.store, call.params["name"], now=call.clock())
    return listed_result("schedule", found, bulky=("occurrences",))
