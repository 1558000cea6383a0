"use strict";
// Draws the trend: value with its interval as a band, months known only by bounds as bars, the target as a line.
(function () {
  const holder = document.getElementById("trend"), source = document.getElementById("trend-data");
  if (!holder || !source || !window.echarts) return;
  const d = JSON.parse(source.textContent), style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const chart = echarts.init(holder, null, { renderer: "svg" });
  const band = d.low.map((low, i) => (low === null || d.bounds[i] ? null : d.high[i] - low));
  const series = [
    { name: d.intervalName, type: "line", data: d.low.map((v, i) => (d.bounds[i] ? null : v)), stack: "band", symbol: "none", lineStyle: { opacity: 0 }, silent: true },
    { name: d.intervalName, type: "line", data: band, stack: "band", symbol: "none", lineStyle: { opacity: 0 }, areaStyle: { color: colour("--brand"), opacity: 0.15 }, silent: true },
    { name: d.valueName, type: "line", data: d.y, symbolSize: 5, lineStyle: { color: colour("--brand"), width: 2 }, itemStyle: { color: colour("--brand") },
      markLine: d.target === null ? undefined : { silent: true, symbol: "none", data: [{ yAxis: d.target }], lineStyle: { color: colour("--bad"), type: "dashed" }, label: { formatter: d.targetName, color: colour("--bad"), position: "insideEndTop" } } },
    { name: d.boundsName, type: "custom", data: d.x.map((x, i) => [i, d.low[i], d.high[i]]).filter((p) => d.bounds[p[0]]),
      renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(1)]), b = api.coord([api.value(0), api.value(2)]);
        return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: colour("--warn"), lineWidth: 6, opacity: 0.8 } }; } },
  ];
  const text = { color: colour("--soft") };
  chart.setOption({ animation: false, aria: { enabled: true }, grid: { left: 8, right: 16, top: 24, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", formatter: (items) => { const i = items[0].dataIndex; const range = d.low[i] === null ? "" : " (" + d.low[i].toFixed(2) + "–" + d.high[i].toFixed(2) + ")";
      return d.x[i] + "<br>" + (d.y[i] === null ? d.boundsName : d.y[i].toFixed(2) + " " + d.unit) + range; } },
    xAxis: { type: "category", data: d.x, axisLabel: text }, yAxis: { type: "value", scale: true, axisLabel: text, splitLine: { lineStyle: { color: colour("--line") } } }, series: series });
  window.addEventListener("resize", () => chart.resize());
})();
