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
})();
