"""python -m docs.measure_supervision SITE: write the table of docs/explanation/supervision-rules.md from a site that `quanmin demo` made."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from quanmin.catalog import load
from quanmin.site import Site
from tests.journeys.overcharges import FAMILIES, overcharges
from tests.journeys.violations import SUBJECTS, families

PAGE = Path(__file__).parent / "explanation" / "supervision-rules.md"
FIRST, LAST = "<!-- measured -->\n", "<!-- end -->\n"


def measured(folder: Path) -> list[str]:
    """The lines of the table: family by family what was planted, found and right."""
    catalog = load()
    labels, found = catalog.codes["rule_family"].codes, families(Site(folder), folder / "region" / "truth" / "violations.csv")
    columns = ("family", "rules", "planted", "found of them", "recall", "findings", "precision", "look-alikes", "accused of them")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for code, label in labels.items():
        one = found.get(code)
        rules = [rule for rule in catalog.rules.values() if rule.finding and rule.finding.family == code and rule.table in SUBJECTS]
        if one is None or not one.planted:
            continue
        right = len(one.planted & one.found)
        lines.append(f"| {label.zh} · {label.en} | {len(rules)} | {len(one.planted)} | {right} | {one.recall:.3f} | {len(one.found)} | {one.precision:.3f}"
                     f" | {len(one.innocent)} | {len(one.innocent & one.found)} |")
    return lines + _charges(folder)


def _charges(folder: Path) -> list[str]:
    """The same of the families over itemised charges; a stay that holds a planted line is right or left out."""
    site = Site(folder)
    with (folder / "region" / "truth" / "violations.csv").open(encoding="utf-8", newline="") as stream:
        found = overcharges(site, list(csv.DictReader(stream)))
    labels, lines = site.catalog.codes["rule_family"].codes, []
    for code in FAMILIES:
        planted, fair, innocent = found.planted[code], found.fair(code), found.innocent[code]
        rules = [rule for rule in site.catalog.rules.values() if rule.finding and rule.finding.family == code]
        right = len(planted & fair)
        lines.append(f"| {labels[code].zh} · {labels[code].en} | {len(rules)} | {len(planted)} | {right} | {right / len(planted):.3f} | {len(fair)}"
                     f" | {right / len(fair):.3f} | {len(innocent)} | {len(innocent & found.found[code])} |")
    return lines


def main() -> None:
    """Measure the named site and write the page."""
    text = PAGE.read_text("utf-8")
    head, rest = text.split(FIRST)
    PAGE.write_text(head + FIRST + "\n".join(measured(Path(sys.argv[1]))) + "\n" + LAST + rest.split(LAST)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
