"""What `--set name=value` gives a command: known names, each with its kind, its range and a value without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quanmin.catalog.messages import say
from quanmin.model import Problem, Refusal


@dataclass(frozen=True)
class Option:
    """A number from `low` to `high` (whole where `is_whole`), or one of `choices`; `default` None: not given."""

    default: float | str | None
    low: float = float("-inf")
    high: float = float("inf")
    is_whole: bool = False
    choices: tuple[str, ...] = ()

    def range(self) -> str:
        """The values there are, as told to people."""
        return " | ".join(self.choices) if self.choices else f"{self.low:g} … {self.high:g}"


@dataclass(frozen=True)
class Given:
    """The values by name, defaults filled in."""

    values: Mapping[str, float | str | None]

    def number(self, name: str) -> float:
        """A number."""
        value = self.values[name]
        return float("nan") if value is None else float(value)

    def whole(self, name: str) -> int:
        """A whole number."""
        return int(self.number(name))

    def text(self, name: str) -> str:
        """A choice."""
        return str(self.values[name])

    def has(self, name: str) -> bool:
        """Whether there is a value."""
        return self.values[name] is not None


def given(command: str, texts: Sequence[str], known: Mapping[str, Option]) -> Given:
    """Read `name=value` texts; raises Refusal for a name that is not known, a text without `=` and a value out of its range."""
    values: dict[str, float | str | None] = {name: option.default for name, option in known.items()}
    problems = []
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        option = known.get(name)
        if not sign or option is None:
            problems.append(Problem(command, None, "--set", text[:40], say("set_unknown"), say("set_mend_unknown", known=", ".join(known))))
            continue
        try:
            read: float | str = value if option.choices else float(value)
        except ValueError:
            read = float("nan")
        is_fit = read in option.choices if option.choices else isinstance(read, float) and option.low <= read <= option.high and not (
            option.is_whole and read != int(read))
        if not is_fit:
            problems.append(Problem(command, None, f"--set {name}", value[:40], say("quality_bad_option"), say("quality_mend_range", range=option.range())))
        values[name] = read
    if problems:
        raise Refusal(*problems)
    return Given(values)
