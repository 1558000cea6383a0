"use strict";
// Charts of the flow pages; made in Python by web/flow_panels.py and web/flow_county.py. Load after drawing.js and before app.js.
// flow_stack: { x: names, is_upright, series: [{name, tone, decal: "none" | "lines" | "dots" | "cross", values, texts, links}], totals: texts, unit }
// flow_sankey: { nodes: [{id, name, depth, tone, text, link}], links: [{source, target, value, text, tone, link}], head: names of the columns }
// flow_heat: { x, y: names, cells: [[column, row, shade 0 to 1, text, link]], unit }
// flow_multiples: { x: names, parts: [{name, unit, is_money, tone, values, texts}], links }
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { rgba, decals, narrow, clip } = window.quanminDrawing;

  charts.flow_stack = function (d, c, holder, tools) {
    const isUp = d.is_upright, pattern = decals(c), last = d.series.length - 1;
    if (!isUp) holder.style.height = 30 * d.x.length + 84 + "px";
    const names = { type: "category", data: d.x, inverse: !isUp, axisTick: { show: false }, axisLine: { lineStyle: { color: c("soft") } },
      axisLabel: { color: c("ink"), formatter: (v) => clip(v, narrow(holder) ? 18 : holder.clientWidth < 800 ? 36 : 64) } };
    const isCount = d.series.every((one) => one.values.every((v) => v === null || v % 1 === 0));
    const amounts = { type: "value", minInterval: isCount ? 1 : 0, axisLabel: { color: c("soft"), hideOverlap: true }, splitNumber: narrow(holder) ? 3 : 5, splitLine: { lineStyle: { color: c("line") } } };
    return Object.assign(tools.shared(c), {
      legend: { show: d.series.length > 1, top: 0, left: 0, textStyle: { color: c("ink") }, itemWidth: 22 },
      grid: { left: 8, right: isUp ? 12 : 84, top: d.series.length > 1 ? 34 : 8, bottom: 8, containLabel: true },
      xAxis: isUp ? names : amounts, yAxis: isUp ? amounts : names,
      series: d.series.map((one, k) => ({ type: "bar", stack: "all", name: one.name, barMaxWidth: isUp ? 26 : 18, cursor: "pointer",
        itemStyle: { color: c(one.tone), decal: pattern[one.decal], borderColor: c("paper"), borderWidth: 0.6 },
        data: one.values.map((v, i) => ({ value: v, link: one.links[i] })) })).concat(isUp ? [] : [{ type: "custom", silent: true, z: 6, encode: { x: 1, y: 0 }, tooltip: { show: false }, data: d.x.map((_, i) => [i, 0]),
          renderItem: (grid, api) => { const i = api.value(0), box = grid.coordSys;
            return { type: "text", style: { text: d.totals[i], x: box.x + box.width + 8, y: api.coord([0, i])[1], fill: c("ink"), fontSize: 12, verticalAlign: "middle" } }; } }]),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => { const i = items[0].dataIndex;
        return tools.safe(d.x[i]) + d.series.map((one) => "<br>" + tools.safe(one.name + " " + one.texts[i])).join("") + (last ? "<br>" + tools.safe("Σ " + d.totals[i]) : ""); } }),
    });
  };

  charts.flow_sankey = function (d, c, holder, tools) {
    const isNarrow = narrow(holder), deepest = Math.max.apply(null, d.nodes.map((n) => n.depth));
    const tallest = Math.max.apply(null, [0, 1, 2, 3].map((depth) => d.nodes.filter((n) => n.depth === depth).length));
    holder.style.height = Math.max(300, 42 * tallest + 30) + "px";
    const byId = Object.fromEntries(d.nodes.map((n) => [n.id, n]));
    return Object.assign(tools.shared(c), {
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => (p.dataType === "edge"
        ? tools.safe(byId[p.data.source].name + " → " + byId[p.data.target].name + " " + p.data.text) : tools.safe(byId[p.name].name + " " + byId[p.name].text)) }),
      series: [{ type: "sankey", left: 4, right: isNarrow ? 92 : 140, top: 8, bottom: 8, nodeWidth: 12, nodeGap: isNarrow ? 10 : 12, draggable: false, layoutIterations: 0, emphasis: { focus: "adjacency" },
        label: { color: c("ink"), fontSize: isNarrow ? 11 : 12, textBorderColor: c("paper"), textBorderWidth: 3,
          formatter: (p) => clip(byId[p.name].name, isNarrow ? (byId[p.name].depth === deepest ? 15 : 17) : byId[p.name].depth === deepest ? 18 : 30) + (isNarrow && byId[p.name].depth !== 1 ? "" : "  " + byId[p.name].text) },
        data: d.nodes.map((n) => ({ name: n.id, depth: n.depth, link: n.link, itemStyle: { color: c(n.tone), borderColor: c("paper") } })),
        links: d.links.map((l) => ({ source: l.source, target: l.target, value: l.value, text: l.text, link: l.link, lineStyle: { color: c(l.tone), opacity: 0.32, curveness: 0.5 } })) }],
    });
  };

  charts.flow_heat = function (d, c, holder, tools) {
    holder.style.height = 34 * d.y.length + 110 + "px";
    const isNarrow = narrow(holder);
    const axis = (data, isRow) => ({ type: "category", data: data, inverse: isRow, position: isRow ? "left" : "top", axisTick: { show: false }, axisLine: { show: false }, splitArea: { show: false },
      axisLabel: { color: c("ink"), interval: 0, rotate: isRow ? 0 : data.length > 6 || isNarrow ? 38 : 0, formatter: (v) => clip(v, isNarrow ? 12 : 20) } });
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true }, xAxis: axis(d.x, false), yAxis: axis(d.y, true),
      visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: [rgba(c("brand"), 0.02), rgba(c("brand"), 0.5)] } },
      series: [{ type: "heatmap", cursor: "pointer", itemStyle: { borderColor: c("line"), borderWidth: 1 }, emphasis: { itemStyle: { borderColor: c("ink"), borderWidth: 2 } },
        label: { show: true, color: c("ink"), fontSize: isNarrow ? 9 : 12, formatter: (p) => p.data.text },
        data: d.cells.map((one) => ({ value: one.slice(0, 3), text: one[3], link: one[4] })) }],
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => tools.safe(d.y[p.value[1]] + " → " + d.x[p.value[0]]) + "<br>" + tools.safe(p.data.text + " " + d.unit) }),
    });
  };

  charts.flow_multiples = function (d, c, holder, tools) {
    const isNarrow = narrow(holder), n = d.parts.length, each = 26 * d.x.length + 44, left = isNarrow ? 0 : 14;
    holder.style.height = (isNarrow ? each * n : each) + 10 + "px";
    const width = (100 - left) / n, pattern = decals(c).lines;
    return Object.assign(tools.shared(c), {
      title: d.parts.map((part, k) => ({ text: part.name + (part.is_money ? " (" + part.unit + ")" : ""), left: isNarrow ? 0 : left + width * k + "%", top: isNarrow ? each * k : 0, textStyle: { fontSize: 12, fontWeight: 600, color: c("soft") } })),
      grid: d.parts.map((_, k) => (isNarrow ? { left: 100, right: 64, top: each * k + 26, height: 26 * d.x.length } : { left: left + width * k + "%", width: width - 9 + "%", top: 28, height: 26 * d.x.length })),
      xAxis: d.parts.map((_, k) => ({ type: "value", gridIndex: k, axisLabel: { show: false }, splitLine: { show: false } })),
      yAxis: d.parts.map((_, k) => ({ type: "category", gridIndex: k, inverse: true, data: d.x, axisTick: { show: false }, axisLine: { lineStyle: { color: c("line") } },
        axisLabel: { show: isNarrow || !k, color: c("ink"), formatter: (v) => clip(v, isNarrow ? 15 : 18) } })),
      series: d.parts.map((part, k) => ({ type: "bar", name: part.name, xAxisIndex: k, yAxisIndex: k, barWidth: 15, cursor: "pointer", itemStyle: { color: c(part.tone), decal: pattern },
        label: { show: true, position: "right", color: c("ink"), formatter: (p) => part.texts[p.dataIndex] }, data: part.values.map((v, i) => ({ value: v, link: d.links[i] })) })),
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => tools.safe(d.x[p.dataIndex] + " " + p.seriesName + " " + d.parts[p.seriesIndex].texts[p.dataIndex] + " " + d.parts[p.seriesIndex].unit) }),
    });
  };
})();
