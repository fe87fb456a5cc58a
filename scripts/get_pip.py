# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a new virtual environment its pip without a download.

ansible-test fetches get-pip.py from the internet and keeps it in ~/.ansible/test/cache. This file takes its place there
where nothing was fetched yet: it unpacks the pip that comes with Python, then lets that pip do what was asked.
"""

from __future__ import annotations

import subprocess
import sys

# Options of the real get-pip.py that pip itself does not know.
NOT_FOR_PIP = ("--no-setuptools", "--no-wheel")


def main() -> int:
    """Seed pip and pass the arguments on; return pip's exit code."""
    # A process of its own: ensurepip.bootstrap() would switch this process's pip configuration off.
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    arguments = [argument for argument in sys.argv[1:] if argument not in NOT_FOR_PIP]
    return subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *arguments], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
