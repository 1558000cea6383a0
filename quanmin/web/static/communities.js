"use strict";
// Charts of the pages of county medical communities; made in Python by web/communities_panels.py. Load after drawing.js and before app.js.
// community_kinds: { x: names, links, series: [{name, tone, decal: "none" | "lines" | "dots", values}] }
// community_gap: { x, links, unit, value, before, target, low, high, text, verdict, detail, words: {now, before, target, interval} }
// community_ranks: { x, links, of, rank, rank_low, rank_high, verdict, detail, best }
// community_trends: { parts: [{name, unit, target, link, x, value, text, mean, low, high, marks}], target }
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { decals, narrow, clip } = window.quanminDrawing;
  const names = (d, c, most) => ({ type: "category", data: d.x, inverse: true, axisTick: { show: false }, axisLine: { lineStyle: { color: c("soft") } },
    axisLabel: { color: c("ink"), interval: 0, formatter: (v) => clip(v, most) } });
  const amounts = (c, more) => Object.assign({ type: "value", axisLabel: { color: c("soft"), hideOverlap: true }, splitLine: { lineStyle: { color: c("line") } } }, more);

  charts.community_kinds = function (d, c, holder, tools) {
    holder.style.height = 30 * d.x.length + (narrow(holder) ? 160 : 104) + "px";
    return Object.assign(tools.shared(c), {
      legend: { top: 0, left: 0, textStyle: { color: c("ink") }, itemWidth: 20, itemGap: 8 },
      grid: { left: 8, right: 14, top: narrow(holder) ? 122 : 62, bottom: 4, containLabel: true },
      yAxis: names(d, c, narrow(holder) ? 14 : 26), xAxis: amounts(c, { minInterval: 1 }),
      series: d.series.map((one) => ({ type: "bar", stack: "all", name: one.name, barMaxWidth: 20, cursor: "pointer",
        itemStyle: { color: c(one.tone), opacity: one.decal === "none" ? 0.9 : 0.62, decal: decals(c)[one.decal], borderColor: c("paper"), borderWidth: 1 },
        data: one.values.map((v, i) => ({ value: v || null, link: d.links[i] })) })).concat(marks(d, c)),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => { const i = items[0].dataIndex;
        return tools.safe(d.x[i]) + d.series.filter((one) => one.values[i]).map((one) => "<br>" + tools.safe(one.name + " " + one.values[i])).join(""); } }),
    });
  };
  // The number of each part, on a plate of paper so that it reads over any pattern.
  function marks(d, c) {
    const data = [];
    d.x.forEach((_, i) => { let from = 0; d.series.forEach((one) => { if (one.values[i]) data.push([from + one.values[i] / 2, i, one.values[i]]); from += one.values[i]; }); });
    return [{ type: "custom", silent: true, z: 6, tooltip: { show: false }, encode: { x: 0, y: 1 }, data: data,
      renderItem: (_, api) => { const at = api.coord([api.value(0), api.value(1)]);
        return { type: "group", children: [{ type: "rect", shape: { x: at[0] - 9, y: at[1] - 8, width: 18, height: 16, r: 4 }, style: { fill: c("paper") } },
          { type: "text", style: { text: String(api.value(2)), x: at[0], y: at[1], fill: c("ink"), fontSize: 12, align: "center", verticalAlign: "middle" } }] }; } }];
  }

  charts.community_gap = function (d, c, holder, tools) {
    holder.style.height = 34 * d.x.length + 86 + "px";
    const known = d.value.concat(d.before, d.target, d.low, d.high).filter((v) => v !== null);
    const [low, high] = known.length ? tools.span(known) : [0, 1], room = (high - low || Math.abs(high) || 1) * 0.08;
    const tone = (i) => ({ met: c("good"), missed: c("bad") }[d.verdict[i]] || c("brand"));
    const at = (values) => values.map((v, i) => [v, i]).filter((p) => p[0] !== null);
    const longest = Math.max.apply(null, d.text.map((t) => t.length));
    return Object.assign(tools.shared(c), {
      legend: { top: 0, left: 0, textStyle: { color: c("ink") }, data: [d.words.now, d.words.before, d.words.target].filter((_, k) => k < 2 || d.target.some((v) => v !== null)) },
      grid: { left: 8, right: 30 + 7 * longest, top: 34, bottom: 4, containLabel: true }, yAxis: names(d, c, narrow(holder) ? 14 : 26),
      xAxis: amounts(c, { scale: true, min: (low >= 0 ? Math.max(0, low - room) : low - room), max: high + room, axisLabel: { color: c("soft"), hideOverlap: true, formatter: (v) => +v.toFixed(2) } }),
      series: [
        tools.spans({ x: d.x, low: d.low, high: d.high }, () => true, true, { stroke: c("soft"), lineWidth: 1, opacity: 0.7 }, true),
        { type: "custom", silent: true, z: 3, encode: { x: 0, y: 2 }, data: d.x.map((_, i) => [d.value[i], d.before[i], i]).filter((p) => p[0] !== null && p[1] !== null),
          renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]);
            return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: c("brand"), lineWidth: 4, opacity: 0.45 } }; } },
        { type: "scatter", name: d.words.before, z: 4, symbol: "circle", symbolSize: 10, data: at(d.before), itemStyle: { color: c("paper"), borderColor: c("soft"), borderWidth: 2 } },
        { type: "scatter", name: d.words.now, z: 6, symbol: "circle", symbolSize: 13, cursor: "pointer", itemStyle: { color: c("brand") },
          data: d.value.map((v, i) => ({ value: [v, i], link: d.links[i], itemStyle: { color: tone(i) } })).filter((p) => p.value[0] !== null) },
        { type: "scatter", name: d.words.target, z: 5, symbol: "rect", symbolSize: [3, 20], data: at(d.target), itemStyle: { color: c("bad") } },
        { type: "custom", silent: true, encode: { x: 1, y: 0 }, data: d.x.map((_, i) => [i, low]), tooltip: { show: false },
          renderItem: (grid, api) => { const i = api.value(0), box = grid.coordSys;
            return { type: "text", style: { text: ({ met: "● ", missed: "▲ " }[d.verdict[i]] || "") + d.text[i], x: box.x + box.width + 8, y: api.coord([low, i])[1], fill: c("ink"), fontSize: 12, verticalAlign: "middle" } }; } },
      ],
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => { const i = p.value[1]; return tools.safe(d.x[i] + " " + d.text[i] + " " + d.unit) + "<br>" + tools.safe(d.detail[i]); } }),
    });
  };

  charts.community_ranks = function (d, c, holder, tools) {
    holder.style.height = 27 * d.x.length + 60 + "px";
    const tone = (i) => ({ met: c("good"), missed: c("bad") }[d.verdict[i]] || c("brand"));
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: 16, top: 26, bottom: 4, containLabel: true }, yAxis: names(d, c, narrow(holder) ? 20 : 44),
      xAxis: amounts(c, { min: 0.5, max: d.of + 0.5, position: "top", interval: 1, axisLabel: { color: c("soft"), hideOverlap: true, customValues: Array.from({ length: d.of }, (_, k) => k + 1), formatter: (v) => (v === 1 ? "1 " + d.best : v) } }),
      series: [
        { type: "custom", silent: true, z: 3, encode: { x: [0, 1], y: 2 }, data: d.x.map((_, i) => [d.rank_low[i], d.rank_high[i], i]).filter((p) => p[0] !== null),
          renderItem: (_, api) => { const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]);
            return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: c("brand"), lineWidth: 5, opacity: 0.35, lineCap: "round" } }; } },
        { type: "scatter", z: 5, symbolSize: 12, cursor: "pointer", data: d.rank.map((v, i) => ({ value: [v, i], link: d.links[i],
          itemStyle: d.rank_low[i] === null ? { color: c("paper"), borderColor: tone(i), borderWidth: 2.5 } : { color: tone(i) } })) },
      ],
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => tools.safe(d.x[p.value[1]]) + "<br>" + tools.safe(d.detail[p.value[1]]) }),
    });
  };

  charts.community_trends = function (d, c, holder, tools) {
    const width = holder.clientWidth || 600, columns = Math.max(1, Math.min(4, Math.floor(width / 300))), each = width / columns, tall = 170;
    holder.style.height = Math.ceil(d.parts.length / columns) * tall + "px";
    const left = (k) => (k % columns) * each, top = (k) => Math.floor(k / columns) * tall;
    const looks = { improving: ["diamond", "good"], concerning: ["triangle", "bad"], neither: ["rect", "warn"] };
    const series = [];
    d.parts.forEach((part, k) => {
      const own = { xAxisIndex: k, yAxisIndex: k, type: "line", symbol: "none", silent: true };
      series.push(Object.assign({}, own, { data: part.low, stack: "band" + k, lineStyle: { opacity: 0 }, stackStrategy: "all" }));
      series.push(Object.assign({}, own, { data: part.low.map((v, i) => (v === null ? null : part.high[i] - v)), stack: "band" + k, stackStrategy: "all", lineStyle: { opacity: 0 }, areaStyle: { color: c("brand"), opacity: 0.1 } }));
      series.push(Object.assign({}, own, { data: part.mean, lineStyle: { color: c("soft"), type: "dashed", width: 1 } }));
      series.push(Object.assign({}, own, { silent: false, data: part.value.map((v, i) => { const look = looks[part.marks[i]];
        return Object.assign({ value: v, link: part.link }, look ? { symbol: look[0], symbolSize: 8, itemStyle: { color: c(look[1]) } } : { symbol: "circle", symbolSize: 3, itemStyle: { color: c("brand") } }); }),
        symbol: "circle", showSymbol: true, lineStyle: { color: c("brand"), width: 1.6 },
        markLine: part.target === null ? undefined : { silent: true, symbol: "none", data: [{ yAxis: part.target }], lineStyle: { color: c("bad"), type: "dotted", width: 1.5 }, label: { formatter: d.target + " " + part.target, color: c("bad"), position: "insideStartTop" } } }));
    });
    const bounds = d.parts.map((part) => { const [a, b] = tools.span(part.value.concat(part.low, part.high, [part.target])), step = tools.tidy((b - a || Math.abs(b) || 1) / 3);
      return [Math.floor(a / step) * step, Math.ceil(b / step) * step, step]; });
    return Object.assign(tools.shared(c), {
      title: d.parts.map((part, k) => ({ text: clip(part.name + (part.unit ? " (" + part.unit + ")" : ""), Math.floor(each / 7.2)), left: left(k) + 4, top: top(k) + 2, textStyle: { fontSize: 12, fontWeight: 600, color: c("ink") } })),
      grid: d.parts.map((_, k) => ({ left: left(k) + 52, top: top(k) + 28, width: each - 70, height: tall - 58 })),
      xAxis: d.parts.map((part, k) => ({ gridIndex: k, type: "category", data: part.x, axisTick: { show: false }, axisLine: { lineStyle: { color: c("soft") } }, axisLabel: { color: c("soft"), fontSize: 10, hideOverlap: true, interval: (i) => part.x[i].endsWith("-01"), formatter: (v) => v.slice(0, 4) } })),
      yAxis: d.parts.map((_, k) => ({ gridIndex: k, type: "value", min: bounds[k][0], max: bounds[k][1], interval: bounds[k][2], axisLabel: { color: c("soft"), fontSize: 10, formatter: (v) => (Math.abs(v) >= 1e4 ? v / 1000 + "k" : +v.toFixed(2)) }, splitLine: { lineStyle: { color: c("line") } } })),
      series: series,
      tooltip: Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => { const one = items[0], part = d.parts[Math.floor(one.seriesIndex / 4)];
        return tools.safe(part.name) + "<br>" + tools.safe(part.x[one.dataIndex] + " " + part.text[one.dataIndex] + " " + part.unit); } }),
    });
  };
})();
