#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workflow
short_description: Declare which runs need whose approval
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a workflow. A run whose plan falls under it is not executed; its sealed plan is kept, and a request asks for approval.
  - A plan falls under it when at least one change that would be applied matches all of O(jobs), O(object_types), O(actions) and O(fields).
    A run can fall under several workflows; then each asks, and all must be satisfied.
  - Scheduled runs are covered, too. Nothing is ever approved by itself, and nobody approves what they asked for.
  - On SQLite (and whenever everybody uses one database account) approval is advisory. On PostgreSQL a set of roles enforces it in the database;
    the guide on approvals of this collection has them.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: The name of the workflow. Exactly one of O(name) and O(workflows) is given.
    type: str
  state:
    description: Whether the workflow should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the workflow. Requests keep the name they were made with.
    type: str
  force:
    description: With O(state=absent), deletes the workflow although requests of it are open; these expire.
    type: bool
    default: false
  description:
    description: What it is for.
    type: str
  jobs:
    description: Only runs of these jobs. They must exist, and follow when a job is renamed. An empty list stands for all jobs.
    type: list
    elements: str
  object_types:
    description:
      - Only changes of objects of these types, such as V(row), V(user) or V(inetOrgPerson). Smart groups are of type V(group).
      - An empty list stands for all types.
    type: list
    elements: str
  actions:
    description:
      - Only these kinds of change. A change of references or of a record's groups is an V(update), a new container a V(create).
      - An empty list stands for all.
    type: list
    elements: str
    choices: [create, update, move, rename, disable, delete]
  fields:
    description: Only changes that write one of these destination fields, and every deletion. An empty list stands for all fields.
    type: list
    elements: str
  approvers:
    description:
      - Who may approve and deny, by the names that O(lockstep.sync.request#module:approver) describes.
      - An empty list stands for everybody but the requester.
    type: list
    elements: str
  quorum:
    description: How many different people must approve; V(1) unless it is given.
    type: int
  schedules:
    description: Whether scheduled runs need approval, too; V(true) unless it is given.
    type: bool
  expires_after:
    description: How long a request can be approved and executed, for example V(12h); V(7d) unless it is given.
    type: str
  workflows:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the workflow.
        type: str
        required: true
      state:
        description: Whether the workflow should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the workflow.
        type: str
      force:
        description: With C(state=absent), deletes the workflow although requests of it are open; these expire.
        type: bool
        default: false
      description:
        description: What it is for.
        type: str
      jobs:
        description: Only runs of these jobs. They must exist, and follow when a job is renamed. An empty list stands for all jobs.
        type: list
        elements: str
      object_types:
        description:
          - Only changes of objects of these types, such as V(row), V(user) or V(inetOrgPerson). Smart groups are of type V(group).
          - An empty list stands for all types.
        type: list
        elements: str
      actions:
        description:
          - Only these kinds of change. A change of references or of a record's groups is an V(update), a new container a V(create).
          - An empty list stands for all.
        type: list
        elements: str
        choices: [create, update, move, rename, disable, delete]
      fields:
        description: Only changes that write one of these destination fields, and every deletion. An empty list stands for all fields.
        type: list
        elements: str
      approvers:
        description:
          - Who may approve and deny, by the names that O(lockstep.sync.request#module:approver) describes.
          - An empty list stands for everybody but the requester.
        type: list
        elements: str
      quorum:
        description: How many different people must approve; V(1) unless it is given.
        type: int
      schedules:
        description: Whether scheduled runs need approval, too; V(true) unless it is given.
        type: bool
      expires_after:
        description: How long a request can be approved and executed, for example V(12h); V(7d) unless it is given.
        type: str
seealso:
  - module: lockstep.sync.workflow_info
  - module: lockstep.sync.request
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: Let two people look at every deletion and every disabled account
  lockstep.sync.workflow:
    name: leavers
    actions: [delete, disable]
    approvers: [ann, bob, cy]
    quorum: 2

- name: Let somebody else look at changes of titles in one job
  lockstep.sync.workflow:
    name: titles
    jobs: [hr-to-ad]
    object_types: [user]
    fields: [title, department]
    schedules: false
    expires_after: 2d

- name: Delete a workflow that has no open request
  lockstep.sync.workflow:
    name: titles
    state: absent
"""

RETURN = r"""
workflow:
  description: The workflow afterwards, with all defaults filled in; none when it does not exist.
  returned: success, when O(workflows) is not given
  type: dict
  sample:
    name: deletes
    description: ""
    jobs: []
    object_types: []
    actions: [delete]
    fields: []
    approvers: [ann, bob]
    quorum: 1
    schedules: true
    expires_after: 7d
workflows:
  description: What became of each declaration.
  returned: success, when O(workflows) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: deletes
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the workflow was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
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
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The workflow 'leavers' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.approvals import declare
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    declaring_arguments,
    with_bulk,
    workflow_arguments,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module


def main() -> None:
    """Run as an Ansible module."""
    run_module(with_bulk("workflows", {**declaring_arguments(), **workflow_arguments()}), declare)


if __name__ == "__main__":
    main()
