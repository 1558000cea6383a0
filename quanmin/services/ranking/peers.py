"""Who is compared with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SCHEMES = ("all", "same_level", "same_type", "named")
_SAME = {"all": (), "same_level": ("level",), "same_type": ("type",)}


def peers(attributes: Mapping[str, Mapping[str, object]], unit: str, scheme: str = "all", named: Sequence[str] = (),
          same: Sequence[str] = ()) -> tuple[str, ...]:
    """The peer group of a unit, itself included, in the order of the table.

    `attributes` is unit → attribute → value (level, type, …). `scheme` is all, same_level, same_type or named (the hand-picked units of `named`);
    `same` lists further attributes that must agree. A unit whose own attribute is unknown has only itself as peer by it. Raises KeyError for a unit
    or hand-picked name that is not in the table, ValueError for another scheme.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {SCHEMES}")
    for name in (unit, *named):
        if name not in attributes:
            raise KeyError(name)
    own = attributes[unit]
    wanted = [*_SAME.get(scheme, ()), *same]
    picked = set(named) if scheme == "named" else set(attributes)
    return tuple(
        name for name, of in attributes.items()
        if name == unit or (name in picked and all(own.get(key) is not None and of.get(key) == own.get(key) for key in wanted))
    )
