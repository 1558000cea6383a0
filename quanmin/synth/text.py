"""Text columns built with pyarrow, without a loop per record."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DAY_ZERO = -30_000  # 1887: earlier than any birth date
DAY_COUNT = 55_000


def texts(values: list[str] | tuple[str, ...]) -> pa.Array:
    """A text array of Python strings."""
    return pa.array(values, pa.string())


def pick(table: pa.Array, index: np.ndarray) -> pa.Array:
    """The entries of a text table at `index`."""
    return table.take(pa.array(index))


def glue(*parts: pa.Array | str, between: str = "") -> pa.Array:
    """Rows of text joined element by element; a plain string is the same in every row."""
    return pc.binary_join_element_wise(*[pa.scalar(p, pa.string()) if isinstance(p, str) else p for p in parts], between)


def same(value: str, count: int) -> pa.Array:
    """`count` times the same text."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def number(values: np.ndarray, width: int = 0) -> pa.Array:
    """Whole numbers as text, padded with zeros to `width`."""
    text = pc.cast(pa.array(np.asarray(values, dtype=np.int64)), pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


@cache
def _cents() -> pa.Array:
    return texts([f".{k:02d}" for k in range(100)])


def money(cents: np.ndarray) -> pa.Array:
    """Amounts in cents as yuan with two decimals; negative amounts keep their sign."""
    size = np.abs(cents)
    text = glue(number(size // 100), pick(_cents(), size % 100))
    return pc.if_else(pa.array(cents < 0), glue("-", text), text) if (cents < 0).any() else text


@cache
def _dates(style: str) -> pa.Array:
    days = np.arange(DAY_ZERO, DAY_ZERO + DAY_COUNT).astype("datetime64[D]")
    iso = np.datetime_as_string(days)
    if style == "compact":
        iso = np.char.replace(iso, "-", "")
    elif style == "slash":
        parts = np.char.partition(np.char.replace(iso, "-0", "-"), "-")
        iso = np.char.replace(np.char.add(np.char.add(parts[:, 0], "/"), parts[:, 2]), "-", "/")
    return pa.array(iso, pa.string())


def dates(days: np.ndarray, style: str = "iso") -> pa.Array:
    """Epoch days as text: iso 2026-03-05, compact 20260305, slash 2026/3/5."""
    return pick(_dates(style), days - DAY_ZERO)


@cache
def _clock(style: str) -> pa.Array:
    form = {"iso": " {:02d}:{:02d}:00", "compact": "{:02d}{:02d}00", "slash": " {}:{:02d}"}[style]
    return texts([form.format(m // 60, m % 60) for m in range(1440)])


def moments(minutes: np.ndarray, style: str = "iso") -> pa.Array:
    """Minutes since 1970 (local time) as text: iso 2026-03-05 09:12:00, compact 20260305091200, slash 2026/3/5 9:12."""
    return glue(dates(minutes // 1440, style), pick(_clock(style), minutes % 1440))


def from_letters(matrix: np.ndarray) -> pa.Array:
    """A (rows, width) matrix of ASCII bytes as a text array."""
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix)))


def choose(mask: np.ndarray, yes: pa.Array | str, no: pa.Array | str) -> pa.Array:
    """`yes` where the mask is set, else `no`."""
    return pc.if_else(
        pa.array(mask),
        yes if isinstance(yes, pa.Array) else pa.scalar(yes, pa.string()),
        no if isinstance(no, pa.Array) else pa.scalar(no, pa.string()),
    )


def replaced(column: pa.Array, rows: np.ndarray, values: pa.Array) -> pa.Array:
    """The column with the rows (ascending positions) replaced by `values`."""
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values)


def line_bytes(lines: pa.Array, first: int, last: int) -> memoryview:
    """The UTF-8 bytes of lines first … last-1, one after the other."""
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[lines.offset :]
    return memoryview(data)[int(ends[first]) : int(ends[last])]
