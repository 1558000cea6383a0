"use strict";
// Maps over outlines that come with the chart. Load after drawing.js and before app.js. Made in Python by web/maps.py (map_chart) and web/flow_panels.py.
//
// map: counties shaded by a value.
//   { kind: "map", outlines: {code: GeoJSON Polygon or MultiPolygon}, points: {code: [longitude, latitude]} (where a name stands; may be {}), names: {code: text},
//     values: {code: number or null}, texts: {code: text shown beside the name, "" = none}, verdicts: {code: "met" | "missed" | "bounds" | ""},
//     unit: text, links: {code: address a click leads to}, words: {no_data: text} }
// arcs: lines from place to place over the same outlines, as wide as their value; a place beyond the outlines is drawn at their rim.
//   { kind: "arcs", outlines, points, names, texts, links as above; shares: {code: 0 to 1, the shade, or null},
//     groups: [{id, name, tone: name of a colour of app.css, line: "solid" | "dashed" | "dotted"}],
//     arcs: [{from: code, to: code, group: id, value: number, text, link}] }
(function () {
  if (!window.echarts) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const MARKS = { met: "● ", missed: "▲ " };
  const MARGIN = 0.14; // of the outlines' size: how far out places beyond them are drawn
  let registered = 0;

  const { rgba } = window.quanminDrawing;
  const rings = (g) => (g.type === "Polygon" ? [g.coordinates[0]] : g.coordinates.map((part) => part[0]));
  function box(outlines) {
    const all = Object.values(outlines).flatMap(rings).flat();
    const xs = all.map((p) => p[0]), ys = all.map((p) => p[1]);
    const least = (v) => v.reduce((a, b) => Math.min(a, b)), most = (v) => v.reduce((a, b) => Math.max(a, b));
    return { west: least(xs), east: most(xs), south: least(ys), north: most(ys) };
  }
  function register(d) {
    const name = "quanmin-" + ++registered;
    const features = Object.entries(d.outlines).map(([code, geometry]) => ({ type: "Feature", geometry: geometry,
      properties: Object.assign({ name: code }, d.points[code] ? { cp: d.points[code] } : {}) }));
    echarts.registerMap(name, { type: "FeatureCollection", features: features });
    return name;
  }
  window.quanminMaps = { box: box, register: register };
  const squeeze = (b) => Math.cos(((b.south + b.north) / 2) * Math.PI / 180); // a degree of longitude against one of latitude
  window.quanminMaps.squeeze = squeeze;
  const label = (d, c, line) => ({ show: true, color: c("ink"), fontSize: 12, lineHeight: 16, textBorderColor: c("paper"), textBorderWidth: 3, formatter: (p) => line(p.name) });

  charts.map = function (d, c, holder, tools) {
    const known = Object.values(d.values).filter((v) => v !== null), b = box(d.outlines);
    const low = known.length ? Math.min.apply(null, known) : 0, high = known.length ? Math.max.apply(null, known) : 1;
    const edge = (code) => ({ met: c("good"), missed: c("bad"), bounds: c("warn") }[d.verdicts[code]] || c("paper"));
    const said = (code) => (MARKS[d.verdicts[code]] || "") + (d.texts[code] || (d.values[code] === null ? "–" : ""));
    return Object.assign(tools.shared(c), {
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => tools.safe(d.names[p.name] || p.name) + "<br>" +
        (d.values[p.name] === null || d.values[p.name] === undefined ? tools.safe(d.texts[p.name] || d.words.no_data) : tools.safe(said(p.name) + " " + d.unit)) }),
      visualMap: { type: "continuous", min: low, max: high > low ? high : low + 1, show: high > low, calculable: false, orient: "horizontal", left: 0, bottom: 0, itemWidth: 10, itemHeight: 90,
        text: [tools.two(high), tools.two(low)], textStyle: { color: c("soft"), fontSize: 11 }, inRange: { color: [rgba(c("brand"), 0.1), rgba(c("brand"), 0.75)] }, outOfRange: { color: c("ground") } },
      series: [{ type: "map", map: register(d), aspectScale: squeeze(b), preserveAspect: "contain", roam: false, selectedMode: false, top: 8, bottom: 40, left: 8, right: 8,
        label: label(d, c, (code) => d.names[code] + "\n" + said(code)), emphasis: { label: { color: c("ink") }, itemStyle: { areaColor: rgba(c("warn"), 0.35) } },
        data: Object.keys(d.outlines).map((code) => ({ name: code, value: d.values[code] === null ? NaN : d.values[code], link: d.links[code], cursor: d.links[code] ? "pointer" : "default",
          itemStyle: { borderColor: edge(code), borderWidth: d.verdicts[code] ? 2 : 1, areaColor: c("ground"), decal: d.values[code] === null ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -0.785, color: rgba(c("soft"), 0.4) } : undefined } })) }],
    });
  };

  const ICONS = { solid: "path://M0,0H26V4H0Z", dashed: "path://M0,0H7V4H0ZM10,0H17V4H10ZM20,0H27V4H20Z", dotted: "path://M0,0H3V4H0ZM6,0H9V4H6ZM12,0H15V4H12ZM18,0H21V4H18ZM24,0H27V4H24Z" };
  charts.arcs = function (d, c, holder, tools) {
    const b = box(d.outlines), wide = b.east - b.west, tall = b.north - b.south, middle = [(b.west + b.east) / 2, (b.south + b.north) / 2];
    const most = d.arcs.reduce((a, arc) => Math.max(a, arc.value), 0) || 1;
    const isBeyond = (p) => p[0] < b.west || p[0] > b.east || p[1] < b.south || p[1] > b.north;
    function place(code) { // where a place is drawn: its point, or for one beyond the outlines the rim on its side
      const p = d.points[code];
      if (!isBeyond(p)) return p;
      const x = p[0] - middle[0], y = p[1] - middle[1], scale = (0.5 + MARGIN * 0.7) / Math.max(Math.abs(x) / wide, Math.abs(y) / tall);
      return [middle[0] + x * scale, middle[1] + y * scale];
    }
    const beyond = Object.keys(d.points).filter((code) => isBeyond(d.points[code]) && d.arcs.some((arc) => arc.to === code));
    const series = d.groups.map((group, i) => ({ type: "lines", name: group.name, coordinateSystem: "geo", z: 4 + i, symbol: ["none", "arrow"], symbolSize: 7,
      lineStyle: { color: c(group.tone), opacity: 0.72, type: group.line }, emphasis: { lineStyle: { opacity: 1 } },
      data: d.arcs.filter((arc) => arc.group === group.id && d.points[arc.from] && d.points[arc.to]).map((arc) => ({ coords: [place(arc.from), place(arc.to)], link: arc.link, text: arc.text,
        name: d.names[arc.from] + " → " + d.names[arc.to], lineStyle: { width: 0.8 + (holder.clientWidth < 560 ? 6 : 9) * arc.value / most, curveness: 0.16 + 0.13 * i } })) }));
    return Object.assign(tools.shared(c), {
      legend: { data: d.groups.map((group) => ({ name: group.name, icon: ICONS[group.line], itemStyle: { color: c(group.tone) } })), itemWidth: 28, itemHeight: 5, top: 0, left: 0, textStyle: { color: c("ink") } },
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => (p.seriesType === "lines" ? tools.safe(p.data.name) + "<br>" + tools.safe(p.seriesName + " " + p.data.text)
        : tools.safe(d.names[p.name] || p.name) + "<br>" + tools.safe(d.texts[p.name] || "")) }),
      geo: { map: register(d), aspectScale: squeeze(b), preserveAspect: "contain", roam: false, top: 34, bottom: 8, left: beyond.length ? 34 : 8, right: beyond.length ? 34 : 8, selectedMode: false,
        boundingCoords: [[b.west - wide * MARGIN, b.north + tall * MARGIN * 0.5], [b.east + wide * MARGIN, b.south - tall * MARGIN * 0.5]],
        label: { show: false }, itemStyle: { areaColor: c("ground"), borderColor: c("soft"), borderWidth: 1 },
        emphasis: { label: { show: false }, itemStyle: { areaColor: rgba(c("warn"), 0.25) } },
        regions: Object.keys(d.outlines).map((code) => ({ name: code, itemStyle: { areaColor: typeof d.shares[code] === "number" ? rgba(c("brand"), 0.06 + 0.4 * d.shares[code]) : c("ground") } })) },
      series: series.concat([
        { type: "map", geoIndex: 0, data: Object.keys(d.outlines).map((code) => ({ name: code, value: 0, link: d.links[code] })) },
        { type: "scatter", coordinateSystem: "geo", z: 9, itemStyle: { color: c("ink") },
          label: { show: true, position: "bottom", color: c("ink"), fontSize: 12, backgroundColor: rgba(c("paper"), 0.82), padding: [1, 3], borderRadius: 2, formatter: (p) => d.names[p.name] },
          data: Object.keys(d.outlines).filter((code) => d.points[code]).concat(beyond).map((code) => ({ name: code, value: place(code), link: d.links[code],
            symbol: beyond.includes(code) ? "diamond" : "circle", symbolSize: beyond.includes(code) ? 11 : 6 })) },
      ]),
    });
  };
})();
