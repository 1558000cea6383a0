"""The answers of preparedness in sentences: the same on a page, on the overview and on the command line."""

from __future__ import annotations

from quanmin.services.preparedness.exercise import Exercise
from quanmin.services.preparedness.stockpile_answer import StockpileAnswer
from quanmin.services.preparedness.surge_answer import SurgeAnswer
from quanmin.services.preparedness.testing_answer import MassTesting
from quanmin.web.preparedness_sheets import text
from quanmin.web.wave_panels import wave_tiles
from quanmin.web.words import word

Tile = tuple[str, str, str]  # what, figure, verdict ("good", "bad" or "")


def _hours(hours: float | None, most_days: int) -> str:
    return word("prep_not_done", days=most_days) if hours is None else word("prep_hours", hours=text(hours))


def testing_tiles(found: MassTesting) -> list[Tile]:
    """The answers of a campaign: each deadline, when all is done, the bound and the bottleneck."""
    made = [(word("prep_within", days=f"{one.days:g}"), word("prep_yes" if one.is_made else "prep_no"), "good" if one.is_made else "bad")
            for one in found.deadlines]
    return [*made, (word("prep_all_results"), _hours(found.results_done_hour, found.most_days), ""),
            (word("prep_all_sampled"), _hours(found.sampling_done_hour, found.most_days), ""),
            (word("prep_bound"), _hours(found.bound_hours, found.most_days), ""), (word("prep_bottleneck"), word(f"prep_stage_{found.bottleneck}"), "")]


def testing_advice(found: MassTesting) -> list[str]:
    """For every deadline that is missed, the cheapest way to make it."""
    lines = []
    for days in sorted({one.deadline_days for one in found.mends}):
        best = next(one for one in found.mends if one.deadline_days == days)
        if best.factor is None:
            lines.append(word("prep_no_mend", days=f"{days:g}"))
        elif best.lab_factor is not None:
            lines.append(word("prep_best_mend_both", days=f"{days:g}", factor=f"{best.factor:.2f}", lab=f"{best.lab_factor:.2f}", cny=text(best.cny)))
        else:
            lines.append(word("prep_best_mend", days=f"{days:g}", resource=word(f"prep_resource_{best.resource}"), factor=f"{best.factor:.2f}",
                              cny=text(best.cny)))
    return lines


def surge_tiles(found: SurgeAnswer) -> list[Tile]:
    """The answers of a surge: what is short first, when and where; the peak; who was ever infected."""
    peak = found.peak_on or word("prep_day_number", day=found.peak_day)
    figures = [(word("prep_peak"), f"{peak} · {text(found.peak_new_cases)}", ""), (word("prep_ever"), f"{100 * found.attack_share:.1f} %", ""),
               *wave_tiles(found)]
    if not found.bottleneck:
        return [(word("prep_short_first"), word("prep_never_short"), "good"), *figures]
    first = found.first_on or word("prep_day_number", day=found.first_day)
    return [(word("prep_short_first"), word(f"prep_f_{found.bottleneck}"), "bad"), (found.first_county, first, "bad"), *figures]


def stockpile_tiles(found: StockpileAnswer) -> list[Tile]:
    """The answers of a stockpile: the fewest usable days in each situation, of what and where, how many are below the target, how many lots will expire."""
    least: dict[str, float] = {}
    for row in found.cover:
        if row.usable_days is not None:
            least[row.situation_name] = min(row.usable_days, least.get(row.situation_name, row.usable_days))
    fewest = [(word("prep_fewest_in", situation=name), word("prep_days", days=text(days)), "bad" if days < found.target_days else "good") for name,
              days in least.items()]
    scarce = [(word("prep_scarcest", situation=found.judged_in), f"{found.least_item} · {found.least_institution}", "")] if found.least_item else []
    return [*fewest, *scarce,
            (word("prep_target_days"), text(found.target_days), ""), (word("prep_short_count"), text(found.short_count),
                                                                      "bad" if found.short_count else "good"),
            (word("prep_expiring"), text(found.expiring_count), "bad" if found.expiring_count else ""), *_counting_tiles(found)]


def _counting_tiles(found: StockpileAnswer) -> list[Tile]:
    """When stocks were counted, and how many institutions have not reported; nothing of stocks that nobody counted."""
    if found.source != "counted":
        return []
    silent = sum(one.reporting != "reported" for one in found.reported)
    return [(word("prep_counted_on"), found.as_of, ""), (word("prep_not_reported"), text(silent), "bad" if silent else "good")]


def stockpile_notes(found: StockpileAnswer, held: float) -> list[str]:
    """Whether the stocks were counted, and how long ago, or assumed."""
    if found.source == "assumed":
        return [word("prep_held_note", days=f"{held:g}")]
    return [word("prep_counted_note", day=found.as_of, age=found.age_days)]


def _lines(name: str, tiles: list[Tile]) -> list[str]:
    return [name, *(f"  {what}: {figure}" for what, figure, _ in tiles if what or figure)]


def testing_lines(found: MassTesting) -> list[str]:
    """A campaign in lines of text."""
    return [*_lines(found.name, testing_tiles(found)), *(f"  {line}" for line in testing_advice(found))]


def surge_lines(found: SurgeAnswer) -> list[str]:
    """A surge in lines of text."""
    return _lines(found.name, surge_tiles(found))


def stockpile_lines(found: StockpileAnswer) -> list[str]:
    """A stockpile in lines of text."""
    return _lines(f"{found.name} · {found.judged_in} · {found.as_of}", stockpile_tiles(found))


def exercise_lines(found: Exercise) -> list[str]:
    """An exercise in lines of text."""
    return [found.name, "  " + word("prep_score", score=text(found.score, 1), verdict=word("prep_passed" if found.is_passed else "prep_failed"))]
