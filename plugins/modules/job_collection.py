#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_collection
short_description: Declare job collections
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a job collection, jobs that run in a given order with M(lockstep.sync.run) and its option O(lockstep.sync.run#module:collection).
  - Its run has the sums of its jobs' runs; each of these has its own result, log and history.
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
    description: The name of the job collection. Exactly one of O(name) and O(job_collections) is given.
    type: str
  state:
    description: Whether the job collection should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the job collection.
    type: str
  force:
    description: With C(state=absent), deletes it although schedules run it; it is taken out of them.
    type: bool
    default: false
  copy_of:
    description: The job collection that gives everything but the name when this one does not exist yet.
    type: str
  description:
    description: What it is for.
    type: str
  owners:
    description: Who answers for it.
    type: list
    elements: str
  enabled:
    description: Whether it may run; V(true) unless it is given. A preview is always possible.
    type: bool
  template:
    description: The collection template that gives what is not given here.
    type: str
  jobs:
    description:
      - The jobs in the order in which they run, each once. They must exist, and follow when a job is renamed.
      - A job that is disabled is passed over. What a job's own O(lockstep.sync.job#module:schedule) says does not matter here.
    type: list
    elements: dict
    suboptions:
      job:
        description: The name of a job.
        type: str
        required: true
      on_failure:
        description:
          - What becomes of the jobs after it when it fails, or when somebody else is running it.
          - A run that is held, waits for approval or had errors of single records has not failed.
        type: str
        choices: [abort, continue]
        default: abort
  parallel:
    description:
      - How many neighbours may run at the same time, V(1) to V(32); V(1) unless it is given.
      - A job waits for every earlier one that writes what it reads or writes, or reads what it writes. Two tables of one database are apart,
        the rest of a system is one.
    type: int
  smart_groups: &smart_groups
    description:
      - The names of smart groups that are refreshed when its jobs have run, see M(lockstep.sync.smart_group). An empty list takes them out.
      - The run of its last job that is enabled refreshes them, so they belong to the history, the approvals and the undo of that run.
      - When that run fails, or is left out because another has failed, they stay as they are.
    type: list
    elements: str
  schedule:
    description: The name of a schedule that runs it.
    type: str
  notification:
    description:
      - The name of a notification that tells of its runs, see M(lockstep.sync.notification). An empty text takes it out.
      - It tells of the collection as a whole; those of its jobs do not apply when they run inside it.
    type: str
  job_collections:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the job collection.
        type: str
        required: true
      state:
        description: Whether the job collection should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the job collection.
        type: str
      force:
        description: With C(state=absent), deletes it although schedules run it; it is taken out of them.
        type: bool
        default: false
      copy_of:
        description: The job collection that gives everything but the name when this one does not exist yet.
        type: str
      description:
        description: What it is for.
        type: str
      owners:
        description: Who answers for it.
        type: list
        elements: str
      enabled:
        description: Whether it may run; V(true) unless it is given. A preview is always possible.
        type: bool
      template:
        description: The collection template that gives what is not given here.
        type: str
      jobs:
        description:
          - The jobs in the order in which they run, each once. They must exist, and follow when a job is renamed.
          - A job that is disabled is passed over. What a job's own O(lockstep.sync.job#module:schedule) says does not matter here.
        type: list
        elements: dict
        suboptions:
          job:
            description: The name of a job.
            type: str
            required: true
          on_failure:
            description:
              - What becomes of the jobs after it when it fails, or when somebody else is running it.
              - A run that is held, waits for approval or had errors of single records has not failed.
            type: str
            choices: [abort, continue]
            default: abort
      parallel:
        description:
          - How many neighbours may run at the same time, V(1) to V(32); V(1) unless it is given.
          - A job waits for every earlier one that writes what it reads or writes, or reads what it writes. Two tables of one database are apart,
            the rest of a system is one.
        type: int
      smart_groups: *smart_groups
      schedule:
        description: The name of a schedule that runs it.
        type: str
      notification:
        description:
          - The name of a notification that tells of its runs, see M(lockstep.sync.notification). An empty text takes it out.
          - It tells of the collection as a whole; those of its jobs do not apply when they run inside it.
        type: str
seealso:
  - module: lockstep.sync.job_collection_info
  - module: lockstep.sync.collection_template
  - module: lockstep.sync.run
"""

EXAMPLES = r"""
- name: Run the directory first, then what is made of it
  lockstep.sync.job_collection:
    name: nightly
    description: HR to everywhere
    jobs:
      - job: hr-to-ad
      - job: ad-to-phones
        on_failure: continue
      - job: ad-to-badges

- name: Let neighbours run side by side
  lockstep.sync.job_collection:
    name: nightly
    parallel: 3

- name: Start from a template
  lockstep.sync.job_collection:
    name: weekly
    template: staff

- name: Copy one
  lockstep.sync.job_collection:
    name: nightly-test
    copy_of: nightly
    enabled: false

- name: Declare several at once
  lockstep.sync.job_collection:
    job_collections:
      - name: morning
        jobs:
          - job: hr-to-ad
      - name: old
        state: absent

- name: Delete one although a schedule runs it
  lockstep.sync.job_collection:
    name: nightly
    state: absent
    force: true
"""

RETURN = r"""
job_collection:
  description: The effective job collection.
  returned: success, when O(job_collections) is not given and the collection exists
  type: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: nightly
    description:
      description: What it is for.
      returned: always
      type: str
      sample: HR to everywhere
    owners:
      description: Who answers for it.
      returned: always
      type: list
      elements: str
      sample: [ann]
    enabled:
      description: Whether it may run.
      returned: always
      type: bool
      sample: true
    template:
      description: The collection template it was made from.
      returned: when it was made from one
      type: str
      sample: staff
    jobs:
      description: The jobs in their order, each with C(job) and C(on_failure).
      returned: always
      type: list
      elements: dict
      sample:
        - job: hr-to-ad
          on_failure: abort
        - job: ad-to-phones
          on_failure: continue
    parallel:
      description: How many neighbours may run at the same time.
      returned: always
      type: int
      sample: 1
    smart_groups:
      description: The smart groups that the run of its last job refreshes.
      returned: when they are declared
      type: list
      elements: str
      sample: [everybody]
    schedule:
      description: The schedule that runs it.
      returned: when it has one
      type: str
      sample: nightly
    notification:
      description: The notification that tells of its runs.
      returned: when it is declared
      type: str
      sample: operators
job_collections:
  description: What became of each declaration.
  returned: success, when O(job_collections) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: nightly
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the job collection was changed, or in check mode would be.
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
  sample: The job collection 'nightly' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    collection_arguments,
    declaring_arguments,
    with_bulk,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import collection_request, entries
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collections import declare_collections


def declare(call: Call) -> Result:
    """Carry out the declarations of the task."""
    requests = [collection_request(entry) for entry in entries(call.params, "job_collections")]
    declared = declare_collections(call.store, requests)
    return declared_result(
        "job_collection", declared, bulk=call.params["job_collections"] is not None, check=call.check
    )


def main() -> None:
    """Run as an Ansible module."""
    one = {**declaring_arguments(), "copy_of": {"type": "str"}, **collection_arguments()}
    run_module(with_bulk("job_collections", one), declare)


if __name__ == "__main__":
    main()
