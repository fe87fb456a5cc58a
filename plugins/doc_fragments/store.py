# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say where the state store is."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the store options."""

    DOCUMENTATION = r"""
options:
  store:
    description:
      - The SQLAlchemy URL of the state store, without a password.
      - Defaults to a SQLite file, C(/var/lib/lockstep/state.db) for root and C($XDG_DATA_HOME/lockstep/state.db) for others.
        C($XDG_DATA_HOME) is C(~/.local/share) when it is not set.
      - A server database such as PostgreSQL or MariaDB lets several hosts share one store.
      - Logs and changes of runs are beside a SQLite file that is named, in C(FILE-runs). Else they are in C(/var/log/lockstep) for
        root and C($XDG_STATE_HOME/lockstep) for others, which is C(~/.local/state/lockstep) when it is not set.
      - If not set, the environment variable E(LOCKSTEP_STORE) of the host is used.
    type: str
  store_password:
    description:
      - The password of the store's database user.
      - If not set, the environment variable E(LOCKSTEP_STORE_PASSWORD) of the host is used.
    type: str
  store_key_file:
    description:
      - The file with the key that encrypts secrets in the store. It must be readable by its owner only.
      - For a SQLite store it defaults to C(state.key) beside the store's file and is made when it is first needed.
      - It must be given for a server database that keeps secrets.
      - If not set, the environment variable E(LOCKSTEP_STORE_KEY_FILE) of the host is used.
    type: path
requirements:
  - python >= 3.11
  - SQLAlchemy >= 2.0
"""
