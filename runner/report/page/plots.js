// Plots of numbers: axes, latencies, the use of limits.

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5,
  72e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];

// Moments from 0 to `end` ms that are round, at most `most` of them.
function moments(end, most) {
  const step = STEPS.find((each) => end / each <= most) || end / most;
  const out = [];
  for (let ms = 0; ms <= end; ms += step) out.push(ms);
  return out;
}

// A line of time below a plot: ticks and their words.
function timeAxis(x, end, top, bottom) {
  const right = x(end);
  return moments(end, Math.max(2, (right - x(0)) / 90)).map((ms) => {
    const anchor = x(ms) > right - 24 ? "end" : "middle";
    return s("g", {},
      s("line", { class: "grid", x1: x(ms), x2: x(ms), y1: top, y2: bottom }),
      s("text", { x: x(ms), y: bottom + 14, "text-anchor": ms === 0 ? "start" : anchor }, ms === 0 ? "0" : duration(ms)));
  });
}

function svg(width, height, label, ...children) {
  return s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label }, ...children);
}

// The last moment that a spec tells of; at least 1 ms, so that there is something to draw on.
function lastMoment(spec) {
  const t = spec.timeline || {};
  let end = Math.max(1, spec.virtual_ms || 0);
  for (const one of [...(t.requests || []), ...(t.limits || [])]) {
    if (one.at.length) end = Math.max(end, one.at[one.at.length - 1] + (one.width > 1 ? one.width : 0));
  }
  for (const fault of t.faults || []) end = Math.max(end, fault.to || fault.from);
  return end;
}

// ---- latencies -----------------------------------------------------------------------------

// Bounds of a bucket in ms; see the schema.
function lowest(bucket) { return bucket === 0 ? 0 : 2 ** ((bucket - 1) / 4) / 1000; }
function middle(bucket) { return bucket === 0 ? 0 : 2 ** ((bucket - 0.5) / 4) / 1000; }

// venue -> Map(bucket -> answers), of several specs.
function latencies(specs) {
  const all = new Map();
  for (const spec of specs) {
    for (const its of spec.timeline && spec.timeline.requests || []) {
      const sums = all.get(its.of) || new Map();
      for (const [bucket, n] of its.latency) sums.set(bucket, (sums.get(bucket) || 0) + n);
      all.set(its.of, sums);
    }
  }
  return new Map([...all].filter(([, sums]) => sums.size > 0).sort(([a], [b]) => a < b ? -1 : 1));
}

// The bucket below which a share of the answers is.
function quantile(sums, share) {
  const sorted = [...sums].sort(([a], [b]) => a - b);
  let left = share * sorted.reduce((n, [, answers]) => n + answers, 0);
  for (const [bucket, n] of sorted) {
    left -= n;
    if (left <= 0) return bucket;
  }
  return sorted[sorted.length - 1][0];
}

const QUANTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]];

function latencyWords(sums) {
  const about = (bucket) => bucket === 0 ? "0" : "~" + duration(middle(bucket));
  return QUANTILES.map(([name, share]) => `${name} ${about(quantile(sums, share))}`)
    .concat("max " + about(Math.max(...sums.keys()))).join(", ");
}

// Round ones between two, on a scale of powers.
function roundLatencies(from, to) {
  const factors = to / from < 300 ? [1, 2, 5] : [1], out = [];
  for (let power = -3; power < 8; power++) {
    for (const factor of factors) out.push(factor * Number(`1e${power}`));
  }
  return out.filter((ms) => ms >= from && ms <= to);
}

// One venue's; null when all answers came at once, which needs no picture.
function latencyPlot(of, sums, width) {
  const taken = [...sums].filter(([bucket]) => bucket > 0);
  if (taken.length === 0) return null;
  const height = 128, top = 22, bottom = height - 22, left = 12, right = width - 12;
  const first = Math.min(...taken.map(([b]) => b)) - 2, last = Math.max(...taken.map(([b]) => b)) + 3;
  const most = Math.max(...taken.map(([, n]) => n));
  const x = (bucket) => left + (bucket - first) / Math.max(last - first, 12) * (right - left);
  const at = (ms) => x(4 * Math.log2(ms * 1000) + 1);
  const y = (n) => bottom - n / most * (bottom - top);
  const out = svg(width, height, `Latency of ${of}: ${latencyWords(sums)}`);
  for (const ms of roundLatencies(lowest(Math.max(1, first)), lowest(last))) {
    if (at(ms) < left + 8 || at(ms) > right - 8) continue;
    out.append(s("line", { class: "grid", x1: at(ms), x2: at(ms), y1: top, y2: bottom }),
      s("text", { x: at(ms), y: bottom + 14, "text-anchor": "middle" }, duration(ms)));
  }
  for (const [bucket, n] of taken) {
    out.append(s("rect", { class: "histogram", x: x(bucket), width: Math.max(1.5, x(bucket + 1) - x(bucket) - 1),
      y: Math.min(y(n), bottom - 1.5), height: Math.max(1.5, bottom - y(n)),
      tip: `${plural(n, "answer")} after ${duration(lowest(bucket))} to ${duration(lowest(bucket + 1))}` }));
  }
  out.append(s("line", { class: "edge", x1: left, x2: right, y1: bottom, y2: bottom }));
  let free = -Infinity;
  for (const [name, share] of QUANTILES) {
    const bucket = quantile(sums, share), px = x(bucket + 0.5);
    if (bucket === 0) continue;
    out.append(s("line", { class: "quantile", x1: px, x2: px, y1: top - 6, y2: bottom }));
    if (px < free) continue; // two lie together: the first one is named
    out.append(s("text", { x: px + 3, y: top - 8 }, name));
    free = px + 30;
  }
  return out;
}

// The latencies of specs: a plot a venue, words for those that need none.
function latencySection(specs, width, clock) {
  const all = latencies(specs);
  if (all.size === 0) return null;
  const figures = [], calm = [];
  for (const [of, sums] of all) {
    const total = [...sums.values()].reduce((a, b) => a + b, 0), atOnce = sums.get(0) || 0;
    const plot = latencyPlot(of, sums, width);
    if (!plot) {
      calm.push(`${of}: ${plural(total, "answer")}`);
      continue;
    }
    figures.push(h("figure", {}, h("figcaption", { class: "line" }, h("b", {}, of),
      h("span", {}, plural(total, "answer") + (atOnce ? `, ${count(atOnce)} at once` : "")),
      h("span", {}, latencyWords(sums))), h("div", { class: "plot" }, plot)));
  }
  const note = calm.length === 0 ? null
    : h("p", { class: "note" }, `${calm.join(", ")}: all at once${clock === "virtual" ? " on the virtual clock, where only faults take time" : ""}.`);
  return h("section", { "data-plot": "latency" }, h("h3", {}, "Latency", h("small", {}, "of answers, by venue")),
    figures.length ? h("div", { class: "two" }, figures) : null, note);
}

// ---- limits --------------------------------------------------------------------------------

function peakOf(budget) { return budget.used.reduce((a, b) => Math.max(a, b), 0); }

// Corners of the line of use: what is known at each grant, and how it comes back meanwhile.
function useLine(budget, end) {
  const corners = [[0, 0]];
  budget.at.forEach((at, i) => {
    const until = i + 1 < budget.at.length ? budget.at[i + 1] : end;
    const held = Math.min(until, at + (budget.width > 1 ? budget.width : 0));
    let used = budget.used[i];
    corners.push([at, corners[corners.length - 1][1]], [at, used], [held, used]);
    if (budget.kind === "bucket") {
      const empty = held + used * budget.period_ms / budget.refill;
      if (empty <= until) corners.push([empty, 0]);
      else used -= (until - held) * budget.refill / budget.period_ms;
      corners.push([until, empty <= until ? 0 : used]);
    } else {
      const turn = budget.turn_ms + Math.ceil((held - budget.turn_ms + 1e-9) / budget.period_ms) * budget.period_ms;
      if (turn <= until) corners.push([turn, used], [turn, 0]);
      corners.push([until, turn <= until ? 0 : used]);
    }
  });
  return corners;
}

// Spans in which a venue has some fault.
function troubled(spec, venue, end) {
  const spans = [];
  for (const fault of (spec.timeline.faults || []).filter((each) => each.venue === venue)) {
    const to = fault.to === undefined ? end : fault.to, last = spans[spans.length - 1];
    if (last && fault.from <= last[1]) last[1] = Math.max(last[1], to);
    else spans.push([fault.from, to]);
  }
  return spans;
}

function limitPlot(budget, spec, width) {
  const height = 132, top = 20, bottom = height - 22, left = 12, right = width - 12, end = lastMoment(spec);
  const peak = peakOf(budget), most = Math.max(budget.limit, peak) * 1.04;
  const x = (ms) => left + ms / end * (right - left), y = (used) => bottom - used / most * (bottom - top);
  const out = svg(width, height, `Use of ${budget.of} ${budget.budget}: at most ${peak} of ${budget.limit}`);
  for (const [from, to] of troubled(spec, budget.of, end)) {
    out.append(s("rect", { class: "fault-shade", x: x(from), width: Math.max(2, x(to) - x(from)), y: top,
      height: bottom - top, tip: `${budget.of} has a fault\n${duration(from)} to ${duration(to)}` }));
  }
  out.append(...timeAxis(x, end, top, bottom));
  const corners = useLine(budget, end).map(([ms, used]) => `${x(ms).toFixed(1)},${y(used).toFixed(1)}`).join(" ");
  out.append(s("polygon", { class: "use-area", points: `${left},${bottom} ${corners} ${right},${bottom}` }),
    s("polyline", { class: "use", points: corners }),
    s("line", { class: "limit", x1: left, x2: right, y1: y(budget.limit), y2: y(budget.limit) }),
    s("text", { x: right, y: y(budget.limit) - 5, "text-anchor": "end" }, `limit ${count(budget.limit)}`));
  budget.at.forEach((ms, i) => {
    out.append(s("circle", { class: "peak", cx: x(ms), cy: y(budget.used[i]), r: 2.2,
      tip: `${duration(ms)}: ${count(budget.used[i])} of ${count(budget.limit)} used` }));
  });
  return out;
}

const PLOTTED = 4; // of a spec's budgets at once

function limitFigure(budget, spec, width) {
  const peak = peakOf(budget);
  return h("figure", {}, h("figcaption", { class: "line" }, h("span", {}, h("b", {}, budget.of), ` ${budget.budget}`),
    h("span", {}, `at most ${count(peak)} of ${count(budget.limit)}, ${percent(peak, budget.limit)}`)),
  h("div", { class: "plot" }, limitPlot(budget, spec, width)));
}

function limitSection(spec, width) {
  const all = spec.timeline && spec.timeline.limits || [];
  if (all.length === 0) return null;
  const used = all.filter((budget) => peakOf(budget) * 10 >= budget.limit), calm = all.filter((b) => !used.includes(b));
  const plotWidth = used.length === 1 ? Math.min(width, 680) : Math.max(320, Math.floor((width - 12) / 2));
  const figures = used.map((budget) => limitFigure(budget, spec, plotWidth));
  const left = spec.timeline.left_out && spec.timeline.left_out.budgets;
  const words = calm.map((b) => `${b.of} ${b.budget} ${count(peakOf(b))} of ${count(b.limit)}`)
    .concat(left ? [`${left} more`] : []);
  const more = figures.length - PLOTTED;
  return h("section", { "data-plot": "limits" },
    h("h3", {}, "Use of limits", h("small", {}, "at each grant, on the spec's clock; the shade: the venue has a fault")),
    figures.length ? h("div", { class: "limits" }, figures.slice(0, PLOTTED)) : null,
    more > 0 ? folded(`${more} more`, h("div", { class: "limits" }, figures.slice(PLOTTED)), false) : null,
    words.length ? h("p", { class: "note" }, `${used.length ? "Hardly used" : "All hardly used"}: ${words.join(", ")}.`) : null);
}
