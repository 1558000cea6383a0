"""Actions: what a person or a system may ask the platform to do; a page's button, a REST route and a command are made from each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

Doing = TypeVar("Doing", bound=Callable[..., Any])
PARAMETERS = (str, int, float, bool)


@dataclass(frozen=True)
class Parameter:
    """What an action is told: a str, int, float or bool; `default` is `inspect.Parameter.empty` where it must be given."""

    name: str
    kind: type
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Action:
    """A function that takes an Asker and parameters; `permission` is what a role must grant, `changes` whether it writes, `is_wide` whether it asks
    for so much that the tables are better read into memory first."""

    name: str
    permission: str
    changes: bool
    is_wide: bool
    run: Callable[..., Any]
    parameters: tuple[Parameter, ...]


@dataclass
class Actions:
    """All actions by name."""

    known: dict[str, Action] = field(default_factory=dict)

    def __call__(self, permission: str, changes: bool = False, is_wide: bool = False) -> Callable[[Doing], Doing]:
        """Mark a function as an action; raises TypeError for a parameter that no address could carry."""

        def mark(run: Doing) -> Doing:
            hints = get_type_hints(run)
            given = list(inspect.signature(run).parameters.values())[1:]
            for one in given:
                if hints[one.name] not in PARAMETERS:
                    raise TypeError(f"{run.__name__}({one.name}) must be one of {PARAMETERS}")
            parameters = tuple(Parameter(one.name, hints[one.name], one.default) for one in given)
            self.known[run.__name__] = Action(run.__name__, permission, changes, is_wide, run, parameters)
            return run

        return mark

    def all(self) -> Mapping[str, Action]:
        """Every action that has been imported, by name."""
        return dict(sorted(self.known.items()))


action = Actions()
