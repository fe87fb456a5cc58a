# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what Ansible packs for a module, so that the next command need not pack it again.

Ansible parses all files of ours that a module may import and zips them, about a second for `run`. It keeps the outcome
in `ansiballz_cache` of its temporary folder, for one command. Here it is kept in ANSIBLE_HOME for the next ones, only
for the very same sources: as the bytes that Ansible wrote and, when a module ran a second time on this host, with
compiled files in it, too. Where Ansible keeps nothing in that place, nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import ansible
from ansible import constants, release
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import module_utils_loader
from ansible.utils.display import Display
from ansible_collections.lockstep.sync.plugins.plugin_utils.compiled import with_compiled

COLLECTION = Path(__file__).resolve().parent.parent
"""Our folder `plugins`."""
COMPILED = "-compiled"
NAMESPACE = "ansible_collections.lockstep.sync.plugins.modules"
DIGEST_SIZE = hashlib.sha256().digest_size

display = Display()


class PackedAction(NormalAction):
    """Runs a module of this collection as Ansible does, and keeps what was packed for it."""

    def _execute_module(self, *args: t.Any, **kwargs: t.Any) -> dict[str, t.Any]:
        # Compiled files make a package three times as large: worth it where it only goes from one folder to another.
        local = self._connection.transport == "local"
        with keeping_packed(self._task.action.rpartition(".")[2], compiled=local):
            return t.cast("dict[str, t.Any]", super()._execute_module(*args, **kwargs))


@contextlib.contextmanager
def keeping_packed(module: str, *, compiled: bool) -> Iterator[None]:
    """Lay out what is kept for `module` where Ansible looks for it; afterwards keep what Ansible packed anew.

    With `compiled` a package with compiled files goes before. It is made of what is kept, so only when a module is used
    again: to compile takes as long as several starts save, and the home of a container is gone after the first.
    """
    compression = constants.config.get_config_value("DEFAULT_MODULE_COMPRESSION")
    # With and without the name of an extension, as versions of Ansible differ. A debugger's package is not kept.
    names = (f"{NAMESPACE}.{module}-{compression}", f"{NAMESPACE}.{module}-{compression}-none")
    temporary = Path(constants.DEFAULT_LOCAL_TMP)  # type: ignore[attr-defined]
    packed = [temporary / "ansiballz_cache" / name for name in names]
    if any(path.exists() for path in packed):
        yield
        return
    try:
        sources, folder = digest_sources(module), open_folder()
        best = [compiled and lay_out(folder / f"{path.name}{COMPILED}", path, sources) for path in packed]
        had = [each or lay_out(folder / path.name, path, sources) for each, path in zip(best, packed, strict=True)]
    except OSError as error:
        display.vv(f"lockstep: what is packed for {module} is not kept: {error}")
        yield
        return
    try:
        yield
    finally:
        try:
            for path, was_best, was_there in zip(packed, best, had, strict=True):
                if not was_there and path.exists():
                    keep(path.read_bytes(), folder / path.name, sources)
                elif was_there and compiled and not was_best:
                    keep(with_compiled(path.read_bytes()), folder / f"{path.name}{COMPILED}", sources)
        except OSError as error:
            display.vv(f"lockstep: cannot keep what is packed for {module}: {error}")


def digest_sources(module: str) -> bytes:
    """Give one digest of all that goes into the package of a module.

    Our own files count by what is in them. Those of Ansible, and of folders that may stand in for them, count by
    name, size and time. Raises OSError.
    """
    digest = hashlib.sha256(f"{sys.version}\0{release.__version__}\0".encode())
    own = sorted((COLLECTION / "module_utils").rglob("*.py"))
    for path in (COLLECTION / "modules" / f"{module}.py", *own):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(COLLECTION)}\0{len(content)}\0".encode())
        digest.update(content)
    for root in (Path(ansible.__file__).parent / "module_utils", *map(Path, _stand_ins())):
        for path in sorted(root.rglob("*.py")):
            found = path.stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.digest()


def _stand_ins() -> list[str]:
    return [path for path in module_utils_loader.print_paths().split(os.pathsep) if path]


def open_folder() -> Path:
    """Give the folder where packages of this installation are kept, made when missing.

    It is only ours to write, as Ansible runs what it finds in there. Raises OSError.
    """
    place = f"{COLLECTION}\0{ansible.__file__}\0{sys.executable}"
    folder = Path(constants.config.get_config_value("ANSIBLE_HOME"), "lockstep")
    for each in (folder, folder / hashlib.sha256(place.encode()).hexdigest()[:16]):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_ours(each, each.lstat(), stat.S_ISDIR)
        folder = each
    return folder


def _require_ours(path: Path, found: os.stat_result, is_kind: t.Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{path} is not ours alone to write")


def lay_out(kept: Path, packed: Path, sources: bytes) -> bool:
    """Write the package kept in `kept` to `packed`, when it is whole and made from `sources`.

    Returns whether it was. Raises OSError.
    """
    try:
        with os.fdopen(os.open(kept, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            _require_ours(kept, os.fstat(file.fileno()), stat.S_ISREG)
            found, content_digest, content = file.read(DIGEST_SIZE), file.read(DIGEST_SIZE), file.read()
    except FileNotFoundError:
        return False
    if found != sources or content_digest != hashlib.sha256(content).digest():
        return False
    packed.parent.mkdir(exist_ok=True)
    _write(packed, content)
    return True


def keep(content: bytes, kept: Path, sources: bytes) -> None:
    """Keep a package with what it was made from. Raises OSError."""
    _write(kept, sources + hashlib.sha256(content).digest() + content)


def _write(path: Path, content: bytes) -> None:
    """Write a file at once, so that another process finds all of it or none."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}-part-", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(content)
            file.flush()
            part.replace(path)
        except BaseException:
            part.unlink()
            raise
