"""What an expression means, row by row in plain Python: the slow, obvious truth that the fast engines are held against."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

Row = Mapping[str, Any]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity_number_valid(number: str) -> bool:
    """Whether an 18-place resident identity number has a real date and the right check digit (GB 11643-1999)."""
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9Xx]", number):
        return False
    try:
        datetime.strptime(number[6:14], "%Y%m%d")
    except ValueError:
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True)) % 11
    return "10X98765432"[remainder] == number[17].upper()


def identity_birth_date(number: str) -> date | None:
    """The birth date written in an identity number."""
    if not re.fullmatch(r"[0-9]{17}[0-9Xx]", number):
        return None
    try:
        return datetime.strptime(number[6:14], "%Y%m%d").date()
    except ValueError:
        return None


def identity_sex(number: str) -> str | None:
    """The sex written in an identity number: 1 male, 2 female."""
    if not re.fullmatch(r"[0-9]{17}[0-9Xx]", number):
        return None
    return "1" if int(number[16]) % 2 else "2"


def age_on(born: date, day: date) -> int:
    """Full years of age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _as_date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _pair(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values made comparable: days with moments, decimals with floats."""
    if isinstance(left, datetime) != isinstance(right, datetime) and isinstance(left, date) and isinstance(right, date):
        whole = [v if isinstance(v, datetime) else datetime(v.year, v.month, v.day) for v in (left, right)]
        return whole[0], whole[1]
    if isinstance(left, float) and isinstance(right, Decimal):
        return left, float(right)
    if isinstance(left, Decimal) and isinstance(right, float):
        return float(left), right
    if isinstance(left, str) and isinstance(right, date):
        return type(right).fromisoformat(left), right
    if isinstance(right, str) and isinstance(left, date):
        return left, type(left).fromisoformat(right)
    return left, right


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, date):
        return left + (right if isinstance(right, timedelta) else timedelta(days=int(right)))
    return left + right


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, date) and isinstance(right, date):
        return (_as_date(left) - _as_date(right)).days
    if isinstance(left, date):
        return left - (right if isinstance(right, timedelta) else timedelta(days=int(right)))
    return left - right


def _divide(left: Any, right: Any) -> float | None:
    return None if right == 0 else float(left) / float(right)


def _truncate(unit: str, value: Any) -> date:
    day = _as_date(value)
    if unit == "year":
        return day.replace(month=1, day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _like(text: str, pattern: str) -> bool:
    expression = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _difference(unit: str, start: Any, end: Any) -> int:
    first, last = _as_date(start), _as_date(end)
    if unit == "month":
        return (last.year - first.year) * 12 + last.month - first.month
    if unit == "year":
        return last.year - first.year
    return (last - first).days


STRICT: dict[type, Callable[..., Any]] = {
    exp.EQ: lambda a, b: a == b, exp.NEQ: lambda a, b: a != b, exp.GT: lambda a, b: a > b, exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b, exp.LTE: lambda a, b: a <= b, exp.Add: _add, exp.Sub: _subtract, exp.Mul: lambda a, b: a * b,
    exp.Div: _divide, exp.IntDiv: lambda a, b: None if b == 0 else int(a / b), exp.Mod: lambda a, b: None if b == 0 else int(math.fmod(a, b)),
    exp.Like: _like, exp.DPipe: lambda a, b: f"{a}{b}", exp.StartsWith: lambda a, b: a.startswith(b),
    exp.EndsWith: lambda a, b: a.endswith(b), exp.Contains: lambda a, b: b in a, exp.RegexpLike: lambda a, b: re.search(b, a) is not None,
    exp.Left: lambda a, n: a[: int(n)], exp.Right: lambda a, n: a[-int(n):] if n else "",
}
UNARY: dict[type, Callable[[Any], Any]] = {
    exp.Neg: lambda a: -a, exp.Abs: abs, exp.Floor: lambda a: float(math.floor(a)), exp.Ceil: lambda a: float(math.ceil(a)), exp.Length: len,
    exp.Lower: str.lower, exp.Upper: str.upper, exp.Trim: lambda a: a.strip(" "), exp.Year: lambda d: d.year, exp.Month: lambda d: d.month,
    exp.Day: lambda d: d.day, exp.TsOrDsToDate: _as_date, exp.Date: _as_date,
}
OWN: dict[str, Callable[..., Any]] = {
    "identity_number_valid": identity_number_valid, "identity_birth_date": identity_birth_date, "identity_sex": identity_sex,
    "age_on": lambda born, day: age_on(_as_date(born), _as_date(day)),
}
CASTS: dict[str, Callable[[Any], Any]] = {
    "INT": lambda v: int(Decimal(str(v)).to_integral_value("ROUND_HALF_EVEN")) if not isinstance(v, bool) else int(v), "DOUBLE": float,
    "DATE": _as_date, "VARCHAR": lambda v: str(v).lower() if isinstance(v, bool) else str(v), "BOOLEAN": bool,
    "TIMESTAMP": lambda v: v if isinstance(v, datetime) else datetime.fromisoformat(str(v)),
}
CASTS |= {"BIGINT": CASTS["INT"], "TEXT": CASTS["VARCHAR"], "DECIMAL": lambda v: Decimal(str(v))}


class Meaning:
    """Evaluates the dialect over one row; `codes` gives the codes of a code list."""

    def __init__(self, codes: Callable[[str], Mapping[str, Any]]) -> None:
        self.codes = codes
        self._trees: dict[str, exp.Expression] = {}

    def of(self, text: str, row: Row) -> Any:
        """The value of `text` for `row` (None = unknown); a blank text is true."""
        if not text.strip():
            return True
        if text not in self._trees:
            self._trees[text] = sqlglot.parse_one(text, read="duckdb")
        return self._value(self._trees[text], row)

    def _value(self, node: exp.Expression, row: Row) -> Any:
        kind = type(node)
        special = getattr(self, "_" + kind.__name__.lower(), None)
        if special is not None:
            return special(node, row)
        if kind in STRICT:
            left, right = self._value(node.this, row), self._value(node.expression, row)
            if left is None or right is None:
                return None
            return STRICT[kind](*_pair(left, right))
        if kind in UNARY:
            value = self._value(node.this, row)
            return None if value is None else UNARY[kind](value)
        raise NotImplementedError(f"{kind.__name__} has no plain meaning")

    def _column(self, node: exp.Expression, row: Row) -> Any:
        return row[node.name]

    def _literal(self, node: exp.Expression, row: Row) -> Any:
        if node.is_string:
            return node.name
        return int(node.name) if node.name.isdigit() else Decimal(node.name)

    def _boolean(self, node: exp.Expression, row: Row) -> bool:
        return bool(node.this)

    def _null(self, node: exp.Expression, row: Row) -> None:
        return None

    def _paren(self, node: exp.Expression, row: Row) -> Any:
        return self._value(node.this, row)

    def _not(self, node: exp.Expression, row: Row) -> bool | None:
        value = self._value(node.this, row)
        return None if value is None else not value

    def _and(self, node: exp.Expression, row: Row) -> bool | None:
        values = self._value(node.this, row), self._value(node.expression, row)
        return False if False in values else None if None in values else True

    def _or(self, node: exp.Expression, row: Row) -> bool | None:
        values = self._value(node.this, row), self._value(node.expression, row)
        return True if True in values else None if None in values else False

    def _is(self, node: exp.Expression, row: Row) -> bool:
        value = self._value(node.this, row)
        return value is None if isinstance(node.expression, exp.Null) else value is bool(node.expression.this)

    def _in(self, node: exp.Expression, row: Row) -> bool | None:
        value = self._value(node.this, row)
        options = [self._value(option, row) for option in node.expressions]
        if value is None:
            return None
        if value in [option for option in options if option is not None]:
            return True
        return None if None in options else False

    def _between(self, node: exp.Expression, row: Row) -> bool | None:
        value, low, high = (self._value(node.args[key], row) for key in ("this", "low", "high"))
        sides = [None if value is None or bound is None else _pair(value, bound) for bound in (low, high)]
        above = None if sides[0] is None else sides[0][0] >= sides[0][1]
        below = None if sides[1] is None else sides[1][0] <= sides[1][1]
        return False if False in (above, below) else None if None in (above, below) else True

    def _case(self, node: exp.Expression, row: Row) -> Any:
        subject = self._value(node.this, row) if node.this else None
        for branch in node.args["ifs"]:
            met = self._value(branch.this, row)
            if (met == subject and met is not None) if node.this else met is True:
                return self._value(branch.args["true"], row)
        default = node.args.get("default")
        return self._value(default, row) if default is not None else None

    def _coalesce(self, node: exp.Expression, row: Row) -> Any:
        values = (self._value(option, row) for option in (node.this, *node.expressions))
        return next((value for value in values if value is not None), None)

    def _nullif(self, node: exp.Expression, row: Row) -> Any:
        value = self._value(node.this, row)
        return None if value == self._value(node.expression, row) else value

    def _least(self, node: exp.Expression, row: Row) -> Any:
        values = [v for v in (self._value(option, row) for option in (node.this, *node.expressions)) if v is not None]
        return min(values) if values else None

    def _greatest(self, node: exp.Expression, row: Row) -> Any:
        values = [v for v in (self._value(option, row) for option in (node.this, *node.expressions)) if v is not None]
        return max(values) if values else None

    def _round(self, node: exp.Expression, row: Row) -> Any:
        value, places = self._value(node.this, row), node.args.get("decimals")
        if value is None:
            return None
        step = Decimal(1).scaleb(-int(self._value(places, row)) if places else 0)
        rounded = Decimal(str(value)).quantize(step, "ROUND_HALF_UP")
        return float(rounded) if isinstance(value, float) else rounded

    def _concat(self, node: exp.Expression, row: Row) -> str:
        return "".join(str(v) for v in (self._value(option, row) for option in node.expressions) if v is not None)

    def _substring(self, node: exp.Expression, row: Row) -> str | None:
        text, start = self._value(node.this, row), self._value(node.args["start"], row)
        length = node.args.get("length")
        if text is None or start is None:
            return None
        return str(text[start - 1 : start - 1 + self._value(length, row)] if length else text[start - 1 :])

    def _cast(self, node: exp.Expression, row: Row) -> Any:
        value = self._value(node.this, row)
        return None if value is None else CASTS[node.args["to"].this.value](value)

    def _interval(self, node: exp.Expression, row: Row) -> timedelta:
        return timedelta(**{node.args["unit"].name.lower().rstrip("s") + "s": int(node.this.name)})

    def _datediff(self, node: exp.Expression, row: Row) -> int | None:
        end, start = self._value(node.this, row), self._value(node.expression, row)
        return None if start is None or end is None else _difference(node.args["unit"].name.lower(), start, end)

    def _datetrunc(self, node: exp.Expression, row: Row) -> date | None:
        value = self._value(node.this, row)
        return None if value is None else _truncate(node.args["unit"].name.lower(), value)

    _timestamptrunc = _datetrunc

    def _anonymous(self, node: exp.Expression, row: Row) -> Any:
        name, values = node.name.lower(), [self._value(argument, row) for argument in node.expressions]
        if any(value is None for value in values):
            return None
        return values[0] in self.codes(values[1]) if name == "code_in" else OWN[name](*values)
