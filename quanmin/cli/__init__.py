"""The command line: a face that parses, calls and prints."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import typer

from quanmin.catalog.messages import say
from quanmin.cli import answers, attaching, briefs, definitions, detecting, files, flow, grouping, people, quality, scanning, simulating, sites
from quanmin.cli.printing import complain
from quanmin.detectors.telling import before_compiling
from quanmin.model import Problem, Refusal

app = typer.Typer(name="quanmin", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
for part in (sites, answers, briefs, files, flow, grouping, scanning):
    part.register(app)
app.add_typer(definitions.app, name="catalog")
app.add_typer(people.accounts, name="account")
app.add_typer(people.review, name="review")
app.add_typer(quality.app, name="quality")
app.add_typer(simulating.app, name="simulate")
app.command()(attaching.attach)
app.command()(detecting.detect)

__all__ = ["app", "main", "with_actions"]


def with_actions(wanted: str = "") -> typer.Typer:
    """The commands and one more for the wanted action, or for every one."""
    from quanmin.cli import asking  # scipy behind some takes as long to import as all the rest

    asking.register(app, wanted)
    return app


def main() -> None:
    """Run a command: exit 0 done, 1 a check failed, 2 bad use or unreadable input, each with one clear line and never a traceback."""
    before_compiling(lambda: print(say("compiling"), file=sys.stderr, flush=True))
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback} | {
        group.name for group in app.registered_groups}
    try:
        (app if sys.argv[1:2] and sys.argv[1] in known else with_actions(*sys.argv[1:2]))()
    except Refusal as refusal:
        complain(refusal.problems)
        sys.exit(2)
    except KeyboardInterrupt:
        print(say("interrupted"), file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        complain([Problem(str(error.filename or "quanmin"), None, "", "", os.strerror(error.errno or 0), say("mend_write"))])
        sys.exit(2)
    except Exception as error:
        complain([Problem("quanmin", None, "", "", say("internal_error", kind=type(error).__name__), say("mend_internal_error", path=_kept(error)))])
        sys.exit(2)


def _kept(error: Exception) -> str:
    """Where the details of an unforeseen error are kept, readable only by whoever runs the command: they may hold values from records."""
    with tempfile.NamedTemporaryFile("w", prefix="quanmin-error-", suffix=".txt", delete=False, encoding="utf-8") as stream:
        traceback.print_exception(error, file=stream)
    return stream.name
