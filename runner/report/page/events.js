// The events of a run, as JSON Lines has them (runner/report/report.schema.json), brought together by spec.

const MARKS = { pass: "✓", fail: "✗", error: "✗", skip: "–", flaky: "~", xfail: "✓", cut: "…" };
const WORDS = { pass: "passed", fail: "failed", error: "error", skip: "skipped", flaky: "flaky", xfail: "expected failure",
  cut: "interrupted" };

// Shown as one choice each, in this order; `of`: the results that belong to it.
const CHOICES = [
  { key: "all", word: "all", of: null },
  { key: "fail", word: "failed", of: ["fail", "error"] },
  { key: "flaky", word: "flaky", of: ["flaky"] },
  { key: "xfail", word: "expected", of: ["xfail"] },
  { key: "cut", word: "interrupted", of: ["cut"] },
  { key: "skip", word: "skipped", of: ["skip"] },
  { key: "pass", word: "passed", of: ["pass"] },
];

function isFailed(spec) { return spec.status === "fail" || spec.status === "error"; }

// What a run was doing when it was interrupted, or when enough had failed: neither passed nor failed.
const CUT = ["interrupted", "stopped"];

// The parts of a spec's id: its file, the blocks around it, itself.
function partsOf(id) {
  const parts = id.split("::");
  return { path: parts[0], blocks: parts.slice(1, -1), title: parts.length > 1 ? parts[parts.length - 1] : null };
}

function specOf(event, declared, others) {
  const spec = Object.assign({ tags: [] }, declared, event, partsOf(event.id), { others });
  if (spec.type === "file_error") {
    spec.status = "error";
    spec.title = "the file itself";
  }
  if (CUT.includes(spec.kind)) spec.status = "cut";
  spec.text = [spec.id, spec.tags.map((tag) => "#" + tag).join(" "), WORDS[spec.status], spec.kind, spec.message]
    .join(" ").toLowerCase();
  return spec;
}

// What is long of a spec is read when it is asked for: { transcript, output, traceback }.
function textsOf(spec) { return spec.long ? JSON.parse(spec.long()) : {}; }

// { start, end (undefined: the run was cut off), specs, output: [{ path, text }] }
function readRun(text) {
  const run = { start: {}, end: undefined, specs: [], output: [] };
  const declared = new Map(), attempts = new Map();
  for (let from = 0; from < text.length;) {
    let to = text.indexOf("\n", from);
    if (to < 0) to = text.length;
    const begin = from, line = () => text.slice(begin, to);
    from = to + 1;
    if (to === begin) continue;
    if (text.startsWith('{"transcript"', begin)) { // of the event before
      if (text[to - 1] === "}") run.specs[run.specs.length - 1].long = line;
      continue;
    }
    let event;
    try {
      event = JSON.parse(line());
    } catch (_) {
      break; // the run was killed in the middle of it
    }
    if (event.type === "run_start") run.start = event;
    else if (event.type === "run_end") run.end = event;
    else if (event.type === "declared") declared.set(event.id, { name: event.name, tags: event.tags, line: event.line });
    else if (event.type === "attempt") attempts.set(event.id, (attempts.get(event.id) || []).concat(event));
    else if (event.type === "file_end" && event.output) run.output.push({ path: event.file, text: event.output });
    else if (event.type === "spec_end" || event.type === "file_error") {
      run.specs.push(specOf(event, declared.get(event.id), attempts.get(event.id)));
      attempts.delete(event.id);
    }
  }
  return run;
}
