#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workflow_info
short_description: List workflows
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists the workflows, which say which runs need whose approval, each with its open requests.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the workflow of this name. A name that does not exist gives an empty list.
    type: str
seealso:
  - module: lockstep.sync.workflow
  - module: lockstep.sync.request_info
"""

EXAMPLES = r"""
- name: List all workflows
  lockstep.sync.workflow_info:

- name: Show one workflow
  lockstep.sync.workflow_info:
    name: leavers
"""

RETURN = r"""
workflows:
  description: The workflows by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: leavers
    description:
      description: What it is for.
      returned: always
      type: str
      sample: People who leave
    jobs:
      description: Only runs of these jobs; empty for all.
      returned: always
      type: list
      elements: str
      sample: [hr-to-ad]
    object_types:
      description: Only objects of these types; empty for all.
      returned: always
      type: list
      elements: str
      sample: [user]
    actions:
      description: Only these kinds of change; empty for all.
      returned: always
      type: list
      elements: str
      sample: [disable, delete]
    fields:
      description: Only changes of these fields; empty for all.
      returned: always
      type: list
      elements: str
      sample: []
    approvers:
      description: Who may decide; empty for everybody but the requester.
      returned: always
      type: list
      elements: str
      sample: [ann, bob]
    quorum:
      description: How many different people must approve.
      returned: always
      type: int
      sample: 1
    schedules:
      description: Whether scheduled runs need approval, too.
      returned: always
      type: bool
      sample: true
    expires_after:
      description: How long a request can be approved and executed.
      returned: always
      type: str
      sample: 7d
    open_requests:
      description: The numbers of its requests that are pending, or approved and not executed.
      returned: always
      type: list
      elements: int
      sample: [5]
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
  sample: 1 workflow found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.listing import listed_result
from ansible_collections.lockstep.sync.plugins.module_utils._operations.workflows import list_workflows


def find(call: Call) -> Result:
    """List the workflows that the task asks for."""
    return listed_result("workflow", list_workflows(call.store, call.params["name"]))


def main() -> None:
    """Run as an Ansible module."""
    run_module({"argument_spec": {"name": {"type": "str"}}}, find, reads_only=True)


if __name__ == "__main__":
    main()
