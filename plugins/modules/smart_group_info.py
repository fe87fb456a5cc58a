#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smart_group_info
short_description: List smart groups and who would be in them
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Lists smart groups with the jobs that refresh them. On request asks the directory who matches, and who would join and leave.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
  - lockstep.sync.attributes.info_module
options:
  name:
    description: Only the smart group of this name. A name that does not exist gives an empty list.
    type: str
  members:
    description: Tries the query of each smart group and compares it with the group, in RV(smart_groups[].members).
    type: bool
    default: false
seealso:
  - module: lockstep.sync.smart_group
"""

EXAMPLES = r"""
- name: List all smart groups
  lockstep.sync.smart_group_info:

- name: Show who would join and leave
  lockstep.sync.smart_group_info:
    name: sales
    members: true
"""

RETURN = r"""
smart_groups:
  description: The smart groups by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      returned: always
      type: str
      sample: sales
    provider:
      description: The provider.
      returned: always
      type: str
      sample: ad
    group:
      description: The distinguished name of the group.
      returned: always
      type: str
      sample: CN=Sales,OU=Groups,DC=example,DC=com
    filter:
      description: The filter that members match.
      returned: always
      type: str
      sample: (&(objectCategory=person)(department=Sales))
    container:
      description: Where members are looked for.
      returned: when it was given
      type: str
      sample: OU=Staff,DC=example,DC=com
    limits:
      description: Beyond these nobody is taken out.
      returned: always
      type: dict
      sample:
        member_removals: 50% above 10
        min_members: 1
    used_by_collections:
      description: The names of the job collections that refresh it.
      returned: always
      type: list
      elements: str
      sample: [staff]
    used_by:
      description: The names of the jobs that refresh it.
      returned: always
      type: list
      elements: str
      sample: [hr-to-ad]
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
    members:
      description: What a refresh would do now.
      returned: when O(members=true)
      type: dict
      contains:
        found:
          description: How many match.
          returned: always
          type: int
          sample: 120
        present:
          description: How many are in the group.
          returned: always
          type: int
          sample: 119
        joining:
          description: The distinguished names of those who would join, 100 at most.
          returned: always
          type: list
          elements: str
          sample: ["CN=Ann Lee,OU=Staff,DC=example,DC=com"]
        leaving:
          description: The distinguished names of those who would leave, 100 at most.
          returned: always
          type: list
          elements: str
          sample: []
        held:
          description: Why nobody would leave, empty when nothing is held.
          returned: always
          type: str
          sample: ""
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
  sample: 1 smart group found.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.smart_groups import smart_group_members
from ansible_collections.lockstep.sync.plugins.module_utils._operations.smart_groups import list_smart_groups


def find(call: Call) -> Result:
    """List the smart groups that the task asks for."""
    found = list_smart_groups(call.store, call.params["name"])
    if call.params["members"]:
        found = [{**entry, "members": smart_group_members(call, entry["name"])} for entry in found]
    count = f"{len(found)} smart group{'' if len(found) == 1 else 's'} found."
    return Result(msg=count, values={"smart_groups": found})


def main() -> None:
    """Run as an Ansible module."""
    arguments = {"name": {"type": "str"}, "members": {"type": "bool", "default": False}}
    run_module({"argument_spec": arguments}, find, reads_only=True)


if __name__ == "__main__":
    main()
