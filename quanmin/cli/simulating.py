"""simulate: mass testing, stockpiles, a surge and exercises from a scenario in TOML; nothing here needs a site."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quanmin.catalog.messages import say
from quanmin.cli.printing import write_rows
from quanmin.model import Problem, Refusal

if TYPE_CHECKING:
    from quanmin.services.preparedness.scenario import Part, Scenario
    from quanmin.web.sheets import Panel, Shown

app = typer.Typer(no_args_is_help=True, help="Mass testing, stockpiles, a surge, exercises: simulated from a scenario (TOML), with the arithmetic open.")
FORMATS = ("table", "csv", "json")
LONG = ("hours", "course", "cases", "tests", "supplies", "cover", "assumptions")  # told only when asked for by --part
Given = Annotated[str, typer.Argument(metavar="SCENARIO.toml", help="a file, or the name of a shipped scenario")]
Sets = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="as sampling.hours_per_day=14 or area[0].population=9000; may be given again")]
Shows = Annotated[bool, typer.Option("--template", help="print a commented scenario to start from")]
Rows = Annotated[str, typer.Option("--part", metavar="NAME", help="which table --out or --format is about (the main one)")]
Out = Annotated[Path | None, typer.Option(metavar="FILE.csv")]
Form = Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))]


def _refuse(option: str, value: str, known: Sequence[str]) -> Refusal:
    return Refusal(Problem(option, None, "", value, say("bad_value"), say("choose_from", choices=", ".join(known))))


def _show_template(kind: str, given: str) -> bool:
    """Print a shipped scenario: the plain one of its kind, or the one that is named."""
    from quanmin.services.preparedness.scenario import template_names, template_text

    known = template_names(kind)
    if given and given not in known:
        raise _refuse("--template", given, known)
    sys.stdout.write(template_text(given or known[0]))
    return True


def _read(kind: str, parts: Sequence[Part], given: str, sets: Sequence[str]) -> Scenario:
    from quanmin.services.preparedness.scenario import TEMPLATES, read, template_names

    known = template_names(kind)
    if not given:
        raise Refusal(Problem("simulate", None, "", "", say("scenario_no_file"), f"SCENARIO.toml | {' | '.join(known)} | --template"))
    is_shipped = given in known and not Path(given).exists()
    return read(kind, parts, TEMPLATES / f"{given}.toml" if is_shipped else Path(given), sets)


def _text(value: Any) -> str:
    found: Shown | Any = value
    return str(getattr(found, "text", found)) if found is not None else ""


def _plain(value: Any) -> Any:
    return value.value if hasattr(value, "verdict") else value


def _write(panels: Sequence[Panel], main: str, part: str, form: str, out: Path | None, lines: Sequence[str]) -> None:
    """A part as csv or json, or all parts as tables; with a file, the answer is still told on the terminal."""
    known = {panel.id: panel for panel in panels}
    if form not in FORMATS:
        raise _refuse("--format", form, FORMATS)
    if part and part not in known:
        raise _refuse("--part", part, list(known))
    sheet = known[part or main].sheet
    columns = [column.name for column in sheet.columns]
    if out is not None or form != "table":
        rows = [dict(zip(columns, map(_plain, row), strict=True)) for row in sheet.rows]
        write_rows(rows, columns, "csv" if form == "table" else form, out)
    for line in lines:
        print(line, file=sys.stdout if out is not None or form == "table" else sys.stderr)
    if form == "table":
        _tables([known[part]] if part else [panel for panel in panels if panel.id not in LONG])


def _tables(panels: Sequence[Panel]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout)
    for panel in panels:
        if not panel.sheet.rows:
            continue
        table = Table(title=panel.title, title_justify="left")
        for column in panel.sheet.columns:
            table.add_column(column.label, justify="right" if column.is_number else "left", overflow="fold")
        for row in panel.sheet.rows:
            table.add_row(*map(_text, row))
        console.print(table)


@app.command()
def mass_testing(scenario: Given = "", sets: Sets = [], template: Shows = False, out: Out = None, part: Rows = "", form: Form = "table") -> None:  # noqa: B006
    """Can everybody be tested in 2, 3, 5 days: simulated hour by hour, with its bound, the bottleneck and what removes it cheapest."""
    from quanmin.services.preparedness import campaign

    if template:
        _show_template(campaign.KIND, scenario)
        return
    from quanmin.services.preparedness.testing_answer import mass_testing_answer
    from quanmin.web.preparedness_panels import testing_panels
    from quanmin.web.preparedness_words import testing_lines

    found = mass_testing_answer(_read(campaign.KIND, campaign.PARTS, scenario, sets))
    _write(testing_panels(found, {}), "hours", part, form, out, testing_lines(found))


@app.command()
def stockpile(scenario: Given = "", sets: Sets = [], template: Shows = False, out: Out = None, part: Rows = "", form: Form = "table") -> None:  # noqa: B006
    """For how many days stocks last, what will expire, what to transfer and what to order."""
    from quanmin.services.preparedness import stockpile as stocks

    if template:
        _show_template(stocks.KIND, scenario)
        return
    from quanmin.services.preparedness.stockpile_answer import stockpile_answer
    from quanmin.web.preparedness_panels import stockpile_panels
    from quanmin.web.preparedness_words import stockpile_lines

    found = stockpile_answer(_read(stocks.KIND, stocks.PARTS, scenario, sets), Path(scenario).name)
    _write(stockpile_panels(found, {}), "cover", part, form, out, stockpile_lines(found))


@app.command()
def surge(scenario: Given = "", sets: Sets = [], template: Shows = False, out: Out = None, part: Rows = "", form: Form = "table") -> None:  # noqa: B006
    """What a wave of patients asks of beds, ventilators, oxygen, nurses and fever clinics, and the first day each is short."""
    from quanmin.services.preparedness import surge as waves

    if template:
        _show_template(waves.KIND, scenario)
        return
    from quanmin.services.preparedness.surge_answer import surge_answer
    from quanmin.web.preparedness_panels import surge_panels
    from quanmin.web.preparedness_words import surge_lines

    found = surge_answer(_read(waves.KIND, waves.PARTS, scenario, sets))
    _write(surge_panels(found, {}), "course", part, form, out, surge_lines(found))


@app.command()
def exercise(scenario: Given = "", record: Annotated[Path | None, typer.Option(metavar="RECORD.csv", help="columns reaction, minutes from the start")] = None,
             sets: Sets = [], template: Shows = False, out: Out = None, form: Form = "table") -> None:  # noqa: B006
    """Score what was recorded of an exercise: who did what within which time."""
    from quanmin.services.preparedness import exercise as exercises

    if template:
        _show_template(exercises.KIND, scenario)
        return
    from quanmin.web.preparedness_panels import exercise_panels
    from quanmin.web.preparedness_words import exercise_lines

    if record is None:
        raise Refusal(Problem("--record", None, "", "", say("scenario_missing"), "--record RECORD.csv"))
    found = exercises.scored(_read(exercises.KIND, exercises.PARTS, scenario, sets), exercises.record_of(record), Path(scenario).name)
    _write(exercise_panels(found, {}), "reactions", "", form, out, exercise_lines(found))
