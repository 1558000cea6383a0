"""One block of residents: households, births, deaths and moves, as arrays with one row per person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.naming import AddressBook, NameBook, identity_numbers, phone_numbers
from quanmin.synth.place import Place, table
from quanmin.synth.text import choose, glue, number, pick

NEVER = 10**6
DAYS = settings.END - settings.START
BAND_STARTS = np.array([0, 1, *range(5, 90, 5)])


def _none() -> np.ndarray:
    return np.empty(0, dtype=np.int64)


@dataclass
class People:
    """Persons of a block; days count from 1970, `NEVER` = did not happen. Outsiders come last and have village -1."""

    block: int
    male: np.ndarray
    birth_day: np.ndarray
    household: np.ndarray
    head: np.ndarray  # row of the contact person
    relation: np.ndarray  # of the contact person, code of contact_relation
    coupled: np.ndarray
    mother: np.ndarray  # row of the mother of those born in the period, else -1
    village: np.ndarray
    insured: np.ndarray
    employee: np.ndarray
    frailty: np.ndarray
    phone_change: np.ndarray
    old_village: np.ndarray = field(default_factory=_none)
    move_day: np.ndarray = field(default_factory=_none)
    from_day: np.ndarray = field(default_factory=_none)
    moved_out: np.ndarray = field(default_factory=_none)
    died: np.ndarray = field(default_factory=_none)
    texts: dict[str, pa.Array] = field(default_factory=dict)
    letters: np.ndarray = field(default_factory=_none)  # identity numbers, ASCII (n, 18)

    def __len__(self) -> int:
        return len(self.male)

    @property
    def resident(self) -> np.ndarray:
        """Whether each person belongs to the region."""
        return self.village >= 0

    @property
    def until(self) -> np.ndarray:
        """Last day of each person in the region."""
        return np.minimum(np.minimum(self.died, self.moved_out - 1), settings.END)

    def village_on(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Village where persons lived on days."""
        return np.where(day < self.move_day[person], self.old_village[person], self.village[person])

    def ids(self, person: np.ndarray) -> pa.Array:
        """Ids of the truth files."""
        return glue(f"R{self.block:04d}", number(person, 5))


def age_bands(birth_day: np.ndarray, day: np.ndarray | int) -> np.ndarray:
    """Index of the age band (0, 1-4, 5-9 … 85+) on a day."""
    return np.searchsorted(BAND_STARTS, full_years(birth_day, day), side="right") - 1


def full_years(birth_day: np.ndarray, day: np.ndarray | int) -> np.ndarray:
    """Completed years of age."""
    born, now = birth_day.astype("datetime64[D]"), np.asarray(day, dtype=np.int64).astype("datetime64[D]")
    months = now.astype("datetime64[M]").astype(np.int64) - born.astype("datetime64[M]").astype(np.int64)
    before = (now - now.astype("datetime64[M]")) < (born - born.astype("datetime64[M]"))
    return (months - before) // 12


class Census:
    """Makes blocks of people."""

    def __init__(self, place: Place, seed: int, residents: int) -> None:
        self.place, self.seed = place, seed
        self.book, self.addresses = NameBook(), AddressBook(place)
        shape = table("age_sex.csv")
        self.share = np.array([float(r["share"]) for r in shape])
        self.share /= self.share.sum()
        self.blocks = max(1, -(-residents // settings.BLOCK))
        self.sizes = np.diff(np.linspace(0, residents, self.blocks + 1).astype(int))

    def generator(self, block: int, stream: int) -> np.random.Generator:
        """Random numbers of one block and purpose, independent of every other block."""
        return np.random.Generator(np.random.Philox(key=np.array([self.seed, block * 64 + stream], dtype=np.uint64)))

    def block(self, block: int) -> People:
        """The people of one block."""
        rng = self.generator(block, 0)
        count = int(self.sizes[block])
        cell = np.searchsorted(np.cumsum(self.share), rng.random(count)).clip(max=37)
        band, male = cell // 2, cell % 2 == 0
        width = np.diff(np.r_[BAND_STARTS, 85])[band]
        age = np.where(band == 18, 85 + rng.exponential(3.8, count).clip(max=20), BAND_STARTS[band] + rng.random(count) * width)
        birth_day = settings.START - 1 - (age * 365.2425).astype(np.int64)
        family = _households(age, male, rng)
        babies, birth_of = _births(age, male, family, count, rng)
        outsiders = max(3, int(count * settings.STAYS_PER_YEAR * 5 * settings.OUTSIDE_SHARE))
        return self._assembled(block, rng, birth_day, male, family, babies, birth_of, outsiders)

    def _assembled(
        self,
        block: int,
        rng: np.random.Generator,
        birth_day: np.ndarray,
        male: np.ndarray,
        family: dict[str, np.ndarray],
        babies: np.ndarray,
        birth_of: np.ndarray,
        outsiders: int,
    ) -> People:
        count, born = len(male), len(babies)
        total = count + born + outsiders
        guest = rng.integers(0, count, outsiders)
        birth_day = np.concatenate([birth_day, birth_of, birth_day[guest]])
        male = np.concatenate([male, rng.random(born) < 0.522, male[guest]])
        households = int(family["household"].max()) + 1
        home = self._somewhere(households + outsiders, rng)
        household = np.concatenate([family["household"], family["household"][babies], households + np.arange(outsiders)])
        age = (settings.START - birth_day) / 365.25
        people = People(
            block=block,
            male=male,
            birth_day=birth_day,
            household=household,
            head=np.concatenate([family["head"], babies, count + born + np.arange(outsiders)]),
            relation=np.concatenate([family["relation"], np.full(born, 5), np.zeros(outsiders, dtype=np.int64)]),
            coupled=np.concatenate([family["coupled"], np.zeros(born + outsiders, dtype=bool)]),
            mother=np.concatenate([np.full(count, -1), babies, np.full(outsiders, -1)]),
            village=np.where(np.arange(total) >= count + born, -1, home[household]),
            insured=rng.random(total) < np.where((age > 18) & (age < 40), 0.9, 0.965),
            employee=(rng.random(total) < 0.24) & (age > 20),
            frailty=rng.gamma(1.6, 1 / 1.6, total),
            phone_change=np.where(rng.random(total) < 0.15, settings.START + rng.integers(0, DAYS, total), -NEVER),
        )
        self._lives(people, np.arange(total) < count, age, rng)
        self._texts(people, family, babies, rng)
        return people

    def _somewhere(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Villages drawn by their share of the households."""
        weight = np.cumsum(self.place.village_weight)
        return np.searchsorted(weight, rng.random(count)).clip(max=len(weight) - 1)

    def _lives(self, people: People, from_start: np.ndarray, age: np.ndarray, rng: np.random.Generator) -> None:
        """Deaths outside hospital (Gompertz hazard) and moves; only those there at the start move, each in one way."""
        total = len(people)
        hazard = 0.0000150 * np.exp(0.098 * age.clip(min=0)) + 0.00012
        lived = np.log1p(0.098 * rng.exponential(1, total) / hazard) / 0.098
        died = np.maximum(settings.START, people.birth_day) + (lived * 365.25).astype(np.int64)
        people.died = np.where((died <= settings.END) & people.resident, died, NEVER)
        draw = np.where(from_start, rng.random(total), 1.0)
        within = draw < settings.MOVED_WITHIN
        leaves = ~within & (draw < settings.MOVED_WITHIN + settings.MOVED_OUT)
        comes = ~within & ~leaves & (draw < settings.MOVED_WITHIN + settings.MOVED_OUT + settings.MOVED_IN)
        people.old_village = np.where(within, self._somewhere(total, rng), people.village)
        people.move_day = np.where(within, settings.START + rng.integers(60, DAYS - 60, total), -NEVER)
        people.moved_out = np.where(leaves, settings.START + rng.integers(100, DAYS, total), NEVER)
        people.moved_out[people.moved_out >= people.died] = NEVER
        earlier = np.where(people.birth_day >= settings.START, people.birth_day, settings.START - 400)
        people.from_day = np.where(comes, settings.START + rng.integers(0, DAYS - 200, total), earlier)

    def _texts(self, people: People, family: dict[str, np.ndarray], babies: np.ndarray, rng: np.random.Generator) -> None:
        book, total, outside = self.book, len(people), ~people.resident
        surname = book.draw_surnames(total, rng)
        count = len(family["household"])
        father = np.concatenate([family["father"], family["partner"][babies], np.full(total - count - len(babies), -1)])
        surname = np.where(father >= 0, surname[father.clip(min=0)], surname)
        first = book.draw_given("1", people.male, people.birth_day, rng)
        second = book.draw_given("2", people.male, people.birth_day, rng)
        generation = np.digitize(people.birth_day, [-1826, 7305])
        first = np.where(rng.random(total) < np.array([0.12, 0.28, 0.12])[generation], book.blank, first)
        typo = book.draw_given("2", people.male, people.birth_day, rng)
        region = np.array([int(c["region_code"]) for c in self.place.counties])
        area = region[self.place.town_county[self.place.village_town[people.village.clip(min=0)]]]
        elsewhere = rng.random(total) < 0.06
        area = np.where(elsewhere, region[rng.integers(0, len(region), total)], area)
        area = np.where(outside, int(self.place.names["neighbour"]["code"]) + 1 + rng.integers(0, 6, total), area)
        people.letters = identity_numbers(area, people.birth_day, people.male.astype(np.int64), people.block, self.blocks)
        own = phone_numbers(total, rng)
        uses_head = (settings.END - people.birth_day < 365 * 16) | (rng.random(total) < np.where(people.birth_day < -3650, 0.4, 0.08))
        phone = pick(own, np.where(uses_head, people.head, np.arange(total)))
        households = int(people.household.max()) + 1
        group, house = rng.integers(1, 13, households)[people.household], rng.integers(1, 400, households)[people.household]
        people.texts = {
            "name": book.full_names(surname, first, second),
            "variant_name": book.full_names(surname, first, second, variant=True),
            "typo_name": book.full_names(surname, first, typo),
            "phone": phone,
            "old_phone": choose(people.phone_change > 0, phone_numbers(total, rng), phone),
            **self._addresses(people, group, house, outside),
        }

    def _addresses(self, people: People, group: np.ndarray, house: np.ndarray, outside: np.ndarray) -> dict[str, pa.Array]:
        book, neighbour = self.addresses, self.place.names["neighbour"]["zh"]
        found = {}
        for key, village in (("", people.village.clip(min=0)), ("old_", people.old_village.clip(min=0))):
            door = book.door(village, group, house)
            found[f"{key}address"] = choose(outside, glue(neighbour, door), glue(pick(book.full, village), door))
            found[f"{key}short_address"] = choose(outside, glue(neighbour, door), glue(pick(book.short, village), door))
        return found


def _households(age: np.ndarray, male: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Couples of similar age, children and young adults with a mother 27 years older, some elders with a couple, the others alone."""
    count = len(age)
    grown = age >= 23
    keep = rng.random(count) < 0.86
    men, women = np.flatnonzero(grown & male & keep), np.flatnonzero(grown & ~male & keep)
    men = men[np.argsort(age[men] - 2 + rng.normal(0, 1.5, len(men)))]
    women = women[np.argsort(age[women] + rng.normal(0, 1.5, len(women)))]
    pairs = min(len(men), len(women))
    men, women = men[len(men) - pairs :], women[len(women) - pairs :]
    household = np.full(count, -1)
    household[men] = household[women] = np.arange(pairs)
    partner = np.full(count, -1)
    partner[men], partner[women] = women, men
    rest = np.flatnonzero(household < 0)
    order = np.argsort(age[women])
    child = ~grown[rest]
    wanted = age[rest] + np.where(child, rng.normal(27, 4.5, len(rest)).clip(18, 42), -rng.normal(27, 4.5, len(rest)))
    nearest = order[np.searchsorted(age[women][order], wanted).clip(max=max(pairs - 1, 0))] if pairs else np.zeros(len(rest), int)
    joins = (child | ((age[rest] > 62) & (rng.random(len(rest)) < 0.5))) & (pairs > 0)
    household[rest] = np.where(joins, nearest, pairs + np.arange(len(rest)))
    _, household = np.unique(household, return_inverse=True)
    head = np.where(partner >= 0, partner, np.arange(count))
    relation = np.where(partner >= 0, 1, 0)
    father = np.full(count, -1)
    with_mother = rest[joins & child]
    mother = women[nearest[joins & child]]
    head[with_mother] = np.where(rng.random(len(mother)) < 0.5, mother, men[nearest[joins & child]])
    relation[with_mother] = 5
    father[with_mother] = men[nearest[joins & child]]
    elder = rest[joins & ~child]
    son = rng.random(len(elder)) < 0.7
    head[elder] = np.where(son, men[nearest[joins & ~child]], women[nearest[joins & ~child]])
    relation[elder] = np.where(son, 2, 3)
    return {"household": household, "partner": partner, "head": head, "relation": relation, "coupled": partner >= 0, "father": father}


def _births(
    age: np.ndarray,
    male: np.ndarray,
    family: dict[str, np.ndarray],
    count: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Mothers (rows, each once) and birth days of the children born in the period."""
    days = settings.END - settings.START
    fertile = np.flatnonzero(family["coupled"] & ~male & (age > 18) & (age < 40))
    wanted = min(int(count * settings.BIRTHS_PER_YEAR * days / 365.25), len(fertile))
    middle = age[fertile] + 2.5
    weight = np.exp(-((middle - 28) ** 2) / 50) + 1e-6
    mothers = rng.choice(fertile, wanted, replace=False, p=weight / weight.sum()) if wanted else np.empty(0, dtype=np.int64)
    return mothers, settings.START + rng.integers(0, days - 3, wanted)
