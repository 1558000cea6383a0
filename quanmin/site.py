"""A site: reads site.toml and wires the parts together; the only place that knows them all."""

from __future__ import annotations

import getpass
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quanmin.catalog import Catalog, load
from quanmin.catalog.messages import LANGUAGES, say, speak
from quanmin.model import Problem, Refusal
from quanmin.records.folders import Folders
from quanmin.reports.boards import Group, read_boards

if TYPE_CHECKING:  # each part is loaded where it is made: a command needs few of them, and they load most of what a command loads
    from quanmin.engines.duckdb import DuckDBEngine
    from quanmin.gate import Accounts, Actor, Scope
    from quanmin.records.build import Progress as BuildProgress
    from quanmin.records.intake import Intake
    from quanmin.records.intake import Progress as IntakeProgress
    from quanmin.records.ledger import Ledger, Snapshot
    from quanmin.records.warehouse import Warehouse
    from quanmin.services.flow import Flow
    from quanmin.services.indicators import Indicators

TEMPLATE = """# A Quanmin site.
region = "{region}"              # division code of the region whose residents are counted ("" = no region table needed)
languages = ["zh", "en"]     # the first is spoken
ledger = "sqlite"            # or "postgresql+psycopg://user:password@host/database"
engine = "duckdb"

[timeliness]
due_day = 10                 # a month's files are due on this day of the next month

[suppression]
below = 5                    # counts of 1 to 4 are not shown to roles that may not see rows

[grouping]
scheme = "chs_drg_1_1"       # in catalog/groupers or definitions/groupers
clinical = false             # true where all codes of front pages are of the clinical edition

[brief]
issued_by = ""               # who issues the monthly brief ("" = the region's name)
address = ""                 # where the pages are reached, for the links of briefs made on the command line, e.g. "https://health.example"

[resources]
memory_limit = "3GB"
threads = 2
"""


@dataclass(frozen=True)
class Settings:
    """What site.toml says."""

    region: str = ""
    languages: tuple[str, ...] = LANGUAGES
    ledger: str = "sqlite"
    engine: str = "duckdb"
    due_day: int = 10
    suppress_below: int = 5
    scheme: str = "chs_drg_1_1"
    is_clinical: bool = False
    issued_by: str = ""
    address: str = ""
    memory_limit: str = "3GB"
    threads: int = 2


def make_site(folder: Path, region: str = "") -> Site:
    """Make a new site in `folder`; raises Refusal where there is one or the folder cannot be written."""
    if (folder / "site.toml").exists():
        raise Refusal(Problem(str(folder), None, "", "", say("site_exists"), say("mend_site_exists")))
    if not all(c.isalnum() for c in region):
        raise Refusal(Problem("site.toml", None, "region", region, say("bad_value"), say("mend_key")))
    try:
        for sub in ("landing", "warehouse", "definitions"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        (folder / "site.toml").write_text(TEMPLATE.format(region=region), encoding="utf-8")
    except OSError as error:
        raise Refusal(Problem(str(folder), None, "", "", say("disk_full"), say("mend_disk_full"))) from error
    site = Site(folder)
    site.ledger.migrate()
    return site


def _settings(path: Path) -> Settings:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        return Settings(
            region=str(data.get("region", "")), languages=tuple(data.get("languages", LANGUAGES)), ledger=str(data.get("ledger", "sqlite")),
            engine=str(data.get("engine", "duckdb")), due_day=int(data.get("timeliness", {}).get("due_day", 10)),
            suppress_below=int(data.get("suppression", {}).get("below", 5)),
            scheme=str(data.get("grouping", {}).get("scheme", "chs_drg_1_1")), is_clinical=bool(data.get("grouping", {}).get("clinical", False)),
            issued_by=str(data.get("brief", {}).get("issued_by", "")), address=str(data.get("brief", {}).get("address", "")).rstrip("/"),
            memory_limit=str(data.get("resources", {}).get("memory_limit", "3GB")), threads=int(data.get("resources", {}).get("threads", 2)),
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, AttributeError) as error:
        raise Refusal(Problem(str(path), None, "", "", f"{say('bad_site')}: {error}", say("mend_key"))) from error


class Site:
    """One site's parts, each made when first needed."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "site.toml").is_file():
            raise Refusal(Problem(str(folder), None, "", "", say("no_site"), say("mend_no_site")))
        self.folder = folder.resolve()
        self.settings = _settings(folder / "site.toml")
        self.folders = Folders(self.folder)

    @cached_property
    def catalog(self) -> Catalog:
        """Shipped definitions and the region's own."""
        return load(self.folder / "definitions")

    @cached_property
    def boards(self) -> tuple[Group, ...]:
        """The groups of indicators shown first."""
        return read_boards(self.folder / "definitions", {name for name, one in self.catalog.indicators.items() if one.is_executable})

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, brought to this version's shape."""
        from quanmin.records.ledger import Ledger

        url = f"sqlite:///{self.folder / 'ledger.db'}" if self.settings.ledger == "sqlite" else self.settings.ledger
        ledger = Ledger(url)
        ledger.migrate()
        return ledger

    def intake(self, progress: IntakeProgress | None = None) -> Intake:
        """The intake."""
        from quanmin.records.intake import Intake

        return Intake(self.catalog, self.folders, self.ledger, progress)

    def build(self, progress: BuildProgress | None = None) -> tuple[Snapshot, bool]:
        """Build and publish; returns the snapshot and whether it is new."""
        from quanmin.records.build import Builder, Setting
        from quanmin.records.charge_items import NAME, charge_list
        from quanmin.records.disease_list import disease_lists
        from quanmin.records.supply_list import supply_lists
        from quanmin.services.grouping.stays import stay_groups
        from quanmin.services.grouping.weights import weights_in_force
        from quanmin.services.quality.stays import stay_comorbidities

        setting = Setting(self.settings.region, self.settings.due_day, self.settings.memory_limit)
        computed = {"grouping": stay_groups(self.catalog, self.settings.scheme, self.settings.is_clinical), "comorbidity": stay_comorbidities()}
        lookups = {"drg_weight": weights_in_force(self.catalog, self.settings.scheme), NAME: charge_list(self.catalog), **disease_lists(self.catalog),
                   **supply_lists()}
        snapshot, is_new = Builder(self.catalog, self.folders, self.ledger, setting, self.intake().retake, progress, computed, lookups).build()
        self.ledger.note_definitions(snapshot.id, {name: one.version for name, one in self.catalog.indicators.items()}, self.catalog.texts)
        return snapshot, is_new

    def snapshot(self, wanted: int | None = None) -> Snapshot:
        """The snapshot with this number, or the newest; raises Refusal where there is none."""
        snapshots = self.ledger.snapshots()
        if not snapshots:
            raise Refusal(Problem(str(self.folder), None, "", "", say("not_built"), say("mend_not_built")))
        if wanted is None:
            return snapshots[-1]
        found = next((s for s in snapshots if s.id == wanted), None)
        if found is None:
            known = ", ".join(f"{s.id} ({s.published_at[:10]})" for s in snapshots)
            raise Refusal(Problem(str(self.folder), None, "as-of", str(wanted), say("no_snapshot"), say("mend_no_snapshot", known=known)))
        return found

    @cached_property
    def _warehouse(self) -> Warehouse:
        from quanmin.records.warehouse import Warehouse

        return Warehouse(self.folders.warehouse)

    def files(self, snapshot: Snapshot) -> dict[str, list[str]]:
        """Table → Parquet files of a snapshot; raises Refusal where they are gone."""
        try:
            return {table: self._warehouse.files(table, version) for table, (version, _) in self.ledger.versions(snapshot.id).items()}
        except FileNotFoundError as error:
            raise Refusal(Problem(str(self.folder), None, "as-of", str(snapshot.id), say("snapshot_gone"), say("mend_snapshot_gone"))) from error

    def engine(self, snapshot: Snapshot, scope: Scope | None = None, hold: bool = False) -> DuckDBEngine:
        """An engine over a snapshot that shows nothing outside a scope; with `hold`, the tables of the indicators are in memory."""
        from quanmin.engines.duckdb import DuckDBEngine
        from quanmin.gate import Scope

        limits = (scope or Scope()).limits(self.catalog.tables)
        return DuckDBEngine(self.catalog, self.files(snapshot), limits=limits, memory_limit=self.settings.memory_limit,
                            threads=self.settings.threads, hold=self._asked_tables() if hold else ())

    def indicators(self, as_of: int | None = None, scope: Scope | None = None, hold: bool = False) -> Indicators:
        """Answers over a snapshot, within a scope; `hold`: see `engine`."""
        from quanmin.services.indicators import Indicators

        snapshot = self.snapshot(as_of)
        return Indicators(self.catalog, self.engine(snapshot, scope, hold), snapshot.id, self.settings.suppress_below)

    def flow(self, opened: Indicators, scope: Scope | None = None, suppress_below: int | None = None) -> Flow:
        """Flow over the snapshot and engine of opened indicators; `scope` must be the one they were opened with."""
        from quanmin.services.flow import Flow
        from quanmin.services.indicators.suppression import suppress

        below = self.settings.suppress_below if suppress_below is None else suppress_below
        county = scope.value if scope is not None and scope.kind == "county" else ""
        return Flow(self.catalog, opened.engine, opened.snapshot, lambda answer: suppress(answer, below, is_quotient=False) if below > 1 else answer, county)

    def _asked_tables(self) -> frozenset[str]:
        halves = [half for i in self.catalog.indicators.values() for half in (i.numerator, i.denominator) if half is not None]
        return frozenset({half.table for half in halves} | {"region", "target", "receipt", "facility"})

    @cached_property
    def accounts(self) -> Accounts:
        """Who may sign in."""
        from quanmin.gate import Accounts

        return Accounts(self.ledger)

    @staticmethod
    def today() -> str:
        """This day in China, as everything of a site is dated."""
        from quanmin.records.ledger import today

        return today()

    def operator(self) -> Actor:
        """Whoever runs commands at this machine: may see everything, and every look at rows is audited."""
        from quanmin.gate import Actor, Scope

        return Actor(f"operator {getpass.getuser()}", "operator", Scope(), self.ledger)

    def speak(self, chosen: str = "") -> None:
        """Speak the chosen language, or the site's first."""
        speak(chosen or self.settings.languages[0])
