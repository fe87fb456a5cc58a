# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look into an .xlsx package before a library parses it: is it whole, is it safe, what would be lost by writing it."""

from __future__ import annotations

import re
import typing as t
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ..._model.errors import ProviderError
from ..files import read_error

# a package that unpacks to more than this, and this many times its size, is an attack and not a table
MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 100

_OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_BLOCK = 1024 * 1024
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_REL = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

_CELL_MARK = re.compile(rb"""\bt=["']e["']|<(?:\w+:)?f[\s/>]""")
_CELL_END = re.compile(rb"</(?:\w+:)?c>")
_CELL_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]+)["']""")
# plain searches are many times faster than the pattern: most sheets have no such cell
_CELL_HINTS = (b"<f", b":f", b't="e"', b"t='e'")
_ERROR_TYPE = re.compile(rb"""\st=["']e["']""")
_TEXT_TYPE = re.compile(rb"""\st=["']str["']""")
_HAS_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_HAS_VALUE = re.compile(rb"<(?:\w+:)?(?:v>[^<]|v\s[^>]*>[^<]|is>)")

# what openpyxl writes back, or what Excel makes anew without loss (calculation chain, printer settings, thumbnail)
_KEPT_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(core|app|custom)\.xml|docProps/thumbnail\.\w+"
    r"|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/(styles|sharedStrings|calcChain)\.xml|xl/theme/.*"
    r"|xl/worksheets/[^/]+\.xml|xl/worksheets/_rels/.*|xl/(worksheets/)?comments[^/]*|xl/comments/.*"
    r"|xl/drawings/(comments)?[vV]mlDrawing[^/]*\.vml|xl/drawings/commentsDrawing[^/]*\.vml"
    r"|xl/tables/.*|xl/externalLinks/.*|xl/printerSettings/.*|.*/"
)
_LOST_ELEMENTS = re.compile(
    rb"<(?:\w+:)?(extLst|protectedRanges|dataConsolidate|cellWatches|customProperties|webPublishItems|legacyDrawingHF|"
    rb"picture|smartTags|oleObjects|controls)[\s/>]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFinding:
    """A cell that cannot be read: its place (`B7`) and why."""

    place: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetScan:
    """What the reading library does not tell, by column from 0 (-1 when a cell does not name its place).

    Attributes:
        unreadable: the first cell of each column that holds an error, or a formula without a calculated value.
        formulas: the place of the first formula of each column.
    """

    unreadable: Mapping[int, CellFinding] = field(default_factory=dict)
    formulas: Mapping[int, str] = field(default_factory=dict)


def check_package(path: Path, where: str) -> None:
    """Make sure that `path` is a whole, unprotected .xlsx of a sane size. Raises ProviderError."""
    with _opened(path, where) as package:
        parts = package.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = max(sum(part.compress_size for part in parts), 1)
        if unpacked > MAX_UNPACKED_BYTES and unpacked / packed > MAX_RATIO:
            raise ProviderError(
                f"{where}: {path} is refused: it unpacks to {unpacked:,} bytes, {unpacked // packed} times its size. "
                f"Limits: {MAX_UNPACKED_BYTES:,} bytes and {MAX_RATIO} times. No ordinary workbook does that."
            )
        if "xl/workbook.xml" not in package.namelist():
            raise ProviderError(f"{where}: {path} is a zip archive, but not an Excel workbook. Save it as .xlsx.")


def scan_sheet(path: Path, where: str, sheet: str) -> SheetScan:
    """Find the cells of `sheet` whose values a reader would take for empty. Raises ProviderError.

    Reads the sheet's XML once; only cells with an error or a formula cost time.
    """
    unreadable: dict[int, CellFinding] = {}
    formulas: dict[int, str] = {}
    with _opened(path, where) as package:
        part = _sheet_parts(package).get(sheet)
        if part is None:
            raise ProviderError(f"{where}: {path} does not say where its sheet {sheet!r} is. Save it again in Excel.")
        for cell in _marked_cells(package, part):
            column, place = _place_of(cell)
            if _HAS_FORMULA.search(cell):
                formulas.setdefault(column, place)
            reason = _why_unreadable(cell)
            if reason:
                unreadable.setdefault(column, CellFinding(place=place, reason=reason))
    return SheetScan(unreadable=unreadable, formulas=formulas)


def lost_parts(path: Path, where: str) -> list[str]:
    """Name what the workbook holds and openpyxl cannot write back. Raises ProviderError."""
    lost = []
    with _opened(path, where) as package:
        for name in package.namelist():
            if not _KEPT_PARTS.fullmatch(name):
                lost.append(name)
            elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
                found = _search_part(package, name, _LOST_ELEMENTS)
                lost += [f"{element} in {name}" for element in sorted(found)]
    return lost


@contextmanager
def _opened(path: Path, where: str) -> Iterator[zipfile.ZipFile]:
    """Open the package; what is wrong with it becomes a ProviderError."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            if not start:
                raise ProviderError(f"{where}: {path} is empty (0 bytes): it is not a workbook.")
            if start == _OLE_MAGIC:
                raise ProviderError(
                    f"{where}: {path} is protected with a password, or an old .xls. "
                    f"Save it as .xlsx without a password to open it."
                )
            with zipfile.ZipFile(file) as package:
                yield package
    except OSError as error:
        raise read_error(path, where, error) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        expat.ExpatError,
    ) as error:
        raise ProviderError(
            f"{where}: {path} is damaged, cut or not an .xlsx workbook: {error}. "
            f"Copy the file again or save it as .xlsx."
        ) from error


def _sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Give the part of each sheet by the sheet's name."""
    targets = {}
    for tag, attributes in _elements(package.read("xl/_rels/workbook.xml.rels")):
        if tag == "Relationship":
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    sheets = {}
    for tag, attributes in _elements(package.read("xl/workbook.xml")):
        if tag == "sheet":
            reference = attributes.get(_REL) or attributes.get(_STRICT_REL) or ""
            if reference in targets:
                sheets[attributes.get("name", "")] = targets[reference]
    return sheets


def _elements(data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Give the elements of a small XML part: local name and attributes, names with a namespace as `{uri}name`."""
    found = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        names = {"{" + name if "}" in name else name: value for name, value in attributes.items()}
        found.append((tag.rpartition("}")[2], names))

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(data, True)
    return found


def _refuse_doctype(*_: object) -> t.NoReturn:
    raise RuntimeError("its XML declares entities")


def _marked_cells(package: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the XML of each cell that has a formula or the type error."""
    for block in _blocks_of_cells(package, part):
        if not any(hint in block for hint in _CELL_HINTS):
            continue
        done = 0
        for mark in _CELL_MARK.finditer(block):
            if mark.start() < done:
                continue
            start = max(block.rfind(b"<c ", 0, mark.start() + 1), block.rfind(b":c ", 0, mark.start() + 1))
            end = _CELL_END.search(block, mark.end())
            done = len(block) if end is None else end.end()
            cell = block[max(start, 0) : done]
            if _HAS_FORMULA.search(cell) or _ERROR_TYPE.search(cell.partition(b">")[0]):
                yield cell


def _blocks_of_cells(package: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the part in blocks cut before the closing tag of a cell, so that no cell is torn."""
    with package.open(part) as file:
        rest = b""
        while block := file.read(_BLOCK):
            data = rest + block
            end = max(data.rfind(b"</c>"), data.rfind(b":c>"))
            yield data[: max(end, 0)]
            rest = data[max(end, 0) :]
        yield rest


def _search_part(package: zipfile.ZipFile, part: str, pattern: re.Pattern[bytes]) -> set[str]:
    found: set[str] = set()
    with package.open(part) as file:
        rest = b""
        while block := file.read(_BLOCK):
            data = rest + block
            found.update(match.group(1).decode() for match in pattern.finditer(data))
            rest = data[-40:]
    return found


def _place_of(cell: bytes) -> tuple[int, str]:
    found = _CELL_PLACE.search(cell.partition(b">")[0])
    if found is None:
        return -1, "a cell"
    letters, row = found.group(1).decode(), found.group(2).decode()
    return column_number(letters), f"{letters}{row}"


def _why_unreadable(cell: bytes) -> str:
    tag = cell.partition(b">")[0]
    if _ERROR_TYPE.search(tag):
        return "holds an error value such as #N/A"
    if _HAS_FORMULA.search(cell) and not _TEXT_TYPE.search(tag) and not _HAS_VALUE.search(cell):
        return "holds a formula whose value was never calculated"
    return ""


def column_number(letters: str) -> int:
    """Give the number of a column from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """Give the letters of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
