#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: request
short_description: Approve or deny what a run asked for, and execute it
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Decides a request that M(lockstep.sync.run) made because its plan fell under a workflow. M(lockstep.sync.request_info) shows it with its plan.
  - When nothing else is missing, exactly the sealed plan is executed. Objects that moved on since are skipped and reported.
  - Who asked for the run cannot approve it. One person counts once, whatever is asked of how many.
  - A plan that several workflows ask for is executed when all its requests are approved, and never when one of them is denied or expires.
  - Each decision is kept with person, time and reason, and with a code that only a holder of the store's key can make.
  - On SQLite (and whenever everybody uses one database account) approval is advisory. On PostgreSQL a set of roles enforces it in the database;
    the guide on approvals of this collection has them.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
attributes:
  check_mode:
    support: full
    details: Says what would become of the request, and previews the plan when it would be executed.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: Deciding the same again changes nothing. A plan is executed once.
options:
  id:
    description: The number of the request.
    type: int
    required: true
  state:
    description:
      - V(approved) lets the plan be executed when enough people have approved.
      - V(denied) ends it at once; the plan can never be executed.
    type: str
    required: true
    choices: [approved, denied]
  approver:
    description:
      - Who decides. In AWX give V({{ awx_user_name }}).
      - Else it is the database role of a state store on a server, and for a SQLite file the user who runs Ansible.
      - Names that differ only in case are one person.
    type: str
  reason:
    description: Why. Needed with O(state=denied).
    type: str
  execute:
    description: Execute the plan at once when no approval is missing any more. Else O(lockstep.sync.run#module:request) executes it.
    type: bool
    default: true
seealso:
  - module: lockstep.sync.request_info
  - module: lockstep.sync.run
  - module: lockstep.sync.workflow
"""

EXAMPLES = r"""
- name: Approve, and execute the plan when no other approval is missing
  lockstep.sync.request:
    id: 5
    state: approved
    reason: Checked with HR

- name: Approve in AWX, as the user who started the job template
  lockstep.sync.request:
    id: "{{ request_id }}"
    state: approved
    approver: "{{ awx_user_name }}"

- name: Approve, and leave the execution to the next task
  lockstep.sync.request:
    id: 5
    state: approved
    execute: false

- name: Execute it
  lockstep.sync.run:
    request: 5

- name: Deny
  lockstep.sync.request:
    id: 6
    state: denied
    reason: These people are on leave, not gone
"""

RETURN = r"""
request:
  description: The request afterwards.
  returned: success
  type: dict
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
      description: How many different people must approve. This and RV(request.approvers) are as the workflow said when the request was made.
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
      description: Which of RV(request.approvers) can still approve.
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
run:
  description: The run that executed the plan, as in RV(lockstep.sync.run#module:run). In check mode its preview.
  returned: when the plan was executed
  type: dict
  sample:
    id: 43
    status: succeeded
ansible_facts:
  description: The run as a fact, as M(lockstep.sync.run) gives it.
  returned: when the plan was executed
  type: dict
  contains:
    lockstep_runs:
      description: The job's name with RV(run).
      returned: always
      type: dict
      sample:
        hr-to-table:
          id: 43
          status: succeeded
ansible_stats:
  description: Status and counts of the run, which AWX shows as artifacts, as M(lockstep.sync.run) gives them.
  returned: when the plan was executed
  type: dict
  sample:
    data:
      lockstep_hr-to-table:
        id: 43
        status: succeeded
    per_host: false
    aggregate: false
error:
  description: What kind of error made the task fail.
  returned: failure, when the request was not decided or not executed
  type: dict
  contains:
    code:
      description: A stable word, such as V(config) or V(store).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: "Request 5 of job 'hr-to-table' was approved by 'bob'. It still waits for 1 of 'cy'."
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.approvals import request, request_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module


def main() -> None:
    """Run as an Ansible module."""
    run_module(request_arguments(), request)


if __name__ == "__main__":
    main()
