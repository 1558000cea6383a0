"""The examples of docs/how-to/link-files.md work as they stand."""

from __future__ import annotations

import re
from pathlib import Path

from quanmin.records.residents.files import link_files
from quanmin.records.residents.kinds import KINDS
from quanmin.records.residents.model_file import load_model

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "link-files.md").read_text("utf-8")
MODEL, TRAINING = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)


def test_the_model_of_the_guide_links(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(MODEL, "utf-8")
    rows = "id,surname,birthday\n7,Miller,1980-01-02\n8,MILLER,02/01/1980\n9,miller,19800102\n10,Smith,1975-05-05\n"
    (tmp_path / "a.csv").write_text(rows, "utf-8")
    link_files([tmp_path / "a.csv"], tmp_path / "model.toml", tmp_path / "out.csv")
    assert [line.split(",")[1:] for line in (tmp_path / "out.csv").read_text("utf-8").splitlines()] == [
        ["row", "id", "cluster_id"], ["1", "7", "1"], ["2", "8", "2"], ["3", "9", "1"], ["4", "10", "3"]]


def test_the_training_section_of_the_guide_is_understood(tmp_path: Path) -> None:
    untrained = re.sub(r"^[mu] = .*\n", "", MODEL, flags=re.M)
    (tmp_path / "model.toml").write_text(untrained + TRAINING, "utf-8")
    training = load_model(tmp_path / "model.toml").training
    assert training is not None and training.blocks == (("surname_key",), ("born_key",))


def test_every_kind_is_in_the_guide_with_its_levels_and_parts() -> None:
    for kind in KINDS.values():
        row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{kind.name}` |")).split("|")
        assert row[3].split() == [level for level, _ in kind.levels], kind.name
        assert row[4].split() == [f"`_{part}`" for part in kind.parts if part != "key"], kind.name
