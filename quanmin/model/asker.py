"""What a service may ask for on behalf of somebody: figures within their scope, never more than they may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from quanmin.model.answer import Answer, Cell
from quanmin.model.appraisal import Handbook, ScoringSheet
from quanmin.model.disease import NotifiableDisease
from quanmin.model.event import Contact, EventAct
from quanmin.model.exercise import ExerciseAct, ExerciseStart
from quanmin.model.finding import FindingAct, Found, Replay
from quanmin.model.question import Check, Indicator

Made = TypeVar("Made")
UNITS = ("county", "facility")


@dataclass(frozen=True)
class Unit:
    """A county or facility; `of_community` and `county` are codes ("" where it has none)."""

    code: str
    name: str
    level: str
    type: str
    county: str
    of_community: str = ""
    is_lead: bool = False


@dataclass(frozen=True)
class Evidence:
    """What a sender reported of an item that is judged and not computed, with the file (as received), line and moment it came in.

    `unit` is the code of a community, place or facility; `judgement` is met, partly, unmet or "".
    """

    indicator: str
    unit: str
    county: str
    year: int
    document: str
    judgement: str
    value: float | None
    statement: str
    sender: str
    file: str
    line: int
    received_at: str


class Asker(Protocol):
    """Somebody asking."""

    @property
    def region(self) -> str:
        """The code of what their headline figures are about: the region, or their part of it."""

    @property
    def snapshot(self) -> int:
        """The snapshot that answers."""

    def may(self, permission: str) -> bool:
        """Whether their role grants a permission."""

    def question(self, name: str) -> Indicator:
        """An indicator that can be computed; raises Refusal otherwise."""

    def definition(self, name: str) -> Indicator:
        """An indicator, whether it can be computed or not; raises Refusal for an unknown one."""

    def questions(self) -> Mapping[str, Indicator]:
        """All indicators that can be computed."""

    def figures(self, name: str, by: Sequence[str] = (), where: Sequence[str] = ()) -> Answer:
        """An indicator's figures; raises Refusal."""

    def prepare(self, names: Sequence[str], groupings: Sequence[Sequence[str]], where: Sequence[str] = ()) -> None:
        """Say that the figures of indicators will be asked by each of these groupings, so that they can be counted together; raises Refusal."""

    def where(self, place: str = "", facility: str = "") -> list[str]:
        """The condition for a place or a facility; raises Refusal for what cannot be a code."""

    def has_months(self, name: str) -> bool:
        """Whether an indicator can be cut by months."""

    def period(self, asked: str = "") -> str:
        """The year or month asked for, or the newest month for which all that is owed has come; raises Refusal for what is none."""

    def months(self) -> Sequence[str]:
        """All months with data up to the newest complete one, in order."""

    def series(self, name: str, place: str = "", facility: str = "") -> Mapping[str, Cell]:
        """Month → cell up to the newest complete month, of all, a place or a facility; raises Refusal for an indicator without months."""

    def shown_period(self, name: str, period: str) -> str:
        """The period an indicator's figures are for: its year where it is counted by years, "" where it has no time."""

    def of_period(self, name: str, period: str) -> Cell | None:
        """The cell of all that is seen in a period."""

    def by_unit(self, name: str, period: str, unit: str = "county") -> Mapping[str, Cell]:
        """Unit code → cell of a period, of registered units only."""

    def monthly(self, name: str, unit: str = "county") -> Mapping[str, Mapping[str, Cell]]:
        """Unit code → month → cell up to the newest complete month, of registered units only."""

    def units(self, unit: str = "county") -> Mapping[str, Unit]:
        """The registered units by code."""

    def targets(self, name: str) -> Mapping[tuple[str, str], float]:
        """(place or facility code, period) → target."""

    def received(self, tables: Sequence[str]) -> frozenset[tuple[str, str]]:
        """(sender, month) of the submissions that have come."""

    def evidence(self) -> Sequence[Evidence]:
        """What was reported of items that are not computed."""

    def sheets(self) -> Mapping[str, ScoringSheet]:
        """The scoring sheets of appraisals by id."""

    def handbooks(self) -> Mapping[str, Handbook]:
        """The handbooks of appraisals by id."""

    def today(self) -> str:
        """This day in China."""

    def rules(self) -> Mapping[str, Check]:
        """The rules of supervision by id."""

    def findings(self, rule: str = "", family: str = "", facility: str = "", place: str = "", period: str = "", finding: str = "",
                 among: Sequence[str] | None = None) -> Sequence[Found]:
        """What the rules find in the snapshot: of a rule, family, institution, county, period; one finding, or those among some ids."""

    def replayed(self, rule: str, applies: str, violated: str, where: Sequence[str] = ()) -> Replay:
        """The findings of a rule and of the same with other conditions ("" = as it is), over all months; raises Refusal."""

    def finding_acts(self, finding: str = "") -> Sequence[FindingAct]:
        """What was done about a finding, or about all, in order."""

    def act_on_findings(self, acts: Sequence[FindingAct]) -> None:
        """Record acts, all or none; raises Refusal outside the asker's scope, or where somebody was faster."""

    def diseases(self) -> Mapping[str, NotifiableDisease]:
        """The notifiable diseases by code."""

    def sees_events(self, county: str) -> bool:
        """Whether a county's signals and events may be seen: by the region and the county, by no institution."""

    def event_acts(self, event: str = "") -> Sequence[EventAct]:
        """What was done about an event of surveillance, or about all, in order."""

    def all_event_acts(self) -> Sequence[EventAct]:
        """What was done about events anywhere, to work out what is usual; not to be shown."""

    def act_on_event(self, act: EventAct) -> None:
        """Record an act; raises Refusal outside the asker's scope, or where somebody was faster."""

    def contacts(self, event: str, county: str) -> Sequence[Contact]:
        """The contacts of an event's cases, masked by role; raises Refusal."""

    def add_contact(self, contact: Contact) -> int:
        """Record a contact; returns the number. Raises Refusal outside the asker's scope."""

    def contact_ill(self, event: str, county: str, number: int, card: str) -> None:
        """Note the card of a contact who fell ill; raises Refusal for one that is not known."""

    def now(self) -> str:
        """This moment, its offset stated."""

    def sees_exercise(self, county: str) -> bool:
        """Whether exercises of a county ("" the whole region) may be seen: by the region and the county, by no institution."""

    def exercises(self) -> Sequence[ExerciseStart]:
        """The exercises within the scope, in the order they began."""

    def exercise_acts(self) -> Sequence[ExerciseAct]:
        """What was recorded of exercises within the scope, in order."""

    def start_exercise(self, start: ExerciseStart) -> None:
        """Record that an exercise began; raises Refusal outside the asker's scope."""

    def act_on_exercise(self, act: ExerciseAct) -> None:
        """Record an act of an exercise; raises Refusal outside the asker's scope, or where somebody was faster."""

    def kept(self, key: str, make: Callable[[], Made]) -> Made:
        """What `make` gives of what was learnt of the region before, worked out once for everybody: to be filtered like it."""

    def learnt(self, key: str, table: str, columns: Sequence[str], make: Callable[[Any, str], Any]) -> Any:
        """What `make` learns from columns (an Arrow table) of all rows of the region and its newest complete month; worked out once for everybody.

        Columns that could tell persons are refused. What is learnt is for comparing with: of it only facilities that `units` gives may be shown.
        """

    def withheld(self, counts: Mapping[str, tuple[float, float]]) -> frozenset[str]:
        """Of units with (events, cases) those whose counts their role may not see, and those that would give them away."""
