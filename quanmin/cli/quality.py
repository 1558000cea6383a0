"""quality: outcomes of bare files, fairly compared; nothing here needs a site."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanmin.catalog.messages import all_messages, say
from quanmin.cli.printing import complain, write_rows
from quanmin.model import Problem, Refusal

if TYPE_CHECKING:
    import pyarrow as pa

    from quanmin.records.bare_files import Cases
    from quanmin.services.quality.calibration import Performance
    from quanmin.services.quality.modelling import Modelled

app = typer.Typer(no_args_is_help=True, help="Outcomes, fairly compared: standardised ratios, risk models and charts from bare files.")
FORMATS = ("table", "csv", "json")
SCORES = ("c_statistic", "intercept", "slope", "error")
PAIRS = {"low": "high", "low_95": "high_95", "low_998": "high_998"}
TINY, PLAIN, LARGE = 1e-9, 1000, 1e7  # what is written as 0, without decimals, with an exponent
Z = 1.959963984540054  # the 97.5 % point of the normal distribution
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV (UTF-8, GB18030, UTF-16) or Excel")]
Out = Annotated[Path | None, typer.Option(metavar="FILE")]
Form = Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))]
Level = Annotated[float, typer.Option(help="of the limits")]


@app.command()
def cusum(files: Files, outcome: Annotated[str, typer.Option(metavar="COL|COL=VALUE", help="0/1, or 1 where the column has the value")],
          risk: Annotated[str, typer.Option(metavar="COL", help="expected chance, 0 to 1")] = "",
          score: Annotated[str, typer.Option(metavar="COL", help="instead of --risk: log-odds = intercept + slope × score")] = "",
          intercept: float = 0.0, slope: float = 1.0, unit: Annotated[str, typer.Option(metavar="COL")] = "",
          order: Annotated[str, typer.Option(metavar="COL", help="date or number to sort by; the files' order without it")] = "",
          odds: Annotated[float, typer.Option(help="odds ratio looked for: above 1 worse, below 1 better")] = 2.0, limit: float = 4.5,
          run_length: Annotated[float | None, typer.Option(help="find the limit for so many cases between false alarms")] = None,
          reset: Annotated[bool, typer.Option(help="begin from 0 again after a signal")] = True, level: Level = 0.95,
          out: Out = None, form: Form = "table") -> None:
    """Follow each unit case by case: risk-adjusted CUSUM and variable life-adjusted display."""
    from quanmin.services.quality.monitoring import Asked, monitor  # scipy and pyarrow: not before they are needed

    _known(form)
    found = monitor(files, Asked(outcome, risk, score, intercept, slope, unit, order, odds, limit, run_length, reset, level))
    _write(found.rows, form, out)
    aside = sys.stdout if out or form == "table" else sys.stderr
    if run_length is not None:
        print(say("quality_limit_found", run_length=f"{run_length:g}", limit=f"{found.limit:.4f}"), file=aside)
    for one in found.units:
        print(say("quality_cusum_unit", unit=one.unit, cases=one.cases, observed=f"{one.observed:.0f}", expected=f"{one.expected:.2f}", vlad=f"{one.vlad:.2f}",
                  highest=f"{one.highest:.2f}", limit=f"{found.limit:.2f}", signals=one.signals, first=one.first_signal or "-"), file=aside)
    _account(found.cases)


@app.command()
def standardise(files: Files, unit: Annotated[str, typer.Option(metavar="COL")],
                observed: Annotated[str, typer.Option(metavar="COL", help="events; several rows of a unit are summed")] = "",
                expected: Annotated[str, typer.Option(metavar="COL", help="expected events, as `quanmin quality risk --out` adds them")] = "",
                outcome: Annotated[str, typer.Option(metavar="COL|COL=VALUE", help="0/1, or 1 where the column has the value")] = "",
                by: Annotated[str, typer.Option(metavar="COL,…", help="strata, as age_band,sex")] = "",
                reference: Annotated[Path | None, typer.Option(metavar="FILE", help="strata with the outcome or a column rate")] = None,
                direct: Annotated[bool, typer.Option("--direct", help="rates on a standard population instead of O/E")] = False,
                population: Annotated[str, typer.Option(metavar="COL|FILE", help="a column, or a file of the strata with a column population")] = "",
                method: Annotated[str, typer.Option(help="exact | byar | midp; with --direct gamma | dobson")] = "",
                dispersion: Annotated[str, typer.Option(help="none | multiplicative | additive")] = "none",
                limits: Annotated[str, typer.Option(help="funnel: interpolated | chi_square")] = "interpolated", level: Level = 0.95,
                out: Out = None, form: Form = "table") -> None:
    """Compare units: observed against expected with limits and a funnel, or rates on one standard population."""
    from quanmin.services.quality.comparing import Asked, compare

    _known(form)
    found = compare(files, Asked(unit, observed, expected, outcome, _names(by), reference, direct, population, method, level, dispersion, limits))
    _write(found.rows, form, out)
    _account(found.cases)
    if found.reference is not None:
        _account(found.reference)


@app.command()
def risk(files: Files, outcome: Annotated[str, typer.Option(metavar="COL|COL=VALUE", help="0/1, or 1 where the column has the value; days with --model days")],
         number: Annotated[str, typer.Option(metavar="COL,…", help="numbers, each a linear spline")] = "",
         category: Annotated[str, typer.Option(metavar="COL,…")] = "",
         diagnoses: Annotated[str, typer.Option(metavar="COL,…", help="ICD-10 codes of other diagnoses; in a column parted by |")] = "",
         separator: str = "|", index: Annotated[str, typer.Option(help="charlson | elixhauser | organ_failure")] = "charlson",
         weights: Annotated[str, typer.Option(help="charlson_1987 | quan_2011 | van_walraven_2009 | organ_count")] = "",
         time: Annotated[str, typer.Option(metavar="COL", help="validate on the later 30 %; five folds without it")] = "",
         model: Annotated[str, typer.Option(help="logistic | days")] = "logistic",
         knots: Annotated[int, typer.Option(help="of each number's spline, at equal shares")] = 3,
         out: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="the files' rows with a column expected")] = None, form: Form = "table") -> None:
    """Fit a risk model: coefficients, how well it tells stays apart and comes true, and what it expects of every stay."""
    from quanmin.services.quality.modelling import Asked, model_of

    _known(form)
    asked = Asked(outcome, _names(number), _names(category), _names(diagnoses), separator, index, weights, time, model, knots)
    found = model_of(files, asked, keep_all=out is not None)
    rows = _model_rows(found)
    if form == "table":
        for part in dict.fromkeys(row["part"] for row in rows):
            members = [row for row in rows if row["part"] == part]
            _table([name for name in members[0] if name != "part" and any(row[name] is not None for row in members)], members, say(f"quality_head_{part}"))
    else:
        write_rows(rows, list(rows[0]), form, None)
    if found.model.ridge:
        print(say("quality_ridge", ridge=f"{found.model.ridge:g}"), file=sys.stderr)
    if out is not None:
        _with_expected(found, out)
        print(say("quality_written", rows=f"{found.cases.usable.size:,}", out=out), file=sys.stdout if form == "table" else sys.stderr)
    _account(found.cases)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _known(form: str) -> None:
    if form not in FORMATS:
        raise Refusal(Problem("--format", None, "", form, say("unknown_format"), say("choose_format", known=", ".join(FORMATS))))


def _write(rows: pa.Table, form: str, out: Path | None) -> None:
    told = [{name: None if value != value else value for name, value in row.items()} for row in rows.to_pylist()]
    if form == "table" and out is None:
        _table([name for name in rows.column_names if name != "file" or len(rows["file"].unique()) > 1], told)
    else:
        write_rows(told, rows.column_names, "csv" if form == "table" else form, out)


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]], title: str = "") -> None:
    """Rows as a table on the terminal, low and high limits side by side in one column."""
    from rich.console import Console
    from rich.table import Table as RichTable

    names = [name.replace("low", "limits", 1) if name in PAIRS else name for name in columns if name not in PAIRS.values()]
    pairs = {name.replace("low", "limits", 1): (name, high) for name, high in PAIRS.items()}
    shown = RichTable(title=title or None)
    for name in names:
        is_number = name in pairs or any(isinstance(row[name], int | float) for row in rows)
        head = f"quality_head_{name}"
        shown.add_column(say(head) if head in all_messages() else name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(" – ".join(_told(row[half]) for half in pairs[name]) if name in pairs else _told(row[name]) for name in names))
    Console().print(shown)


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.0f}" if PLAIN <= abs(value) < LARGE else f"{value if abs(value) > TINY else 0.0:.3g}"
    return f"{value:,.0f}" if isinstance(value, int | float) and abs(value) < LARGE else f"{value:.3g}" if isinstance(value, float) else str(value)


def _model_rows(found: Modelled) -> list[dict[str, Any]]:
    """Everything about a model under one head: `part` says which a row is of."""
    import numpy as np

    columns = ("part", "name", "estimate", "standard_error", "effect", "low", "high", "rows", "expected", "observed", "fitted", "validated")
    rows: list[dict[str, Any]] = []
    for name, estimate, error in zip(found.model.names, found.model.coefficients.tolist(), found.model.standard_errors.tolist(), strict=True):
        effect, low, high = np.exp(np.clip([estimate, estimate - Z * error, estimate + Z * error], -700, 700)).tolist()
        rows.append({"part": "coefficients", "name": name, "estimate": estimate, "standard_error": error, "effect": effect, "low": low, "high": high})
    groups = found.validated.groups
    for number, (count, expected, observed) in enumerate(zip(groups.counts.tolist(), groups.expected.tolist(), groups.observed.tolist(), strict=True), 1):
        rows.append({"part": "calibration", "name": str(number), "rows": count, "expected": expected, "observed": observed})
    rows.append({"part": "performance", "name": say("quality_head_rows"), "fitted": found.fitted.row_count, "validated": found.validated.row_count})
    for name in SCORES:
        fitted, validated = (_score(of, name) for of in (found.fitted, found.validated))
        rows.append({"part": "performance", "name": say(f"quality_item_{name}"), "fitted": fitted, "validated": validated})
    return [{name: row.get(name) for name in columns} for row in rows]


def _score(of: Performance, name: str) -> float | None:
    value = float(getattr(of, name))
    return None if value != value else value


def _with_expected(found: Modelled, out: Path) -> None:
    """The files' rows as they were, with what the model expects; blank where a row was rejected."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    table = found.cases.table.drop_columns([name for name in ("expected",) if name in found.cases.table.column_names])
    table = table.append_column("expected", pa.array(found.expected, from_pandas=True))
    pacsv.write_csv(table, out, pacsv.WriteOptions(quoting_style="needed"))


def _account(cases: Cases) -> None:
    """How many rows were read, used and rejected, and the first rejects."""
    for note in cases.notes:
        print(note, file=sys.stderr)
    complain(cases.problems)
    if cases.rejected > len(cases.problems):
        print(say("quality_rejects_more", count=cases.rejected - len(cases.problems)), file=sys.stderr)
    print(say("quality_rows", read=f"{cases.read:,}", accepted=f"{cases.read - cases.rejected:,}", rejected=f"{cases.rejected:,}"), file=sys.stderr)
