// A small TAP harness, and the way to the sandboxes that serve.lua opened.
import assert from "node:assert/strict";
import fs from "node:fs";
import { strays } from "./guard.js";

const CHECK_MS = 30000;

export const serving = JSON.parse(fs.readFileSync(process.argv[2] ?? "serving.json", "utf8"));
const only = process.argv[3]; // a part of a name, when one check is being looked at

/** Steers a sandbox: see the verbs of serve.lua. */
export async function control(box, verb, given) {
  const body = given === undefined ? "" : JSON.stringify(given);
  const reply = await fetch(`${serving.control}/${box}/${verb}`, { method: "POST", body });
  return (await reply.json()).result;
}

/** Fails when the promise takes too long: a check that hangs says so. */
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks again and again until `ready` accepts the answer. */
export async function until(ask, ready, what) {
  const end = Date.now() + CHECK_MS / 2;
  for (;;) {
    const value = await ask();
    if (ready(value)) return value;
    if (Date.now() > end) assert.fail(`${what}: still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const checks = [];

export function check(name, run) {
  checks.push({ name, run });
}

function indented(error) {
  return String(error?.stack ?? JSON.stringify(error)).split("\n").map((line) => `#   ${line}`).join("\n");
}

/** Runs all checks in order, prints TAP, and returns the exit status. */
export async function runAll() {
  const chosen = checks.filter((c) => !only || c.name.includes(only));
  let failed = 0;
  process.stdout.write(`TAP version 13\n1..${chosen.length}\n`);
  for (const [i, { name, run }] of chosen.entries()) {
    try {
      await within(CHECK_MS, run(), name);
      process.stdout.write(`ok ${i + 1} - ${name}\n`);
    } catch (error) {
      failed += 1;
      process.stdout.write(`not ok ${i + 1} - ${name}\n${indented(error)}\n`);
    }
  }
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed, 0 skipped\n`);
  return failed === 0 && chosen.length > 0 ? 0 : 1;
}

/** Ends what the checks opened, and the sandboxes; then the program. */
export async function end(status, closing) {
  for (const close of closing) await within(5000, close(), "closing").catch(() => {});
  await fetch(`${serving.control}/stop`, { method: "POST" });
  process.exit(status);
}

/** The last check of every program. */
export function checkStrays() {
  check("dials nothing but loopback", async () => assert.deepEqual(strays, []));
}
