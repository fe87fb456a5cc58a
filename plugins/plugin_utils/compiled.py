# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay compiled files beside the sources of what Ansible packs for a module.

Python imports the packed files out of a zip and compiles each again at every start. It takes a compiled file beside a
source instead (zipimport), when that was made by the same version of Python; any other takes the source as before.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import io
import pickle
import py_compile
import tempfile
import typing as t
import zipfile
from pathlib import Path


def with_compiled(content: bytes) -> bytes:
    """Give a package as Ansible keeps it (`ansiballz_cache`) with compiled files in it; as it is when not understood.

    Ansible-core 2.17 and 2.18 keep the base64 of a zip, 2.19 and later a pickled dataclass that has it as `zip_data`.
    """
    try:
        return _compile_all(content)
    except (binascii.Error, zipfile.BadZipFile):
        pass
    try:
        # Ansible, in whose own folder and in whose process this is, has just written it and loads it the same way.
        package: t.Any = pickle.loads(content)  # noqa: S301
        return pickle.dumps(dataclasses.replace(package, zip_data=_compile_all(package.zip_data)))
    except (pickle.UnpicklingError, EOFError, ImportError, LookupError, ValueError, TypeError, AttributeError):
        return content
    except zipfile.BadZipFile:
        return content


def _compile_all(encoded: bytes) -> bytes:
    """Give the base64 of a zip with `x.pyc` beside each `x.py`. Raises binascii.Error and zipfile.BadZipFile."""
    package = io.BytesIO(base64.b64decode(encoded, validate=True))
    with zipfile.ZipFile(package) as archive:
        sources = {name: archive.read(name) for name in archive.namelist() if name.endswith(".py")}
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, source in sources.items():
            if compiled := _compile(Path(folder), name, source):
                archive.writestr(f"{name}c", compiled)
    return base64.b64encode(package.getvalue())


def _compile(folder: Path, name: str, source: bytes) -> bytes | None:
    """Compile one source to what counts whatever the time of its source; None when it is no Python of this version."""
    written, compiled = folder / "source.py", folder / "compiled.pyc"
    written.write_bytes(source)
    try:
        py_compile.compile(
            str(written),
            str(compiled),
            dfile=name,
            doraise=True,
            optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError:
        return None
    return compiled.read_bytes()
