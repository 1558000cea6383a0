"""Comorbidities by code: the published rules, and the fast way against the plain one on generated codes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanmin.model.words import STATUSES
from quanmin.services.quality.comorbidity import INDICES, comorbidities, comorbidity_index, split_codes

PREFIXES = {name: [p for c in comorbidity_index(name).categories for p in c.prefixes] for name in INDICES}


def plainly(codes: list[str], name: str, scheme: str) -> tuple[set[str], int]:
    """One stay's categories and score, code by code."""
    index = comorbidity_index(name)
    bare = ["".join(letter for letter in code.upper() if letter.isalnum() and letter.isascii()) for code in codes]
    found = {c.id for c in index.categories if any(code.startswith(p) for code in bare for p in c.prefixes)}
    found -= {lower for higher in found for lower in index.outranks.get(higher, ())}
    return found, sum(c.weights[scheme] for c in index.categories if c.id in found)


def codes_of(name: str) -> st.SearchStrategy[str]:
    """Codes of the index with and without dot and extension, and others."""
    known = st.sampled_from(PREFIXES[name]).flatmap(lambda p: st.sampled_from([p, p.lower(), f"{p[:3]}.{p[3:]}", f"{p[:3]}.{p[3:]}00x001", f"{p}*", p[:-1]]))
    return known | st.text("ABCDEIKZ0123456789.", max_size=6)


@pytest.mark.parametrize("name", INDICES)
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_the_fast_way_is_the_plain_one(name: str, data) -> None:
    stays = data.draw(st.lists(st.lists(codes_of(name), max_size=6), min_size=1, max_size=12))
    index = comorbidity_index(name)
    for scheme in index.schemes:
        places, codes = split_codes(pa.array(["|".join(stay) for stay in stays]))
        order = np.random.default_rng(1).permutation(places.size)
        for at in (np.arange(places.size), order):
            found = comorbidities(places[at], codes.take(pa.array(at)), len(stays), index, scheme)
            for stay, flags, score in zip(stays, found.flags, found.score, strict=True):
                told = {c.id for c, is_in_force in zip(index.categories, flags, strict=True) if is_in_force}
                assert (told, score) == plainly(stay, name, scheme)


@pytest.mark.parametrize(("codes", "name", "scheme", "score"), [
    ("I21.000x001", "charlson", "charlson_1987", 1), ("I21.000x001", "charlson", "quan_2011", 0), ("K70.3|K72.1", "charlson", "charlson_1987", 3),
    ("E11.9|E11.2", "charlson", "charlson_1987", 2), ("C50.9|C78.0", "charlson", "charlson_1987", 6), ("C50|C61", "charlson", "charlson_1987", 2),
    ("B20", "charlson", "quan_2011", 4), ("C44.9", "charlson", "", 0), ("I25.103", "charlson", "", 0), ("", "charlson", "", 0),
    ("E66.0|F11.2|D50.0", "elixhauser", "", -13), ("C50|C78", "elixhauser", "", 12), ("I50.0|I48|K70.0", "elixhauser", "", 23),
    ("J96.000|N17.900|N17.0|J96.100", "organ_failure", "", 2), ("R57.900|I95.900|K72.900|D65.x00", "organ_failure", "", 3)])
def test_scores_of_the_published_rules(codes: str, name: str, scheme: str, score: int) -> None:
    places, listed = split_codes(pa.array([codes]))
    assert comorbidities(places, listed, 1, comorbidity_index(name), scheme).score.tolist() == [score]


def test_the_highest_scores_are_the_published_ones() -> None:
    """Quan 2011 states 0 to 24; by the 1987 weights all categories but the outranked ones come to 29."""
    everything = pa.array(["|".join(PREFIXES["charlson"])])
    for scheme, most in (("quan_2011", 24), ("charlson_1987", 29)):
        assert comorbidities(*split_codes(everything), 1, comorbidity_index("charlson"), scheme).score.tolist() == [most]


@pytest.mark.parametrize(("name", "size"), [("charlson", 17), ("elixhauser", 31), ("organ_failure", 9)])
def test_cards_and_lists_are_whole(name: str, size: int) -> None:
    index = comorbidity_index(name)
    ids = [category.id for category in index.categories]
    assert len(ids) == len(set(ids)) == size and index.status in STATUSES and index.source and index.label.zh and index.label.en
    assert all(c.label.zh and c.label.en and c.prefixes and set(c.weights) == set(index.schemes) for c in index.categories)
    assert all(prefix[0].isalpha() and prefix[1:].isdigit() and 3 <= len(prefix) <= 4 for prefix in PREFIXES[name])
    assert set(index.outranks) | {lower for names in index.outranks.values() for lower in names} <= set(ids)


def test_missing_codes_have_no_category_and_wrong_calls_are_refused() -> None:
    index = comorbidity_index("charlson")
    found = comorbidities(np.array([0, 1, 1]), pa.array([None, "I50", None]), 3, index)
    assert found.score.tolist() == [0, 1, 0] and found.flags.sum() == 1
    encoded = comorbidities(np.array([2]), pa.array(["I50"]).dictionary_encode(), 3, index)
    assert encoded.score.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="one code"):
        comorbidities(np.array([0]), pa.array(["I50", "I10"]), 1, index)
    with pytest.raises(KeyError):
        comorbidities(np.array([0]), pa.array(["I50"]), 1, index, "van_walraven_2009")
    with pytest.raises(KeyError):
        comorbidity_index("unheard_of")
