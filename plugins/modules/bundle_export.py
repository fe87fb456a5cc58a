#!/usr/bin/python

# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_export
short_description: Export jobs with all they depend on into one file
version_added: 1.1.0
author: lockstep.sync contributors (@lockstep-sync)
description:
  - Writes a bundle, a readable YAML file with the definitions of jobs and of everything that they depend on, directly or not.
    M(lockstep.sync.bundle_import) declares all of it in another state store.
  - A bundle holds definitions. It does not hold what runs left behind (history, plans, requests, what is remembered of records), nor the
    files that definitions name.
  - Objects stand in a fixed order, so that two exports can be compared line by line. A secret that did not change keeps its
    encrypted form as long as the passphrase stays the same.
  - The file is left alone when it holds the same objects and secrets already; otherwise it is replaced as a whole.
extends_documentation_fragment:
  - lockstep.sync.store
  - lockstep.sync.attributes
requirements:
  - PyYAML (to compare with a file that exists)
  - cryptography (with O(secrets=encrypt))
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description: The bundle to write, on the host where the module runs. Its folder must exist.
    type: path
    required: true
  jobs:
    description:
      - The jobs to export.
      - When neither O(jobs) nor O(collections) names anything, everything that is declared is exported, but workflows only with
        O(workflows=true).
    type: list
    elements: str
    default: []
  collections:
    description: The job collections to export.
    type: list
    elements: str
    default: []
  workflows:
    description:
      - Also export the workflows that name an exported job, or no job at all, with the other jobs that they name.
      - They say who has to agree, which is seldom the same where the bundle goes; so they stay behind unless asked for.
    type: bool
    default: false
  passphrase:
    description:
      - What the secrets in the bundle are encrypted with, at least 8 characters. It also seals the bundle, so that a changed one is not
        imported. Whoever imports it needs the same one.
      - Required with O(secrets=encrypt), unless O(passphrase_from) is given.
    type: str
  passphrase_from:
    description: Where the passphrase is found on the host where the module runs. Exactly one of the two is given.
    type: dict
    suboptions:
      env:
        description: The name of an environment variable.
        type: str
      file:
        description: The path of a file with nothing else in it. It must not be readable by everybody.
        type: path
  secrets:
    description:
      - What becomes of secrets that are stored as literals. Those that are references (C(..._from)) are always exported as references.
      - With V(encrypt) they are encrypted with the passphrase.
      - With V(omit) they are left out, and listed in RV(missing_secrets). After an import they have to be declared again.
    type: str
    choices: [encrypt, omit]
    default: encrypt
  mode:
    description: The permissions of the file, four octal digits in quotes.
    type: str
    default: "0600"
seealso:
  - module: lockstep.sync.bundle_import
"""

EXAMPLES = r"""
- name: Export one job with its providers, templates and smart groups
  lockstep.sync.bundle_export:
    path: /srv/bundles/hr-to-ad.yml
    jobs: [hr-to-ad]
    passphrase_from: {file: /etc/lockstep/passphrase}

- name: Export everything to compare it with what is in version control, without secrets
  lockstep.sync.bundle_export:
    path: /srv/repository/lockstep.yml
    secrets: omit
    workflows: true
    mode: "0644"
"""

RETURN = r"""
bundle:
  description: The path of the bundle.
  returned: success
  type: str
  sample: /srv/bundles/hr-to-ad.yml
objects:
  description: What the bundle holds, in the order of the file.
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
      description: The name.
      returned: always
      type: str
      sample: hr
missing_secrets:
  description: The secrets that were left out, with O(secrets=omit).
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
      description: The name of the object.
      returned: always
      type: str
      sample: directory
    option:
      description: The option.
      returned: always
      type: str
      sample: password
files:
  description: The files that the objects name. The bundle has their paths only.
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
      description: The name of the object.
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
      description: A stable word, such as V(config) or V(store).
      returned: always
      type: str
      sample: config
msg:
  description: One sentence that says what happened, or what is wrong and what to do.
  returned: always
  type: str
  sample: The bundle /srv/bundles/hr-to-ad.yml was written with 4 objects.
"""

from ansible_collections.lockstep.sync.plugins.module_utils._ansible.bundles import export, export_arguments
from ansible_collections.lockstep.sync.plugins.module_utils._ansible.frame import run_module


def main() -> None:
    """Run as an Ansible module."""
    run_module(export_arguments(), export, reads_only=True)


if __name__ == "__main__":
    main()
