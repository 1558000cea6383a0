"""Charts that stay editable in PowerPoint: a line with its target, and bars with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.ticker import MaxNLocator
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_AXIS_CROSSES, XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION
from pptx.enum.dml import MSO_LINE
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Mm, Pt

from quanmin.services.briefs.brief import Bars, Trend
from quanmin.services.briefs.contents import MARKS, Words, number, told

BLUE, RED, GREY, INK = RGBColor(0x1F, 0x5F, 0x99), RGBColor(0xB4, 0x23, 0x18), RGBColor(0x7B, 0x87, 0x94), RGBColor(0x1F, 0x29, 0x33)
FILLS = {"met": RGBColor(0x2A, 0x7F, 0x62), "missed": RGBColor(0xB4, 0x53, 0x09), "": RGBColor(0x5B, 0x7F, 0xA3)}

MOST = 24  # places on a slide
MONTHS = 13  # labels under a line


def add_chart(slide: Any, chart: Trend | Bars, words: Words, left: int, top: int, width: int, height: int) -> None:
    """Put the chart on the slide, with its sentence as alternative text; lengths in EMU."""
    line = _legend_line(chart, words)
    if line:
        height -= Mm(9)
    frame = _trend(slide, chart, words, (left, top, width, height)) if isinstance(chart, Trend) else _bars(slide, chart, words, (left, top, width, height))
    frame._element.nvGraphicFramePr.cNvPr.set("descr", told(chart, words))
    if line:
        text = slide.shapes.add_textbox(left, top + height, width, Mm(9)).text_frame.paragraphs[0].add_run()
        text.text, text.font.size, text.font.color.rgb = line, Pt(14), INK


def in_parts(bars: Bars) -> list[Bars]:
    """Bars in parts of at most MOST places, about as many in each, so that every name can be read on a slide."""
    count = math.ceil(len(bars.names) / MOST) or 1
    size = math.ceil(len(bars.names) / count)
    lists = ("names", "values", "low", "high", "verdicts")
    return [replace(bars, **{name: getattr(bars, name)[size * k:size * (k + 1)] for name in lists}) for k in range(count)]


def _legend_line(chart: Trend | Bars, words: Words) -> str:
    """What stands under bars: the target, for PowerPoint draws no upright line, and the meaning of the marks."""
    if isinstance(chart, Trend):
        return ""
    target = [words["legend_target"].format(name=chart.target_name, target=number(chart.target, chart.unit))] if chart.target is not None else []
    return "    ".join([*target, *([words["legend_verdicts"]] if any(v in MARKS for v in chart.verdicts) else [])])


def _form(values: Sequence[float | None]) -> str:
    return "#,##0" if all(value is None or float(value).is_integer() for value in values) else "#,##0.0"


def _framed(slide: Any, kind: Any, data: CategoryChartData, where: tuple[int, int, int, int], values: Sequence[float | None], unit: str) -> Any:
    frame = slide.shapes.add_chart(kind, *where, data)
    chart = frame.chart
    chart.has_title, chart.font.size, chart.font.color.rgb = False, Pt(13), INK
    axis = chart.value_axis
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = _form(values), False
    axis.major_gridlines.format.line.color.rgb = RGBColor(0xE4, 0xE7, 0xEB)
    axis.format.line.color.rgb = chart.category_axis.format.line.color.rgb = GREY
    if unit:
        axis.has_title, axis.axis_title.text_frame.text = True, unit
        axis.axis_title.text_frame.paragraphs[0].runs[0].font.size = Pt(13)
    return frame


def _trend(slide: Any, trend: Trend, words: Words, where: tuple[int, int, int, int]) -> Any:
    data = CategoryChartData()
    data.categories = list(trend.months)
    lines: list[tuple[str, Sequence[float | None], RGBColor, Any, float]] = [(words["value"], trend.values, BLUE, None, 2.5)]
    if any(value is not None for value in trend.low):
        lines += [(words["low"], trend.low, GREY, MSO_LINE.ROUND_DOT, 1.25), (words["high"], trend.high, GREY, MSO_LINE.ROUND_DOT, 1.25)]
    if trend.target is not None:
        name = words["legend_target"].format(name=trend.target_name, target=number(trend.target, trend.unit))
        lines.append((name, [trend.target] * len(trend.months), RED, MSO_LINE.DASH, 2))
    for name, values, *_ in lines:
        data.add_series(name, list(values))
    frame = _framed(slide, XL_CHART_TYPE.LINE_MARKERS, data, where, trend.values, trend.unit)
    chart = frame.chart
    chart.has_legend, chart.legend.position, chart.legend.include_in_layout = True, XL_LEGEND_POSITION.BOTTOM, False
    _scale(chart.value_axis, [value for _, values, *_ in lines for value in values if value is not None])
    for series, (_, _, colour, dash, width) in zip(chart.plots[0].series, lines, strict=True):
        series.smooth, series.format.line.color.rgb, series.format.line.width = False, colour, Pt(width)
        series.marker.style = XL_MARKER_STYLE.CIRCLE if dash is None else XL_MARKER_STYLE.NONE
        if dash is None:
            series.marker.size = 7
            series.marker.format.fill.solid()
            series.marker.format.fill.fore_color.rgb = series.marker.format.line.color.rgb = colour
        else:
            series.format.line.dash_style = dash
    if len(trend.months) > MONTHS:
        skip = math.ceil(len(trend.months) / MONTHS)
        chart.category_axis._element.find(f"{{{_CHART}}}noMultiLvlLbl").addprevious(parse_xml(f'<c:tickLblSkip {nsdecls("c")} val="{skip}"/>'))
    known = [place for place, value in enumerate(trend.values) if value is not None]
    if known:
        label = chart.plots[0].series[0].points[known[-1]].data_label
        label.position = XL_LABEL_POSITION.ABOVE
        run = label.text_frame.paragraphs[0].add_run()
        run.text, run.font.bold, run.font.size, run.font.color.rgb = number(trend.values[known[-1]]), True, Pt(14), BLUE
    return frame


def _scale(axis: Any, values: Sequence[float]) -> None:
    """An axis that shows the movement of a line: round bounds around its values, never below 0 unless they are."""
    if len(set(values)) > 1:
        room = (max(values) - min(values)) * 0.1
        ticks = MaxNLocator(6).tick_values(max(min(values) - room, min(0.0, *values)), max(values) + room)
        axis.minimum_scale, axis.maximum_scale, axis.major_unit = float(ticks[0]), float(ticks[-1]), float(ticks[1] - ticks[0])


def _bars(slide: Any, bars: Bars, words: Words, where: tuple[int, int, int, int]) -> Any:
    data = CategoryChartData()
    data.categories = [" ".join(filter(None, (name, MARKS.get(verdict, ""), words["no_data"] if value is None else "")))
                       for name, verdict, value in zip(bars.names, bars.verdicts, bars.values, strict=True)]
    data.add_series(words["value"], list(bars.values))
    frame = _framed(slide, XL_CHART_TYPE.BAR_CLUSTERED, data, where, bars.values, bars.unit)
    chart = frame.chart
    chart.has_legend, chart.plots[0].gap_width = False, 45
    chart.category_axis.reverse_order, chart.category_axis.crosses = True, XL_AXIS_CROSSES.AUTOMATIC
    chart.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH  # below, since the order is turned round
    series = chart.plots[0].series[0]
    for place, verdict in enumerate(bars.verdicts):
        fill = series.points[place].format.fill
        fill.solid()
        fill.fore_color.rgb = FILLS.get(verdict, FILLS[""])
    labels = series.data_labels
    labels.show_value, labels.position, labels.number_format, labels.number_format_is_linked = True, XL_LABEL_POSITION.INSIDE_BASE, _form(bars.values), False
    labels.font.size, labels.font.bold, labels.font.color.rgb = Pt(12), True, RGBColor(0xFF, 0xFF, 0xFF)
    if any(value is not None for value in bars.low):
        series._element.find(f"{{{_CHART}}}cat").addprevious(_intervals(bars))
    return frame


_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"


def _intervals(bars: Bars) -> Any:
    """Error bars of the distances from value to interval. Source: ECMA-376 part 1, 21.2.2.55 errBars."""
    def literal(kind: str, ends: Sequence[float | None], sign: int) -> str:
        lengths = [max(sign * (end - value), 0.0) if end is not None and value is not None else 0.0 for end, value in zip(ends, bars.values, strict=True)]
        points = "".join(f'<c:pt idx="{place}"><c:v>{length!r}</c:v></c:pt>' for place, length in enumerate(lengths))
        return f'<c:{kind}><c:numLit><c:formatCode>General</c:formatCode><c:ptCount val="{len(lengths)}"/>{points}</c:numLit></c:{kind}>'

    return parse_xml(
        f'<c:errBars {nsdecls("c", "a")}><c:errBarType val="both"/><c:errValType val="cust"/><c:noEndCap val="0"/>{literal("plus", bars.high, 1)}'
        f'{literal("minus", bars.low, -1)}<c:spPr><a:ln w="12700"><a:solidFill><a:srgbClr val="1F2933"/></a:solidFill></a:ln></c:spPr></c:errBars>')
