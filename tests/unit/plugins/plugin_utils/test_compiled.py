# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python takes the compiled files of a package that it made itself, and the sources of any other."""

from __future__ import annotations

import base64
import dataclasses
import importlib.util
import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.plugin_utils.compiled import with_compiled

SOURCES = {
    "work/__init__.py": b"",
    "work/done.py": b"def fail():\n    raise KeyError('here')\n",
    "work/old.py": b"print 1\n",
}


@dataclasses.dataclass(frozen=True)
class Package:
    """What Ansible-core 2.19 keeps: more than the zip."""

    zip_data: bytes
    metadata: str


@pytest.fixture(name="encoded")
def fixture_encoded() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in SOURCES.items():
            archive.writestr(name, source)
    return base64.b64encode(content.getvalue())


def names(encoded: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(encoded))).namelist()


def loaded_from(place: Path, encoded: bytes) -> list[str]:
    """The files that Python took out of a package for `work` and `work.done`."""
    package = place / "package.zip"
    package.write_bytes(base64.b64decode(encoded))
    code = "import work.done; print(work.__file__, work.done.__file__)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(package)!r}); {code}"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [path.removeprefix(f"{package}/") for path in found]


def test_python_takes_the_compiled_files(encoded: bytes, tmp_path: Path) -> None:
    compiled = with_compiled(encoded)
    assert names(compiled) == [*SOURCES, "work/__init__.pyc", "work/done.pyc"]
    assert loaded_from(tmp_path, compiled) == ["work/__init__.pyc", "work/done.pyc"]


def test_another_version_of_python_takes_the_sources(
    encoded: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib._bootstrap_external.MAGIC_NUMBER", b"\x00\x00\r\n")
    compiled = with_compiled(encoded)
    monkeypatch.undo()
    content = zipfile.ZipFile(io.BytesIO(base64.b64decode(compiled))).read("work/done.pyc")
    assert not content.startswith(importlib.util.MAGIC_NUMBER)
    assert loaded_from(tmp_path, compiled) == ["work/__init__.py", "work/done.py"]


def test_a_fault_names_file_and_line_of_the_source(encoded: bytes, tmp_path: Path) -> None:
    package = tmp_path / "package.zip"
    package.write_bytes(base64.b64decode(with_compiled(encoded)))
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(package)!r}); import work.done as d; d.fail()",
    ]
    told = subprocess.run(command, check=False, capture_output=True, text=True).stderr
    assert 'File "work/done.py", line 2, in fail' in told


def test_what_ansible_keeps_beside_the_zip_stays(encoded: bytes) -> None:
    kept = pickle.loads(with_compiled(pickle.dumps(Package(encoded, "as it was"))))
    assert kept.metadata == "as it was"
    assert names(kept.zip_data) == names(with_compiled(encoded))


@pytest.mark.parametrize(
    "content",
    [b"", b"neither", base64.b64encode(b"no zip"), pickle.dumps("a text"), pickle.dumps(Package(b"no zip", ""))[:-1]],
)
def test_what_is_not_understood_stays_as_it_is(content: bytes) -> None:
    assert with_compiled(content) == content
