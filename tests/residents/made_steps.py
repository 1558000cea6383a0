"""Identities linked in steps: what `relink` says goes and comes, applied to tables kept between the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa

from quanmin.records.residents import Known, Linked, LinkModel, Relinked, link, load_model, relink
from quanmin.records.residents.relink import Change

KEYS = {"clusters": ("identity_id",), "edges": ("identity_a", "identity_b", "decided_by"), "review": ("identity_a", "identity_b")}
Decided = Mapping[tuple[str, str], str]


def touchy(at_most: int) -> LinkModel:
    """The model for residents, with numbers, phones and cards that say nothing as soon as more than so many names share them."""
    model = load_model()
    assert model.exact
    return replace(model, exact=replace(model.exact, carried_by_at_most=at_most),
                   comparisons=tuple(replace(c, shared_by_at_most=at_most) if c.shared_by_at_most else c for c in model.comparisons))


def decision_rows(decided: Decided) -> pa.Table:
    """Decisions as `link` takes them."""
    columns = {"identity_a": [a for a, _ in decided], "identity_b": [b for _, b in decided], "decision": list(decided.values()),
               "decided_by": ["registrar"] * len(decided)}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def tables(linked: Linked) -> dict[str, pa.Table]:
    """The tables of a linkage, sorted."""
    con, found = duckdb.connect(), {}
    for name in (*KEYS, "prepared"):
        con.register("given", getattr(linked, name))
        found[name] = con.execute("select * from given order by all").to_arrow_table()
    return found


class Steps:
    """Linked so far; `add` brings more identities or decisions."""

    def __init__(self, shape: pa.Table, model: LinkModel | None = None) -> None:
        self.con, self.model, self.decided = duckdb.connect(), model or load_model(), dict[tuple[str, str], str]()
        nobody = link(self.con, shape.slice(0, 0), model=self.model)
        for name in (*KEYS, "prepared"):
            self.con.register("none", getattr(nobody, name))
            self.con.execute(f"create table known_{name} as select * from none")
        self.con.unregister("none")

    def add(self, arrived: pa.Table, decided: Decided | None = None) -> Relinked:
        """Link more identities, under these decisions from now on (None: as before)."""
        now = self.decided if decided is None else dict(decided)
        changed = {pair for pair, _ in set(now.items()) ^ set(self.decided.items())}
        known = Known("known_prepared", "known_clusters", "known_edges", "known_review")
        made = relink(self.con, arrived, known, decision_rows(now), decision_rows(dict.fromkeys(changed, "")), self.model)
        self.decided = now
        for name, key in KEYS.items():
            self._apply(name, key, getattr(made, name))
        self._apply("prepared", ("identity_id",), Change(made.prepared.slice(0, 0), made.prepared))
        return made

    def _apply(self, name: str, key: tuple[str, ...], change: Change) -> None:
        for which, rows in (("gone", change.gone), ("come", change.come)):
            self.con.register(which, rows)
        before = self._count(name)
        self.con.execute(f"create or replace table known_{name} as select * from known_{name} anti join gone using ({', '.join(key)})")
        assert self._count(name) == before - len(change.gone), f"{name}: a key names one row"
        self.con.execute(f"insert into known_{name} by name select * from come")

    def _count(self, name: str) -> int:
        return int(self.con.execute(f"select count(*) from known_{name}").fetchall()[0][0])

    def tables(self) -> dict[str, pa.Table]:
        """What was linked so far, sorted."""
        return {name: self.con.execute(f"select * from known_{name} order by all").to_arrow_table() for name in (*KEYS, "prepared")}


def differences(steps: Steps, whole: pa.Table) -> dict[str, list[tuple[object, ...]]]:
    """Rows that only one of two holds: what was linked in steps, and all of it linked at once."""
    at_once, found = tables(link(duckdb.connect(), whole, decision_rows(steps.decided), steps.model)), {}
    for name, rows in steps.tables().items():
        if not rows.equals(at_once[name].select(rows.column_names)):
            con = duckdb.connect()
            con.register("ours", rows)
            con.register("theirs", at_once[name])
            found[name] = [*con.execute("from (from ours except select * from theirs) limit 3").fetchall(), ("at once:",),
                           *con.execute("from (from theirs except select * from ours) limit 3").fetchall()]
    return found


def in_parts(whole: pa.Table, part_of: Iterable[int], model: LinkModel | None = None) -> Steps:
    """Linked part after part."""
    steps, numbers = Steps(whole, model), list(part_of)
    for part in sorted(set(numbers)):
        steps.add(whole.filter(pa.array([number == part for number in numbers])))
    return steps
