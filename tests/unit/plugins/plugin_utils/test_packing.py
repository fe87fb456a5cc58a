# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is packed for a module is kept for the next command, and only for the same sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible_collections.lockstep.sync.plugins.plugin_utils import packing

ROOT = Path(__file__).resolve().parents[4]
PACKED = f"{packing.NAMESPACE}.job-ZIP_DEFLATED-none"


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of Ansible, and a temporary folder for each command."""
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ANSIBLE_MODULE_COMPRESSION", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path


def run(place: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, local: bool = False) -> bytes | None:
    """Do what one command does; give what was laid out for it. Ansible packs only what is not there."""
    folder = place / f"command{number}" / "ansiballz_cache"
    folder.parent.mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder.parent))
    with packing.keeping_packed("job", compiled=local):
        found = (folder / PACKED).read_bytes() if (folder / PACKED).exists() else None
        if found is None:
            folder.mkdir(exist_ok=True)
            (folder / PACKED).write_bytes(b"packed by %d" % number)
    return found


def kept(place: Path) -> Path:
    [path] = (place / "home" / "lockstep").glob("*/*")
    return path


def test_the_next_command_gets_what_the_first_packed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [run(place, monkeypatch, number) for number in range(3)] == [None, b"packed by 0", b"packed by 0"]


def test_the_second_command_on_this_host_keeps_compiled_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "with_compiled", lambda content: content + b", compiled")
    assert [run(place, monkeypatch, number, local=True) for number in range(3)] == [
        None,
        b"packed by 0",
        b"packed by 0, compiled",
    ]
    assert run(place, monkeypatch, 3) == b"packed by 0"


def test_compiled_files_of_other_sources_are_not_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "with_compiled", lambda content: content + b", compiled")
    for number in range(3):
        run(place, monkeypatch, number, local=True)
    monkeypatch.setattr(packing, "digest_sources", lambda _module: b"x" * packing.DIGEST_SIZE)
    assert [run(place, monkeypatch, number, local=True) for number in range(3, 6)] == [
        None,
        b"packed by 3",
        b"packed by 3, compiled",
    ]


def test_other_sources_are_packed_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(place, monkeypatch, 0) is None
    with monkeypatch.context() as changed:
        changed.setattr(packing, "digest_sources", lambda _module: b"x" * packing.DIGEST_SIZE)
        assert run(place, changed, 1) is None
        assert run(place, changed, 2) == b"packed by 1"


def test_each_byte_of_the_sources_counts(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = place / "plugins"
    for name in ("modules/job.py", "modules/run.py", "module_utils/_model/jobs.py"):
        (collection / name).parent.mkdir(parents=True, exist_ok=True)
        (collection / name).write_text("a = 1\n", encoding="utf-8")
    monkeypatch.setattr(packing, "COLLECTION", collection)
    before = packing.digest_sources("job")
    (collection / "modules/run.py").write_text("a = 2\n", encoding="utf-8")
    assert packing.digest_sources("job") == before
    deep = collection / "module_utils/_model/jobs.py"
    times = deep.stat()
    deep.write_text("a = 2\n", encoding="utf-8")
    os.utime(deep, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert packing.digest_sources("job") != before


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content + b"x", lambda _content: b""])
def test_a_damaged_package_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch, damage) -> None:
    run(place, monkeypatch, 0)
    kept(place).write_bytes(damage(kept(place).read_bytes()))
    assert run(place, monkeypatch, 1) is None
    assert run(place, monkeypatch, 2) == b"packed by 1"


@pytest.mark.parametrize("who", ["folder", "file"])
def test_what_others_may_write_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    run(place, monkeypatch, 0)
    path = kept(place) if who == "file" else kept(place).parent
    path.chmod(0o777)
    assert run(place, monkeypatch, 1) is None


def test_a_link_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(place, monkeypatch, 0)
    path = kept(place)
    path.rename(place / "elsewhere")
    path.symlink_to(place / "elsewhere")
    assert run(place, monkeypatch, 1) is None


def test_without_a_home_to_write_ansible_packs_as_ever(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "home").rmdir()
    (place / "home").write_text("a file", encoding="utf-8")
    assert run(place, monkeypatch, 0) is None
    assert run(place, monkeypatch, 1) is None


def test_only_we_may_read_what_is_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(place, monkeypatch, 0)
    assert kept(place).stat().st_mode & 0o777 == 0o600
    assert kept(place).parent.stat().st_mode & 0o777 == 0o700


def test_all_modules_are_led_to_it() -> None:
    """`run` and `provider` have action plugins of their names."""
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"run", "provider", "__init__"}
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["plugin_routing"]["modules"] == {
        module: {"action_plugin": "lockstep.sync.provider"} for module in modules
    }
