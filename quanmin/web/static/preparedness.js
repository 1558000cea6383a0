"use strict";
// The charts of preparedness and the numbers beside its sliders; made in Python by web/preparedness_panels.py. Load after drawing.js, before app.js.
// prep_hours: { x, lines, deadlines, people, told } · prep_need, prep_cases: { x, lines, limit, distinct } · prep_tornado: { y, ends, now, told } · prep_cover: { x, y, target, told } · prep_trend: { x, lines, target }
(function () {
  document.addEventListener("input", (event) => { const shown = event.target.closest(".slider"); if (shown) shown.querySelector("output").textContent = event.target.value; });
  // another scenario starts from numbers of its own: the page is opened anew
  document.addEventListener("change", (event) => { if (event.target.dataset.whole) { event.stopPropagation(); location.assign(location.pathname + "?template=" + event.target.value); } }, true);
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { rgba, narrow, clip } = window.quanminDrawing;
  const DASHES = ["solid", [8, 3], [2, 3], [8, 3, 2, 3], [14, 4]], TONES = ["brand", "bad", "warn", "good", "soft"];
  const soft = (c) => ({ axisLabel: { color: c("soft"), hideOverlap: true }, axisLine: { lineStyle: { color: c("soft") } }, splitLine: { lineStyle: { color: c("line") } }, nameTextStyle: { color: c("soft") } });
  const legend = (c, names) => ({ data: names, top: 0, left: 0, type: "scroll", itemWidth: 26, itemHeight: 9, textStyle: { color: c("soft"), fontSize: 11 } });
  const grid = (more) => Object.assign({ left: 8, right: 22, top: 40, bottom: 8, containLabel: true }, more);
  const round = (v) => { const step = Math.pow(10, Math.floor(Math.log10(v))) / 2; return Math.ceil(v / step) * step; };
  const short = (v) => (Math.abs(v) >= 1e4 ? +(v / 1e3).toPrecision(4) + "k" : +v.toFixed(2));
  const line = (one, i, c) => ({ type: "line", name: one.name, symbol: "none", lineStyle: { width: 2, color: c(TONES[i % 5]), type: DASHES[i % 5] }, itemStyle: { color: c(TONES[i % 5]) } });
  const tip = (c, tools, say) => Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: say });

  charts.prep_hours = function (d, c, holder, tools) {
    const marks = d.deadlines.map((one) => ({ xAxis: one[0], label: { formatter: one[1], color: c("soft"), position: "insideEndTop", rotate: 0, distance: 2 } }));
    const last = Math.max(d.x[d.x.length - 1], Math.max.apply(null, d.deadlines.map((one) => one[0])));
    return Object.assign(tools.shared(c), { grid: grid({ bottom: 26 }), legend: legend(c, d.lines.map((one) => one.name)),
      xAxis: Object.assign({ type: "value", min: 0, max: Math.ceil(last / 24) * 24, interval: Math.ceil(last / 24) > 8 || narrow(holder) ? 48 : 24, name: d.words.x, nameLocation: "middle", nameGap: 24 }, soft(c), { splitLine: { show: false } }),
      yAxis: Object.assign({ type: "value", max: d.people }, soft(c), { axisLabel: { color: c("soft"), formatter: short } }),
      tooltip: tip(c, tools, (items) => tools.safe(d.told[items[0].dataIndex])),
      series: d.lines.map((one, i) => Object.assign(line(one, i, c), { data: one.data.map((v, j) => [d.x[j], v]),
        markLine: i ? undefined : { silent: true, symbol: "none", lineStyle: { color: c("soft"), type: "dashed" }, data: marks } })) });
  };

  charts.prep_need = function (d, c, holder, tools) {
    const most = Math.max.apply(null, d.lines.map((one) => Math.max.apply(null, one.data)));
    return Object.assign(tools.shared(c), { grid: grid(), legend: legend(c, d.lines.map((one) => one.name)),
      xAxis: Object.assign({ type: "category", data: d.x }, soft(c), { splitLine: { show: false } }),
      yAxis: Object.assign({ type: "value", max: Math.max(110, Math.ceil(most / 50) * 50) }, soft(c), { axisLabel: { color: c("soft"), formatter: (v) => short(v) + "%" } }),
      tooltip: tip(c, tools, (items) => tools.safe(d.x[items[0].dataIndex]) + items.map((item) => "<br>" + tools.safe(d.lines[item.seriesIndex].told[item.dataIndex])).join("")),
      series: d.lines.map((one, i) => Object.assign(line(one, i, c), { data: one.data,
        markLine: i ? undefined : { silent: true, symbol: "none", lineStyle: { color: c("bad"), type: "dashed", width: 1.5 }, data: [{ yAxis: 100 }], label: { formatter: d.words.line, color: c("bad"), position: "insideStartTop" } } })) });
  };

  charts.prep_trend = function (d, c, holder, tools) {
    return Object.assign(tools.shared(c), { grid: grid(), legend: legend(c, d.lines.map((one) => one.name)),
      xAxis: Object.assign({ type: "category", data: d.x, boundaryGap: false }, soft(c), { splitLine: { show: false } }),
      yAxis: Object.assign({ type: "value", min: 0 }, soft(c)),
      tooltip: tip(c, tools, (items) => tools.safe(d.x[items[0].dataIndex]) + items.map((item) => "<br>" + tools.safe(d.lines[item.seriesIndex].told[item.dataIndex])).join("")),
      series: d.lines.map((one, i) => Object.assign(line(one, i, c), { data: one.data,
        markLine: i ? undefined : { silent: true, symbol: "none", lineStyle: { color: c("bad"), type: "dashed", width: 1.5 }, data: [{ yAxis: d.target }], label: { formatter: d.words.target + " " + d.target, color: c("bad"), position: "insideStartTop" } } })) });
  };

  charts.prep_cases = function (d, c, holder, tools) {
    const tone = (i) => (d.distinct ? rgba(c(TONES[i % 5]), i < 5 ? 0.8 : 0.4) : rgba(c("brand"), 0.85 - (0.65 * i) / Math.max(1, d.lines.length - 1)));
    return Object.assign(tools.shared(c), { grid: grid(), legend: legend(c, d.lines.map((one) => one.name)),
      xAxis: Object.assign({ type: "category", data: d.x, boundaryGap: false }, soft(c), { splitLine: { show: false } }),
      yAxis: Object.assign({ type: "value", max: d.limit ? (e) => round(Math.max(e.max, d.limit.at * 1.05)) : undefined }, soft(c), { axisLabel: { color: c("soft"), formatter: short } }),
      tooltip: tip(c, tools, (items) => tools.safe(d.x[items[0].dataIndex]) + items.map((item) => "<br>" + tools.safe(item.seriesName) + " " + Math.round(item.value).toLocaleString("en")).join("")),
      series: d.lines.map((one, i) => ({ type: "line", name: one.name, stack: "all", symbol: "none", data: one.data, markLine: i || !d.limit ? undefined : { silent: true, symbol: "none", lineStyle: { color: c("bad"), type: "dashed", width: 1.5 }, data: [{ yAxis: d.limit.at }], label: { formatter: d.limit.name, color: c("bad"), position: "insideStartTop" } },
        lineStyle: { width: 1, color: tone(i) }, itemStyle: { color: tone(i) }, areaStyle: { color: tone(i), opacity: 1 } })) });
  };

  charts.prep_tornado = function (d, c, holder, tools) {
    holder.style.height = 32 * d.y.length + 96 + "px";
    const bar = (side, tone, name) => ({ type: "custom", name: name, encode: { x: [1, 2], y: 0 }, itemStyle: { color: c(tone) }, data: d.ends.map((pair, i) => [i, d.now, pair[side]]),
      renderItem: (box, api) => { const a = api.coord([api.value(1), api.value(0)]), b = api.coord([api.value(2), api.value(0)]);
        return { type: "rect", shape: { x: Math.min(a[0], b[0]), y: a[1] - 9 + (side ? 9 : 0), width: Math.max(1, Math.abs(b[0] - a[0])), height: 8 }, style: { fill: c(tone), opacity: 0.8 } }; } });
    const every = d.ends.flat().concat([d.now]), low = Math.min.apply(null, every), high = Math.max.apply(null, every), room = (high - low || 1) * 0.06;
    return Object.assign(tools.shared(c), { grid: grid({ bottom: 26, top: 58 }), legend: legend(c, [d.words.low, d.words.high]),
      yAxis: { type: "category", data: d.y, inverse: true, axisTick: { show: false }, axisLabel: { color: c("ink"), interval: 0, formatter: (v) => (narrow(holder) ? clip(v, 18) : v) }, axisLine: { lineStyle: { color: c("soft") } } },
      xAxis: Object.assign({ type: "value", min: Math.max(low >= 0 ? 0 : -Infinity, Math.floor(low - room)), max: Math.ceil(high + room), name: d.unit, nameLocation: "middle", nameGap: 22 }, soft(c)),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(d.told[items[0].dataIndex]) }),
      series: [Object.assign(bar(0, "brand", d.words.low), { markLine: { silent: true, symbol: "none", lineStyle: { color: c("ink"), type: "dashed" }, data: [{ xAxis: d.now }], label: { formatter: d.words.now + " " + d.now.toLocaleString("en"), color: c("ink"), position: "start" } } }),
        bar(1, "warn", d.words.high)] });
  };

  charts.prep_cover = function (d, c, holder, tools) {
    holder.style.height = 30 * d.x.length + 60 + "px";
    return Object.assign(tools.shared(c), { grid: grid({ top: 24, right: 40 }),
      yAxis: { type: "category", data: d.x, inverse: true, axisTick: { show: false }, axisLabel: { color: c("ink"), interval: 0, formatter: (v) => clip(v, narrow(holder) ? 18 : 40) }, axisLine: { lineStyle: { color: c("soft") } } },
      xAxis: Object.assign({ type: "value", min: 0, max: (e) => Math.ceil(Math.max(e.max, d.target) * 1.1) }, soft(c)),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(d.told[items[0].dataIndex]) }),
      series: [{ type: "bar", barWidth: 14, data: d.y.map((v) => ({ value: v, itemStyle: { color: c(v < d.target ? "bad" : "good"), opacity: 0.75 } })),
        label: { show: true, position: "right", color: c("ink"), formatter: (item) => (item.value < d.target ? "▲ " : "● ") + item.value },
        markLine: { silent: true, symbol: "none", data: [{ xAxis: d.target }], lineStyle: { color: c("bad"), type: "dashed" }, label: { formatter: d.words.target + " " + d.target, color: c("bad"), position: "start" } } }] });
  };
})();
