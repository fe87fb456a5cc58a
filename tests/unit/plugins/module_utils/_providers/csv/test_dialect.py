# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a CSV provider, and how a file's encoding is found."""

from __future__ import annotations

import codecs
import typing as t
from pathlib import Path

import pytest
from ansible_collections.lockstep.sync.plugins.module_utils._model.errors import ConfigError, ProviderError
from ansible_collections.lockstep.sync.plugins.module_utils._model.jobs import ProviderSpec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.csv.dialect import (
    FileForm,
    csv_options,
    detect_form,
    ends_with_line_break,
    new_form,
)


def spec(**options: t.Any) -> ProviderSpec:
    return ProviderSpec(name="hr", type="csv", options={"path": "/data/hr.csv", **options})


def test_what_is_left_out_has_the_documented_default() -> None:
    options = csv_options(spec(delimiter=None, header=None, fields=None))
    assert (options.delimiter, options.quote, options.encoding, options.names) == (",", '"', "utf-8", None)


@pytest.mark.parametrize("option", ["delimiter", "quote"])
@pytest.mark.parametrize("value", ["", ";;", "\n", "\r", "\0", 5])
def test_delimiter_and_quote_are_one_character(option: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"csv provider 'hr': the option {option} must be one character"):
        csv_options(spec(**{option: value}))


def test_delimiter_and_quote_differ() -> None:
    with pytest.raises(ConfigError, match="two different characters"):
        csv_options(spec(delimiter="'", quote="'"))


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "", "base64"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    with pytest.raises(ConfigError, match="names no encoding of text"):
        csv_options(spec(encoding=encoding))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"header": False}, "must name the fields"),
        ({"header": False, "fields": ["a", ""]}, "must hold names"),
        ({"header": False, "fields": ["a", 5]}, "must hold names"),
        ({"header": False, "fields": ["a", "b", "a"]}, "names 'a' more than once"),
        ({"fields": ["a"]}, "header is true"),
    ],
)
def test_header_and_fields_agree(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        csv_options(spec(**options))


@pytest.mark.parametrize(
    ("encoding", "start", "codec", "mark"),
    [
        ("utf-8", b"id,n", "utf-8", b""),
        ("utf-8", codecs.BOM_UTF8 + b"i", "utf-8", codecs.BOM_UTF8),
        ("utf-8-sig", codecs.BOM_UTF8 + b"i", "utf-8", codecs.BOM_UTF8),
        ("utf-8-sig", b"id,n", "utf-8", b""),
        ("utf-16", codecs.BOM_UTF16_LE + b"i\0", "utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16", codecs.BOM_UTF16_BE + b"\0i", "utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", codecs.BOM_UTF16_LE + b"i\0", "utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16", codecs.BOM_UTF16_LE + b"\0\0", "utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-32", codecs.BOM_UTF32_LE, "utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-16", b"i\0d\0", "utf-16-le", b""),
        ("windows-1252", b"id,n", "cp1252", b""),
    ],
)
def test_the_mark_is_found_and_remembered(encoding: str, start: bytes, codec: str, mark: bytes) -> None:
    assert detect_form(csv_options(spec(encoding=encoding)), start) == FileForm(codec=codec, mark=mark)


@pytest.mark.parametrize(
    ("encoding", "start", "found"),
    [("utf-8", codecs.BOM_UTF16_LE + b"i\0", "utf-16"), ("windows-1252", codecs.BOM_UTF8 + b"i", "utf-8")],
)
def test_the_mark_of_another_encoding_is_refused(encoding: str, start: bytes, found: str) -> None:
    with pytest.raises(ProviderError, match=f"Set encoding: {found}"):
        detect_form(csv_options(spec(encoding=encoding)), start)


def test_a_new_file_gets_the_mark_its_encoding_needs() -> None:
    assert new_form(csv_options(spec())) == FileForm(codec="utf-8", mark=b"")
    assert new_form(csv_options(spec(encoding="utf-16"))) == FileForm(codec="utf-16-le", mark=codecs.BOM_UTF16_LE)


@pytest.mark.parametrize(
    ("data", "ends"),
    [(b"", True), (b"a,b\n", True), (b"a,b\r\n", True), (b"a,b\r", True), (b"a,b", False), (b"a,b\n1,2", False)],
)
def test_the_last_line_break_is_looked_for(tmp_path: Path, data: bytes, ends: bool) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    assert ends_with_line_break(path, "here", FileForm(codec="utf-8", mark=b"")) is ends
    path.write_bytes(codecs.BOM_UTF16_LE + data.decode().encode("utf-16-le"))
    assert ends_with_line_break(path, "here", FileForm(codec="utf-16-le", mark=codecs.BOM_UTF16_LE)) is ends


def test_a_file_that_went_away_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="does not exist"):
        ends_with_line_break(tmp_path / "x.csv", "here", FileForm(codec="utf-8", mark=b""))
