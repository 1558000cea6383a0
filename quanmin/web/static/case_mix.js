"use strict";
// The chart of the case-mix page; made in Python by web/case_mix_page.py. Load after drawing.js and before app.js.
// circles: { circles: [{name, x, y, size, told, link}], labelled: how many of the largest are named, x, y: names of the axes, centre: what is average }
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { rgba, narrow, clip } = window.quanminDrawing;

  charts.circles = function (d, c, holder, tools) {
    const largest = Math.max.apply(null, d.circles.map((one) => one.size)), widest = narrow(holder) ? 30 : 52;
    holder.style.height = narrow(holder) ? "360px" : "460px";
    const axis = (name, isUp) => ({ type: "value", scale: true, name: name, nameLocation: "middle", nameGap: isUp ? 28 : 26, boundaryGap: ["6%", "6%"], nameTextStyle: { color: c("soft") },
      axisLabel: { color: c("soft"), hideOverlap: true, formatter: (v) => String(+v.toFixed(2)) }, axisLine: { lineStyle: { color: c("soft") } }, splitLine: { lineStyle: { color: c("line") } } });
    const average = { silent: true, symbol: "none", lineStyle: { color: c("soft"), type: "dashed" }, label: { show: false }, data: [{ xAxis: d.centre }, { yAxis: d.centre }] };
    return Object.assign(tools.shared(c), {
      grid: { left: 36, right: 28, top: 24, bottom: 30, containLabel: true }, xAxis: axis(d.x, false), yAxis: axis(d.y, true),
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => (p.data && p.data.told ? tools.safe(p.data.told) : "") }),
      series: [{ type: "scatter", markLine: average, labelLayout: { hideOverlap: true }, cursor: d.circles.some((one) => one.link) ? "pointer" : "default",
        data: d.circles.map((one, i) => ({ value: [one.x, one.y], told: one.told, link: one.link, symbolSize: 6 + widest * Math.sqrt(one.size / largest),
          itemStyle: { color: rgba(c("brand"), 0.5), borderColor: c("brand") },
          label: { show: i < d.labelled, formatter: clip(one.name, narrow(holder) ? 10 : 18), position: "top", color: c("ink"), fontSize: 11 } })) }],
    });
  };
})();
