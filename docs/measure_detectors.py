"""python -m docs.measure_detectors [REPLICATES]: write the table of docs/explanation/detectors.md from Noufaily's 42 scenarios, simulated anew."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.outbreaks import PUBLISHED, scores, simulate

PAGE = Path(__file__).parent / "explanation" / "detectors.md"
FIRST, LAST = "<!-- measured -->\n", "<!-- end -->\n"
NAMES = ("false_positive_rate", "found", "sensitivity", "specificity", "precision", "f1", "delay")


def measured(replicates: int) -> list[str]:
    """The lines of the table: per detector our figure and, in brackets, that of R on 420 series."""
    world, name = simulate(replicates, 2026), "Farrington flexible, alpha 0.005"
    found, own = scores(*world), scores(*world, names=(name,), fallback=True)
    lines = ["| detector | false positive rate | outbreaks found | sensitivity | specificity | precision | F1 | delay |", "|---" * 8 + "|"]
    for method, told in found.items():
        cells = [f"{getattr(told, one):.3f} ({figure:.3f})" for one, figure in zip(NAMES, PUBLISHED[method], strict=True)]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    lines.append(f"| {name}, with our fallback | " + " | ".join(f"{getattr(own[name], one):.3f}" for one in NAMES) + " |")
    return [f"{42 * replicates} series, {found[name].outbreaks} outbreaks.", "", *lines]


def main() -> None:
    """Measure and write the page."""
    text = PAGE.read_text("utf-8")
    head, rest = text.split(FIRST)
    PAGE.write_text(head + FIRST + "\n".join(measured(int(sys.argv[1]) if len(sys.argv) > 1 else 20)) + "\n" + LAST + rest.split(LAST)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
