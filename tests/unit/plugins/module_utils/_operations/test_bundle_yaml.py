# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML that every reader understands alike, and nothing in it that could grow."""

from __future__ import annotations

import io
import sys
import typing as t

import pytest
import yaml
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import BundleError, DependencyError
from ansible_collections.lockstep.sync.plugins.module_utils._operations import bundle_yaml
from ansible_collections.lockstep.sync.plugins.module_utils._operations.bundle_yaml import from_yaml, to_yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

TRICKY = (
    *(
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "n",
        "true",
        "null",
        "~",
        "",
        "=",
        "<<",
        "-",
        "?",
        ":",
        "a: b",
        "a #b",
        "#a",
        "- a",
    ),
    *("1", "007", "0o17", "0x1F", "1e3", "1_000", "1:30", "1.5", ".5", ".inf", ".nan", "+1", "2026-01-01", "6e23"),
    *(
        "---",
        "...",
        "!tag",
        "&a",
        "*a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "{",
        "[",
        "'",
        '"',
        "\\",
        "a b",
        " a",
        "a ",
        "a\tb",
    ),
    *(
        "a\nb",
        "a\nb\n",
        "a\n\nb",
        "\na",
        "a\n",
        "a\n\n",
        " a\nb",
        "a \nb",
        "a\n b",
        "\t\n",
        "a\r\nb",
        "a\x85b",
        "a\u2028b",
    ),
    *(
        "\ufeffa",
        "\x00",
        "\x1b[0m",
        "Zürich",
        "日本",
        "😀",
        "\U000e0001",
        "a\xa0b",
        "\uffff",
        "a\n#b",
        "a\n---\nb",
        "a:\nb",
    ),
)
texts = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("ab \n:#-'\"", max_size=12),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False), texts
)
data = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)


def read(text: str) -> t.Any:
    return from_yaml(text.encode("utf-8"), "bundle x")


@given(content=st.dictionaries(texts, data, min_size=1, max_size=5))
@example(content={"k" * 2000: "v", "l" * 2000: {"a": [1]}, "e": {}, "f": []})
@example(content={each: [each, [each, {each: each}]] for each in TRICKY})
def test_what_is_written_is_read_as_it_was_by_us_and_by_others(content: dict[str, t.Any]) -> None:
    text = to_yaml(content)
    assert read(text) == content
    assert to_yaml(read(text)) == text
    # The rest of the world: YAML 1.2, and YAML 1.1 but for the floats that it takes for texts.
    new = YAML(typ="safe", pure=True).load(io.StringIO(text))
    assert new == content
    old = yaml.safe_load(text)
    assert _texts(old) == _texts(content)


def _texts(value: t.Any) -> t.Any:
    """Give `value` with its numbers as texts: 1e+16 is a number in YAML 1.2 only."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return repr(value) if isinstance(value, float) else value


def test_it_is_text_for_people() -> None:
    content = {
        "format": "lockstep-bundle-1",
        "jobs": [{"name": "hr to ad", "objects": [{"when": "a\nb"}, {}], "path": "/srv/hr.csv", "on": True, "n": 5}],
    }
    assert to_yaml(content) == (
        "format: lockstep-bundle-1\n"
        "jobs:\n"
        "  - name: hr to ad\n"
        "    objects:\n"
        "      - when: |-\n"
        "          a\n"
        "          b\n"
        "      - {}\n"
        "    path: /srv/hr.csv\n"
        '    "on": true\n'
        '    "n": 5\n'
    )


def test_a_long_key_and_lists_in_lists_come_back() -> None:
    long = "k" * 2000
    content = {long: "v", "a": {long: [[1, [2]], []]}}
    assert to_yaml(content).startswith(f"? {long}\n: v\na:\n  ? {long}\n  :\n    - - 1\n      - - 2\n    - []\n")
    assert read(to_yaml(content)) == content


def test_scalars_are_read_as_yaml_1_2_says() -> None:
    text = "[yes, true, False, ~, NULL, 0o17, 0x1f, -12, 1e3, .5, 1:30, 2026-01-01, 1_000, 'true', \"5\"]"
    expected = ["yes", True, False, None, None, 15, 31, -12, 1000.0, 0.5, "1:30", "2026-01-01", "1_000", "true", "5"]
    assert read(text) == expected


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
REFUSED = (
    (BOMB, "line 1 has an anchor"),
    ("a: *b\n", "line 1 has an alias"),
    ("a: 1\nb: !!python/object/apply:os.system [id]\n", "line 2 has a tag"),
    ("a: !!str 1\n", "line 1 has a tag"),
    ("%YAML 1.1\n---\na: 1\n", "line 1 has a directive"),
    ("%TAG ! !x\n---\na: 1\n", "line 1 has a directive"),
    ("a: 1\n---\nb: 2\n", "line 2 has a second document"),
    ("a: 1\na: 2\n", "line 2 has the key 'a' twice"),
    ("a: {1: 2}\n", "line 1 has a key that is not a text"),
    ("? [a]\n: 1\n", "line 1 has a key that is not a text"),
    ("[" * 60, "line 1 has more than 50 levels"),
    ("", "it is empty"),
    ("# nothing\n", "it is empty"),
    ("a: [1\nb: 2\n", "it is not YAML in line 2"),
    ('a: "\\q"\n', "it is not YAML in line 1"),
    ("a: \x01\n", "it is not YAML"),
    ('a: "\\UFFFFFFFF"\n', "it is not YAML"),
)


@pytest.mark.parametrize("library", ["C", "Python"])
@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_no_bundle_has_is_refused(monkeypatch: pytest.MonkeyPatch, library: str, text: str, message: str) -> None:
    if library == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    with pytest.raises(BundleError, match=f"^bundle x: {message}"):
        read(text)


def test_what_is_too_big_or_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError, match="byte 3 is not UTF-8 text"):
        from_yaml(b"a: \xff", "bundle x")
    monkeypatch.setattr(bundle_yaml, "MAX_BYTES", 2**20)
    with pytest.raises(BundleError, match="it is bigger than 1 MiB, so it is not read"):
        from_yaml(b"#" * (2**20 + 1), "bundle x")


def test_a_host_without_pyyaml_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(DependencyError, match="pip install PyYAML"):
        read("a: 1")
