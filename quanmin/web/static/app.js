"use strict";
// Draws the charts of a page: values with their intervals, what is known only by bounds as a thick bar, targets as dashed lines.
(function () {
  if (!window.echarts) return;
  const safe = echarts.format.encodeHTML;
  const two = (v) => v.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const range = (d, i) => (d.low[i] === null ? "" : "<br>" + safe(d.bounds[i] ? d.words.bounds : d.words.interval) + " " + two(d.low[i]) + "–" + two(d.high[i]));
  const told = (d, i) => safe(d.x[i]) + "<br>" + (d.y[i] === null ? (d.low[i] === null ? safe(d.words.no_data) : "") : safe(d.words.value) + " " + two(d.y[i]) + " " + safe(d.words.unit)) + range(d, i);
  const colours = () => { const style = getComputedStyle(document.documentElement); return (name) => style.getPropertyValue("--" + name).trim(); };
  const shared = (c) => ({ animation: false, aria: { enabled: true }, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, backgroundColor: c("paper"), borderColor: c("line"), textStyle: { color: c("ink") } } });
  const aim = (d, c, axis) => (d.target === null ? undefined : { silent: true, symbol: "none", data: [axis === "y" ? { yAxis: d.target } : { xAxis: d.target }],
    lineStyle: { color: c("bad"), type: "dashed", width: 1.5 }, label: { formatter: d.words.target + " " + d.target, color: c("bad"), position: axis === "y" ? "insideStartTop" : "start" } });
  // A line from low to high of every point that passes `wanted`; with `caps`, ends like those of an error bar.
  const spans = (d, wanted, lies, style, caps) => ({ type: "custom", silent: true, z: 5, encode: lies ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    data: d.x.map((_, i) => [i, d.low[i], d.high[i]]).filter((p) => p[1] !== null && wanted(p[0])),
    renderItem: (_, api) => {
      const point = (v) => (lies ? api.coord([api.value(v), api.value(0)]) : api.coord([api.value(0), api.value(v)]));
      const a = point(1), b = point(2), s = caps ? 4 : 0;
      const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: style });
      const ends = s ? [a, b].map((p) => (lies ? line(p[0], p[1] - s, p[0], p[1] + s) : line(p[0] - s, p[1], p[0] + s, p[1]))) : [];
      return { type: "group", children: [line(a[0], a[1], b[0], b[1])].concat(ends) };
    } });
  const tidy = (v) => { const unit = Math.pow(10, Math.floor(Math.log10(v))); return [1, 2, 5, 10].find((n) => n * unit >= v) * unit; };
  const span = (values) => { const found = values.filter((v) => v !== null); return [Math.min.apply(null, found), Math.max.apply(null, found)]; };

  function trend(d, c) {
    const [low, high] = span(d.y.concat(d.low, d.high, [d.target])), step = tidy((high - low || Math.abs(high) || 1) / 5);
    const sure = (v, i) => (d.bounds[i] ? null : v), none = { opacity: 0 };
    const band = { type: "line", stack: "band", symbol: "none", lineStyle: none, silent: true };
    return Object.assign(shared(c), {
      grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
      xAxis: { type: "category", data: d.x, axisLabel: { color: c("soft") }, axisLine: { lineStyle: { color: c("soft") } } },
      yAxis: { type: "value", min: Math.floor(low / step) * step, max: Math.ceil(high / step) * step, interval: step, axisLabel: { color: c("soft"), formatter: (v) => +v.toFixed(2) },
        splitLine: { lineStyle: { color: c("line") } } },
      series: [
        Object.assign({ data: d.low.map(sure) }, band),
        Object.assign({ data: d.low.map((v, i) => (v === null || d.bounds[i] ? null : d.high[i] - v)), areaStyle: { color: c("brand"), opacity: 0.16 } }, band),
        { type: "line", data: d.y, symbolSize: 5, showSymbol: d.x.length < 40, lineStyle: { color: c("brand"), width: 2 }, itemStyle: { color: c("brand") }, markLine: aim(d, c, "y") },
        spans(d, (i) => d.bounds[i], false, { stroke: c("warn"), lineWidth: 6, opacity: 0.85 }, false),
      ],
      tooltip: Object.assign(shared(c).tooltip, { axisPointer: { type: "line" }, formatter: (items) => told(d, items[0].dataIndex) }),
    });
  }

  function bars(d, c, holder) {
    holder.style.height = 34 * d.x.length + 56 + "px";
    const [low, high] = span(d.y.concat(d.high, d.low, [d.target])), signs = { met: "● ", missed: "▲ " };
    const tone = (i) => ({ met: c("good"), missed: c("bad") }[d.verdict[i]] || c("brand"));
    return Object.assign(shared(c), {
      grid: { left: 8, right: d.text.some((t) => t.length > 8) ? 110 : 78, top: 26, bottom: 8, containLabel: true },
      yAxis: { type: "category", data: d.x, inverse: true, axisLabel: { color: c("ink"), interval: 0, width: Math.max(80, holder.clientWidth * 0.34), overflow: "break", lineHeight: 14 }, axisTick: { show: false }, axisLine: { lineStyle: { color: c("soft") } } },
      xAxis: { type: "value", min: low < 0 ? undefined : 0, max: d.words.unit === "%" && low >= 0 && high > 60 && high <= 100 ? 100 : undefined, axisLabel: { color: c("soft"), hideOverlap: true },
        splitLine: { lineStyle: { color: c("line") } } },
      series: [
        { type: "bar", barWidth: 16, data: d.y.map((v, i) => ({ value: v, itemStyle: { color: tone(i), opacity: 0.78 } })), markLine: aim(d, c, "x") },
        { type: "custom", silent: true, encode: { x: 1, y: 0 }, data: d.x.map((_, i) => [i, 0]),
          renderItem: (grid, api) => { const i = api.value(0), box = grid.coordSys;
            return { type: "text", style: { text: (signs[d.verdict[i]] || "") + d.text[i], x: box.x + box.width + 10, y: api.coord([0, i])[1], fill: c("ink"), fontSize: 12, verticalAlign: "middle" } }; } },
        spans(d, (i) => !d.bounds[i], true, { stroke: c("ink"), lineWidth: 1.5 }, true),
        spans(d, (i) => d.bounds[i], true, { stroke: c("warn"), lineWidth: 8, opacity: 0.85 }, false),
      ],
      tooltip: Object.assign(shared(c).tooltip, { formatter: (items) => { const i = items[0].dataIndex;
        return told(d, i) + (d.targets[i] === null ? "" : "<br>" + safe(d.words.target) + " " + d.targets[i]); } }),
    });
  }

  const tools = { shared: shared, safe: safe, two: two, aim: aim, spans: spans, tidy: tidy, span: span };
  const kinds = Object.assign({ trend: trend, bars: bars }, window.quanminCharts); // other files draw more kinds
  const drawn = [];
  function draw(holder) {
    const d = JSON.parse(document.getElementById(holder.dataset.chart).textContent), label = holder.getAttribute("aria-label");
    const option = () => kinds[d.kind](d, colours(), holder, tools);
    const first = option(), chart = echarts.init(holder, null, { renderer: "svg" });
    chart.setOption(first);
    chart.on("click", (event) => { const link = event.data && event.data.link || d.links && d.links[event.dataIndex]; if (link) location.assign(link); });
    holder.setAttribute("aria-label", label);
    drawn.push({ chart: chart, again: () => { chart.setOption(option(), true); chart.resize(); } });
  }
  const drawAll = (root) => root.querySelectorAll("[data-chart]").forEach(draw);
  drawAll(document);
  document.addEventListener("htmx:afterSettle", (event) => drawAll(event.target));
  document.addEventListener("toggle", () => drawn.forEach((one) => one.chart.resize()), true);
  let waiting = 0; // charts are laid out for the width they have: a phone that is turned draws them anew
  window.addEventListener("resize", () => { drawn.forEach((one) => one.chart.resize()); clearTimeout(waiting); waiting = setTimeout(() => drawn.forEach((one) => one.again()), 150); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((one) => one.again()));
})();
