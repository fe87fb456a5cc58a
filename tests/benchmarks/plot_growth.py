# Copyright (c) 2026, the lockstep.sync contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw seconds and peak memory against records, both axes logarithmic.

usage: plot_growth.py FIGURES.json PLOT.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt


def main() -> None:
    data, plot = sys.argv[1:]
    figures = json.loads(Path(data).read_text(encoding="utf-8"))
    kinds = list(dict.fromkeys(figure["kind"] for figure in figures))
    canvas, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for panel, quantity, label in zip(panels, ("seconds", "megabytes"), ("seconds", "peak memory, MB"), strict=True):
        for kind in kinds:
            line = [figure for figure in figures if figure["kind"] == kind]
            panel.loglog(
                [figure["records"] for figure in line], [figure[quantity] for figure in line], marker="o", label=kind
            )
        top = max(figures, key=lambda figure: figure[quantity])
        sizes = sorted({figure["records"] for figure in figures})
        linear = [top[quantity] * size / top["records"] for size in sizes]
        panel.loglog(sizes, linear, linestyle="--", color="gray", label="linear growth")
        panel.set_xlabel("records")
        panel.set_ylabel(label)
        panel.grid(visible=True, which="both", alpha=0.25)
    panels[0].legend()
    canvas.savefig(plot, dpi=110)


main()
