"""However a text file is written or damaged, every one of its records is a row or a problem, and where blocks are cut never matters."""

from __future__ import annotations

import tomllib
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin import catalog
from quanmin.model import Refusal
from quanmin.records.sources import text_lines

WORDS = list(tomllib.loads((Path(catalog.__file__).parent / "roles.toml").read_text("utf-8")).values())
CHINESE = [w["zh"] for w in WORDS]
HEADER = ["a", "b", "c"]
PLAIN = st.sampled_from(["", "1", "x y", "5\" nail", "\"", "\"\"", "it's", "a,b", "a\nb", "a\r\nb", "\n", " ", "\\", "=1+1", *CHINESE])
VALUE = st.one_of(PLAIN, st.text(alphabet="ab\",;|\t\n 1", max_size=6))
ROWS = st.lists(st.lists(VALUE, min_size=3, max_size=3), max_size=12)
ENDING = st.sampled_from(["\n", "\r\n", "\r"])
DELIMITER = st.sampled_from([",", "\t", "|", ";"])
ENCODING = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])
HARM = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(['"', "\n", '""', '"\n', "DROP", "DELIMITER", "CUT"])), max_size=4)


def written(rows: list[list[str]], delimiter: str, ending: str, quote_all: bool, last: bool) -> str:
    """A well-formed file; records that are blank lines are left out."""

    def quoted(value: str) -> str:
        needs = quote_all or value.startswith('"') or any(c in value for c in (delimiter, "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if needs else value

    lines = [delimiter.join(quoted(value) for value in row) for row in [HEADER, *rows]]
    return ending.join(lines) + (ending if last else "")


def read(path: Path, block: int, delimiter: str = "") -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int | None, str, str]]]:
    """(line, values) of the rows and (line, field, rule) of the problems."""
    rows, problems = [], []
    with patch.object(text_lines, "BLOCK", block):
        shape = text_lines.shape_of(path, path.name, delimiter)
        for batch in text_lines.batches(path, path.name, shape):
            values = list(zip(*(batch.table[c].to_pylist() for c in batch.table.column_names), strict=True))
            rows += list(zip(batch.lines.to_pylist(), values, strict=True))
            problems += [(p.line, p.field, p.rule) for p in batch.malformed]
    return rows, sorted(problems, key=lambda p: (p[0] or 0, *p[1:]))


def in_one_style(value: str) -> str:
    """Line breaks inside a value are kept as LF."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


def obvious(lines: list[str], delimiter: str, first: int) -> tuple[list[tuple[int, tuple[str, ...]]], list[int]]:
    """Rows with their lines, and the lines of problems, read one character after another."""
    rows, problems, at = [], [], 0
    while at < len(lines):
        fields: list[str] | None = None
        length = 1
        while length <= text_lines.LONGEST_RECORD and at + length <= len(lines):
            fields = _fields("\n".join(lines[at : at + length]), delimiter)
            if fields != []:
                break
            length += 1
        if lines[at] and fields and len(fields) == len(HEADER):
            rows.append((first + at, tuple(fields)))
        elif lines[at]:
            problems.append(first + at)
        at += length if fields else 1
    return rows, problems


def _fields(record: str, delimiter: str) -> list[str] | None:
    """The fields of a record: [] where a quote is still open, None where quotes fit no quoting."""
    fields, value, state = [], "", "start"
    for c in record:
        if state == "quoted":
            value, state = (value, "closing") if c == '"' else (value + c, state)
        elif state == "closing" and c == '"':
            value, state = value + c, "quoted"
        elif c == delimiter:
            fields, value, state = [*fields, value], "", "start"
        elif state == "closing":
            return None
        elif state == "start" and c == '"':
            state = "quoted"
        else:
            value, state = value + c, "plain"
    return [] if state == "quoted" else [*fields, value]


@settings(max_examples=150, deadline=None)
@given(ROWS, DELIMITER, ENDING, ENCODING, st.booleans(), st.booleans(), st.integers(1, 80))
def test_well_formed_files_come_back_whole(tmp_path_factory, rows, delimiter, ending, encoding, quote_all, last, block) -> None:
    path = tmp_path_factory.mktemp("text") / "file.csv"
    path.write_bytes(written(rows, delimiter, ending, quote_all, last).encode(encoding))
    found, problems = read(path, block, delimiter)
    line, expected = 1, []
    for row in rows:
        line += 1
        expected.append((line, tuple(in_one_style(value) for value in row)))
        line += sum(in_one_style(value).count("\n") for value in row)
    assert found == expected
    assert not problems


@settings(max_examples=250, deadline=None)
@given(ROWS, DELIMITER, ENDING, st.booleans(), HARM,
       st.integers(1, 60))
def test_disorderly_quotes_are_read_as_an_obvious_reader_reads_them(tmp_path_factory, rows, delimiter, ending, quote_all, harm, block) -> None:
    text = in_one_style(written(rows, delimiter, "\n", quote_all, True))
    start = text.index("\n") + 1
    body = text[start:]
    for at, what in harm:
        at = min(at, len(body))
        body = body[:at] if what == "CUT" else body[:at] + body[at + 1 :] if what == "DROP" else body[:at] + what.replace("DELIMITER", delimiter) + body[at:]
    path = tmp_path_factory.mktemp("text") / "file.csv"
    path.write_bytes((text[:start] + body).replace("\n", ending).encode())
    lines = body.removesuffix("\n").split("\n") if body else []
    rows_expected, problems_expected = obvious(lines, delimiter, 2)
    found, problems = read(path, block, delimiter)
    assert found == rows_expected
    assert [line for line, _, _ in problems] == problems_expected


@settings(max_examples=250, deadline=None)
@given(ROWS, DELIMITER, ENDING, ENCODING, st.booleans(), st.data())
def test_damaged_files_lose_nothing_and_blocks_do_not_matter(tmp_path_factory, rows, delimiter, ending, encoding, quote_all, data) -> None:
    path = tmp_path_factory.mktemp("text") / "file.csv"
    content = bytearray(written(rows, delimiter, ending, quote_all, True).encode(encoding))
    start = len(written([], delimiter, ending, quote_all, True).encode(encoding))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(min(start, len(content)), len(content)))
        kind = data.draw(st.sampled_from(["cut", "insert", "drop", "change"]))
        if kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = data.draw(st.sampled_from([b'"', b"\n", b"\r", b"\xff", b"\xd6", b"\xe5\x8c", delimiter.encode(), b"\x00"]))
        elif content[at : at + 1]:
            content[at : at + 1] = b"" if kind == "drop" else bytes([data.draw(st.integers(0, 255))])
    path.write_bytes(bytes(content))
    try:
        whole = read(path, 1 << 20, delimiter)
    except Refusal:
        return
    assert whole == read(path, data.draw(st.integers(1, 60)), delimiter)
    lines = [line for line, _ in whole[0]] + [line for line, _, _ in whole[1]]
    assert len(lines) == len(set(lines)), "a record is counted twice"
    if b'"' not in content:
        assert len(lines) == _line_count(bytes(content))


def _line_count(content: bytes) -> int:
    """The lines of a file, the header and blank ones left out."""
    is_wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = content.decode("utf-16", errors="replace") if is_wide else content.decode("latin-1")
    return sum(1 for line in in_one_style(text).split("\n")[1:] if line)
