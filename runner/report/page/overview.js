// The run as a whole, or what of it the filter lets through.

function tally(specs) {
  const out = { all: specs.length };
  for (const choice of CHOICES.slice(1)) out[choice.key] = specs.filter((spec) => choice.of.includes(spec.status)).length;
  return out;
}

function tile(kind, word, value) {
  return h("div", { class: kind ? `s-${kind}` : "" }, h("dt", {}, word), h("dd", {}, value));
}

function tilesOf(specs, run) {
  const n = tally(specs), virtual = specs.reduce((sum, spec) => sum + (spec.virtual_ms || 0), 0);
  const real = specs.reduce((sum, spec) => sum + (spec.real_us || 0), 0) / 1000;
  return h("dl", { class: "tiles" },
    n.fail || !n.pass ? tile("fail", "failed", count(n.fail)) : null,
    tile("pass", "passed", count(n.pass)),
    n.flaky ? tile("flaky", "flaky", count(n.flaky)) : null,
    n.xfail ? tile(null, "failed as expected", count(n.xfail)) : null,
    n.cut ? tile(null, "interrupted", count(n.cut)) : null,
    n.skip ? tile(null, "skipped", count(n.skip)) : null,
    tile(null, "real time, added up", duration(real)),
    run.start.clock === "virtual" ? tile(null, "on the specs' clocks", duration(virtual)) : null);
}

function shareBar(specs) {
  const n = tally(specs), words = CHOICES.slice(1).filter((c) => n[c.key]).map((c) => `${n[c.key]} ${c.word}`).join(", ");
  return h("div", { class: "share", role: "img", "aria-label": words }, CHOICES.slice(1).filter((c) => n[c.key]).map((c) => {
    const part = h("span", { class: `s-${c.key}`, tip: `${count(n[c.key])} ${c.word}` });
    part.style.flexGrow = n[c.key];
    return part;
  }));
}

const MOST_FAILURES = 12;

function failureCards(specs) {
  const failed = specs.filter((spec) => isFailed(spec) || spec.status === "flaky");
  if (failed.length === 0) return null;
  const more = failed.length - MOST_FAILURES;
  return h("section", {}, h("h3", {}, failed.some(isFailed) ? "What failed" : "What was flaky"), h("div", { class: "cards" },
    failed.slice(0, MOST_FAILURES).map((spec) => h("a", { class: `card s-${spec.status}`, href: linkTo(spec) },
      h("small", {}, [spec.path, ...spec.blocks].join(" › ")), h("b", {}, spec.title),
      spec.message ? h("pre", {}, spec.message) : null))),
  more > 0 ? h("p", { class: "note" }, `${plural(more, "more failure")}: choose "failed" above.`) : null);
}

// rows: [{ label, href, share (0..1), kind, words }]
function barRows(rows) {
  return h("div", { class: "bars" }, rows.flatMap(({ label, href, share, kind, words }) => {
    const bar = h("span", { class: `fill ${kind || ""}` });
    bar.style.width = `${Math.max(0.5, Math.min(100, 100 * share))}%`;
    return [href ? h("a", { href, title: label }, label) : h("span", { title: label }, label),
      h("span", { class: "track" }, bar), h("span", { class: "n" }, words)];
  }));
}

const SLOWEST = 8;

// What a spec is called among others: where several have a title, with the blocks around it, which differ.
function labels(specs) {
  return specs.map((spec) => specs.some((other) => other !== spec && other.title === spec.title)
    ? [...spec.blocks, spec.title].join(" › ") : spec.title);
}

function slowest(specs) {
  const sorted = specs.filter((spec) => spec.real_us > 0).sort((a, b) => b.real_us - a.real_us).slice(0, SLOWEST);
  if (sorted.length < 2) return null;
  const names = labels(sorted);
  return h("section", {}, h("h3", {}, "Slowest", h("small", {}, "in real time")), barRows(sorted.map((spec, i) => ({
    label: names[i], href: linkTo(spec), share: spec.real_us / sorted[0].real_us, words: duration(spec.real_us / 1000),
  }))));
}

// The highest use of each budget, and the spec in which that was.
function highestUse(specs) {
  const best = new Map();
  for (const spec of specs) {
    for (const budget of spec.timeline && spec.timeline.limits || []) {
      const key = `${budget.of} ${budget.budget}`, share = peakOf(budget) / budget.limit;
      if (!best.has(key) || share > best.get(key).share) best.set(key, { spec, budget, share });
    }
  }
  const rows = [...best].sort(([, a], [, b]) => b.share - a.share || b.budget.limit - a.budget.limit).slice(0, SLOWEST);
  if (rows.length === 0) return null;
  return h("section", { "data-plot": "highest" }, h("h3", {}, "Closest to a limit", h("small", {}, "the highest use of each budget, by any spec")),
    barRows(rows.map(([key, { spec, budget, share }]) => ({
      label: key, href: linkTo(spec), share, kind: share > 1 ? "bad" : share >= 0.8 ? "near" : "",
      words: `${count(peakOf(budget))} of ${count(budget.limit)}`,
    }))));
}

function faultsUsed(specs) {
  const by = new Map();
  for (const spec of specs) {
    const names = new Set((spec.timeline && spec.timeline.faults || []).map((fault) => fault.name));
    for (const name of names) {
      const its = by.get(name) || { specs: 0, failed: 0 };
      its.specs++;
      its.failed += isFailed(spec) ? 1 : 0;
      by.set(name, its);
    }
  }
  const rows = [...by].sort(([, a], [, b]) => b.failed - a.failed || b.specs - a.specs).slice(0, 12);
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map(([, its]) => its.specs));
  return h("section", {}, h("h3", {}, "Faults", h("small", {}, "in how many specs each was committed")), barRows(rows.map(([name, its]) => ({
    label: name, share: its.specs / most, kind: its.failed ? "bad" : "",
    words: its.failed ? `${plural(its.specs, "spec")}, ${count(its.failed)} failed` : plural(its.specs, "spec"),
  }))));
}

function overview(specs, run, filtered, width) {
  const two = width > 800, half = two ? Math.floor((width - 40) / 2) : width;
  return [
    h("h1", {}, filtered ? "What the filter shows" : "Overview"),
    tilesOf(specs, run), shareBar(specs), failureCards(specs),
    latencySection(specs, half, run.start.clock),
    h("div", { class: "two" }, highestUse(specs), faultsUsed(specs)),
    slowest(specs),
    run.output.length && !filtered ? h("section", {}, h("h3", {}, "Printed outside of specs"), run.output.map(({ path, text }) =>
      folded(path, h("pre", { class: "log" }, h("div", {}, text)), false))) : null,
  ];
}
