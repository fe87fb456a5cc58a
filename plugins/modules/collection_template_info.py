#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collection_template_info
short_description: List collection templates
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists the collection templates, from which job collections are started.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the collection template of this name. A name that does not exist gives an empty list.
    type: str
seealso:
  - module: lockstep.sync.collection_template
"""

EXAMPLES = r"""
- name: List all collection templates
  lockstep.sync.collection_template_info:
"""

RETURN = r"""
collection_templates:
  description: The collection templates by name.
  returned: success
  type: list
  elements: dict
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
  sample: 1 collection template found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.listing import listed_result
from ansible_collections.lockstep.sync.plugins.module_utils._operations.collection_templates import (
    list_collection_templates,
)


def find(call: Call) -> Result:
    """List the collection templates that the task asks for."""
    return listed_result("collection_template", list_collection_templates(call.store, call.params["name"]))


def main() -> None:
    """Run as an Ansible module."""
    run_module({"argument_spec": {"name": {"type": "str"}}}, find, reads_only=True)


if __name__ == "__main__":
    main()
