// Loads of a spec: their numbers, what was asked of them, how their latencies are spread.

const LATENCIES = ["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];

function errorWords(its) {
  if (its.failed === 0) return "0";
  const classes = Object.entries(its.classes || {}).sort(([, a], [, b]) => b - a).map(([name, n]) => `${name} ${count(n)}`);
  return `${count(its.failed)}, ${percent(its.failed, its.count)}: ${classes.join(", ")}`;
}

function loadRow(its) {
  return h("tr", {}, h("th", {}, its.of), h("td", {}, its.model), h("td", {}, count(its.planned)),
    h("td", { class: its.dropped > 0 ? "off" : null }, its.model === "open" ? count(its.dropped) : "–"),
    h("td", { class: its.failed > 0 ? "off" : null }, errorWords(its)), h("td", {}, `${short(its.rate)}/s`),
    LATENCIES.map((name) => h("td", {}, its.latency ? duration(its.latency[name]) : "–")));
}

function loadTable(loads) {
  const head = ["", "model", "runs", "dropped", "errors", "rate", ...LATENCIES];
  return h("div", { class: "wide" }, h("table", { class: "loads" },
    h("thead", {}, h("tr", {}, head.map((word) => h("th", {}, word)))), h("tbody", {}, loads.map(loadRow))));
}

// "p99 < 0.050" is marked when it does not hold, and says what the value is.
function thresholdWords(its) {
  if (!its.thresholds) return null;
  return h("p", { class: "thresholds" }, its.thresholds.map((one) => h("span", { class: one.held ? "held" : "broken" },
    `${one.held ? "✓" : "✗"} ${one.text}`, one.held ? null : h("b", {}, ` is ${short(one.value)}`))));
}

function loadFigure(its, width) {
  const sums = new Map(its.buckets), plot = latencyPlot(its.of, sums, width);
  if (!plot && !its.thresholds) return null;
  return h("figure", {}, h("figcaption", { class: "line" }, h("b", {}, its.of),
    h("span", {}, `${plural(its.count, "run")} in ${duration(its.duration)}, at most ${count(its.in_flight)} at once`)),
  plot ? h("div", { class: "plot" }, plot) : h("p", { class: "note" }, "All at once."), thresholdWords(its));
}

function loadSection(spec, width) {
  const loads = spec.timeline && spec.timeline.loads || [], left = spec.timeline && spec.timeline.left_out;
  if (loads.length === 0) return null;
  const figures = loads.map((its) => loadFigure(its, Math.min(width, 520))).filter((figure) => figure);
  return h("section", { "data-plot": "load" },
    h("h3", {}, "Load", h("small", {}, "latencies count from when a run was meant to begin")), loadTable(loads),
    figures.length ? h("div", { class: "two" }, figures) : null,
    left && left.loads ? h("p", { class: "note" }, `${plural(left.loads, "more load")} left out.`) : null);
}
