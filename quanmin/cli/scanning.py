"""scan, reproduction, nowcast, adverse-events: what epidemiologists work out from bare files; nothing here needs a site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from quanmin.catalog.messages import all_messages, say
from quanmin.cli.printing import write_rows
from quanmin.model import Problem, Refusal

FORMATS = ("table", "csv", "json")
SHOWN = 40  # rows on a terminal
LARGE = 1e6  # from here on without separators
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="write CSV (or JSON) here")]
Form = Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))]
Sets = Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help="may be given again; a wrong name lists all")]
Col = typer.Option(metavar="COL")


def scan(cases: Annotated[Path, typer.Argument(metavar="CASES.csv", help="place, date, count (1 without); or SaTScan's .cas")],
         places: Annotated[Path, typer.Option(metavar="PLACES.csv", help="place, latitude, longitude (or x, y); or .geo")],
         population: Annotated[Path | None, typer.Option(metavar="POP.csv", help="place, population, perhaps date; or .pop")] = None,
         controls: Annotated[Path | None, typer.Option(metavar="CONTROLS.csv", help="Bernoulli: as the cases; or .ctl")] = None,
         model: Annotated[str, typer.Option(help="poisson | bernoulli | permutation")] = "poisson",
         spatial: Annotated[bool, typer.Option("--spatial", help="places only, all days together")] = False,
         prospective: Annotated[bool, typer.Option("--prospective", help="only clusters that still go on")] = False,
         max_days: Annotated[int | None, typer.Option(min=1, help="longest cluster, in periods (half of the time without)")] = None,
         period: Annotated[str, typer.Option(help="day | week | month | year")] = "day",
         since: Annotated[str, typer.Option("--from", metavar="DAY")] = "", until: Annotated[str, typer.Option("--to", metavar="DAY", help="counted in")] = "",
         coordinates: Annotated[str, typer.Option(help="degrees | planar; by the columns' names without")] = "",
         place: Annotated[str, Col] = "place", date: Annotated[str, Col] = "date", count: Annotated[str, Col] = "count",
         covariates: Annotated[str, typer.Option(metavar="COL,…", help="of cases and population, as age_band,sex")] = "",
         settings: Sets = [], out: Out = None, form: Form = "table") -> None:  # noqa: B006
    """Find clusters in space and time (Kulldorff's scan statistic; --set max_share, max_radius, replicas, seed, least_cases)."""
    from quanmin.services.surveillance.scanning_files import COLUMNS, AskedScan, limits_of, scan_files

    _known(form)
    found = scan_files(AskedScan(cases, places, population, controls, model, spatial, period, since, until, coordinates,
                                 (("place", place), ("date", date), ("count", count)), _names(covariates), limits_of(settings, prospective, max_days)))
    _write(found.rows, COLUMNS, form, out, ("members", "latitude", "longitude", "radius", "llr", "observed_expected", "p_gumbel", "units"), 10)
    aside = sys.stderr if form != "table" and out is None else sys.stdout
    counts = {"places": found.places, "periods": found.periods, "zones": f"{found.scanned.zones:,}", "clusters": len(found.rows)}
    print(say("scanned", cases=f"{found.cases:,}", **counts), file=aside)


def reproduction(incidence: Annotated[Path, typer.Argument(metavar="INCIDENCE.csv")],
                 method: Annotated[str, typer.Option(help="cori | wallinga_teunis")] = "cori",
                 interval: Annotated[Path | None, typer.Option(metavar="FILE", help="serial interval: lag, w; else --set mean_si, std_si")] = None,
                 date: Annotated[str, Col] = "date", count: Annotated[str, Col] = "count",
                 imported: Annotated[str, typer.Option(metavar="COL", help="imported ones among the count")] = "",
                 settings: Sets = [], out: Out = None, form: Form = "table") -> None:  # noqa: B006
    """Reproduction number by window (--set mean_si, std_si, window, mean_prior, std_prior; std_mean_si, min_mean_si … where uncertain; n_sim)."""
    from quanmin.services.surveillance.series_files import AskedReproduction, reproduction_of

    _known(form)
    _write(reproduction_of(AskedReproduction(incidence, method, date, count, imported, interval, tuple(settings))), (), form, out,
           ("deviation", "q5", "q25", "q75", "q95"), -SHOWN)


def nowcast(cases: Annotated[Path, typer.Argument(metavar="LINELIST.csv")], onset: Annotated[str, Col] = "onset", report: Annotated[str, Col] = "report",
            delay: Annotated[str, typer.Option(metavar="COL", help="instead of --report: delay in periods, with a count")] = "",
            count: Annotated[str, Col] = "count", period: Annotated[str, typer.Option(help="day | week")] = "day",
            now: Annotated[str, typer.Option(metavar="DAY", help="the newest report without")] = "",
            settings: Sets = [], out: Out = None, form: Form = "table") -> None:  # noqa: B006
    """Cases by day of onset with those not reported yet (--set method=bnb_truncated|bnb|lawless_full|lawless, D=longest delay, m=window, alpha)."""
    from quanmin.services.surveillance.series_files import AskedNowcast, nowcast_of

    _known(form)
    _write(nowcast_of(AskedNowcast(cases, onset, report, delay, count, period, now, tuple(settings))), (), form, out, (), -SHOWN)


def adverse_events(table: Annotated[Path, typer.Argument(metavar="TABLE.csv")],
                   measure: Annotated[str, typer.Option(help="disproportionality | rates | sequential; by the columns without")] = "",
                   settings: Sets = [], out: Out = None, form: Form = "table") -> None:  # noqa: B006
    """Signals after vaccines: PRR, ROR, IC, EBGM; rates per dose; MaxSPRT (--set prior=published|fitted, per, level, T, alpha, M)."""
    from quanmin.services.surveillance.adverse_files import AskedAdverse, adverse_events_of

    _known(form)
    _write(adverse_events_of(AskedAdverse(table, measure, tuple(settings))), (), form, out,
           ("b", "c", "d", "rr", "ror", "chi2", "chi2_yates", "ic", "ic975", "ebgm", "eb95", "fisher_p", "prr_high", "ror_high"), SHOWN)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _known(form: str) -> None:
    if form not in FORMATS:
        raise Refusal(Problem("--format", None, "", form, say("unknown_format"), say("choose_format", known=", ".join(FORMATS))))


def _write(rows: list[dict[str, Any]], columns: tuple[str, ...], form: str, out: Path | None, hidden: tuple[str, ...], most: int) -> None:
    """Rows to a file or standard output; on a terminal as a table without the columns `hidden`, the first `most` rows (below 0: the last)."""
    names = columns or tuple(rows[0])
    if form != "table" or out is not None:
        write_rows(rows, names, "csv" if form == "table" else form, out)
        if out is not None:
            print(say("quality_written", rows=f"{len(rows):,}", out=out), file=sys.stdout if form == "table" else sys.stderr)
        return
    from rich.console import Console
    from rich.table import Table as RichTable

    shown, kept = RichTable(), [name for name in names if name not in hidden]
    for name in kept:
        head = f"scan_head_{name}"
        is_number = any(isinstance(row[name], int | float) for row in rows)
        shown.add_column(say(head) if head in all_messages() else name, justify="right" if is_number else "left", overflow="fold", no_wrap=name.endswith("_on"))
    kept_rows = rows[:most] if most > 0 else rows[most:]
    for row in kept_rows:
        shown.add_row(*(_told(row[name]) for name in kept))
    Console().print(shown)
    if len(rows) > len(kept_rows):
        print(say("scan_more_rows", count=len(rows) - len(kept_rows)))


def _told(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < LARGE else str(value)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (scan, reproduction, nowcast, adverse_events):
        app.command()(command)
