"use strict";
// Charts of variation: XmR, funnel, deciles, ranks with intervals, the way to a target, and a change split into its parts. Load before app.js.
// Colour is never alone: special points differ in shape, limits in dash, parts in sign and words. Data come from web/indicator_panels.py.
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const SHAPES = { common_cause: "circle", improving: "triangle", concerning: "diamond", neither: "rect" };
  const tone = (c) => ({ common_cause: c("brand"), improving: c("good"), concerning: c("bad"), neither: c("warn") });
  const soft = (c) => ({ axisLabel: { color: c("soft"), hideOverlap: true }, axisLine: { lineStyle: { color: c("soft") } }, splitLine: { lineStyle: { color: c("line") } } });
  const grid = (more) => Object.assign({ left: 8, right: 20, top: 34, bottom: 8, containLabel: true }, more);
  const legend = (c, names) => ({ data: names, top: 0, left: 0, type: "scroll", itemWidth: 22, itemHeight: 9, textStyle: { color: c("soft"), fontSize: 11 } });
  const line = (name, data, colour, dash, width) => ({ type: "line", name: name, data: data, symbol: "none", silent: true, connectNulls: false,
    lineStyle: { color: colour, type: dash, width: width || 1.2 }, itemStyle: { color: colour } });
  const level = (value, text, colour) => ({ silent: true, symbol: "none", data: [{ yAxis: value }], lineStyle: { color: colour, type: "dashed", width: 1.5 },
    label: { formatter: text, color: colour, position: "insideStartTop" } });
  function scale(tools, values) {
    const [low, high] = tools.span(values.filter((v) => v !== null && v !== undefined)), step = tools.tidy((high - low || Math.abs(high) || 1) / 5);
    return { min: Math.floor(low / step) * step, max: Math.ceil(high / step) * step };
  }
  const shortened = (v) => (Math.abs(v) >= 1e4 ? +(v / 1e3).toPrecision(4) + "k" : +v.toFixed(2));
  const values = (c, ends) => Object.assign({ type: "value" }, soft(c), ends, { axisLabel: { color: c("soft"), formatter: shortened } });

  charts.xmr = function (d, c, holder, tools) {
    const tones = tone(c), w = d.words, every = d.y.concat(d.low, d.high, [d.target]);
    return Object.assign(tools.shared(c), {
      grid: grid(), legend: legend(c, [w.value, w.mean, w.limits]),
      xAxis: Object.assign({ type: "category", data: d.x }, soft(c), { splitLine: { show: false } }), yAxis: values(c, scale(tools, every)),
      tooltip: Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => { const i = items[0].dataIndex; return tools.safe(d.x[i]) + "<br>" + tools.safe(d.told[i]).replace(/\n/g, "<br>"); } }),
      series: [
        line(w.limits, d.low, c("soft"), [5, 4]), Object.assign(line(w.limits, d.high, c("soft"), [5, 4])), line(w.mean, d.mean, c("soft"), "solid"),
        { type: "line", name: w.value, z: 4, lineStyle: { color: c("brand"), width: 1.6 }, itemStyle: { color: c("brand") }, markLine: d.target === null ? undefined : level(d.target, w.target + " " + d.target, c("bad")),
          data: d.y.map((v, i) => ({ value: v, symbol: SHAPES[d.kinds[i]] || "circle", symbolSize: d.kinds[i] === "common_cause" ? 5 : 10, itemStyle: { color: tones[d.kinds[i]] || c("brand") }, link: d.links[i] })) },
        tools.spans({ x: d.x, low: d.bound_low, high: d.bound_high }, () => true, false, { stroke: c("warn"), lineWidth: 6, opacity: 0.85 }, false),
      ],
    });
  };

  charts.fan = function (d, c, holder, tools) {
    const w = d.words, gap = d.past.map(() => null), none = { opacity: 0 }, join = d.past.length - 1;
    const ahead = (list) => gap.slice(0, join).concat([d.past[join]], list), band = { type: "line", stack: "fan", symbol: "none", lineStyle: none, itemStyle: none, silent: true };
    return Object.assign(tools.shared(c), {
      grid: grid(), legend: legend(c, [w.value, w.expected, w.needed]),
      xAxis: Object.assign({ type: "category", data: d.x }, soft(c), { splitLine: { show: false } }), yAxis: values(c, scale(tools, d.past.concat(d.low, d.high, d.needed, [d.target]))),
      tooltip: Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => { const i = items[0].dataIndex; return tools.safe(d.x[i]) + "<br>" + tools.safe(d.told[i]).replace(/\n/g, "<br>"); } }),
      series: [
        Object.assign({ data: ahead(d.low) }, band), Object.assign({ data: gap.slice(0, join).concat([0], d.high.map((v, i) => v - d.low[i])), areaStyle: { color: c("brand"), opacity: 0.18 } }, band),
        { type: "line", name: w.value, data: d.past, symbolSize: 5, lineStyle: { color: c("brand"), width: 2 }, itemStyle: { color: c("brand") }, markLine: level(d.target, w.target + " " + d.target, c("bad")) },
        line(w.expected, ahead(d.expected), c("brand"), "dotted", 2), line(w.needed, ahead(d.needed), c("good"), [8, 3, 2, 3], 2),
      ],
    });
  };

  charts.funnel = function (d, c, holder, tools) {
    const w = d.words, at = (k) => d.curve.map((row) => [row[0], row[k]]), colour = { 0: c("brand"), 1: c("warn"), 2: c("bad") };
    const far = (u) => Math.abs(u.outside), labelled = d.units.filter(far).sort((a, b) => far(b) - far(a)).slice(0, 8).map((u) => u.name);
    return Object.assign(tools.shared(c), {
      grid: grid({ bottom: 26 }), legend: legend(c, [w.units, w.limit_95, w.limit_998, w.centre]),
      xAxis: Object.assign({ type: "log", name: w.size, nameLocation: "middle", nameGap: 26, min: Math.max(1, d.curve[0][0] * 0.8), max: d.curve[d.curve.length - 1][0] * 1.25 }, soft(c), { nameTextStyle: { color: c("soft") }, axisLabel: { color: c("soft"), formatter: (v) => +v.toFixed(0) } }),
      yAxis: values(c, { scale: true, min: d.floor, max: d.ceiling }),
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => (p.data && p.data.told ? tools.safe(p.data.told).replace(/\n/g, "<br>") : "") }),
      series: [line(w.limit_95, at(1), c("soft"), [2, 3]), line(w.limit_95, at(2), c("soft"), [2, 3]), line(w.limit_998, at(3), c("soft"), "solid"), line(w.limit_998, at(4), c("soft"), "solid"),
        line(w.centre, [[d.curve[0][0], d.target], [d.curve[d.curve.length - 1][0], d.target]], c("brand"), [8, 4]),
        { type: "scatter", name: w.units, z: 5, labelLayout: { hideOverlap: true }, itemStyle: { color: c("brand") }, data: d.units.map((u) => ({ value: [u.size, u.value], link: u.link, told: u.told, symbol: ["circle", "triangle", "diamond"][far(u)], symbolSize: 8 + 3 * far(u),
          itemStyle: { color: colour[far(u)] }, label: { show: labelled.includes(u.name), formatter: u.name, position: "top", color: c("ink"), fontSize: 11 } })) }],
    });
  };

  charts.deciles = function (d, c, holder, tools) {
    const w = d.words, middle = Math.floor(d.percentiles.length / 2), column = (k) => d.values.map((row) => row[k]);
    const lines = d.percentiles.map((p, k) => line(k === middle ? w.median : w.decile, column(k), c(k === middle ? "brand" : "soft"), k === middle ? [8, 4] : [2, 3], k === middle ? 1.8 : 1));
    if (d.own.length) lines.push({ type: "line", name: d.own_name, data: d.own, symbolSize: 5, z: 5, lineStyle: { color: c("bad"), width: 2 }, itemStyle: { color: c("bad") } });
    return Object.assign(tools.shared(c), { grid: grid(), legend: legend(c, [w.median, w.decile].concat(d.own.length ? [d.own_name] : [])),
      xAxis: Object.assign({ type: "category", data: d.x }, soft(c), { splitLine: { show: false } }), yAxis: values(c, scale(tools, d.values.flat().concat(d.own))), series: lines,
      tooltip: Object.assign(tools.shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => { const i = items[0].dataIndex; return tools.safe(d.x[i]) + "<br>" + tools.safe(d.told[i]).replace(/\n/g, "<br>"); } }) });
  };

  charts.ranks = function (d, c, holder, tools) {
    holder.style.height = 26 * d.names.length + 64 + "px";
    return Object.assign(tools.shared(c), { grid: grid({ top: 8, right: 120, bottom: 24 }),
      yAxis: { type: "category", data: d.names, inverse: true, axisTick: { show: false }, axisLabel: { color: c("ink"), formatter: (v) => (v === d.own ? "▶ " + v : v) }, axisLine: { lineStyle: { color: c("soft") } } },
      xAxis: Object.assign({ type: "value", min: 0, max: d.count + 1, name: d.words.rank, nameLocation: "middle", nameGap: 22 }, soft(c), { nameTextStyle: { color: c("soft") } }),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(d.told[items[0].dataIndex]).replace(/\n/g, "<br>") }),
      series: [tools.spans({ x: d.names, low: d.low, high: d.high }, () => true, true, { stroke: c("brand"), lineWidth: 5, opacity: 0.35 }, false),
        { type: "scatter", z: 6, symbolSize: 10, data: d.rank.map((v, i) => ({ value: [v, i], link: d.links[i], symbol: d.names[i] === d.own ? "diamond" : "circle", itemStyle: { color: c(d.names[i] === d.own ? "bad" : "brand") },
          label: { show: true, position: [16, 0], formatter: d.texts[i], color: c("ink"), fontSize: 11 } })) }],
    });
  };

  // A change as a bridge: from the figure before over its parts to the figure after.
  charts.bridge = function (d, c, holder, tools) {
    const ends = d.bars.map((bar) => [bar.from, bar.to]).flat(), room = (Math.max.apply(null, ends) - Math.min.apply(null, ends) || 1) * 0.25;
    return Object.assign(tools.shared(c), { grid: grid({ top: 22 }),
      xAxis: Object.assign({ type: "category", data: d.bars.map((bar) => bar.name) }, soft(c), { axisLabel: { color: c("ink"), interval: 0, overflow: "break", width: Math.max(50, holder.clientWidth / d.bars.length - 16) } }),
      yAxis: values(c, { min: Math.min.apply(null, ends) - room, max: Math.max.apply(null, ends) + room }),
      tooltip: Object.assign(tools.shared(c).tooltip, { formatter: (items) => tools.safe(d.bars[items[0].dataIndex].told) }),
      series: [{ type: "custom", encode: { x: 0, y: [1, 2] }, data: d.bars.map((bar, i) => ({ value: [i, bar.from, bar.to], link: bar.link })),
        renderItem: (box, api) => { const bar = d.bars[api.value(0)], a = api.coord([api.value(0), api.value(1)]), b = api.coord([api.value(0), api.value(2)]), wide = Math.min(60, api.size([1, 0])[0] * 0.6);
          const colour = bar.tone ? c(bar.tone) : c("brand"), y = bar.is_total ? box.coordSys.y + box.coordSys.height : a[1];
          return { type: "group", children: [
            { type: "rect", shape: { x: a[0] - wide / 2, y: Math.min(y, b[1]), width: wide, height: Math.max(2, Math.abs(y - b[1])) }, style: { fill: colour, opacity: bar.is_total ? 0.45 : 0.8 } },
            { type: "text", style: { text: bar.text, x: a[0], y: Math.min(y, b[1]) - 6, fill: c("ink"), fontSize: 12, align: "center", verticalAlign: "bottom" } }] }; } }],
    });
  };
})();
