# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that users install holds the collection and nothing else."""

from __future__ import annotations

import os
import subprocess
import tarfile

import pytest
from doc_checks.module_docs import ROOT

PARTS = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "Makefile",
    "README.md",
    ".ansible-lint",
    ".yamllint",
    "changelogs",
    "docs",
    "examples",
    "meta",
    "playbooks",
    "plugins",
    "pyproject.toml",
    "requirements",
    "roles",
    "scripts",
    "tests",
}
NOT_WANTED = ("__pycache__", ".pyc", "tests/output", "/.cache", "/.venv")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("build")
    environment = os.environ | {"ANSIBLE_HOME": str(folder / "home")}
    command = ["ansible-galaxy", "collection", "build", "--output-path", str(folder), str(ROOT)]
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=folder)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        return tar.getnames()


def test_the_archive_holds_nothing_strange(names: list[str]) -> None:
    assert {name.split("/")[0] for name in names} - PARTS == set()
    assert [name for name in names if any(part in f"/{name}" for part in NOT_WANTED)] == []


def test_the_archive_holds_what_runs(names: list[str]) -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "plugins").rglob("*.py")}

    assert files - set(names) == set()
    assert {"README.md", "LICENSE", "meta/runtime.yml", "meta/execution-environment.yml"} <= set(names)
