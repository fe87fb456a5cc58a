#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collection_template
short_description: Declare collection templates
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a collection template, the options of a job collection to start others from with O(lockstep.sync.job_collection#module:template).
  - Its jobs need not exist before a collection is made from it.
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
    description: The name of the collection template. Exactly one of O(name) and O(collection_templates) is given.
    type: str
  state:
    description: Whether the collection template should exist.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the collection template.
    type: str
  description:
    description: What it is for.
    type: str
  from_collection:
    description: The job collection whose options it takes over, but for its schedule and its notification.
    type: str
  definition:
    description: The options of collections that are made from it.
    type: dict
    suboptions:
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
  collection_templates:
    description:
      - Several declarations in one task, each with the options of a single one. All are carried out or none.
      - Cannot be given together with the options of a single declaration.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the collection template.
        type: str
        required: true
      state:
        description: Whether the collection template should exist.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Renames the collection template.
        type: str
      description:
        description: What it is for.
        type: str
      from_collection:
        description: The job collection whose options it takes over, but for its schedule and its notification.
        type: str
      definition:
        description: The options of collections that are made from it.
        type: dict
        suboptions:
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
seealso:
  - module: lockstep.sync.collection_template_info
  - module: lockstep.sync.job_collection
"""

EXAMPLES = r"""
- name: Keep a collection as a template
  lockstep.sync.collection_template:
    name: staff
    description: What every subsidiary runs
    from_collection: nightly

- name: Write one down
  lockstep.sync.collection_template:
    name: small
    definition:
      parallel: 2
      jobs:
        - job: hr-to-ad
          on_failure: abort

- name: Delete one; collections keep what they took from it
  lockstep.sync.collection_template:
    name: small
    state: absent
"""

RETURN = r"""
collection_template:
  description: The effective collection template.
  returned: success, when O(collection_templates) is not given and the template exists
  type: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: staff
    description:
      description: What it is for.
      returned: always
      type: str
      sample: What every subsidiary runs
    collection:
      description: The options of collections that are made from it.
      returned: always
      type: dict
      sample:
        enabled: true
        jobs:
          - job: hr-to-ad
            on_failure: abort
        parallel: 1
collection_templates:
  description: What became of each declaration.
  returned: success, when O(collection_templates) is given
  type: list
  elements: dict
  contains:
    name:
      description: The name afterwards.
      returned: always
      type: str
      sample: staff
    state:
      description: V(present) or V(absent).
      returned: always
      type: str
      sample: present
    changed:
      description: Whether the collection template was changed, or in check mode would be.
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
  sample: The collection template 'staff' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import (
    collection_template_arguments,
    declaring_arguments,
    with_bulk,
)
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import (
    collection_template_request,
    entries,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collection_templates import (
    declare_collection_templates,
)


def declare(call: Call) -> Result:
    """Carry out the declarations of the task."""
    requests = [collection_template_request(entry) for entry in entries(call.params, "collection_templates")]
    declared = declare_collection_templates(call.store, requests)
    bulk = call.params["collection_templates"] is not None
    return declared_result("collection_template", declared, bulk=bulk, check=call.check)


def main() -> None:
    """Run as an Ansible module."""
    one = {name: option for name, option in declaring_arguments().items() if name != "force"}
    exclusive = [["from_collection", "definition"]]
    run_module(
        with_bulk("collection_templates", {**one, **collection_template_arguments()}, mutually_exclusive=exclusive),
        declare,
    )


if __name__ == "__main__":
    main()
