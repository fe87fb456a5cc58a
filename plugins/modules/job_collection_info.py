#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_collection_info
short_description: List job collections
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists job collections, each with its history.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the job collection of this name. A name that does not exist gives an empty list.
    type: str
  owner:
    description: Only those that this person answers for.
    type: str
  job:
    description: Only those that run this job.
    type: str
  last_status:
    description: Only those whose newest run has this status.
    type: str
    choices: [running, succeeded, completed_with_errors, failed, held, awaiting_approval, skipped, interrupted]
seealso:
  - module: lockstep.sync.job_collection
  - module: lockstep.sync.run_info
"""

EXAMPLES = r"""
- name: List all job collections
  lockstep.sync.job_collection_info:

- name: List those whose last run failed
  lockstep.sync.job_collection_info:
    last_status: failed
"""

RETURN = r"""
job_collections:
  description: The job collections by name.
  returned: success
  type: list
  elements: dict
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
    last_run:
      description: Its newest run.
      returned: always; null when it never ran
      type: dict
      contains:
        id:
          description: The number of the run.
          returned: always
          type: int
          sample: 42
        status:
          description: How it ended.
          returned: always
          type: str
          sample: succeeded
        outcome:
          description: Whether both sides of its jobs are in step, as far as the run could know.
          returned: always; null while it is running
          type: str
          sample: equal
        started:
          description: When it began, ISO 8601 in UTC.
          returned: always
          type: str
          sample: "2026-11-21T03:00:00.000000+00:00"
        finished:
          description: When it ended, ISO 8601 in UTC.
          returned: always; null while it is running
          type: str
          sample: "2026-11-21T03:00:09.000000+00:00"
        duration_seconds:
          description: How long it took.
          returned: always; null while it is running
          type: float
          sample: 9.0
        message:
          description: One sentence that says what happened.
          returned: always
          type: str
          sample: "Job collection 'nightly' made 3 changes in 2 jobs (hr-to-ad succeeded, ad-to-phones succeeded)."
        statistics:
          description: The counts of all its jobs together.
          returned: always
          type: dict
          sample: {read: 107, created: 1, updated: 2, deleted: 0, unchanged: 104}
    times_run:
      description: How often it ran.
      returned: always
      type: int
      sample: 12
    created:
      description: When it was declared first, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
    modified:
      description: When it was changed last, ISO 8601 in UTC.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
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
  sample: 1 job collection found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.listing import listed_result
from ansible_collections.lockstep.sync.plugins.module_utils._model.runs import STATUSES
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collections import (
    CollectionFilter,
    list_collections,
)


def find(call: Call) -> Result:
    """List the job collections that the task asks for."""
    wanted = CollectionFilter(**{name: call.params[name] for name in ("name", "owner", "job", "last_status")})
    return listed_result("job_collection", list_collections(call.store, wanted))


def main() -> None:
    """Run as an Ansible module."""
    texts = {name: {"type": "str"} for name in ("name", "owner", "job")}
    statuses = {"type": "str", "choices": list(STATUSES)}
    run_module({"argument_spec": {**texts, "last_status": statuses}}, find, reads_only=True)


if __name__ == "__main__":
    main()
