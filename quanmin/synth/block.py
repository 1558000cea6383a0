"""One block of residents after the other: drawn, cared for, written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from quanmin.synth import settings
from quanmin.synth.activity import Activity
from quanmin.synth.care import Codes, detailed, diagnoses, operations, settle_deaths, transfers
from quanmin.synth.case_reports import CaseReports
from quanmin.synth.charges import Charges
from quanmin.synth.claims import Claims
from quanmin.synth.conduct import Conduct
from quanmin.synth.conduct_months import Patterns
from quanmin.synth.conduct_visits import VisitConduct
from quanmin.synth.dirt import Kind, plant
from quanmin.synth.epidemics import Epidemics
from quanmin.synth.flow import Flow
from quanmin.synth.front_page import STAFF, FrontPages, layouts
from quanmin.synth.identity import MISSING, WRONG
from quanmin.synth.illness import Illnesses, Rows, stacked, taken
from quanmin.synth.itemised import Itemised
from quanmin.synth.outbox import Outbox, Sent, spans
from quanmin.synth.people import Census, People
from quanmin.synth.place import Place
from quanmin.synth.posting import Post, part_of
from quanmin.synth.registers import Register
from quanmin.synth.repeats import AFTER_DEATH, DUPLICATE, OVERLAP, with_repeats
from quanmin.synth.senders import DIALECTS, Senders
from quanmin.synth.stay_dirt import stay_kinds
from quanmin.synth.truth import Truth
from quanmin.synth.vaccines import Vaccines
from quanmin.synth.visits import Dialect, Visits, visit_kinds

REPEAT_KINDS = {
    DUPLICATE: Kind("duplicate_admission", "admitted_at", "stay_review/duplicate_admission", None),
    OVERLAP: Kind("overlapping_stays", "admitted_at", "stay_review/overlapping_stays", None),
    AFTER_DEATH: Kind("stay_after_death", "admitted_at", "stay_review/stay_after_death", None),
}
NUMBER_KINDS = {
    (t, code): Kind(f"identity_number_{what}", "identity_number", f"{t}/identity_number_{what}", None)
    for t in ("stay", "visit")
    for code, what in ((MISSING, "missing"), (WRONG, "invalid"))
}
NO_LINES = pa.array([], pa.string())
BATCH_COUNT = len(settings.BATCHES)


class Maker:
    """Everything that is the same for all blocks."""

    def __init__(self, folder: Path, residents: int, seed: int) -> None:
        self.place = Place()
        self.census = Census(self.place, seed, residents)
        self.illnesses, self.flow = Illnesses(), Flow(self.place)
        self.codes, self.charges = Codes(self.illnesses), Charges(self.illnesses)
        staff = self._staff()
        self.pages = FrontPages(self.place, self.illnesses, self.codes, staff)
        self.visits, self.register = Visits(self.place, self.flow, staff), Register(self.place)
        self.claims = Claims(self.place, self.illnesses, self.codes.code, self.visits.code)
        self.conduct, self.patterns = Conduct(self.place, self.illnesses, self.codes, self.pages), Patterns(self.place, self.illnesses)
        self.visit_conduct = VisitConduct(self.place, self.visits)
        self.itemised = Itemised(self.place, self.illnesses, self.visits, self.codes.code, staff, self.claims.sender)
        self.senders, self.activity = Senders(self.place), Activity(self.place)
        self.outbox, self.truth = Outbox(folder), Truth(folder, self.place)
        self.post = Post(self.outbox, self.truth)
        self.epidemics = Epidemics(self.place, self.flow, staff, residents)
        self.reports = CaseReports(self.place, self.epidemics, self.post, self.truth, staff)
        self.notifiable = self.reports.diseases_of(self.codes.code)
        self.vaccines = Vaccines(self.place, self.post)
        self.dialects = [Dialect.named(d) for d in DIALECTS]
        self.layouts = layouts()
        planted = self.place.names["planted"]["excess_mortality"]
        self.odds = np.ones(len(self.place.caring))
        self.odds[self.place.find(planted["kind"], planted["county"])] = planted["odds_ratio"]
        words = self.codes.words["codes"]
        self.stay_kinds = stay_kinds(
            *((words[k], self.codes.name[self.codes.at[words[k]]].as_py()) for k in ("male_error", "female_error"))
        )

    def _staff(self) -> pa.Array:
        rng, book = self.census.generator(0, 60), self.census.book
        male, birth = rng.random(3 * STAFF) < 0.5, rng.integers(-3000, 9000, 3 * STAFF)
        given = [book.draw_given(part, male, birth, rng) for part in "12"]
        return book.full_names(book.draw_surnames(3 * STAFF, rng), *given).unique()[:STAFF]

    def block(self, block: int) -> None:
        """Makes and writes one block."""
        people = self.census.block(block)
        rng = [self.census.generator(block, k) for k in range(10)]
        own = self.census.generator(block, 20)  # of what is planted for supervision, so that nothing else moves
        stays, more = self.conduct.plan(self._stays(people, rng[1]), people, own)
        stays, others, state, charges = self._described(stays, people, rng[2])
        true = stays["true"]
        facts = taken(stays, true)
        self.truth.people(people)
        self.truth.stays(facts, people, self.codes.code, people.ids(facts["person"]))
        self.activity.add_people(people)
        self.activity.add_stays(facts, {k: v[true] for k, v in charges.items()}, self.illnesses)
        self._send_stays(stays, others, state, charges, people, rng[3])
        visits = self._visits(people, rng[4])
        self.activity.add_visits(visits)
        self._send_claims(facts, visits, people, rng[6])
        self._send_visits(visits, people, rng[5])
        self.register.post(self.post, people, rng[7])
        self._supervised(stays, more, people, own)
        self._surveyed(visits, people)
        self.itemised.block(self.post, stays, others, charges, visits, people, self.census.generator(block, 10))

    def _surveyed(self, visits: Rows, people: People) -> None:
        """Infectious diseases seen by care, their reports and tests, and vaccinations: after everything else, so that nothing else moves."""
        rng = self.census.generator(people.block, 21)
        cases = self._filed(self.epidemics.drawn(people, rng, self.truth))
        self.activity.add_visits(cases)
        self._send_visits(cases, people, rng, [], self.epidemics.visits)
        self.reports.see_visits(cases)
        related = np.isin([r["id"] for r in self.visits.mix.rows], self.epidemics.words["shares"]["related_visits"])
        self.reports.block(people, taken(visits, related[visits["case"]]), self.census.generator(people.block, 22))
        self.vaccines.block(people, self.census.generator(people.block, 23))

    def _stays(self, people: People, rng: np.random.Generator) -> Rows:
        rows = self.flow.place_stays(self.illnesses.stays(people, rng), people, self.illnesses, rng)
        rows = settle_deaths(rows, people, self.illnesses, self.odds, rng)
        rows = transfers(rows, self.place, self.illnesses, rng)
        rows = operations(detailed(rows, people, self.place, self.illnesses, rng), self.place, self.illnesses, rng)
        return with_repeats(rows, people, self.place, rng)

    def _described(
        self, rows: Rows, people: People, rng: np.random.Generator
    ) -> tuple[Rows, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Stays in the order of their files, with diagnoses and charges."""
        sender = self.senders.of_facility[rows["facility"]]
        silent, since = self.place.silent
        month = settings.month_of(rows["discharge"])
        sent = (sender >= 0) & ~((rows["facility"] == silent) & (month >= since))
        file = sender * BATCH_COUNT + settings.BATCH_OF_MONTH[month]
        rows = {**rows, "sent": sent, "file": file, "layout": np.where(sent, self.senders.layout[sender], 9)}
        rows = taken(rows, np.lexsort((rows["true"], rows["discharge_at"], file, rows["layout"])))
        rows, others, state = diagnoses(rows, self.illnesses, self.codes, rng)
        charges = self.charges.of(rows, people, self.place, rng)
        return self.conduct.bend(rows, others, state, charges), others, state, charges

    def _supervised(self, stays: Rows, more: Rows, people: People, rng: np.random.Generator) -> None:
        """Makes and writes what is added for the rules of supervision to find: after everything else, into the same files."""
        checks = None
        if people.block == 0:
            patterns, checks = self.patterns.drawn(stays, np.r_[stays["person"][stays["ploy"] > 0], more["person"]], people, rng)
            more = stacked(more, {name: patterns[name] for name in more})
            self.patterns.tell(self.truth)
        rows, others, state, charges = self._described(more, people, rng)
        self.truth.stays(rows, people, self.codes.code, people.ids(rows["person"]))
        self.activity.add_stays(rows, charges, self.illnesses)
        self._send_stays(rows, others, state, charges, people, rng)
        visits = self.visit_conduct.drawn(stays, checks, people, rng)
        self.activity.add_visits(visits)
        visits = self._filed(visits)
        self.visit_conduct.tell(self.truth, visits, people.block)
        self._send_visits(visits, people, rng, [])

    def _entries(self, table: str, files: np.ndarray, mapping: list[str]) -> dict[int, Sent]:
        found = {}
        for file in np.unique(files).tolist():
            sender, batch = divmod(file, BATCH_COUNT)
            name = self.senders.names[sender]
            day, remark = self.senders.sent_on(name, table, batch)
            found[file] = self.outbox.note(self.senders.file(name, table, batch), name, mapping[sender], day, remark)
        return found

    def _send_stays(
        self,
        rows: Rows,
        others: np.ndarray,
        state: np.ndarray,
        charges: dict[str, np.ndarray],
        people: People,
        rng: np.random.Generator,
    ) -> None:
        sent = rows["sent"]
        self.reports.see_stays(rows, self.notifiable)
        rows, others, state = taken(rows, sent), others[sent], state[sent]
        rows, who = self.pages.prepared(rows, people, rng)
        columns = self.pages.columns(rows, who, people, {k: v[sent] for k, v in charges.items()}, others, state, rng)
        columns = self.conduct.columns(rows, columns)
        nameless = (rows["identity"] == MISSING) & (rows["age"] >= 1)
        taboo = (rows["repeat"] > 0) | rows["spare"] | (rows["identity"] == WRONG) | nameless
        columns, planted = plant(self.stay_kinds, rows, columns, taboo, rng)
        self.conduct.tell(self.truth, rows)
        self.conduct.tell_errors(self.truth, rows, planted)
        planted.add(np.flatnonzero(rows["identity"] == WRONG), NUMBER_KINDS["stay", WRONG])
        planted.add(np.flatnonzero(nameless), NUMBER_KINDS["stay", MISSING])
        for code, kind in REPEAT_KINDS.items():
            planted.add(np.flatnonzero(rows["repeat"] == code), kind)
        entries = self._entries("stay", rows["file"], ["front_page_national"] * len(self.senders.names))
        ids = people.ids(rows["person"])
        for layout, first, last in spans(rows["layout"]):
            form = self.layouts[layout]
            lines = form.lines({n: c.slice(first, last - first) for n, c in columns.items()})
            self.post.deliver(
                "stay",
                lines,
                rows["file"][first:last],
                entries,
                form.head(),
                form.encoding,
                ",",
                ids.slice(first, last - first),
                part_of(planted, first, last),
                rows["identity"][first:last],
            )

    def _visits(self, people: People, rng: np.random.Generator) -> Rows:
        rows = self.visits.drawn(people, rng)
        return self._filed({**rows, "serial": np.arange(len(rows["day"]))})

    def _filed(self, rows: Rows) -> Rows:
        """Visits in the order of their files."""
        sender = self.senders.of_facility[rows["facility"]]
        file = sender * BATCH_COUNT + settings.BATCH_OF_MONTH[settings.month_of(rows["day"])]
        rows = {**rows, "file": file, "dialect": self.senders.dialect[sender]}
        return taken(rows, np.lexsort((rows["at"], file, rows["dialect"])))

    def _send_visits(self, rows: Rows, people: People, rng: np.random.Generator, kinds: list[Kind] | None = None, drawn: Visits | None = None) -> None:
        source = self.visits if drawn is None else drawn
        silent, since = self.place.silent
        rows = taken(rows, ~((rows["facility"] == silent) & (settings.month_of(rows["day"]) >= since)))
        entries = self._entries("visit", rows["file"], [DIALECTS[k] for k in self.senders.dialect])
        for code, first, last in spans(rows["dialect"]):
            dialect, part = self.dialects[code], taken(rows, np.s_[first:last])
            who = source.identified(part, people, dialect.style, self.pages.short, rng)
            columns = source.columns(part, who, people.block, dialect)
            columns, planted = plant(visit_kinds() if kinds is None else kinds, part, columns, np.isin(who.kind, (WRONG, MISSING)), rng)
            for code in (WRONG, MISSING):
                planted.add(np.flatnonzero(who.kind == code), NUMBER_KINDS["visit", code])
            self.post.deliver(
                "visit",
                dialect.lines(columns),
                part["file"],
                entries,
                dialect.head(),
                dialect.encoding,
                dialect.delimiter,
                people.ids(part["person"]),
                planted,
                who.kind,
            )

    def _send_claims(self, stays: Rows, visits: Rows, people: People, rng: np.random.Generator) -> None:
        rows = self.claims.rows(stays, visits, people, rng)
        columns, planted, kind = self.claims.columns(rows, people, rng)
        month = settings.month_of(rows["discharge"])
        entries = {
            m: self.outbox.note(self.claims.file(m), self.claims.sender, "claim_settlement", self._claim_day(m))
            for m in np.unique(month).tolist()
        }
        dialect = self.claims.dialect
        self.post.deliver(
            "claim",
            dialect.lines(columns),
            month,
            entries,
            dialect.head(),
            dialect.encoding,
            dialect.delimiter,
            people.ids(rows["person"]),
            planted,
            kind,
        )

    def nil_reports(self) -> None:
        """Writes the files of senders who had nothing to report for a period: a header and no row."""
        silent, since = self.place.silent
        for number, sender in enumerate(self.senders.names):
            form, dialect = self.layouts[self.senders.layout[number]], self.dialects[self.senders.dialect[number]]
            for table, mapping, head, encoding in (("stay", "front_page_national", form.head(), form.encoding),
                                                   ("visit", DIALECTS[self.senders.dialect[number]], dialect.head(), dialect.encoding)):
                last = settings.BATCH_OF_MONTH[since - 1] if self.senders.of_facility[silent] == number else BATCH_COUNT - 1
                files = [self.senders.file(sender, table, batch) for batch in range(last + 1)]
                if not sender or not any(file in self.outbox.sent for file in files):
                    continue
                for batch, file in enumerate(files):
                    if file not in self.outbox.sent:
                        entry = self.outbox.note(file, sender, mapping, *self.senders.sent_on(sender, table, batch))
                        self.outbox.append(entry, head, NO_LINES, 0, 0, encoding)

    @staticmethod
    def _claim_day(month: int) -> str:
        year, number = (int(x) for x in settings.MONTH_NAMES[month].split("-"))
        return f"{year + number // 12}-{number % 12 + 1:02d}-09" if month >= settings.LIVE_FROM else "2026-01-28"
