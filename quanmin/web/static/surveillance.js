"use strict";
// Charts of surveillance: columns over time (days, weeks), one upon another. Load after drawing.js, before app.js. Data come from web/warnings_panels.py.
// {kind: "time_columns", x: [text], series: [{name, data: [number], tone, pattern}]}: colour is never alone, every series but the first has a pattern.
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { decals, rgba } = window.quanminDrawing;

  charts.time_columns = function (d, c, holder, tools) {
    const patterns = decals(c), soft = { color: c("soft"), hideOverlap: true };
    return Object.assign(tools.shared(c), {
      grid: { left: 16, right: 24, top: 38, bottom: 8, containLabel: true },
      legend: { data: d.series.map((one) => one.name), top: 0, left: 0, selectedMode: false, itemWidth: 22, itemHeight: 11, textStyle: { color: c("ink") } },
      xAxis: { type: "category", data: d.x, axisLabel: soft, axisLine: { lineStyle: { color: c("soft") } }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: c("soft") }, splitLine: { lineStyle: { color: c("line") } } },
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(d.x[items[0].dataIndex]) +
        d.series.filter((one) => one.data[items[0].dataIndex]).map((one) => "<br>" + tools.safe(one.name) + " " + one.data[items[0].dataIndex]).join("") }),
      series: d.series.map((one) => ({ type: "bar", stack: "all", name: one.name, data: one.data, barCategoryGap: "12%", barMaxWidth: 28,
        itemStyle: { color: rgba(c(one.tone), one.pattern === "none" ? 0.55 : 0.9), decal: patterns[one.pattern] } })),
    });
  };

  // {kind: "onsets", x: [day], reported, waiting, low, high: [number], words}: cases by onset, those still to be reported upon them, whiskers for the limits.
  charts.onsets = function (d, c, holder, tools) {
    const patterns = decals(c), is_open = (i) => d.high[i] > d.low[i], unsure = d.x.map((_, i) => (is_open(i) ? [i, d.low[i], d.high[i]] : null)).filter((one) => one);
    const highest = Math.max.apply(null, d.x.map((_, i) => d.reported[i] + d.waiting[i]).concat(1)), limit = Math.max(4, Math.ceil(2.5 * highest));
    const bars = [["reported", "brand", "none"], ["waiting", "warn", "lines"]];
    return Object.assign(tools.shared(c), {
      grid: { left: 16, right: 24, top: 38, bottom: 8, containLabel: true },
      legend: { data: bars.map((one) => d.words[one[0]]), top: 0, left: 0, selectedMode: false, itemWidth: 22, itemHeight: 11, textStyle: { color: c("ink") } },
      xAxis: { type: "category", data: d.x, axisLabel: { color: c("soft"), hideOverlap: true }, axisLine: { lineStyle: { color: c("soft") } }, axisTick: { show: false } },
      yAxis: { type: "value", minInterval: 1, max: (value) => Math.min(limit, Math.max(value.max, Math.max.apply(null, d.high))), axisLabel: { color: c("soft") }, splitLine: { lineStyle: { color: c("line") } } },
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => { const i = items[0].dataIndex;
        return tools.safe(d.x[i]) + "<br>" + tools.safe(d.words.reported) + " " + d.reported[i] + "<br>" + tools.safe(d.words.waiting) + " " + d.waiting[i] +
          (is_open(i) ? "<br>" + tools.safe(d.words.limits) + " " + d.low[i] + "–" + d.high[i] : ""); } }),
      series: bars.map(([key, tone, pattern]) => ({ type: "bar", stack: "all", name: d.words[key], data: d[key], barCategoryGap: "12%", barMaxWidth: 28,
        itemStyle: { color: rgba(c(tone), pattern === "none" ? 0.7 : 0.9), decal: patterns[pattern] } })).concat([{ type: "custom", silent: true, z: 5, clip: true, encode: { x: 0, y: [1, 2] }, data: unsure,
        renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(1)]), b = api.coord([api.value(0), api.value(2)]), style = { stroke: c("ink"), lineWidth: 1.2 };
          const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: style });
          return { type: "group", children: [line(a[0], a[1], b[0], b[1]), line(a[0] - 3, a[1], a[0] + 3, a[1]), line(b[0] - 3, b[1], b[0] + 3, b[1])] }; } }]),
    });
  };

  // {kind: "sparks", rows: [{name, weeks: [number], text, expected: number or null, link}], words}: one small column chart a row, all of half a year.
  charts.sparks = function (d, c, holder, tools) {
    const height = 46, narrow = holder.clientWidth < 560, left = narrow ? 104 : 190, right = narrow ? 74 : 150, font = tools.shared(c).textStyle.fontFamily;
    holder.style.height = height * d.rows.length + 12 + "px";
    const axis = (i, more) => Object.assign({ gridIndex: i, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false }, axisLine: { show: false } }, more);
    return Object.assign(tools.shared(c), {
      grid: d.rows.map((_, i) => ({ left: left, right: right, top: 8 + height * i, height: height - 14 })),
      xAxis: d.rows.map((row, i) => axis(i, { type: "category", data: d.weeks, axisLine: { show: true, lineStyle: { color: c("line") } } })),
      yAxis: d.rows.map((_, i) => axis(i, { type: "value", min: 0, minInterval: 1, max: (value) => Math.max(3, value.max) })),
      series: d.rows.map((row, i) => ({ type: "bar", name: row.name, xAxisIndex: i, yAxisIndex: i, barCategoryGap: "20%", data: row.weeks.map((n, k) => ({ value: n, link: row.link,
        itemStyle: { color: rgba(c(k >= row.weeks.length - 4 ? "warn" : "brand"), k >= row.weeks.length - 4 ? 0.95 : 0.5) } })),
        markLine: row.expected === null ? undefined : { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: c("soft"), type: "dashed" }, data: [{ yAxis: row.expected }] } })),
      graphic: d.rows.flatMap((row, i) => [
        { type: "text", left: 0, top: 14 + height * i, silent: true, style: { text: window.quanminDrawing.clip(row.name, narrow ? 13 : 25), fill: c("ink"), fontSize: 13, fontFamily: font } },
        { type: "text", right: 0, top: 14 + height * i, silent: true, style: { text: row.text, fill: c("ink"), fontSize: 12, align: "right", fontFamily: font } }]),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(items[0].seriesName) + "<br>" + tools.safe(d.words.week) + " " + tools.safe(d.weeks[items[0].dataIndex]) + ": " + items[0].value }),
    });
  };
})();
