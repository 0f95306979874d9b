// What the checks of Bybit by ccxt share.
import assert from "node:assert/strict";
import ccxt from "ccxt";
import { serving } from "./checks.js";

export const opened = [];

function redirect(tree, origin) {
  for (const [name, value] of Object.entries(tree)) {
    if (typeof value === "string") tree[name] = value.replace(/^wss?:\/\/[^/]+/, origin);
    else redirect(value, origin);
  }
}

/** A client of one of the sandboxes, every address of it on loopback. */
export async function bybit(box = "bybit", config = {}) {
  const { rest, key, secret } = serving[box];
  const ex = new ccxt.pro.bybit({ apiKey: key, secret, enableRateLimit: false, ...config });
  ex.setSandboxMode(true);
  for (const [name, value] of Object.entries(ex.urls.api)) {
    if (typeof value === "string") ex.urls.api[name] = rest;
  }
  redirect(ex.urls.api.ws, rest.replace(/^http/, "ws"));
  await ex.loadHttpProxyAgent(); // without it ccxt takes ws:// for a proxy that it may not use
  opened.push(ex);
  return ex;
}

export const rejects = (kind, run, text) => assert.rejects(run, (error) => {
  assert.equal(error.constructor.name, kind.name, String(error));
  if (text) assert.ok(error.message.includes(text), error.message);
  return true;
});

export const header = (e, name) => Object.entries(e.last_response_headers)
  .find(([given]) => given.toLowerCase() === name)?.[1];

export const near = (a, b, by = 1e-9) => assert.ok(Math.abs(a - b) < by, `${a} is not ${b}`);

/** Collects what a watch method brings, until `enough` of it has come. */
export async function collect(watch, enough) {
  const seen = [];
  // Copies: ccxt goes on changing the orders that it has handed out.
  while (!enough(seen)) seen.push(...(await watch()).map((one) => ({ ...one })));
  return seen;
}
