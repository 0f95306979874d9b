// One spec over time: requests of each venue, its faults, the states of breakers, and whom a failover group used.

const STATES = { closed: "closed", half_open: "half open", open: "open", stopped: "stopped" };

function faultWords(fault) {
  const where = fault.on ? ` on ${fault.on}` : "";
  const end = fault.to === undefined ? "to the end" : `to ${duration(fault.to)}`;
  return `fault ${fault.name}${where} at ${fault.venue}\n${duration(fault.from)} ${end}`;
}

// ---- lanes: { label, height, draw(top) -> elements } ----------------------------------------

const LEFT = 118, ROW = 17, BARS = 30;

// Where a fault and its words are drawn: inside, behind, or before it.
function placeOf(fault, x, end, right) {
  const from = x(fault.from), to = Math.max(from + 3, x(fault.to === undefined ? end : fault.to));
  const words = fault.on ? `${fault.name} on ${fault.on}` : fault.name, room = words.length * 6.2 + 10;
  if (to - from >= room) return { words, from, to, first: from, last: to, at: from + 6, anchor: "start" };
  if (right - to >= room) return { words, from, to, first: from, last: to + room, at: to + 5, anchor: "start" };
  return { words, from, to, first: from - room, last: to, at: from - 5, anchor: "end" };
}

// Faults that would overlap lie one below the other.
function rowsOf(faults, x, end, right) {
  const rows = [];
  for (const fault of [...faults].sort((a, b) => a.from - b.from)) {
    const place = placeOf(fault, x, end, right);
    let row = rows.find((each) => each.last <= place.first);
    if (!row) rows.push(row = { places: [] });
    row.places.push([fault, place]);
    row.last = place.last;
  }
  return rows.map((row) => row.places);
}

function drawFault([fault, { words, from, to, at, anchor }], top) {
  return s("g", { tip: faultWords(fault) },
    s("rect", { class: "fault", x: from, width: to - from, y: top + 1, height: ROW - 4, rx: 2.5 }),
    s("text", { class: "fault-name", x: at, y: top + 11, "text-anchor": anchor }, words));
}

// Answers as columns, one for so many pixels.
function drawRequests(requests, x, top, end) {
  const step = 4, columns = new Map(), base = top + BARS - 2;
  requests.at.forEach((ms, i) => {
    const column = Math.floor(Math.min(x(ms) - LEFT, x(end) - LEFT - step) / step);
    const sum = columns.get(column) || { ok: 0, refused: 0, failed: 0, from: ms };
    for (const kind of ["ok", "refused", "failed"]) sum[kind] += requests[kind][i];
    sum.to = Math.min(end, ms + requests.width);
    columns.set(column, sum);
  });
  const total = (sum) => sum.ok + sum.refused + sum.failed;
  const most = Math.max(...[...columns.values()].map(total));
  return [...columns].map(([column, sum]) => {
    const height = Math.max(4, Math.sqrt(total(sum) / most) * (BARS - 6));
    let y = base;
    const words = [["ok", "answered"], ["refused", "refused"], ["failed", "without an answer"]]
      .filter(([kind]) => sum[kind]).map(([kind, word]) => `${count(sum[kind])} ${word}`);
    return s("g", { tip: `${duration(sum.from)}  ${requests.of}\n${words.join(", ")}` },
      ["ok", "refused", "failed"].filter((kind) => sum[kind]).map((kind) => {
        const part = Math.max(1.5, height * sum[kind] / total(sum));
        y -= part;
        return s("rect", { class: kind, x: LEFT + column * step, width: step - 1, y, height: part });
      }));
  });
}

function venueLane(name, spec, x, end, right) {
  const t = spec.timeline, rows = rowsOf((t.faults || []).filter((fault) => fault.venue === name), x, end, right);
  const requests = (t.requests || []).find((each) => each.of === name);
  return {
    label: name, height: rows.length * ROW + (requests ? BARS : 4),
    draw: (top) => rows.flatMap((row, i) => row.map((each) => drawFault(each, top + i * ROW)))
      .concat(requests ? drawRequests(requests, x, top + rows.length * ROW, end) : []),
  };
}

// Spans of a band: [from, to, class, words, what the pointer shows].  Those of no length are drawn over the others.
function bandLane(label, spans, x, height) {
  return {
    label, height,
    draw: (top) => [...spans].sort((a, b) => (a[1] === a[0]) - (b[1] === b[0])).map(([from, to, kind, words, tip]) => {
      const width = Math.max(2, x(to) - x(from));
      const fits = words && width > words.length * 7 + 8;
      return s("g", { tip: `${tip}\n${duration(from)} to ${duration(to)}` },
        s("rect", { class: `band ${kind}`, x: x(from), width, y: top + 2, height: height - 4, rx: 2 }),
        fits ? s("text", { class: "on-band", x: x(from) + 6, y: top + height / 2 + 4 }, words) : null);
    }),
  };
}

function breakerLane(breaker, label, x, end) {
  const changes = [[0, "closed"], ...breaker.states];
  const spans = changes.map(([from, state], i) => [from, i + 1 < changes.length ? changes[i + 1][0] : end, state, null,
    `${breaker.of}: ${STATES[state]}`]).slice(changes[1][0] === 0 ? 1 : 0);
  return bandLane(label, spans, x, 13);
}

// Whom the group used when: [from, to, member or undefined].
function usedBy(group, end) {
  const out = [[0, end, group.active]];
  for (const each of group.switches) {
    if (!each.ok) continue;
    out[out.length - 1][1] = each.done;
    out.push([each.done, end, each.to]);
  }
  return out;
}

function groupLane(group, x, end, number) {
  const spans = usedBy(group, end).filter(([from, to], i, all) => to > from || i === all.length - 1)
    .map(([from, to, member]) => [from, to, member === undefined ? "none" : `m${group.members.indexOf(member) % 6}`,
      member === undefined ? "no venue" : member, member === undefined ? "no venue is up" : `active: ${member}`]);
  return bandLane(number ? `failover ${number}` : "failover", spans, x, 24);
}

function lanesOf(spec, x, end, right) {
  const t = spec.timeline, groups = t.groups || [], breakers = t.breakers || [];
  const venues = new Set(groups.flatMap((group) => group.members));
  for (const its of t.requests || []) venues.add(its.of);
  for (const fault of t.faults || []) venues.add(fault.venue);
  const lanes = groups.map((group, i) => groupLane(group, x, end, groups.length > 1 ? i + 1 : 0));
  const placed = new Set();
  for (const name of venues) {
    lanes.push(venueLane(name, spec, x, end, right));
    for (const breaker of breakers) {
      if (breaker.of !== name && !breaker.of.startsWith(name + " ")) continue;
      lanes.push(breakerLane(breaker, breaker.of.replace(name, "  breaker"), x, end));
      placed.add(breaker);
    }
  }
  return lanes.concat(breakers.filter((each) => !placed.has(each)).map((each) =>
    breakerLane(each, each.of.replace(/^risk/, "risk guard"), x, end)));
}

// ---- the whole -----------------------------------------------------------------------------

function switchWords(each) {
  return `${duration(each.at)}: ${each.from || "none"} → ${each.to || "no venue"}, ${each.cause}` +
    (each.ok ? "" : ", failed") + (each.done > each.at ? `, took ${duration(each.done - each.at)}` : "");
}

// onTime(ms): a moment was chosen; null: there is nothing to show of it.
function timelinePlot(spec, width, onTime) {
  const end = lastMoment(spec), right = width - 14, top = 10;
  const x = (ms) => LEFT + ms / end * (right - LEFT);
  const lanes = lanesOf(spec, x, end, right);
  const bottom = lanes.reduce((y, lane) => y + lane.height + 8, top), height = bottom + 22;
  const out = svg(width, height, `Timeline: ${eventsOf(spec).map(([ms, what]) => `${duration(ms)} ${what}`).join("; ")}`);
  out.append(...timeAxis(x, end, top, bottom));
  let y = top;
  for (const each of (spec.timeline.groups || []).flatMap((group) => group.switches)) {
    out.append(s("line", { class: "switch", x1: x(each.done), x2: x(each.done), y1: top - 4, y2: bottom,
      "stroke-dasharray": each.ok ? null : "3 3", tip: switchWords(each) }));
  }
  for (const lane of lanes) {
    const inner = lane.label.startsWith("  ");
    out.append(s("text", { class: inner ? "" : "strong", x: inner ? 22 : 14, y: y + Math.min(lane.height, 24) / 2 + 4 }, clipped(lane.label.trim(), 16)),
      ...lane.draw(y));
    y += lane.height + 8;
    out.append(s("line", { class: "grid", x1: 14, x2: right, y1: y - 4, y2: y - 4 }));
  }
  const cursor = s("line", { class: "cursor", y1: top, y2: bottom, visibility: "hidden" });
  out.append(cursor);
  const momentAt = (event) => (event.clientX - out.getBoundingClientRect().left - LEFT) / (right - LEFT) * end;
  out.addEventListener("pointermove", (event) => {
    const ms = momentAt(event);
    cursor.setAttribute("visibility", ms < 0 || ms > end ? "hidden" : "visible");
    cursor.setAttribute("x1", x(ms));
    cursor.setAttribute("x2", x(ms));
  });
  out.addEventListener("pointerleave", () => cursor.setAttribute("visibility", "hidden"));
  out.addEventListener("click", (event) => {
    const ms = momentAt(event);
    if (onTime && ms >= 0 && ms <= end) onTime(ms);
  });
  return out;
}

function clipped(text, most) { return text.length > most ? text.slice(0, most - 1) + "…" : text; }

// The same in words, in order: [ms, what].
function eventsOf(spec) {
  const t = spec.timeline, out = [];
  for (const fault of t.faults || []) {
    const what = `${fault.name}${fault.on ? ` on ${fault.on}` : ""} at ${fault.venue}`;
    out.push([fault.from, `fault ${what}`]);
    if (fault.to !== undefined) out.push([fault.to, `end of ${what}`]);
  }
  for (const breaker of t.breakers || []) {
    for (const [ms, state] of breaker.states) out.push([ms, `${breaker.of}: ${STATES[state]}`]);
  }
  for (const each of (t.groups || []).flatMap((group) => group.switches)) {
    out.push([each.done, `failover ${each.from || "none"} → ${each.to || "no venue"}: ${each.cause}${each.ok ? "" : ", failed"}`]);
  }
  return out.sort((a, b) => a[0] - b[0]);
}

const LEGEND = [["ok", "answered"], ["refused", "refused (400 and above)"], ["failed", "no answer"], ["fault", "fault"],
  ["closed", "breaker closed"], ["half_open", "half open"], ["open", "open"]];

function legend(spec) {
  const t = spec.timeline, shown = new Set(t.breakers ? ["closed", "half_open", "open"] : []);
  for (const its of t.requests || []) {
    for (const kind of ["ok", "refused", "failed"]) if (its[kind].some((n) => n > 0)) shown.add(kind);
  }
  if (t.faults) shown.add("fault");
  return h("div", { class: "legend plot-legend" }, LEGEND.filter(([kind]) => shown.has(kind)).map(([kind, words]) =>
    h("span", { class: "plot-key" }, s("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" },
      s("rect", { class: kind, x: 0.5, y: 0.5, width: 9, height: 9, rx: 2 })), words)));
}

function timelineSection(spec, width, onTime) {
  const t = spec.timeline;
  if (!t || !(t.requests || t.faults || t.groups || t.breakers)) return null;
  const events = eventsOf(spec);
  return h("section", { "data-plot": "timeline" },
    h("h3", {}, "Timeline", h("small", {}, onTime ? "on the spec's clock; click for that place of the transcript" : "on the spec's clock")),
    h("div", { class: "plot" }, timelinePlot(spec, width, onTime)), legend(spec),
    events.length === 0 ? null : h("details", {}, h("summary", {}, plural(events.length, "event") + " in words"),
      h("table", { class: "events" }, events.map(([ms, what]) => h("tr", {}, h("th", {}, duration(ms)), h("td", {}, what))))));
}
