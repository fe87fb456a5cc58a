# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of `notification` and `notification_info`."""

from __future__ import annotations

import typing as t

from .._operations.notifications import declare_notifications, list_notifications
from .declaring import declared_result
from .frame import Call, Result
from .listing import listed_result
from .requests import entries, notification_request

if t.TYPE_CHECKING:
    from .._operations.delivering import Post


def declare(call: Call) -> Result:
    """Carry out the declarations of notifications."""
    declared = declare_notifications(
        call.store, [notification_request(entry) for entry in entries(call.params, "notifications")]
    )
    return declared_result("notification", declared, bulk=call.params["notifications"] is not None, check=call.check)


def find(call: Call) -> Result:
    """List the notifications that the task asks for, and try whether their mails arrive."""
    test = _post(call) if call.params["test"] else None
    found = list_notifications(call.store, call.params["name"], test=test, send=not call.check)
    return listed_result("notification", found, bulky=("outbox",))


def _post(call: Call) -> Post:
    """Give what sending needs; few tasks do, and it takes all that runs jobs."""
    from .._running.telling import post_of
    from .running import runtime_of

    return post_of(runtime_of(call, "notification_info"))
