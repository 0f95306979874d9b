// node report_script.js REPORT.html: what the page of the HTML report makes of its events, without a browser.
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const vm = require("node:vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const script = /<script>([^]*?)<\/script>/.exec(page)[1];
const events = /id="events">\n([^]*?)<\/script>/.exec(page)[1];
const its = vm.createContext({ document: { addEventListener() {} } });
vm.runInContext(script, its);

function call(name, ...values) {
  its.values = values;
  return JSON.parse(JSON.stringify(vm.runInContext(`${name}(...values)`, its)));
}

// What was read is what was told; long texts come when they are asked for.
its.text = events;
const run = vm.runInContext("run = readRun(text)", its);
const ends = events.split("\n").filter((line) => /"type":"(spec_end|file_error)"/.test(line)).map((line) => JSON.parse(line));
assert.strictEqual(run.specs.length, ends.length);
ends.forEach((end, i) => {
  assert.strictEqual(run.specs[i].id, end.id);
  assert.strictEqual(run.specs[i].status, end.type === "file_error" ? "error" : end.status);
});
assert.strictEqual(run.end.failed, run.specs.filter((spec) => its.isFailed(spec)).length);
const printed = run.specs.findIndex((spec) => spec.id.includes("shows both values"));
assert.match(its.textsOf(run.specs[printed]).output, /printed before the failure/);
assert.strictEqual(its.textsOf({}).transcript, undefined);

// A report that a killed run has left is shown as far as it goes.
const cut = call("readRun", events.slice(0, events.lastIndexOf('{"v"') + 20));
assert.strictEqual(cut.end, undefined);
assert.strictEqual(cut.specs.length, ends.length);

// What was interrupted has neither passed nor failed.
const halted = call("readRun", '{"type":"spec_end","id":"a.lua::b","status":"error","kind":"interrupted","message":"interrupted"}\n');
assert.strictEqual(halted.specs[0].status, "cut");
assert.deepStrictEqual([call("tally", halted.specs).fail, call("tally", halted.specs).cut], [0, 1]);

// Specs of one title are told apart by their blocks.
assert.deepStrictEqual(call("labels", [{ blocks: ["at a"], title: "waits" }, { blocks: ["at a"], title: "asks" }, { blocks: ["at b"], title: "waits" }]),
  ["at a › waits", "asks", "at b › waits"]);

// Buckets: 0 is below a microsecond, four for each doubling.
assert.strictEqual(call("lowest", 1), 0.001);
assert.strictEqual(call("lowest", 5), 0.002);
its.sums = new Map();
vm.runInContext("sums = new Map([[40, 1], [0, 90], [60, 9]])", its);
assert.deepStrictEqual([0.5, 0.9, 0.95, 0.99, 1].map((share) => vm.runInContext(`quantile(sums, ${share})`, its)), [0, 0, 60, 60, 60]);

// A window is used until it turns, a bucket fills evenly.
const use = (kind, fields) => call("useLine", Object.assign({ kind, width: 1, limit: 10 }, fields), 100);
assert.deepStrictEqual(use("window", { period_ms: 60, turn_ms: 20, refill: 10, at: [5, 30], used: [4, 7] }),
  [[0, 0], [5, 0], [5, 4], [5, 4], [20, 4], [20, 0], [30, 0], [30, 0], [30, 7], [30, 7], [80, 7], [80, 0], [100, 0]]);
assert.deepStrictEqual(use("bucket", { period_ms: 20, refill: 2, at: [0, 20], used: [6, 5] }),
  [[0, 0], [0, 0], [0, 6], [0, 6], [20, 4], [20, 4], [20, 5], [20, 5], [70, 0], [100, 0]]);

// Whom a group used when: a switch that failed changes nothing, one to nowhere leaves nobody.
assert.deepStrictEqual(call("usedBy", { active: "a", switches: [{ done: 10, to: "b", ok: true }, { done: 20, to: "c", ok: false },
  { done: 30, ok: true }] }, 50), [[0, 10, "a"], [10, 30, "b"], [30, 50, null]]);
assert.deepStrictEqual(call("troubled", { timeline: { faults: [{ venue: "a", from: 0, to: 10 }, { venue: "b", from: 5 },
  { venue: "a", from: 8, to: 12 }, { venue: "a", from: 20 }] } }, "a", 50), [[0, 12], [20, 50]]);

// What went wrong in a load: the most frequent first; a threshold that was broken says so.
assert.strictEqual(call("errorWords", { failed: 4, count: 40, classes: { server: 1, timeout: 3 } }), "4, 10\u202f%: timeout 3, server 1");
assert.strictEqual(call("errorWords", { failed: 0, count: 40 }), "0");

// Words for numbers.
const words = [[0, "0 ms"], [0.25, "250 µs"], [12.34, "12.3 ms"], [999.6, "1 s"], [61000, "1 min 1 s"], [3600000, "1 h"]];
for (const [ms, word] of words) assert.strictEqual(call("duration", ms), word);
