"""Working out what is asked first before anybody asks: the newest figures of the whole region, and of a part of it once somebody of there has come."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from quanmin.catalog.messages import speak
from quanmin.gate import Actor, Scope
from quanmin.model import Refusal
from quanmin.reports.communities import communities
from quanmin.services.quality.actions import outcomes
from quanmin.services.quality.learning import outcomes_known
from quanmin.services.surveillance.actions import clusters, events
from quanmin.services.surveillance.preparing import prepare
from quanmin.web.appraisal_page import default_year, scores_of
from quanmin.web.data_pages import warm_data
from quanmin.web.desk import Desk
from quanmin.web.flow_page import warm_flow
from quanmin.web.overview_page import board_names, cards_of, overview_of, unusual
from quanmin.web.pages import THEMES
from quanmin.web.rendering import read_templates
from quanmin.web.review_page import warm_pairs
from quanmin.web.view import View


def warm(desk: Desk) -> None:
    """Read the tables into memory, then work out what is asked first; nothing where there is no snapshot yet."""
    desk.after_hold = partial(warm_scope, desk)
    read_templates()
    prepare()
    if desk.site.ledger.snapshots():
        desk.hold(Scope())


def warm_scope(desk: Desk, scope: Scope) -> None:
    """Work out the first pages of a scope, those before that are opened more often; ends early when the server does."""
    view = View(desk, Actor("", "leader", scope, desk.site.ledger))
    speak(desk.site.settings.languages[0])
    for step in [*_key_figures(desk, view), *_lists(desk, view)]:
        if not desk.is_serving:
            return
        with suppress(Refusal):  # what cannot be asked in this scope is refused to whoever asks
            step()
    gc.collect()
    gc.freeze()  # what is kept as long as the server stays is looked through for cycles no more
    desk.note_warm(view.snapshot.id, scope)


def _boards(view: View) -> list[str]:
    return [name for name in board_names(view) if view.inquiry.has_months(name)]


def _key_figures(desk: Desk, view: View) -> list[Callable[[], object]]:
    """The overview; first what its indicators are cut from: figures by month and place hold the months of the region and the figures of its parts."""
    period = view.period("")

    def overview(spoken: str) -> None:
        speak(spoken)
        overview_of(view, period, "", board_names(view)[0])
        speak(desk.site.settings.languages[0])

    monthly = [name for name in view.inquiry.questions() if view.inquiry.has_months(name)]
    return [partial(view.inquiry.prepare, monthly, [["month", "place"]]), *(partial(view.inquiry.monthly, name) for name in _boards(view)),
            *(partial(overview, spoken) for spoken in desk.site.settings.languages), partial(unusual, view)]


def _lists(desk: Desk, view: View) -> list[Callable[[], object]]:
    """Flow, the lists of indicators, the data pages, one institution's profile (it holds the ranks of all), the communities, outcomes, events, and clusters."""
    period, scope, inquiry = view.period(""), view.actor.scope, view.inquiry
    data = [partial(warm_data, desk), partial(warm_pairs, view)] if scope == Scope() else []
    profiles = [partial(cards_of, view, period, facility=code) for code in list(view.facility_names())[:1]]
    return [partial(warm_flow, desk, scope), *(partial(view.rows, theme, period) for theme in THEMES), *data, *profiles, partial(communities, inquiry),
            *(partial(outcomes, inquiry, name) for name in outcomes_known()),
            partial(events, inquiry), partial(clusters, inquiry), *(partial(scores_of, view, name, default_year(view)) for name in view.catalog.sheets)]
