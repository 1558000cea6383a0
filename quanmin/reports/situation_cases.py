"""What the situation report says of an event's cases: attack rate, those still to be reported, R, and the clusters that overlap it."""

from __future__ import annotations

from collections.abc import Mapping

from quanmin.gate.inquiry import Inquiry
from quanmin.gate.performing import perform
from quanmin.reports.wording import number
from quanmin.reports.words import OWN, told
from quanmin.services.surveillance.actions import ClusterList
from quanmin.services.surveillance.case_weeks import TOTAL, AttackRate
from quanmin.services.surveillance.clustering import Cluster
from quanmin.services.surveillance.delays import CaseNowcast
from quanmin.services.surveillance.events import Event
from quanmin.services.surveillance.transmission import Transmission

NAMED = 4  # townships told by name


def analysis(inquiry: Inquiry, one: Event) -> list[str]:
    """Sentences on the cases of an event of a named disease; none of other events."""
    if not one.is_named:
        return []
    rates: tuple[AttackRate, ...] = perform(inquiry, "attack_rates", {"event": one.id})
    waiting: CaseNowcast = perform(inquiry, "nowcast_cases", {"event": one.id})
    r: Transmission = perform(inquiry, "reproduction_number", {"item": one.item, "place": one.county})
    found: ClusterList = perform(inquiry, "past_clusters", {"item": one.item, "place": one.county})
    places = inquiry.place_names()
    said = [told(OWN, "situation_attack", rate=f"{rate.rate:.2f}", low=f"{rate.low:.2f}", high=f"{rate.high:.2f}", residents=number(rate.residents or 0))
            for rate in rates if rate.by == TOTAL and rate.rate is not None]
    if waiting.delays_of:
        said.append(told(OWN, "situation_waiting", count=f"{waiting.outstanding:.1f}", known=waiting.known_on))
    return [*said, _reproduction(one, r), *(_cluster(cluster, places) for cluster in found.clusters if one.id in cluster.events)]


def _reproduction(one: Event, r: Transmission) -> str:
    inside = [window for window in r.windows if one.first_on <= window.last_on <= one.last_on]
    if not inside:
        return told(OWN, f"situation_r_{r.reason or 'few_cases'}")
    first, last = inside[0], inside[-1]
    return told(OWN, "situation_r", days=r.window_days, first=first.last_on, mean=f"{first.mean:.2f}", low=f"{first.low:.2f}", high=f"{first.high:.2f}",
                last=last.last_on, then=f"{last.mean:.2f}", then_low=f"{last.low:.2f}", then_high=f"{last.high:.2f}")


def _cluster(one: Cluster, places: Mapping[str, str]) -> str:
    names = " · ".join(places.get(spot.place, spot.place) for spot in one.places[:NAMED]) + (" …" if len(one.places) > NAMED else "")
    return told(OWN, "situation_cluster", places=names, first=one.first_on, last=one.last_on, observed=number(one.observed), expected=f"{one.expected:.2f}",
                p=f"{one.p:.1e}")
