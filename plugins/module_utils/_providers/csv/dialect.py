# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a CSV provider, and what a CSV file looks like: its encoding, byte order mark and line breaks."""

from __future__ import annotations

import codecs
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..._model.errors import ConfigError, ProviderError
from ..._model.jobs import ProviderSpec
from ..files import path_option, read_error, where_of

# byte order marks by codec; those of UTF-32 come first because the one of UTF-16 is the start of one of them
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# codecs that write a mark by themselves, and what a new file gets for them
_MARKED: Mapping[str, tuple[str, bytes]] = {
    "utf-8-sig": ("utf-8", codecs.BOM_UTF8),
    "utf-16": ("utf-16-le", codecs.BOM_UTF16_LE),
    "utf-32": ("utf-32-le", codecs.BOM_UTF32_LE),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvOptions:
    """A CSV provider's options, checked. `names` are the field names of a file without a header, None with one."""

    where: str
    path: Path
    delimiter: str
    quote: str
    encoding: str
    names: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileForm:
    """How a file is written: the codec without byte order mark, the mark (empty for none) and the line break."""

    codec: str
    mark: bytes
    line_break: str = "\n"


def csv_options(spec: ProviderSpec) -> CsvOptions:
    """Check the options of a CSV provider and fill in the defaults. Raises ConfigError."""
    where = where_of(spec)
    given = {name: value for name, value in spec.options.items() if value is not None}
    delimiter = _one_character(where, "delimiter", given.get("delimiter", ","))
    quote = _one_character(where, "quote", given.get("quote", '"'))
    if delimiter == quote:
        raise ConfigError(f"{where}: delimiter and quote are both {quote!r}. Give two different characters.")
    return CsvOptions(
        where=where,
        path=path_option(spec),
        delimiter=delimiter,
        quote=quote,
        encoding=_codec(where, given.get("encoding", "utf-8")),
        names=_names(where, header=given.get("header", True), fields=given.get("fields", ())),
    )


def detect_form(options: CsvOptions, start: bytes) -> FileForm:
    """Find codec and byte order mark from the first bytes of a file.

    Raises ProviderError when the mark is that of another encoding than the declared one.
    """
    family = options.encoding.removesuffix("-sig")
    for mark, codec in _MARKS:
        if not start.startswith(mark):
            continue
        if codec == family or codec.startswith(f"{family}-"):
            return FileForm(codec=codec, mark=mark)
        if not (mark == codecs.BOM_UTF32_LE and family.startswith("utf-16")):
            found = codec.removesuffix("-le").removesuffix("-be")
            raise ProviderError(
                f"{options.where}: {options.path} starts with the byte order mark of {found}, the option encoding "
                f"is {options.encoding}. Set encoding: {found}."
            )
    return FileForm(codec=_MARKED.get(options.encoding, (options.encoding, b""))[0], mark=b"")


def new_form(options: CsvOptions) -> FileForm:
    """Give the form of a file that does not exist yet."""
    codec, mark = _MARKED.get(options.encoding, (options.encoding, b""))
    return FileForm(codec=codec, mark=mark)


def ends_with_line_break(path: Path, where: str, form: FileForm) -> bool:
    """Tell whether the file is empty but for its mark, or its last character is a line break."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(len(form.mark), size - 8))
            tail = file.read()
    except OSError as error:
        raise read_error(path, where, error) from error
    return not tail or tail.endswith(("\n".encode(form.codec), "\r".encode(form.codec)))


def _one_character(where: str, option: str, value: object) -> str:
    if isinstance(value, str) and len(value) == 1 and value not in "\r\n\0":
        return value
    raise ConfigError(f"{where}: the option {option} must be one character, got {value!r}.")


def _codec(where: str, name: object) -> str:
    """Give Python's own name of an encoding."""
    try:
        codec = codecs.lookup(str(name)).name
        "".encode(codec)
    except LookupError as error:
        raise ConfigError(
            f"{where}: the option encoding names no encoding of text: {name!r}. "
            f"Valid are for example utf-8, utf-16, windows-1252, iso-8859-1."
        ) from error
    return codec


def _names(where: str, *, header: object, fields: t.Any) -> tuple[str, ...] | None:
    names = tuple(fields)
    if header:
        if names:
            raise ConfigError(f"{where}: fields are given, but header is true. Set header: false, or leave out fields.")
        return None
    if not names:
        raise ConfigError(f"{where}: header is false, so the option fields must name the fields in their order.")
    if any(not isinstance(name, str) or not name for name in names):
        raise ConfigError(f"{where}: the option fields must hold names, got {list(names)!r}.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ConfigError(f"{where}: the option fields names {', '.join(map(repr, twice))} more than once.")
    return names
