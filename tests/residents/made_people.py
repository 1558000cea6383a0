"""Made-up people of a Chinese region and what several senders wrote down of them, with the person behind every record known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from quanmin.records.residents import identity_numbers as numbers
from quanmin.records.residents import names

COUNTIES = ("330102", "330106", "330110", "330122", "330127")


@cache
def _lists() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    surnames = {s: share for s, (share, _) in names.surnames().items()}
    given = names.given_characters()
    return (np.array(list(surnames)), np.array(list(surnames.values())) / sum(surnames.values()),
            np.array(list(given)), np.array(list(given.values())) / sum(given.values()))


@cache
def _doubles() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Standard character → its variants; character → others read the same."""
    variants: dict[str, list[str]] = {}
    for row in names._rows("variant_characters.csv"):
        variants.setdefault(row["standard"], []).append(row["variant"])
    by_sound: dict[str, list[str]] = {}
    for character in names.given_characters():
        by_sound.setdefault(names._reading(character), []).append(character)
    return variants, {c: [o for o in same if o != c] for same in by_sound.values() for c in same}


def with_check(seventeen: str) -> str:
    """A valid identity number from its first seventeen digits."""
    return seventeen + numbers.CHECK_CHARACTERS[sum(w * int(d) for w, d in zip(numbers.WEIGHTS, seventeen, strict=True)) % 11]


def made_names(rng: np.random.Generator, count: int) -> list[str]:
    """Names drawn by the shipped shares, one in ten with a single given character."""
    surnames, surname_shares, given, given_shares = _lists()
    first = rng.choice(surnames, count, p=surname_shares)
    one, two = rng.choice(given, count, p=given_shares), rng.choice(given, count, p=given_shares)
    single = rng.random(count) < 0.1
    return [f + a + ("" if s else b) for f, a, b, s in zip(first, one, two, single, strict=True)]


def some_name(number: int) -> str:
    """A fixed two-character name for every small number: fifty surnames, then the next given name, each of another sound."""
    surnames, _, given, _ = _lists()
    sounds: dict[str, str] = {}
    for character in given:
        sounds.setdefault(names._reading(character), character)
    return str(surnames[number % 50]) + list(sounds.values())[number // 50]


def _mobiles(rng: np.random.Generator, count: int) -> list[str]:
    return [f"1{a}{b:09d}" for a, b in zip(rng.integers(3, 10, count), rng.integers(0, 10**9, count), strict=True)]


def _swap_digit(rng: np.random.Generator, number: str) -> str:
    kind, at = rng.integers(0, 3), int(rng.integers(0, len(number) - 2))
    if kind == 0:
        return number[:at] + str((int(number[at]) + int(rng.integers(1, 10))) % 10) + number[at + 1:]
    if kind == 1:
        return number[:at] + number[at + 1] + number[at] + number[at + 2:]
    return number[:at] + number[at + 1:]


def _miswritten(rng: np.random.Generator, name: str) -> str:
    variants, homophones = _doubles()
    kind, at = rng.random(), int(rng.integers(0, len(name)))
    character = name[at]
    if kind < 0.45:
        return name[:at] + str(rng.choice(variants[character])) + name[at + 1:] if character in variants else name
    if kind < 0.75 and at:
        return name[:at] + str(rng.choice(homophones[character])) + name[at + 1:] if homophones.get(character) else name
    if kind < 0.85 and at:
        return name[:at] + str(rng.choice(_lists()[2])) + name[at + 1:]
    return name[:1] + " " + name[1:]


def people(rng: np.random.Generator, count: int) -> list[dict[str, str]]:
    """`count` people in households of about three; one in eighty has a twin."""
    given = names.given_characters()
    made, births = made_names(rng, count), rng.integers(0, 31000, count)
    phones, houses, counties = _mobiles(rng, count), rng.integers(1, 400, count), rng.integers(0, len(COUNTIES), count)
    found: list[dict[str, str]] = []
    for i in range(count):
        born = str(np.datetime64("1938-01-01") + int(births[i]))
        order = int(rng.integers(0, 999))
        person = {"name": made[i], "birth_date": born, "phone": phones[i], "county": COUNTIES[counties[i]]}
        person["township"] = f"{person['county']}{int(houses[i]) % 14:03d}"
        street = "".join(sorted(given)[int(houses[i]) % 90:][:2])
        person["address"] = f"{street}{houses[i] % 60}-{int(rng.integers(1, 900))}"
        before = found[-1] if found else None
        if before and rng.random() < 0.66:
            person |= {k: before[k] for k in ("county", "township", "address")}
            if rng.random() < 0.3:
                person["phone"] = before["phone"]
            if rng.random() < 0.5:
                person["name"] = before["name"][0] + person["name"][-2:]
        if before and rng.random() < 0.0125:
            person |= {k: before[k] for k in ("county", "township", "address", "phone", "birth_date")}
            person["name"] = before["name"][:-1] + str(rng.choice(list(given)))
            order = int(before["identity_number"][14:17]) + 2
        digits = f"{person['county']}{person['birth_date'].replace('-', '')}{order % 1000:03d}"
        person["identity_number"] = with_check(digits)
        person["sex_code"] = "1" if order % 2 else "2"
        found.append(person)
    return found


def _written(rng: np.random.Generator, person: dict[str, str], sender: int, missing: float, new_phone: str) -> dict[str, str | None]:
    """One record: senders 0 register, 1 hospital, 2 clinic, 3 insurance hold different columns."""
    chance = rng.random(8)
    record: dict[str, str | None] = {k: person[k] for k in ("name", "sex_code", "birth_date", "identity_number")}
    record["phone"] = None if sender == 3 or chance[0] < 0.08 else new_phone if chance[0] < 0.30 else person["phone"]
    address = person["township"] + person["address"] if chance[1] < 0.4 else person["address"]
    record["address"] = None if sender == 3 or chance[1] < 0.1 else address
    record["region_code"] = person["township"] + "001" if sender == 0 else person["county"] if sender == 3 else None
    if sender and chance[2] < missing:
        record["identity_number"] = None
    elif chance[2] > 0.965:
        record["identity_number"] = _swap_digit(rng, person["identity_number"])
    if chance[3] < 0.03:
        record["name"] = _miswritten(rng, person["name"])
    if chance[4] < 0.007:
        record["birth_date"] = str(np.datetime64(person["birth_date"]) + int(rng.choice([-1, 1, 10, -10, 365, -365, 30])))
    if chance[5] < 0.003:
        record["sex_code"] = "2" if person["sex_code"] == "1" else "1"
    return record


def made_identities(persons: int, records: float = 3.0, missing: float = 0.12, seed: int = 1) -> pa.Table:
    """Distinct identities of `persons` people with `records` each on average; `missing` = share without a number; `person` is the truth."""
    rng = np.random.default_rng(seed)
    rows: dict[tuple[str | None, ...], tuple[str, int]] = {}
    columns = ("name", "sex_code", "birth_date", "identity_number", "phone", "address", "region_code")
    spare = _mobiles(rng, persons)
    line = 0
    for who, person in enumerate(people(rng, persons)):
        for sender in (0, *(rng.integers(1, 4, rng.poisson(records - 1.0)))):
            record = _written(rng, person, int(sender), missing, spare[who])
            line += 1
            rows.setdefault(tuple(record[c] for c in columns), (who, line))  # type: ignore[arg-type]
    order = rng.permutation(len(rows))
    keys, values = list(rows), list(rows.values())
    ids = [f"{int(x):016x}" for x in rng.choice(2**62, len(rows), replace=False)]
    table = {c: [keys[i][j] for i in order] for j, c in enumerate(columns)}
    return pa.table({"identity_id": ids, **table, "first_submission": [1] * len(ids), "first_line": list(range(len(ids))),
                     "person": [values[i][0] for i in order]})


def pair_quality(con, clusters: pa.Table, identities: pa.Table) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Pairwise precision and recall of the clusters against the true persons."""
    con.register("c", clusters)
    con.register("i", identities)
    pairs = "coalesce(sum(n * (n - 1) / 2), 0)"
    base = "c join i using (identity_id)"
    both, made, true = (con.execute(f"select {pairs} from (select count(*) as n from {base} group by {by})").fetchone()[0]
                        for by in ("resident_id, person", "resident_id", "person"))
    con.unregister("c")
    con.unregister("i")
    return float(both / made), float(both / true)
