# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._mapping.functions import load_function
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, RecordError, SkipRecord
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import FieldSpec, Function, Trim

UIDS = frozenset({0, os.geteuid()})

SOURCE = """
from __future__ import annotations
import dataclasses, sys
from decimal import Decimal

loaded = []
loaded.append(1)

@dataclasses.dataclass
class Person:
    name: str

def full(source, context):
    return Person(source["First"] + " " + source["Last"]).name

def everything(source, context):
    now = context.now.isoformat()
    return [context.job, context.object, context.field, context.value, context.run_label, now, len(loaded)]

def empty_is_none(source, context): return source["First"] is None
def price(source, context): return Decimal("1.50")
def skips(source, context): context.skip("not this one")
def fails(source, context): return source["First"].nothing
def leaves(source, context): sys.exit(3)
def wrong_field(source, context): return source["Frist"]
def gives_set(source, context): return {1}
def writes(source, context): source["First"] = "x"
number = 5
def _hidden(source, context): return "x"
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "functions.py"
    path.write_text(SOURCE, encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.fixture
def call(compile_fields, script):
    def run(name: str, first: str | None = "Ann", last: str | None = "Lee"):
        step = Function(path=str(script), name=name)
        compiled = compile_fields(
            FieldSpec(name="f", source="First", transform=(Trim(), step)), known=["First", "Last"]
        )
        return compiled.map_row((first, last))[0]

    return run


def test_a_function_gets_the_record_and_its_surroundings(call):
    assert call("full") == "Ann Lee"
    assert call("everything", " Ann ") == ("hr", "people", "f", "Ann", "run 7", "2026-11-21T08:30:15+00:00", "1")
    assert call("empty_is_none", None) == "true"
    assert call("price") == "1.5"


def test_a_function_can_skip_the_record(call):
    with pytest.raises(SkipRecord, match="not this one"):
        call("skips")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fails", "fails raised AttributeError: 'str' object has no attribute 'nothing'. The value so far is 'Ann'"),
        ("leaves", "leaves raised SystemExit: 3"),
        ("wrong_field", "there is no source field 'Frist'. Did you mean 'First'"),
        ("gives_set", "gives_set: the result is of the kind set. Valid: text, a number"),
        ("writes", "writes raised TypeError: 'RowView' object does not support item assignment"),
    ],
)
def test_a_failing_function_is_an_error_of_that_record(call, name, message):
    with pytest.raises(RecordError, match=message) as caught:
        call(name)

    assert caught.value.field == "f"
    assert caught.value.message.startswith("field 'f', step 2 (function): ")


def test_a_file_is_loaded_once_for_each_function_and_compile(compile_fields, script):
    script.write_text("def f(source, context): return 'old'\n", encoding="utf-8")
    step = Function(path=str(script), name="f")
    compiled = compile_fields(FieldSpec(name="a", transform=(step,)), FieldSpec(name="b", transform=(step,)), known=[])
    script.write_text("def f(source, context): return 'new'\n", encoding="utf-8")

    assert compiled.map_row(()) == ("old", "old")


@pytest.mark.parametrize("name", ["missing", "number", "_hidden", "__builtins__"])
def test_a_name_that_is_no_public_function_is_refused_with_the_valid_ones(script, name):
    with pytest.raises(ConfigError, match=rf"there is no function '{name}'.*'everything'"):
        load_function(str(script), name, UIDS)


def test_the_error_names_field_and_step(call):
    with pytest.raises(
        ConfigError, match=r"object 'people', field 'f', step 2 .function.: /.*functions.py: there is no function"
    ):
        call("missing")


@pytest.mark.parametrize(("mode", "shown"), [(0o664, "0664"), (0o646, "0646"), (0o666, "0666")])
def test_a_file_others_can_write_is_refused_with_the_command(script, mode, shown):
    script.chmod(mode)

    with pytest.raises(ConfigError, match=rf"by its group or by others .mode {shown}.* chmod go-w {script}"):
        load_function(str(script), "full", UIDS)


def test_a_file_of_somebody_else_is_refused(script):
    with pytest.raises(ConfigError, match=r"belongs to the user with uid .* chown root"):
        load_function(str(script), "full", {12345})


def test_a_folder_others_can_write_is_refused_unless_sticky(script):
    script.parent.chmod(0o777)
    with pytest.raises(ConfigError, match=rf"others can write in the folder .*mode 0777.* chmod o-w {script.parent}"):
        load_function(str(script), "full", UIDS)

    script.parent.chmod(0o1777)
    assert load_function(str(script), "full", UIDS).__name__ == "full"


def test_a_link_is_judged_by_what_it_points_to(script, tmp_path):
    link = tmp_path / "link.py"
    link.symlink_to(script)
    script.chmod(0o666)

    with pytest.raises(ConfigError, match=f"{script}: the file can be written"):
        load_function(str(link), "full", UIDS)


def test_what_is_no_regular_file_is_refused(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    for path in (tmp_path, fifo):
        with pytest.raises(ConfigError, match="must be a regular file"):
            load_function(str(path), "full", UIDS)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load_function(str(tmp_path / "none.py"), "full", UIDS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef broken(:\n", "line 2: "),
        ("raise OSError('no')", "running it failed with OSError: no"),
        ("import sys\nsys.exit(1)", "running it failed with SystemExit: 1"),
        ("#" * 1_100_000, "at most 1,048,576 bytes"),
        ("x = '\x00'", "null bytes|NUL"),
    ],
)
def test_a_file_that_does_not_load_is_refused(script, text, message):
    script.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        load_function(str(script), "full", UIDS)
