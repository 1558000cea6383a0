"""Working out what is asked first before anybody asks: the newest figures of the whole region."""

from __future__ import annotations

from quanmin.catalog.messages import speak
from quanmin.gate import Actor, Scope
from quanmin.web.data_pages import warm_data
from quanmin.web.desk import Desk
from quanmin.web.flow_page import warm_flow
from quanmin.web.overview_page import board_names, overview_of, unusual
from quanmin.web.pages import THEMES
from quanmin.web.view import View


def warm(desk: Desk) -> None:
    """Read the tables into memory, then the overview, what is unusual, and the lists of indicators; nothing where there is no snapshot yet."""
    if not desk.site.ledger.snapshots():
        return
    leader = Actor("", "leader", Scope(), desk.site.ledger)
    desk.hold(Scope())
    view = View(desk, leader)
    period = view.period("")
    for spoken in desk.site.settings.languages:
        speak(spoken)
        overview_of(view, period, "", board_names(view)[0])
    unusual(view)
    warm_flow(desk)
    speak(desk.site.settings.languages[0])
    for theme in THEMES:
        if not desk.is_serving:
            return
        view.rows(theme, period)
    warm_data(desk)
