#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_info
short_description: Read kept plans
version_added: 1.0.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists the plans that M(lockstep.sync.run) kept with O(lockstep.sync.run#module:keep_plan), the newest first; of one plan also its changes,
    page by page.
  - Writes a plan as JSON, CSV or Markdown, for example for a merge request.
  - A plan whose seal is broken is shown by nobody; the task fails and says what is wrong.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
options:
  id:
    description: The number of the plan. Fails when there is none.
    type: int
  job:
    description: Only plans of the job that has this name, or had it when it was deleted.
    type: str
  offset:
    description: Leave out so many plans, or with O(id) so many changes.
    type: int
    default: 0
  limit:
    description: Give at most so many plans, or with O(id) so many changes.
    type: int
    default: 100
  path:
    description:
      - Write the plan of O(id) with all its changes to this file. It is replaced as a whole, and only when it differs.
      - Only its owner can read the file, because it holds the data of people.
    type: path
  format:
    description: The format of the file at O(path). Without it the name decides, by C(.json), C(.csv) or C(.md).
    type: str
    choices: [json, csv, markdown]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: Keep the plan of a job
  lockstep.sync.run:
    job: hr-to-table
    keep_plan: true
  check_mode: true
  register: preview

- name: Write it for the merge request
  lockstep.sync.plan_info:
    id: "{{ preview.run.plan }}"
    path: plan.md

- name: List the kept plans of a job
  lockstep.sync.plan_info:
    job: hr-to-table
    limit: 10

- name: Apply exactly that plan
  lockstep.sync.run:
    plan: "{{ preview.run.plan }}"
"""

RETURN = r"""
plans:
  description: The plans, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The number of the plan.
      returned: always
      type: int
      sample: 7
    job:
      description: The job's name now, or when it was deleted.
      returned: always
      type: str
      sample: hr-to-table
    kind:
      description: V(run), or V(undo) for a plan that takes back a run.
      returned: always
      type: str
      sample: run
    origin:
      description: The run that an undo takes back.
      returned: always
      type: int
      sample: null
    digest:
      description: The digest that sealed the plan.
      returned: always
      type: str
      sample: 5d0b0e3f6a5f4f1c8a1f0c6c1ce0f4ad1d3a9ac6a1f0b1e7a9f8e2b6a7c4d1e0
    created:
      description: When it was made, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-25T03:00:00.120000+00:00"
    host:
      description: Where it was made.
      returned: always
      type: str
      sample: sync01
    requester:
      description: Who asked for it.
      returned: always
      type: str
      sample: ann
    changes_total:
      description: How many changes would be applied.
      returned: always
      type: int
      sample: 6
    held_total:
      description: How many changes guards hold.
      returned: always
      type: int
      sample: 0
    counts:
      description: How many changes of each action there are, held ones included.
      returned: always
      type: dict
      sample: {create: 2, update: 3, delete: 1}
    applied_by:
      description: The run that applied it; none while nobody did.
      returned: always
      type: int
      sample: 43
    accepted:
      description: The guards whose held changes were applied afterwards.
      returned: always
      type: list
      elements: str
      sample: [deletes]
    held:
      description: The guards that hold changes, as in RV(lockstep.sync.run#module:run.held).
      returned: with O(id)
      type: list
      elements: dict
      sample: []
    changes:
      description: A page of the changes in the order in which they are applied.
      returned: with O(id)
      type: list
      elements: dict
      contains:
        number:
          description: The place of the change in the plan.
          returned: always
          type: int
          sample: 1
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
        held:
          description: The guards that hold the change; all must be accepted to let it through.
          returned: always
          type: list
          elements: str
          sample: []
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
  description: One sentence that says what was found, or what is wrong and what to do.
  returned: always
  type: str
  sample: Plan 7 of job 'hr-to-table' has 6 changes.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.plans import plan_info, plan_info_arguments


def main() -> None:
    run_module(plan_info_arguments(), plan_info, reads_only=True)


if __name__ == "__main__":
    main()
