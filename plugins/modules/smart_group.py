#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smart_group
short_description: Declare a group whose members are the result of a query
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares a smart group. Whoever matches O(filter) is a member of O(group), everybody else is not.
  - It is refreshed each time a job runs that names it in O(lockstep.sync.job#module:smart_groups). Only those who join and leave are
    written.
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
    description: The name of the smart group.
    type: str
    required: true
  state:
    description: Whether the smart group should exist. The group in the directory stays as it is.
    type: str
    choices: [present, absent]
    default: present
  new_name:
    description: Renames the smart group. Jobs that refresh it follow.
    type: str
  force:
    description: With O(state=absent), takes the smart group out of the jobs that refresh it.
    type: bool
    default: false
  provider:
    description: The provider, of type V(ldap) or V(active_directory). A new smart group needs it.
    type: str
  group:
    description: The distinguished name of the group, which must exist when it is refreshed. A new smart group needs it.
    type: str
  filter:
    description: The LDAP filter that members match. A new smart group needs it.
    type: str
  container:
    description: Where members are looked for, with all below it; the base of the provider unless it is given.
    type: str
  limits:
    description: Beyond these nobody is taken out. Who joins still joins, and the run has the status V(held).
    type: dict
    suboptions:
      member_removals:
        description: How many may leave at once, as V(500), V(10%) or V(50% above 10).
        type: str
        default: 50% above 10
      min_members:
        description: With fewer matches than this nobody leaves; an empty answer is more often a mistake than the truth.
        type: int
        default: 1
seealso:
  - module: lockstep.sync.smart_group_info
  - module: lockstep.sync.job
"""

EXAMPLES = r"""
- name: Declare a group of everybody in Sales
  lockstep.sync.smart_group:
    name: sales
    provider: ad
    group: CN=Sales,OU=Groups,DC=example,DC=com
    filter: (&(objectCategory=person)(department=Sales))
    container: OU=Staff,DC=example,DC=com

- name: Refresh it after each run of a job
  lockstep.sync.job:
    name: hr-to-ad
    smart_groups: [sales]

- name: Delete a smart group that no job refreshes
  lockstep.sync.smart_group:
    name: sales
    state: absent
"""

RETURN = r"""
smart_group:
  description: The smart group afterwards, with all defaults filled in; none when it does not exist.
  returned: success
  type: dict
  sample:
    name: sales
    provider: ad
    group: CN=Sales,OU=Groups,DC=example,DC=com
    filter: (&(objectCategory=person)(department=Sales))
    container: OU=Staff,DC=example,DC=com
    limits:
      member_removals: 50% above 10
      min_members: 1
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
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The smart group 'sales' was created.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.arguments import declaring_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.declaring import declared_result
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import Call, Result, run_module
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.job_arguments import smart_group_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.requests import smart_group_request
from ansible_collections.lockstep.sync.plugins.module_utils._operations.smart_groups import declare_smart_groups


def declare(call: Call) -> Result:
    """Carry out the declaration of the task."""
    declared = declare_smart_groups(call.store, [smart_group_request(call.params)])
    return declared_result("smart_group", declared, bulk=False, check=call.check)


def main() -> None:
    """Run as an Ansible module."""
    arguments = {**declaring_arguments(), **smart_group_arguments(), "name": {"type": "str", "required": True}}
    run_module({"argument_spec": arguments}, declare)


if __name__ == "__main__":
    main()
