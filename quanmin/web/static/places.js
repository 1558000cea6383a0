"use strict";
// Maps over time. Load after maps.js and before app.js. Made in Python by web/case_panels.py (place_map).
// {kind: "place_map", outlines: {code: GeoJSON}, spots: [{name, at: [longitude, latitude], cases: [number], rates: [number or null], link}], frames: [text],
//  totals: [number], words: {cases, rate, week, play, stop, back, on}}: circles as large as cases, as dark as rates; more than one frame: a slider.
// Nothing moves by itself: the button starts it, and is not there where somebody asked for less motion.
(function () {
  if (!window.echarts || !window.quanminMaps) return;
  const charts = (window.quanminCharts = window.quanminCharts || {});
  const { rgba } = window.quanminDrawing, { box, register, squeeze } = window.quanminMaps;
  const STEP = 900, SMALLEST = 7, LARGEST = 46, MARGIN = 0.12;

  function around(spots) { // a frame where no outline is registered
    const xs = spots.map((s) => s.at[0]), ys = spots.map((s) => s.at[1]);
    const west = Math.min.apply(null, xs), east = Math.max.apply(null, xs), south = Math.min.apply(null, ys), north = Math.max.apply(null, ys);
    const m = MARGIN * Math.max(east - west, north - south, 0.02);
    return { frame: { type: "Polygon", coordinates: [[[west - m, south - m], [east + m, south - m], [east + m, north + m], [west - m, north + m], [west - m, south - m]]] } };
  }

  function series(d, c, frame) {
    const most = Math.max.apply(null, d.spots.flatMap((s) => s.cases).concat(8));
    const highest = Math.max.apply(null, d.spots.flatMap((s) => s.rates).filter((r) => r !== null).concat(0)) || 1;
    const dark = (rate) => (rate === null ? 0.25 : 0.25 + 0.65 * Math.sqrt(rate / highest));
    const size = (n) => (n ? SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(n / most) : 4);
    return [{ type: "scatter", coordinateSystem: "geo", z: 5, data: d.spots.map((s) => ({ name: s.name, value: s.at.concat(s.cases[frame]), rate: s.rates[frame], link: s.link,
      cursor: s.link ? "pointer" : "default", symbolSize: size(s.cases[frame]),
      itemStyle: { color: s.cases[frame] ? rgba(c("warn"), dark(s.rates[frame])) : rgba(c("soft"), 0.5), borderColor: c(s.cases[frame] ? "ink" : "soft"), borderWidth: s.cases[frame] ? 1 : 0 },
      label: { show: s.cases[frame] > 0, formatter: s.name + " " + s.cases[frame], position: "bottom", color: c("ink"), fontSize: 12, textBorderColor: c("paper"), textBorderWidth: 3 } })),
      labelLayout: { hideOverlap: true } }];
  }

  function player(d, holder, show) {
    const bar = document.createElement("div"), slider = document.createElement("input"), said = document.createElement("output");
    const button = (text, act) => { const one = document.createElement("button"); one.type = "button"; one.textContent = text; one.addEventListener("click", act); return one; };
    const last = d.frames.length - 1;
    let timer = 0;
    bar.className = "player";
    Object.assign(slider, { type: "range", min: 0, max: last, step: 1, value: holder.dataset.frame });
    slider.setAttribute("aria-label", d.words.week);
    const go = (frame) => {
      holder.dataset.frame = frame;
      slider.value = frame;
      const text = d.words.week + " " + d.frames[frame] + " · " + d.words.cases + " " + d.totals[frame];
      said.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      show(frame);
    };
    const halt = () => { clearInterval(timer); timer = 0; play.textContent = "▶ " + d.words.play; };
    const play = button("▶ " + d.words.play, () => {
      if (timer) return halt();
      if (Number(slider.value) === last) go(0);
      play.textContent = "■ " + d.words.stop;
      timer = setInterval(() => { if (Number(slider.value) < last) go(Number(slider.value) + 1); else halt(); }, STEP);
    });
    const step = (by) => () => { halt(); go(Math.min(last, Math.max(0, Number(slider.value) + by))); };
    slider.addEventListener("input", () => { halt(); go(Number(slider.value)); });
    if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) bar.append(play);
    const back = button("‹", step(-1)), on = button("›", step(1));
    back.setAttribute("aria-label", d.words.back);
    on.setAttribute("aria-label", d.words.on);
    bar.append(back, slider, on, said);
    holder.after(bar);
    return go;
  }

  charts.place_map = function (d, c, holder, tools) {
    const shapes = Object.keys(d.outlines).length ? d.outlines : around(d.spots), peak = d.totals.indexOf(Math.max.apply(null, d.totals));
    if (holder.dataset.frame === undefined) {
      holder.dataset.frame = peak;
      if (d.frames.length > 1) {
        const show = (frame) => { const chart = echarts.getInstanceByDom(holder); if (chart) chart.setOption({ series: series(d, holder.quanminColours, frame) }); };
        holder.quanminColours = c;
        player(d, holder, show)(peak);
      }
    }
    holder.quanminColours = c;
    return Object.assign(tools.shared(c), {
      geo: { map: register({ outlines: shapes, points: {} }), aspectScale: squeeze(box(shapes)), preserveAspect: "contain", roam: false, silent: true, top: 8, bottom: 28, left: 8, right: 8,
        itemStyle: { areaColor: rgba(c("brand"), 0.05), borderColor: c("soft"), borderWidth: 0.7 }, label: { show: false } },
      tooltip: Object.assign(tools.shared(c).tooltip, { trigger: "item", formatter: (p) => tools.safe(p.name) + "<br>" + tools.safe(d.words.cases) + " " + p.value[2] +
        (p.data.rate === null ? "" : "<br>" + tools.safe(d.words.rate) + " " + p.data.rate) }),
      graphic: { type: "text", left: 8, bottom: 4, silent: true, style: { text: "◯ " + d.words.cases + " · ◐ " + d.words.rate, fill: c("soft"), fontSize: 12, fontFamily: tools.shared(c).textStyle.fontFamily } },
      series: series(d, c, Number(holder.dataset.frame)),
    });
  };
})();
