"use strict";
// The charts of the pages of outcomes; made in Python by web/outcomes_panels.py. Load after drawing.js (and charts.js where there is a funnel), before app.js.
// vlad: { x, y, low, high, told, words } · cusum: { x, worse, better, limits, told, words } · calibration: { groups: [{x, y, told}], x, y, line_name }
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { rgba } = window.quanminDrawing;
  const soft = (c) => ({ axisLabel: { color: c("soft"), hideOverlap: true }, axisLine: { lineStyle: { color: c("soft") } }, splitLine: { lineStyle: { color: c("line") } } });
  const weeks = (d, c) => Object.assign({ type: "category", data: d.x }, soft(c), { splitLine: { show: false } });
  const legend = (c, names) => ({ data: names, top: 0, left: 0, type: "scroll", itemWidth: 22, itemHeight: 9, textStyle: { color: c("soft"), fontSize: 11 } });
  const grid = { left: 8, right: 20, top: 34, bottom: 8, containLabel: true };
  const tip = (d, c, tools) => Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => tools.safe(d.told[items[0].dataIndex]) });
  const round = (v) => +v.toFixed(2);

  // An observed over expected funnel is the funnel of charts.js under a name of its own, so that its box is as high as it needs.
  charts.outcome_funnel = (d, c, holder, tools) => charts.funnel(d, c, holder, tools);

  charts.vlad = function (d, c, holder, tools) {
    const none = { opacity: 0 }, band = { type: "line", stack: "band", symbol: "none", lineStyle: none, itemStyle: none, silent: true };
    return Object.assign(tools.shared(c), { grid: grid, legend: legend(c, [d.words.vlad, d.words.band]), xAxis: weeks(d, c), yAxis: Object.assign({ type: "value" }, soft(c)), tooltip: tip(d, c, tools),
      series: [Object.assign({ data: d.low }, band),
        Object.assign({ name: d.words.band, data: d.high.map((v, i) => v - d.low[i]), areaStyle: { color: c("brand"), opacity: 0.16 } }, band, { itemStyle: { color: rgba(c("brand"), 0.3) } }),
        { type: "line", name: d.words.vlad, data: d.y, z: 4, symbol: "none", lineStyle: { color: c("brand"), width: 2 }, itemStyle: { color: c("brand") },
          markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: c("soft"), type: "solid" }, data: [{ yAxis: 0 }] } }] });
  };

  charts.cusum = function (d, c, holder, tools) {
    const w = d.words, level = (v, colour) => ({ silent: true, symbol: "none", data: [{ yAxis: v }], lineStyle: { color: c(colour), type: "dashed", width: 1.5 },
      label: { formatter: w.limit + " " + round(Math.abs(v)), color: c(colour), position: "insideStartTop" } });
    const path = (name, values, side, limit, colour, shape) => ({ type: "line", name: name, step: "end", showSymbol: true, symbolSize: 0, lineStyle: { color: c(colour), width: 1.8 }, itemStyle: { color: c(colour) },
      data: values.map((v) => ({ value: side * v, symbol: shape, symbolSize: v >= limit ? 12 : 0 })), markLine: level(side * limit, colour) });
    return Object.assign(tools.shared(c), { grid: grid, legend: legend(c, [w.worse, w.better]), xAxis: weeks(d, c),
      yAxis: Object.assign({ type: "value", min: (e) => Math.min(e.min, -1.15 * d.limits.better), max: (e) => Math.max(e.max, 1.15 * d.limits.worse) }, soft(c), { axisLabel: { color: c("soft"), formatter: (v) => String(round(Math.abs(v))) } }),
      tooltip: tip(d, c, tools), series: [path(w.worse, d.worse, 1, d.limits.worse, "bad", "diamond"), path(w.better, d.better, -1, d.limits.better, "good", "triangle")] });
  };

  charts.calibration = function (d, c, holder, tools) {
    const most = Math.max.apply(null, d.groups.map((one) => Math.max(one.x, one.y))) * 1.05;
    const axis = (name, isUp) => Object.assign({ type: "value", min: 0, max: most, name: name, nameLocation: "middle", nameGap: isUp ? 36 : 26, nameTextStyle: { color: c("soft") } }, soft(c), { axisLabel: { color: c("soft"), hideOverlap: true, formatter: (v) => String(+v.toPrecision(2)) } });
    return Object.assign(tools.shared(c), { grid: { left: 36, right: 28, top: 34, bottom: 30, containLabel: true }, legend: legend(c, [d.line_name]), xAxis: axis(d.x, false), yAxis: axis(d.y, true),
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => (p.data && p.data.told ? tools.safe(p.data.told) : "") }),
      series: [{ type: "line", name: d.line_name, symbol: "none", silent: true, data: [[0, 0], [most, most]], lineStyle: { color: c("soft"), type: "dashed" }, itemStyle: { color: c("soft") } },
        { type: "scatter", symbolSize: 10, itemStyle: { color: rgba(c("brand"), 0.75), borderColor: c("brand") }, data: d.groups.map((one) => ({ value: [one.x, one.y], told: one.told })) }] });
  };
})();
