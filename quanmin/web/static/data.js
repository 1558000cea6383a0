"use strict";
// Charts of the data pages: states by month, shades of shares, stacked counts; and the line that follows a build.
(function () {
  const spread = (holder, rows, step, more) => { holder.style.height = step * rows + (more || 96) + "px"; };
  const { rgba } = window.quanminDrawing;
  const narrow = () => window.innerWidth < 760;
  const names = (d, c) => ({ type: "category", data: d.y, inverse: true, axisTick: { show: false }, axisLine: { show: false },
    axisLabel: { color: c("ink"), width: narrow() ? 96 : 190, overflow: "truncate", interval: 0 } });
  const across = (d, c) => ({ type: "category", data: d.x, position: "top", axisTick: { show: false }, axisLine: { show: false },
    axisLabel: { color: c("soft"), interval: 0, rotate: narrow() ? 60 : 0, hideOverlap: false } });
  const tip = (shared, say) => Object.assign(shared.tooltip, { trigger: "item", axisPointer: undefined, formatter: say });

  function calendarHeat(d, c, holder, tools) {
    const below = narrow() ? 76 : 40;
    spread(holder, d.y.length, 24, (narrow() ? 130 : 60) + below); // names stand slanted on a phone
    const shades = d.tones.map((tone, i) => ({ color: rgba(c(tone), i === 3 ? 0.5 : i === 4 ? 0.5 : 0.28) }));
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: 8, top: 8, bottom: below, containLabel: true }, xAxis: across(d, c), yAxis: names(d, c),
      legend: { bottom: 4, left: 8, selectedMode: false, textStyle: { color: c("ink") }, itemWidth: 14, data: d.states.map((name, i) => ({ name: name, itemStyle: shades[i] })),
        formatter: (name) => { const mark = d.marks[d.states.indexOf(name)]; return mark ? mark + " " + name : name; } },
      series: d.states.map((name, state) => ({ type: "heatmap", name: name, itemStyle: Object.assign({ borderColor: c("paper"), borderWidth: 2 }, shades[state]),
        data: d.cells.filter((cell) => cell[2] === state).map((cell) => ({ value: [cell[0], cell[1], state], said: cell[4], link: cell[5], itemStyle: shades[state],
          label: { show: true, color: c("ink"), fontSize: 11, formatter: cell[3] || d.marks[state] } })) })),
      visualMap: { show: false, min: 0, max: 1, seriesIndex: [] },
      tooltip: tip(tools.shared(c), (item) => tools.safe(d.y[item.value[1]]) + "<br>" + tools.safe(d.x[item.value[0]]) + " · " + tools.safe(item.data.said)),
    });
  }

  function shareHeat(d, c, holder, tools) {
    spread(holder, d.y.length, 24);
    const values = d.cells.map((cell) => cell[2]), low = Math.min.apply(null, values), high = Math.max.apply(null, values), size = high - low || 1;
    const bad = (v) => (d.high ? (high - v) / size : (v - low) / size);
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true }, yAxis: names(d, c),
      xAxis: Object.assign(across(d, c), { axisLabel: { color: c("soft"), interval: 0, width: narrow() ? 90 : 150, overflow: narrow() ? "truncate" : "break", rotate: narrow() ? 50 : 0 } }),
      series: [{ type: "heatmap", data: d.cells.map((cell) => ({ value: cell, link: cell[3],
        itemStyle: { color: rgba(c("warn"), 0.05 + 0.45 * bad(cell[2])), borderColor: c("paper"), borderWidth: 2 },
        label: { show: true, color: c("ink"), fontSize: 11, formatter: tools.two(cell[2]) + (narrow() ? "" : "%") } })) }],
      visualMap: { show: false, min: 0, max: 100, seriesIndex: [] },
      tooltip: tip(tools.shared(c), (item) => tools.safe(d.y[item.value[1]]) + "<br>" + tools.safe(d.x[item.value[0]]) + " " + tools.two(item.value[2]) + "%"),
    });
  }

  function stacked(d, c, holder, tools) {
    const below = narrow() ? 16 + 24 * d.series.length : 64;
    spread(holder, d.y.length, 40, 32 + below);
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: 24, top: 8, bottom: below, containLabel: true }, yAxis: names(d, c),
      xAxis: { type: "value", axisLabel: { color: c("soft") }, splitLine: { lineStyle: { color: c("line") } } },
      legend: { bottom: 0, left: 8, orient: narrow() ? "vertical" : "horizontal", selectedMode: false, textStyle: { color: c("ink"), width: narrow() ? 280 : undefined, overflow: "truncate" }, type: "plain" },
      series: d.series.map((one, i) => ({ type: "bar", stack: "all", name: one.name, barWidth: 20, data: one.data, itemStyle: { color: rgba(c(d.tones[i]), 0.45), borderColor: c("paper") },
        label: { show: true, color: c("ink"), formatter: (item) => (item.value ? item.value : "") } })),
    });
  }

  function dataBars(d, c, holder, tools) {
    spread(holder, d.x.length, 30, 48);
    return Object.assign(tools.shared(c), {
      grid: { left: 8, right: narrow() ? 84 : 120, top: 8, bottom: 8, containLabel: true }, yAxis: names({ y: d.x }, c),
      xAxis: { type: "value", min: 0, splitNumber: narrow() ? 2 : 5, axisLabel: { color: c("soft"), hideOverlap: true, formatter: "{value}" + (d.unit === undefined ? "%" : d.unit) }, splitLine: { lineStyle: { color: c("line") } } },
      series: [{ type: "bar", barWidth: 16, itemStyle: { color: rgba(c("brand"), 0.7) }, data: d.y.map((v, i) => ({ value: v, link: d.links[i],
        label: { show: true, position: "right", color: c("ink"), formatter: d.text[i] } })) }],
      tooltip: tip(tools.shared(c), (item) => tools.safe(d.x[item.dataIndex]) + "<br>" + tools.two(item.value) + (d.unit === undefined ? "%" : d.unit) + " · " + tools.safe(d.text[item.dataIndex])),
    });
  }

  window.quanminCharts = Object.assign(window.quanminCharts || {}, { data_bars: dataBars, calendar_heat: calendarHeat, share_heat: shareHeat, stacked: stacked });

  const line = document.querySelector("[data-poll]");
  if (line && window.fetch) {
    let wasRunning = line.dataset.state === "running";
    const look = () => fetch(line.dataset.poll, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : null)).then((found) => {
      if (!found) return;
      line.textContent = found.text;
      line.dataset.state = found.state;
      if (found.state === "running") { wasRunning = true; window.setTimeout(look, 1500); return; }
      if (wasRunning && found.state === "done") location.reload();
    }).catch(() => window.setTimeout(look, 5000));
    if (wasRunning || line.hasAttribute("data-expected")) window.setTimeout(look, 1000);
  }

  const chosen = document.querySelector("input[type=file][data-largest]");
  if (chosen) chosen.addEventListener("change", () => {
    const file = chosen.files[0];
    chosen.setCustomValidity(file && file.size > Number(chosen.dataset.largest) ? chosen.dataset.toolarge : "");
    chosen.reportValidity();
  });
})();
