# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what was measured, in words that docs/performance.md explains."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cases import Row

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "performance.md"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
HEADINGS = ("work", "by", "median s", "min-max (rounds)", "x floor", "peak MB", "target", "met")
Cells = tuple[str, ...]


def lines_of(row: Row) -> list[Cells]:
    """Give one line per contender; the work and its target stand in the first, which is ours."""
    lines: list[Cells] = []
    for number, contender in enumerate(row.case.contenders):
        seconds = [turn.seconds for turn in row.turns[number]]
        spread = f"{min(seconds):.2f}-{max(seconds):.2f} ({len(seconds)})" if len(seconds) > 1 else "once"
        part = contender.size is not None and contender.size != row.case.size
        ours = number == 0
        lines.append(
            (
                row.case.name if ours else "",
                f"{contender.name}, {contender.size:,} of {row.case.size:,}" if part else contender.name,
                f"{row.median(number):.2f}",
                spread,
                f"{row.ratio(number):.2f}{' per record' if part else ''}",
                f"{row.megabytes(number):.0f}",
                row.target if ours else "",
                ("yes" if row.met else "no") if ours and row.target else "",
            )
        )
    return lines


def lay_table(headings: Cells, lines: Sequence[Cells]) -> str:
    """Lay lines out as a Markdown table that also reads well as text."""
    widths = [max(len(line[column]) for line in [headings, *lines]) for column in range(len(headings))]

    def lay(cells: Cells) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([lay(headings), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(lay, lines)])


def table(rows: Sequence[Row]) -> str:
    """Give the table of all rows."""
    return lay_table(HEADINGS, [line for row in rows for line in lines_of(row)])


def machine() -> str:
    """Describe this machine in one line."""
    cpu = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in cpu.read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.machine()
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def write_page(text: str, marks: tuple[str, str] = (START, END)) -> None:
    """Put `text` between the marks in the page. The words around them stay."""
    start, end = marks
    before, rest = PAGE.read_text(encoding="utf-8").split(start, 1)
    after = rest.split(end, 1)[1]
    PAGE.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
