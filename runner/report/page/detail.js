// One spec: what it is, why it failed, its plots, its transcript.

function linkTo(spec) { return "#" + encodeURIComponent(spec.id); }

function factsOf(spec, onTag) {
  const facts = [];
  if (spec.file) facts.push(`${spec.file}${spec.line ? ":" + spec.line : ""}`);
  if (spec.virtual_ms !== undefined) facts.push(`${duration(spec.virtual_ms)} on its clock`);
  if (spec.real_us !== undefined) facts.push(`${duration(spec.real_us / 1000)} real time`);
  if (spec.checks !== undefined) facts.push(plural(spec.checks, "check"));
  if (spec.attempts) facts.push(`failed in ${spec.failures} of ${spec.attempts} attempts`);
  return h("div", { class: `line s-${spec.status}` },
    h("span", { class: "badge" }, WORDS[spec.status] + (spec.kind && spec.kind !== spec.status && spec.kind !== "pass"
      && spec.kind !== "assertion" ? `: ${spec.kind}` : "")),
    facts.map((text) => h("span", {}, text)),
    spec.tags.map((tag) => h("button", { class: "tag", type: "button", onclick: () => onTag("#" + tag) }, "#" + tag)));
}

function againLine(command) {
  const button = h("button", { type: "button" }, "Copy");
  const code = h("code", {}, command);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch (_) { // not every browser lets a file do so
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });
  return h("div", { class: "again" }, code, button);
}

// ---- the transcript ------------------------------------------------------------------------

const MOST_LINES = 5000; // that get colours

// "   12.345 who      text" -> { ms, time, who, text }; what is no such line is all text.
function readLine(line) {
  const parts = /^( *\d+\.\d{3} )(\S+ *)(.*)$/.exec(line);
  return parts ? { ms: parseFloat(parts[1]) * 1000, time: parts[1], who: parts[2], text: parts[3] } : { text: line };
}

function kindOf(line) {
  if (/^> /.test(line.text)) return "out";
  if (/^< ([45]\d\d|[a-z])/.test(line.text) && !/^< (open|pong|close)/.test(line.text)) return "bad";
  if (/^(failover|risk)/.test(line.who || "") || /^(breaker|limiter): |nothing .*is sent for|: once more in|: looked up in/
    .test(line.text)) return "policy";
  return "";
}

function transcriptBox(text) {
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length > MOST_LINES) return h("pre", { class: "log", tabindex: 0 }, h("div", {}, text));
  return h("pre", { class: "log", tabindex: 0 }, lines.map((each) => {
    const line = readLine(each), row = h("div", { class: kindOf(line) });
    if (line.time) row.append(h("span", { class: "t" }, line.time), h("span", { class: "w" }, line.who), line.text);
    else row.append(line.text || "\u200b");
    row.moment = line.ms;
    return row;
  }));
}

// Scrolls to the first line of that moment, or behind it.
function showMoment(box, ms) {
  const rows = [...box.children].filter((row) => row.moment !== undefined);
  const row = rows.find((each) => each.moment >= ms - 0.5) || rows[rows.length - 1];
  if (!row) return;
  for (const old of box.querySelectorAll(".at")) old.classList.remove("at");
  row.classList.add("at");
  box.parentNode.open = true;
  box.scrollTop = row.offsetTop - box.offsetTop - 40;
  box.scrollIntoView({ block: "nearest" });
}

function folded(title, body, open) {
  const out = h("details", {}, h("summary", {}, title), body);
  out.open = open;
  return out;
}

function attemptsSection(spec) {
  if (!spec.others) return null;
  return folded(plural(spec.others.length, "other attempt"), h("div", { class: "cards" }, spec.others.map((each) =>
    h("div", { class: `card s-${each.status}` }, h("b", {}, WORDS[each.status]),
      h("small", {}, `${duration(each.virtual_ms)} on its clock${each.round ? `, seed + ${each.round}` : ""}`),
      each.message ? h("pre", {}, each.message) : null))), true);
}

// width: of what is drawn.  onTag(text): a tag was chosen.
function specView(spec, width, onTag) {
  const { transcript, output, traceback } = textsOf(spec), box = transcript ? transcriptBox(transcript) : null;
  const why = spec.message && spec.status !== "pass";
  return [
    h("p", { class: "crumbs" }, [spec.path, ...spec.blocks].join(" › ")),
    h("h1", {}, spec.title),
    factsOf(spec, onTag),
    why ? h("pre", { class: `message s-${spec.status}` }, spec.message) : null,
    spec.again ? againLine(spec.again) : null,
    traceback ? folded("Traceback", h("pre", {}, traceback), spec.status === "error") : null,
    attemptsSection(spec),
    loadSection(spec, width),
    timelineSection(spec, width, box && ((ms) => showMoment(box, ms))),
    limitSection(spec, width),
    latencySection([spec], Math.min(width, 520), ""),
    output ? h("section", {}, h("h3", {}, "Output"), folded("What it printed", h("pre", { class: "log" }, h("div", {}, output)),
      isFailed(spec))) : null,
    box ? h("section", {}, h("h3", {}, "Transcript", h("small", {}, "what went over the wire; secrets are hidden")),
      folded(plural(box.children.length, "line"), box, true)) : null,
  ];
}
