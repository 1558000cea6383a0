"""detect: what is unusual in a bare file of counts; nothing here needs a site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from quanmin.catalog.messages import say

METHODS = ("farrington_flexible", "farrington", "ears", "rki", "bayes", "cdc", "cusum", "glr_poisson", "glr_negbin", "binomial_cusum", "outbreak_p",
           "moving_percentile",
           "fixed_threshold", "essence", "xmr")


def detect(file: Annotated[Path, typer.Argument(metavar="COUNTS.csv", help="CSV (UTF-8, GB18030, UTF-16) or Excel, long or wide")],
           date: Annotated[str, typer.Option(metavar="COL", help="days, weeks (2024-W53), months (2024-05) or plain numbers")],
           method: Annotated[str, typer.Option(help=" | ".join(METHODS))] = METHODS[0],
           count: Annotated[str, typer.Option(metavar="COL,…", help="all other columns without it")] = "",
           by: Annotated[str, typer.Option(metavar="COL,…", help="what makes a series, as county,disease")] = "",
           population: Annotated[str, typer.Option(metavar="COL|FILE", help="people, visits or tests behind the counts")] = "",
           setting: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="as R names them: b=5, alpha=0.01, range=300:522 …")] = None,
           params: Annotated[str, typer.Option(metavar="JSON", help="settings all at once")] = "",
           out: Annotated[Path | None, typer.Option(metavar="SIGNALS.csv")] = None) -> None:
    """Look for outbreaks in counts: observed, expected, upper limit, score and alarm for every series and period, and why."""
    from quanmin.services.surveillance.files import Asked, Found, signals_of, write_signals  # numba: not before it is needed
    from quanmin.services.surveillance.settings_text import read_settings

    found: Found = signals_of(Asked(file, method, date, _names(count), _names(by), population, read_settings(setting or (), params)))
    written = write_signals(found.table, out)
    if out is None:
        sys.stdout.write(written.decode("utf-8"))
    aside = sys.stdout if out else sys.stderr
    print(say("detect_summary", method=found.method, series=f"{found.series:,}", periods=f"{found.periods:,}", judged=f"{found.judged:,}",
              alarms=f"{found.alarms:,}"), file=aside)
    if found.raised != found.alarms:
        print(say("detect_raised", raised=f"{found.raised:,}"), file=aside)
    for used, times in found.stood_in.most_common():
        print("  " + say(f"detect_used_{used}", count=f"{times:,}"), file=aside)
    for reason, times in found.unmodelled.most_common():
        print("  " + say("detect_unmodelled", count=f"{times:,}", reason=say(f"detect_reason_{reason}")), file=aside)
    if out is not None:
        print(say("quality_written", rows=f"{len(found.table):,}", out=out), file=aside)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
