"""Linking made-up residents: seconds, peak memory, precision and recall, next to Splink with default comparisons in the same run.

Run from the repository root: python -m bench.link [identities] [--peer] [--increment]. Each part runs in a process of its own, so that its
peak memory is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa

from quanmin.records.residents import Known, link, relink
from tests.residents.made_people import made_identities, pair_quality

RECORDS_PER_PERSON = 2.75
MISSING = 0.12
INCREMENT = 500


def _connection() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set enable_progress_bar = false")
    return con


def _people(count: int) -> pa.Table:
    return made_identities(int(count / RECORDS_PER_PERSON * 1.01), missing=MISSING, seed=7).slice(0, count)


def _report(label: str, seconds: float, before: float, con: duckdb.DuckDBPyConnection, clusters: pa.Table, people: pa.Table) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    precision, recall = pair_quality(con, clusters, people)
    print(f"{label:<44} {len(people):>9,} identities {seconds:7.1f} s  peak {peak:6,.0f} MB (data {before:,.0f} MB)  "
          f"precision {precision:.5f}  recall {recall:.5f}", flush=True)


def _loaded() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(count: int) -> None:
    """Everything at once."""
    people, con = _people(count), _connection()
    before, started = _loaded(), time.perf_counter()
    linked = link(con, people)
    _report("quanmin, at once", time.perf_counter() - started, before, con, linked.clusters, people)
    print(f"{'':<44} {linked.resident_count:,} residents, {len(linked.edges):,} edges, {len(linked.review):,} pairs to review", flush=True)


def increment(count: int) -> None:
    """The last few hundred identities added to all the others."""
    people, con = _people(count), _connection()
    stored, names = link(con, people.slice(0, len(people) - INCREMENT)), ("prepared", "clusters", "edges", "review")
    for name in names:
        con.register("rows", getattr(stored, name))
        con.execute(f"create table known_{name} as select * from rows")
    before, started = _loaded(), time.perf_counter()
    linked = relink(con, people.slice(len(people) - INCREMENT), Known(*(f"known_{name}" for name in names)))
    seconds = time.perf_counter() - started
    for name, rows in (("gone", linked.clusters.gone), ("come", linked.clusters.come)):
        con.register(name, rows)
    clusters = con.execute("select * from known_clusters anti join gone using (identity_id) union all from come order by identity_id").to_arrow_table()
    _report(f"quanmin, {INCREMENT} added to the rest", seconds, before, con, clusters, people)
    same = clusters.equals(link(con, people).clusters)
    print(f"{'':<44} same clusters as at once: {same}", flush=True)


def peer(count: int) -> None:
    """Splink as its tutorial does it: exact and Levenshtein comparisons, estimation by EM, clusters at 0.95; the same blocks for both."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    people, con = _people(count), _connection()
    before, started = _loaded(), time.perf_counter()
    api = DuckDBAPI(con)
    con.register("given", people)
    columns = ("name", "sex_code", "birth_date", "identity_number", "phone", "address")
    con.execute(f"create table person as select identity_id as unique_id, {', '.join(columns)} from given")
    rules = [block_on("identity_number"), block_on("name", "birth_date"), block_on("name", "phone"), block_on("birth_date", "phone")]
    comparisons = [
        cl.ExactMatch("name").configure(term_frequency_adjustments=True), cl.ExactMatch("sex_code"),
        cl.LevenshteinAtThresholds("birth_date", 1), cl.LevenshteinAtThresholds("identity_number", [1, 2]),
        cl.LevenshteinAtThresholds("phone", 1), cl.ExactMatch("address")]
    settings: Any = SettingsCreator(link_type="dedupe_only", blocking_rules_to_generate_predictions=rules, comparisons=comparisons,
                                    retain_matching_columns=False)
    linker = Linker(api.register("person"), settings, log_level="ERROR")
    linker.training.estimate_probability_two_random_records_match([block_on("identity_number")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("identity_number"), block_on("name", "birth_date")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.9)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.95)
    found = con.execute(f"select unique_id as identity_id, cluster_id as resident_id from {clusters.physical_name}").to_arrow_table()
    _report("Splink with default comparisons and EM", time.perf_counter() - started, before, con, found, people)


def _alone(part: Callable[[int], None], count: int) -> None:
    process = multiprocessing.get_context("spawn").Process(target=part, args=(count,))
    process.start()
    process.join()


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("identities", type=int, nargs="?", default=200_000)
    parser.add_argument("--peer", action="store_true", help="also Splink with default comparisons")
    parser.add_argument("--increment", action="store_true", help="also a small addition")
    chosen = parser.parse_args()
    _alone(ours, chosen.identities)
    if chosen.increment:
        _alone(increment, chosen.identities)
    if chosen.peer:
        _alone(peer, chosen.identities)


if __name__ == "__main__":
    main()
