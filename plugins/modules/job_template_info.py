#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_template_info
short_description: List job templates
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists the predefined job templates and those that were declared, each with its whole definition.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the job template of this name. A name that does not exist gives an empty list.
    type: str
seealso:
  - module: lockstep.sync.job_template
"""

EXAMPLES = r"""
- name: Show what a predefined template does
  lockstep.sync.job_template_info:
    name: sync_gal
"""

RETURN = r"""
job_templates:
  description: The job templates, the predefined ones first, each by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: sync_gal
    description:
      description: What jobs of this kind are for.
      returned: always
      type: str
      sample: People with a mailbox become contacts in the other forest's address list
    job:
      description: The options of a job, without its name and providers.
      returned: always
      type: dict
      sample:
        missing_at_destination: create
    predefined:
      description: Whether it comes with the collection.
      returned: always
      type: bool
      sample: true
    created:
      description: When it was declared first, ISO 8601 in UTC; none for a predefined one.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
    modified:
      description: When it was changed last, likewise.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00.000000+00:00"
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(config), V(store) or V(provider).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says how many were found, or what is wrong and what to do.
  returned: always
  type: str
  sample: 1 job template found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.job_templates import list_job_templates


def find(call: Call) -> Result:
    """List the job templates that the task asks for."""
    found = list_job_templates(call.store, call.params["name"])
    count = f"{len(found)} job template{'' if len(found) == 1 else 's'} found."
    return Result(msg=count, values={"job_templates": found})


def main() -> None:
    """Run as an Ansible module."""
    run_module({"argument_spec": {"name": {"type": "str"}}}, find, reads_only=True)


if __name__ == "__main__":
    main()
