"""Loads the catalogue: shipped definitions first, the region's own last; every error at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from quanmin.catalog import checked
from quanmin.catalog.charge_items import read_charge_items
from quanmin.catalog.code_lists import CodeLists
from quanmin.catalog.diseases import read_diseases
from quanmin.catalog.front_page_points import read_front_page_points
from quanmin.catalog.grouper_files import Schemes
from quanmin.catalog.messages import say
from quanmin.catalog.reading import Complaints, Definition
from quanmin.model import Check, Indicator, Mapping, Problem, Refusal, Table
from quanmin.model.appraisal import Handbook, ScoringSheet
from quanmin.model.charge import ChargeItem
from quanmin.model.disease import NotifiableDisease
from quanmin.model.front_page import FrontPagePoints
from quanmin.model.weights import Weights

SHIPPED = Path(__file__).parent


@dataclass
class Catalog:
    """All definitions by id; `texts` are the files of the indicators."""

    tables: dict[str, Table] = field(default_factory=dict)
    codes: CodeLists = field(default_factory=CodeLists)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    rules: dict[str, Check] = field(default_factory=dict)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    groupers: Schemes = field(default_factory=Schemes)
    weights: dict[str, Weights] = field(default_factory=dict)
    handbooks: dict[str, Handbook] = field(default_factory=dict)
    sheets: dict[str, ScoringSheet] = field(default_factory=dict)
    charge_items: dict[str, ChargeItem] = field(default_factory=dict)
    diseases: dict[str, NotifiableDisease] = field(default_factory=dict)
    front_page_points: FrontPagePoints = field(default_factory=FrontPagePoints)
    derivations: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def indicator(self, name: str) -> Indicator:
        """The indicator with this id, or with this official code where only one has it; raises Refusal."""
        if name in self.indicators:
            return self.indicators[name]
        coded = [i for i in self.indicators.values() if i.code == name]
        if len(coded) == 1:
            return coded[0]
        rule = say("several_indicators", names=", ".join(i.id for i in coded)) if coded else say("no_indicator")
        raise Refusal(Problem("catalog/indicators", None, "indicator", name, rule, say("mend_no_indicator")))

    def question(self, name: str) -> Indicator | Check:
        """The check or rule ("table/id") or indicator called `name`; raises Refusal."""
        return self.checks.get(name) or self.rules.get(name) or self.indicator(name)

    def base_tables(self) -> list[Table]:
        """Tables that records are taken into."""
        return [t for t in self.tables.values() if not t.is_derived]


def _definitions(folders: list[Path], sub: str, complaints: Complaints) -> Iterator[tuple[Definition, str]]:
    for folder in folders:
        for path in sorted((folder / sub).rglob("*.toml")):
            below = path.relative_to(folder / sub).parent.as_posix()
            shown = f"catalog/{path.relative_to(folder)}" if folder == SHIPPED else f"definitions/{path.relative_to(folder)}"
            definition = Definition(path, shown, complaints)
            if definition.is_readable:
                yield definition, below


def _folders(own: Path | None) -> list[Path]:
    return [SHIPPED] + ([own] if own is not None and own.is_dir() else [])


def read_all(own: Path | None = None) -> tuple[Catalog, Complaints]:
    """The catalogue and all complaints about it; `own` is a region's folder of the same shape, loaded last."""
    from quanmin.catalog.appraisal_files import read_handbook, read_sheet
    from quanmin.catalog.formulas import check_made_of_others  # the parser behind them takes longer to load than a checked catalogue
    from quanmin.catalog.mapping_files import read_mapping
    from quanmin.catalog.question_files import read_check, read_indicator
    from quanmin.catalog.rule_files import read_rule
    from quanmin.catalog.table_files import read_table
    from quanmin.catalog.weight_files import read_weights

    complaints, catalog = Complaints(), Catalog()
    folders = _folders(own)
    for definition, _ in _definitions(folders, "codes", complaints):
        catalog.codes.add(definition)
    catalog.charge_items = read_charge_items(catalog.codes, complaints)
    catalog.diseases = read_diseases(catalog.codes, complaints)
    for definition, _ in _definitions(folders, "tables", complaints):
        catalog.tables[definition.id] = read_table(definition, catalog.codes)
        sql = definition.path.with_suffix(".sql")
        if sql.exists():
            catalog.derivations[definition.id] = sql.read_text("utf-8")
    made_of_others: dict[str, Definition] = {}
    for definition, theme in _definitions(folders, "indicators", complaints):
        catalog.indicators[definition.id] = read_indicator(definition, theme, catalog.tables, catalog.codes)
        catalog.texts[definition.id] = definition.text
        made_of_others[definition.id] = definition
    check_made_of_others(catalog.indicators, made_of_others)
    for definition, table_id in _definitions(folders, "checks", complaints):
        found = read_check(definition, table_id, catalog.tables, catalog.codes)
        catalog.checks[found.id] = found
    catalog.front_page_points = read_front_page_points(catalog.codes, catalog.tables, catalog.checks.values(), complaints)
    for definition, table_id in _definitions(folders, "rules", complaints):
        rule = read_rule(definition, table_id, catalog.tables, catalog.codes, catalog.checks)
        catalog.rules[rule.id] = rule
    for definition, _ in _definitions(folders, "mappings", complaints):
        catalog.mappings[definition.id] = read_mapping(definition, catalog.tables)
    for definition, _ in _definitions(folders, "groupers", complaints):
        catalog.groupers.add(definition)
    for path in catalog.groupers.group_lists():  # what a region drew itself is named like the groups of the national scheme
        catalog.codes.extend("drg", path, "group")
        catalog.codes.extend("mdc", catalog.codes.csv_path("icd_chapter"))
    for definition, _ in _definitions(folders, "weights", complaints):
        catalog.weights[definition.id] = read_weights(definition, catalog.groupers)
    for definition, _ in _definitions(folders, "handbooks", complaints):
        catalog.handbooks[definition.id] = read_handbook(definition, catalog.indicators)
    for definition, _ in _definitions(folders, "appraisal", complaints):
        catalog.sheets[definition.id] = read_sheet(definition, catalog.indicators)
    return catalog, complaints


def load(own: Path | None = None) -> Catalog:
    """The catalogue, or a Refusal that lists every error in it; what was without error before and has not changed is not checked again."""
    key = checked.fingerprint(_folders(own))
    known = checked.find(key)
    if isinstance(known, Catalog):
        return known
    catalog, complaints = read_all(own)
    if complaints.problems:
        raise Refusal(*complaints.problems)
    if checked.fingerprint(_folders(own)) == key:
        checked.keep(key, catalog)
    return catalog
