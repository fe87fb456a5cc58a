#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_import
short_description: Declare everything that a bundle holds
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Declares all objects of a bundle that M(lockstep.sync.bundle_export) wrote, in one transaction, by the same rules as the modules that
    declare them one by one. When one of them breaks a rule, none is imported.
  - A bundle that is damaged, was changed by hand, has another format, or is sealed with another passphrase is refused before anything
    is changed.
  - An object that is in the store already, under the same name and with the same definition and secrets, is left alone. It never
    clashes.
  - Objects of the store that are not in the bundle are left alone, too.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
requirements:
  - PyYAML
  - cryptography (for a bundle with a passphrase)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description: The bundle, on the host where the module runs. Exactly one of O(path) and O(content) is given.
    type: path
  content:
    description: The text of the bundle, for one that is on the controller, as C(lookup('ansible.builtin.file', 'bundle.yml')) gives it.
    type: str
  passphrase:
    description: The passphrase that the bundle was exported with. Required when it has one.
    type: str
  passphrase_from:
    description: Where the passphrase is found on the host where the module runs.
    type: dict
    suboptions:
      env:
        description: The name of an environment variable.
        type: str
      file:
        description: The path of a file with nothing else in it. It must not be readable by everybody.
        type: path
  on_conflict:
    description:
      - What happens when the store has an object of the same name that differs.
      - With V(fail) nothing is imported, and all such objects are named.
      - With V(rename) the imported object gets the first free name, such as C(hr (2)), and whatever mentions it in the bundle mentions that name.
        So what the store has stays as it is. A second import finds the objects under these names and changes nothing.
      - With V(replace) the object in the store becomes as it is in the bundle. A secret that the bundle was exported without is kept.
    type: str
    choices: [fail, rename, replace]
    default: fail
seealso:
  - module: lockstep.sync.bundle_export
"""

EXAMPLES = r"""
- name: See what an import would do
  lockstep.sync.bundle_import:
    path: /srv/bundles/hr-to-ad.yml
    passphrase_from: {file: /etc/lockstep/passphrase}
    on_conflict: replace
  check_mode: true
  diff: true

- name: Import a bundle that is on the controller, beside what is there
  lockstep.sync.bundle_import:
    content: "{{ lookup('ansible.builtin.file', 'bundles/hr-to-ad.yml') }}"
    passphrase: "{{ bundle_passphrase }}"
    on_conflict: rename
"""

RETURN = r"""
objects:
  description: What became of each object of the bundle.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: The kind of object, by the name of the module that declares it.
      returned: always
      type: str
      sample: provider
    name:
      description: The name in the bundle.
      returned: always
      type: str
      sample: hr
    imported_as:
      description: The name in the store.
      returned: always
      type: str
      sample: hr (2)
    state:
      description: V(created), V(replaced), V(renamed) (created under another name) or V(unchanged).
      returned: always
      type: str
      sample: renamed
    changed:
      description: Whether the store was changed, or in check mode would be.
      returned: always
      type: bool
      sample: true
missing_secrets:
  description: The secrets that the bundle was exported without and that the store does not have either. Declare them before the jobs run.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: The kind of object.
      returned: always
      type: str
      sample: provider
    name:
      description: The name of the object in the store.
      returned: always
      type: str
      sample: directory
    option:
      description: The option.
      returned: always
      type: str
      sample: password
files:
  description: The files that the objects name.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: The kind of object.
      returned: always
      type: str
      sample: provider
    name:
      description: The name of the object in the store.
      returned: always
      type: str
      sample: hr
    option:
      description: The option that names the file.
      returned: always
      type: str
      sample: csv.path
    path:
      description: The path.
      returned: always
      type: str
      sample: /srv/hr/people.csv
error:
  description: What kind of error made the task fail.
  returned: failure
  type: dict
  contains:
    code:
      description: A stable word, such as V(bundle) or V(config).
      returned: always
      type: str
      sample: bundle
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: "4 objects of the bundle were imported: 3 created, 1 unchanged."
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.bundles import import_, import_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module


def main() -> None:
    """Run as an Ansible module."""
    run_module(import_arguments(), import_)


if __name__ == "__main__":
    main()
