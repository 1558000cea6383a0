"""Definitions that we write ourselves: looked at whether they can be read, and only then put among a site's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from quanmin.catalog.messages import say
from quanmin.catalog.reading import Complaints
from quanmin.model import Problem, Refusal


def place(definitions: Path, texts: Mapping[str, str], check: Callable[[Path, Complaints], None]) -> None:
    """Write files (name below `definitions` → text) beside the definitions, let `check` read them there, and move them in, in their order.

    Raises Refusal, and changes nothing, where `check` complains or the files cannot be written.
    """
    try:
        definitions.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=definitions, prefix=".draft-") as folder:
            draft, complaints = Path(folder), Complaints()
            for name, text in texts.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_text(text, encoding="utf-8", newline="")
            check(draft, complaints)
            if complaints.problems:
                raise Refusal(*complaints.problems)
            for name in texts:
                (definitions / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).replace(definitions / name)
    except OSError as error:
        raise Refusal(Problem(str(definitions), None, "", "", say("cannot_write"), say("mend_write"))) from error


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
