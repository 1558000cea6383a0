"use strict";
// What the chart files share: shades of a colour, patterns (colour is never alone), and names that fit. Load after echarts.min.js, before them.
window.quanminDrawing = (function () {
  const rgba = (hex, alpha) => "rgba(" + [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",") + "," + alpha + ")";
  const decals = (c) => ({ none: undefined, lines: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -0.785, color: rgba(c("paper"), 0.55) },
    dots: { symbol: "circle", dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0], symbolSize: 0.7, color: rgba(c("paper"), 0.7) },
    cross: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1, 4], rotation: 0.785, color: rgba(c("paper"), 0.7) } });
  const narrow = (holder) => holder.clientWidth < 560;
  const wide = (letter) => (letter > "\u2e7f" ? 2 : 1); // Chinese characters take the room of two letters
  function clip(text, most) {
    let room = most, kept = "";
    for (const letter of text) { room -= wide(letter); if (room < 0) return kept.slice(0, -1) + "…"; kept += letter; }
    return text;
  }
  return { rgba: rgba, decals: decals, narrow: narrow, clip: clip };
})();
