// Every answer and event of the sandboxes, held against what published libraries declare of it: the types of `binance`,
// @binance/spot and bybit-api by TypeScript's compiler, and the tables of properties of @oanda/v20.
import assert from "node:assert/strict";
import { check, checkStrays, end, runAll } from "./checks.js";
import * as binance from "./types_binance.js";
import * as bybit from "./types_bybit.js";
import * as oanda from "./types_oanda.js";
import { judge } from "./types_judge.js";

const venues = [binance, bybit, oanda];
const rows = (await Promise.all(venues.map((venue) => venue.collect()))).flat();

// What must be seen, or the judge is asleep.
const WRONG = [
  { name: "kind", expression: "null! as { of: number[] }", value: { of: ["1"] }, said: ['kind.of[]: "1", not number'] },
  { name: "unknown", expression: "null! as { a?: 1 }[]", value: [{ a: 1, b: 2 }], said: ["unknown[].b: unknown"] },
  { name: "missing", expression: "null! as { a: null } | string", value: {}, said: ["missing.a: missing"] },
  { name: "nesting", expression: "null! as { a: {} }", value: { a: [] }, said: ["nesting.a: an array, not {}"] },
];

const typed = rows.filter((row) => row.expression && !row.error);
const verdicts = judge(venues.map((venue) => venue.prelude ?? "").join(""), [...typed, ...WRONG]);
typed.forEach((row, i) => { row.said = verdicts[i]; });

check("a wrong kind, an unknown field, a missing one and wrong nesting are seen", async () => {
  assert.deepEqual(verdicts.slice(typed.length), WRONG.map((row) => row.said));
});

const excused = venues.flatMap((venue) => venue.excused);
const needed = new Set();
for (const name of new Set(rows.map((row) => row.name))) {
  check(name, async () => {
    const same = rows.filter((row) => row.name === name);
    for (const { error } of same) if (error) throw error;
    const left = same.flatMap((row) => row.said).filter((line) => {
      const excuses = excused.filter(([pattern]) => pattern.test(`${name}: ${line}`));
      for (const excuse of excuses) needed.add(excuse);
      return excuses.length === 0;
    });
    assert.deepEqual([...new Set(left)], []);
  });
}

check("every excuse is needed", async () => {
  assert.deepEqual(excused.filter((excuse) => !needed.has(excuse)), []);
});

checkStrays();
await end(await runAll(), venues.map((venue) => venue.close));
