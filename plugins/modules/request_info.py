#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: request_info
short_description: List requests, and show what one is about
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists requests, the newest first, each with everything that happened to it and who may still approve.
  - Of one also the changes of its sealed plan, page by page. Exactly these are executed when it is approved.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  id:
    description: Only the request with this number, with its changes. Fails when there is none.
    type: int
  job:
    description: Only requests of the job that has this name, or had it when it was deleted.
    type: str
  status:
    description: Only requests with this status.
    type: str
    choices: [pending, approved, denied, executed, expired]
  offset:
    description: Leave out so many requests, or with O(id) so many changes.
    type: int
    default: 0
  limit:
    description: Give at most so many requests, or with O(id) so many changes.
    type: int
    default: 100
seealso:
  - module: lockstep.sync.request
  - module: lockstep.sync.plan_info
"""

EXAMPLES = r"""
- name: List what waits for approval
  lockstep.sync.request_info:
    status: pending

- name: Show one request with its changes
  lockstep.sync.request_info:
    id: 5

- name: List the requests of one job
  lockstep.sync.request_info:
    job: hr-to-table
    limit: 10
"""

RETURN = r"""
requests:
  description: The requests, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The number of the request.
      returned: always
      type: int
      sample: 5
    job:
      description: The job's name now, or when it was deleted.
      returned: always
      type: str
      sample: hr-to-table
    workflow:
      description: The workflow that asked, by the name it had then.
      returned: always
      type: str
      sample: leavers
    status:
      description: V(pending), V(approved), V(denied), V(executed) or V(expired). An approved one waits to be executed.
      returned: always
      type: str
      sample: pending
    requester:
      description: Who asked for the run.
      returned: always
      type: str
      sample: ann
    requester_role:
      description: The database role with which it was asked for; none for a SQLite file.
      returned: always
      type: str
      sample: null
    created:
      description: When it was made, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
    expires:
      description: From this time on it can neither be approved nor executed, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-28T03:00:00.000000+00:00"
    quorum:
      description: How many different people must approve. This and RV(requests[].approvers) are as the workflow said when the request was made.
      returned: always
      type: int
      sample: 2
    approvers:
      description: Who may decide; empty for everybody but the requester.
      returned: always
      type: list
      elements: str
      sample: [bob, cy]
    approved_by:
      description: Whose approval counts so far.
      returned: always
      type: list
      elements: str
      sample: [bob]
    may_approve:
      description: Which of RV(requests[].approvers) can still approve.
      returned: always
      type: list
      elements: str
      sample: [cy]
    accepted:
      description: The guards that were accepted for the run; the request is about the changes that they held, too.
      returned: always
      type: list
      elements: str
      sample: []
    plan:
      description: The number of the kept plan, for M(lockstep.sync.plan_info).
      returned: always
      type: int
      sample: 7
    plan_digest:
      description: The digest that sealed the plan.
      returned: always
      type: str
      sample: 5d0b0e3f6a5f4f1c8a1f0c6c1ce0f4ad1d3a9ac6a1f0b1e7a9f8e2b6a7c4d1e0
    counts:
      description: How many changes of each action there are; in a list, those that guards hold are counted, too.
      returned: always
      type: dict
      sample: {create: 2, delete: 1}
    run:
      description: The run that asked.
      returned: always
      type: int
      sample: 42
    executed_by:
      description: The run that applied the plan; none while nobody did.
      returned: always
      type: int
      sample: null
    verified:
      description: Whether the request, its events and its plan are what was written. Nothing is ever executed by one that is not.
      returned: always
      type: bool
      sample: true
    problem:
      description: What is wrong with it, empty when it is verified.
      returned: always
      type: str
      sample: ""
    events:
      description: What happened to it, in order.
      returned: always
      type: list
      elements: dict
      contains:
        time:
          description: When, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-21T03:00:00.000000+00:00"
        event:
          description: V(created), V(approved), V(denied), V(expired) or V(executed).
          returned: always
          type: str
          sample: approved
        actor:
          description: Who did it.
          returned: always
          type: str
          sample: bob
        role:
          description: The database role that the store's server knew them by; none for a SQLite file.
          returned: always
          type: str
          sample: bob
        reason:
          description: The reason that was given.
          returned: always
          type: str
          sample: Checked with HR
        run:
          description: Of V(executed), the run that applied the plan.
          returned: always
          type: int
          sample: null
    changes:
      description: A page of the changes that the request is about, in the order in which they are applied.
      returned: with O(id)
      type: list
      elements: dict
      contains:
        object:
          description: The object's name.
          returned: always
          type: str
          sample: people
        action:
          description: What would be done.
          returned: always
          type: str
          sample: update
        key:
          description: The record's key; several parts are joined by C( + ).
          returned: always
          type: str
          sample: "1042"
        target:
          description: Where the record is, when it has a place beside its key.
          returned: always
          type: str
          sample: null
        fields:
          description: Each field with its value before and after.
          returned: always
          type: dict
          sample:
            mail:
              before: ann@example.com
              after: ann.lee@example.com
    changes_total:
      description: How many changes the request is about.
      returned: with O(id)
      type: int
      sample: 3
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config) or V(store).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says how many were found, or what is wrong and what to do.
  returned: always
  type: str
  sample: 1 request found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.approvals import (
    request_info,
    request_info_arguments,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module


def main() -> None:
    """Run as an Ansible module."""
    run_module(request_info_arguments(), request_info, reads_only=True)


if __name__ == "__main__":
    main()
