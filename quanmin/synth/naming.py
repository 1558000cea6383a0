"""Names, identity numbers, phones and addresses as text columns."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa

from quanmin.synth.place import Place, table
from quanmin.synth.text import choose, from_letters, glue, number, pick, texts

ID_WEIGHTS = np.array([pow(2, 17 - k, 11) for k in range(17)])  # GB 11643, ISO 7064 MOD 11-2
ID_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)


def check_letters(digits: np.ndarray) -> np.ndarray:
    """The check characters (ASCII) of (n, 17) digits."""
    return ID_CHECK[(digits * ID_WEIGHTS).sum(1) % 11]


def digits_of(values: np.ndarray, width: int) -> np.ndarray:
    """Decimal digits, most significant first: (n, width)."""
    return values[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def birth_digits(days: np.ndarray) -> np.ndarray:
    """The eight digits of a birth date: (n, 8)."""
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]").astype(np.int64)
    return digits_of((month // 12 + 1970) * 10_000 + (month % 12 + 1) * 100 + (day - day.astype("datetime64[M]")).astype(np.int64) + 1, 8)


def identity_letters(area: np.ndarray, birth_day: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """Identity numbers as ASCII letters (n, 18) from six-digit areas, birth days and three-digit sequences."""
    digits = np.concatenate([digits_of(area, 6), birth_digits(birth_day), digits_of(sequence, 3)], axis=1)
    return np.concatenate([(digits + 48).astype(np.uint8), check_letters(digits)[:, None]], axis=1)


def rank_within(key: np.ndarray) -> np.ndarray:
    """How many earlier rows carry the same key."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    first = np.repeat(starts, np.diff(np.r_[starts, len(key)]))
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key)) - first
    return rank


def identity_numbers(county_code: np.ndarray, birth_day: np.ndarray, male: np.ndarray, block: int, blocks: int) -> np.ndarray:
    """Identity numbers unique over all blocks: the sequence encodes the block and the rank among equal area, birth day and sex."""
    slot = rank_within((county_code * 200_000 + birth_day) * 2 + male) * blocks + block
    return identity_letters(county_code + slot // 500 * 20, birth_day, slot % 500 * 2 + male)


class NameBook:
    """Surnames and given names with their frequencies, and how some characters are also written."""

    def __init__(self) -> None:
        rows = table("names.csv")
        surnames = [r for r in rows if r["kind"] == "surname"]
        self.surnames = texts([r["characters"] for r in surnames])
        self.surname_share = self._cumulative(surnames)
        self.given = {
            (part, sex, age): self._pool([r for r in rows if (r["kind"], r["sex_code"], r["generation"]) == (f"given{part}", sex, age)])
            for part in "12"
            for sex in "12"
            for age in ("old", "middle", "young")
        }
        self.variants = {r["character"]: r["variant"] for r in table("variants.csv")}

    @staticmethod
    def _cumulative(rows: list[dict[str, str]]) -> np.ndarray:
        weight = np.array([float(r["weight"]) for r in rows])
        return np.cumsum(weight / weight.sum())

    def _pool(self, rows: list[dict[str, str]]) -> tuple[list[str], np.ndarray]:
        return [r["characters"] for r in rows], self._cumulative(rows)

    @cached_property
    def characters(self) -> pa.Array:
        """Every given-name character of all pools, then the empty text."""
        return texts([c for key in sorted(self.given) for c in self.given[key][0]] + [""])

    def draw_surnames(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Indices into `surnames`."""
        return np.searchsorted(self.surname_share, rng.random(count))

    def draw_given(self, part: str, male: np.ndarray, birth_day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Indices into `characters` for the first or second character of the given name."""
        chosen = np.zeros(len(male), dtype=np.int64)
        generation = np.digitize(birth_day, [-1826, 7305])  # born before 1965, before 1990, later
        draw = rng.random(len(male))
        offset = 0
        for key in sorted(self.given):
            pool, share = self.given[key]
            if key[0] == part:
                mine = (male == (key[1] == "1")) & (generation == ("old", "middle", "young").index(key[2]))
                chosen[mine] = offset + np.searchsorted(share, draw[mine])
            offset += len(pool)
        return chosen

    @property
    def blank(self) -> int:
        """Index of the empty text in `characters`."""
        return len(self.characters) - 1

    def variant_of(self, column: pa.Array) -> pa.Array:
        """The same texts with each character that has another form written in that form."""
        return texts(["".join(self.variants.get(c, c) for c in word) for word in column.to_pylist()])

    def full_names(self, surname: np.ndarray, first: np.ndarray, second: np.ndarray, variant: bool = False) -> pa.Array:
        """Names as text; with `variant` in the other written form."""
        if variant:
            surnames, characters = self.variant_of(self.surnames), self.variant_of(self.characters)
        else:
            surnames, characters = self.surnames, self.characters
        return glue(pick(surnames, surname), pick(characters, first), pick(characters, second))


def phone_numbers(count: int, rng: np.random.Generator) -> pa.Array:
    """Eleven-digit numbers that begin with 12, a range no operator uses."""
    return glue("12", number(rng.integers(0, 1_000_000_000, count), 9))


class AddressBook:
    """Addresses of households: county, township and village, then group and number (road and number in town)."""

    def __init__(self, place: Place) -> None:
        words, city = place.names["address"], place.names["city"]["zh"]
        town = [place.towns[k] for k in place.village_town]
        county = [place.counties[k]["name"] for k in place.town_county[place.village_town]]
        tail = [t["name"] + v["name"] for t, v in zip(town, place.villages, strict=True)]
        self.full = texts([city + c + t for c, t in zip(county, tail, strict=True)])
        self.short = texts(tail)
        self.village = texts([v["name"] for v in place.villages])
        self.urban = np.array([v["is_urban"] == "true" for v in place.villages])
        self.words = words

    def door(self, village: np.ndarray, group: np.ndarray, house: np.ndarray) -> pa.Array:
        """The part of the address after the village."""
        between = choose(self.urban[village], self.words["road"], self.words["group"])
        return glue(number(group), between, number(house), self.words["number"])


def spoiled(letters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Identity numbers with one digit mistyped, or two neighbours exchanged: never valid, as the check character tells both apart."""
    wrong = letters.copy()
    rows = np.arange(len(letters))
    at = rng.integers(6, 17, len(letters))
    swap = (rng.random(len(letters)) < 0.4) & (letters[rows, at] != letters[rows, at - 1])
    wrong[rows, at] = np.where(swap, letters[rows, at - 1], (letters[rows, at] - 48 + rng.integers(1, 10, len(letters))) % 10 + 48)
    wrong[rows, at - 1] = np.where(swap, letters[rows, at], letters[rows, at - 1])
    return wrong


def all_letters(letters: np.ndarray) -> pa.Array:
    """Identity numbers as text."""
    return from_letters(letters)
