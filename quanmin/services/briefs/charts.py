"""Charts drawn for paper: lines over months and bars of places, as SVG or PNG, equal for equal values."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable, Sequence
from functools import cache

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quanmin.services.briefs.brief import Bars, MapOf, Trend
from quanmin.services.briefs.contents import MARKS, NOTHING, Words, number
from quanmin.services.briefs.words import refused

CJK_SANS = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei",
            "WenQuanYi Zen Hei", "PingFang SC", "Noto Sans CJK JP")
INK, GREY, LINE, TARGET = "#1f2933", "#7b8794", "#1f5f99", "#b42318"
FILLS = {"met": "#2a7f62", "missed": "#d9822b", "": "#7f9db9"}
DPI = 200  # dots per inch of a PNG
WIDTH = 6.3  # inches
_drawing = threading.Lock()  # matplotlib's settings belong to the whole process


def chosen_font(families: Sequence[str]) -> str:
    """The first Chinese sans-serif font among the `families` of this machine; a Refusal if there is none."""
    for name in CJK_SANS:
        if name in families:
            return name
    raise refused("fonts", "no_font", "mend_no_font", fonts=", ".join(CJK_SANS[:4]))


@cache
def _font() -> str:
    return chosen_font([font.name for font in font_manager.fontManager.ttflist])


def drawn(paint: Callable[[Figure], None], height: float, form: str) -> bytes:
    """What `paint` draws on a figure WIDTH × `height` inches, as svg or png."""
    settings = {"svg.hashsalt": "quanmin", "svg.fonttype": "none", "font.family": [_font(), "DejaVu Sans"], "font.size": 9, "text.parse_math": False,
                "axes.unicode_minus": False, "text.color": INK, "axes.edgecolor": GREY, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
                "axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.6, "hatch.color": GREY}
    written = io.BytesIO()
    with _drawing, matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        paint(figure)
        figure.savefig(written, format=form, dpi=DPI, metadata={"Date": None} if form == "svg" else {"Software": None})
    return written.getvalue()


def _floats(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def trend_chart(trend: Trend, words: Words, form: str) -> bytes:
    """A line over months with its interval and level target; missing months are gaps."""
    places, values = range(len(trend.months)), _floats(trend.values)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.fill_between(places, _floats(trend.low), _floats(trend.high), color=LINE, alpha=0.15, linewidth=0, label=words["interval"])
        axes.plot(places, values, color=LINE, marker="o", markersize=3.5, linewidth=1.6)
        if trend.target is not None:
            axes.axhline(trend.target, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.2,
                         label=words["legend_target"].format(name=trend.target_name, target=number(trend.target, trend.unit)))
        known = [place for place in places if trend.values[place] is not None]
        if known:
            axes.annotate(number(trend.values[known[-1]]), (known[-1], values[known[-1]]), xytext=(0, 7), textcoords="offset points", ha="center",
                          fontweight="bold", color=LINE)
        step = max(1, math.ceil(len(trend.months) / 9))
        ticks = [place for place in places if (len(trend.months) - 1 - place) % step == 0]
        axes.set_xticks(ticks, [trend.months[place] for place in ticks])
        axes.margins(y=0.18)
        axes.grid(axis="y", color="#e4e7eb", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.set_ylabel(trend.unit)
        _legend(axes, len(trend.months) and (trend.target is not None or any(v is not None for v in trend.low)))

    return drawn(paint, 2.7, form)


def _legend(axes: Axes, is_needed: object) -> None:
    if is_needed:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, borderaxespad=0.2, handlelength=2.4)


def bar_chart(bars: Bars, words: Words, form: str) -> bytes:
    """Level bars, the first at the top, each with value, interval and the mark of its verdict; the target is an upright line."""
    count = len(bars.names)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        reach = max((abs(v) for v in [*bars.values, *bars.high, bars.target] if v is not None), default=1.0) or 1.0
        for place, value in enumerate(bars.values):
            verdict, low, high = bars.verdicts[place], bars.low[place], bars.high[place]
            if value is None:
                axes.text(reach * 0.01, place, words["no_data"], va="center", color=GREY)
                continue
            axes.barh(place, value, height=0.66, color=FILLS.get(verdict, FILLS[""]))
            has_interval = low is not None and high is not None
            if low is not None and high is not None:
                axes.errorbar(value, place, xerr=[[max(value - low, 0)], [max(high - value, 0)]], color=INK, linewidth=0.9, capsize=2.2)
            axes.text(max(value, high if has_interval and high is not None else value, 0) + reach * 0.015, place,
                      f"{number(value)} {MARKS.get(verdict, '')}".strip(), va="center", fontsize=8.5, zorder=5,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
        if bars.target is not None:
            axes.axvline(bars.target, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.2,
                         label=words["legend_target"].format(name=bars.target_name, target=number(bars.target, bars.unit)))
        if any(verdict in MARKS for verdict in bars.verdicts):
            axes.plot([], [], " ", label=words["legend_verdicts"])
        axes.set_yticks(range(count), [shortened(name) for name in bars.names])
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlim(min(0.0, *(v for v in [*bars.values, *bars.low, 0.0, 0.0] if v is not None)) * 1.1, reach * 1.14)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(bars.unit)
        _legend(axes, bars.target is not None or any(verdict in MARKS for verdict in bars.verdicts))

    return drawn(paint, min(8.6, 0.9 + 0.27 * max(count, 1)), form)


def shortened(name: str, longest: int = 26) -> str:
    """A name cut to `longest` half-width columns, for axes and maps; Chinese characters are two columns wide."""
    wide = 0
    for place, character in enumerate(name):
        wide += 2 if ord(character) > 0x2E7F else 1
        if wide > longest:
            return name[:place] + "\u2026"
    return name or NOTHING


def picture(chart: Trend | Bars | MapOf, words: Words, form: str) -> bytes:
    """The chart as svg or png."""
    from quanmin.services.briefs.maps import map_picture

    if isinstance(chart, Trend):
        return trend_chart(chart, words, form)
    return bar_chart(chart, words, form) if isinstance(chart, Bars) else map_picture(chart, words, form)
