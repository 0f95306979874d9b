// node-tap's parser, strictly, over the TAP report of a run in which every verdict occurs.
//   node tap.js SMCRUN
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Parser } from "tap-parser";

const SPECS = `
describe("verdicts", function()
  it("passes # with a \\\\ sign", function() assert.is_true(true) end)
  it("fails", function() print("printed\\n\\n  before") assert.equal("a: b", "- c\\n\\n'd'") end)
  it("errs", function() error("\\n  begins with blanks # and \\"quotes\\"", 0) end)
  pending("waits for better days", function() end)
  xfail("is expected to fail", function() assert.is_true(false) end)
  it("leaves a task", function() assert.is_true(true) require("smc").spawn(function() require("smc").sleep(9) end) end)
end)
`;

/** The report of such a run, as text. */
function report(smcrun, format) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tap-"));
  try {
    fs.writeFileSync(path.join(folder, "verdicts.lua"), SPECS);
    const args = ["--no-config", "--seed", "1", "--report", `${format}:out.tap`, "-q", "verdicts.lua"];
    const { status, stderr } = spawnSync(path.resolve(smcrun), args, { cwd: folder, encoding: "utf8" });
    assert.equal(status, 2, stderr);
    return fs.readFileSync(path.join(folder, "out.tap"), "utf8");
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

for (const [format, version] of [["tap", 14], ["tap13", 13]]) {
  const strays = [], tests = new Map();
  let told;
  const parser = new Parser({ strict: true }, (results) => { told = results; });
  parser.on("extra", (text) => strays.push(text));
  parser.on("version", (n) => assert.equal(n, version));
  parser.on("assert", (test) => tests.set(test.name.replace(/.*::/, ""), test));
  parser.end(report(process.argv[2], format));

  assert.deepEqual(strays, []);
  const { count, pass, fail, todo, skip, plan, bailout } = told;
  assert.deepEqual({ count, pass, fail, todo, skip, end: plan.end, bailout },
    { count: 6, pass: 2, fail: 4, todo: 1, skip: 1, end: 6, bailout: false });
  assert.ok(tests.get("passes # with a \\ sign").ok);
  assert.match(tests.get("is expected to fail").todo, /expected to fail/);
  assert.match(tests.get("fails").diag.message, /- c\n\n'd'/);
  assert.equal(tests.get("fails").diag.output, "printed\n\n  before\n");
  assert.match(tests.get("errs").diag.message, /^\n {2}begins with blanks # and "quotes"/);
  assert.equal(tests.get("leaves a task").diag.severity, "error");
  console.log(`ok - ${format}: six verdicts, read by tap-parser`);
}
