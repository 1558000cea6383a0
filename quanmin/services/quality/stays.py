"""The comorbidities of a site's stays, as a derived table asks for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quanmin.records.fingerprints import Computation
from quanmin.services.quality import comorbidity
from quanmin.services.quality.comorbidity import FOLDER, INDICES, Comorbidities, comorbidities, comorbidity_index

BETWEEN = "|"


def _told(found: Comorbidities) -> pa.Array:
    """The categories of each stay, parted by |; there are far fewer mixes of them than stays."""
    names = np.array([category.id for category in found.index.categories])
    mixes, place = np.unique(found.flags @ (np.uint64(1) << np.arange(names.size, dtype=np.uint64)), return_inverse=True)
    texts = [BETWEEN.join(names[(int(mix) >> np.arange(names.size)) & 1 > 0]) for mix in mixes]
    return pa.array(texts, pa.string()).take(pa.array(place.ravel()))


def _with_comorbidities(stays: pa.Table) -> pa.Table:
    others = stays["others"].combine_chunks()
    places = pc.list_parent_indices(others).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = pc.list_flatten(others)
    for name in INDICES:
        found = comorbidities(places, codes, len(stays), comorbidity_index(name))
        stays = stays.append_column(name, _told(found)).append_column(f"{name}_score", pa.array(found.score))
    return stays


def stay_comorbidities() -> Computation:
    """What adds each stay's comorbidities by both indices from its other diagnoses, the categories parted by | and the usual score of each."""
    digest = hashlib.sha256()
    for path in (*sorted(FOLDER.iterdir()), Path(comorbidity.__file__), Path(__file__)):
        digest.update(path.read_bytes())
    return Computation(digest.hexdigest(), _with_comorbidities)
