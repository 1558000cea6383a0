"""How a record names its person: mostly right, sometimes without the number, mistyped, in other characters or with an old phone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.naming import all_letters, spoiled
from quanmin.synth.people import People
from quanmin.synth.text import choose, dates, pick

CLEAN, MISSING, WRONG, VARIANT, TYPO = 0, 1, 2, 3, 4
KINDS = ("", "missing_number", "wrong_digit", "variant_name", "name_typo")


@dataclass
class Identity:
    """Text columns that identify the persons of some records, and what is wrong with each (index of `KINDS`)."""

    name: pa.Array
    sex: np.ndarray
    birth_date: pa.Array
    number: pa.Array
    phone: pa.Array
    address: pa.Array
    letters: np.ndarray
    kind: np.ndarray


def identify(
    people: People,
    person: np.ndarray,
    day: np.ndarray,
    rng: np.random.Generator,
    *,
    style: str = "iso",
    missing: np.ndarray | float = settings.MISSING_ID,
    wrong: float = settings.WRONG_DIGIT,
    spare: np.ndarray | None = None,
    short: np.ndarray | None = None,
    traditional: np.ndarray | None = None,
) -> Identity:
    """Identifying columns of records of `person` on `day`.

    Rows in `spare` stay faultless; `short` and `traditional` mark senders that write short addresses and traditional characters.
    """
    count = len(person)
    draw, habit = rng.random(count), rng.random(count)
    free = np.zeros(count, dtype=bool) if spare is None else spare
    kind = np.where(draw < missing, MISSING, np.where(draw < missing + wrong, WRONG, CLEAN))
    variant = (habit < settings.VARIANT_NAME) | (False if traditional is None else traditional & (habit < 0.6))
    typo = ~variant & (habit > 1 - settings.TYPO_NAME) & (kind == CLEAN)
    kind = np.where(kind == CLEAN, np.where(variant, VARIANT, np.where(typo, TYPO, CLEAN)), kind)
    kind, variant, typo = np.where(free, CLEAN, kind), variant & ~free, typo & ~free
    letters = people.letters[person]
    letters[kind == WRONG] = spoiled(letters[kind == WRONG], rng)
    name = choose(variant, pick(people.texts["variant_name"], person), pick(people.texts["name"], person))
    name = choose(typo, pick(people.texts["typo_name"], person), name)
    old = day < people.phone_change[person]
    moved = day >= people.move_day[person]
    form = "short_address" if short is None else ""
    address = choose(moved, pick(people.texts[form or "address"], person), pick(people.texts[f"old_{form or 'address'}"], person))
    if short is not None:
        brief = choose(moved, pick(people.texts["short_address"], person), pick(people.texts["old_short_address"], person))
        address = choose(short, brief, address)
    return Identity(
        name=name,
        sex=np.where(people.male[person], 1, 2),
        birth_date=dates(people.birth_day[person], style),
        number=choose(kind == MISSING, "", all_letters(letters)),
        letters=letters,
        kind=kind,
        address=address,
        phone=choose(old, pick(people.texts["old_phone"], person), pick(people.texts["phone"], person)),
    )
