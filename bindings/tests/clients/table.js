// The lines that `smcrun serve` prints for people, run as they stand: each makes clients, and each client is used.
//   node table.js SMCRUN           serves in plaintext and with TLS, and checks both
//   node table.js SMCRUN TABLE     checks what TABLE says
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { strays } from "./guard.js";

const require = createRequire(import.meta.url);
const [, program, smcrun, tablePath] = process.argv;
const WAIT_MS = 20000;

// ---- serving ----------------------------------------------------------------

async function readTable(file, child) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end && child.exitCode === null;) {
    const text = fs.readFileSync(file, "utf8");
    if (text.includes("ClientPrice") && text.endsWith("\n")) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("smcrun serve printed no table");
}

async function served(options, env) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "table-"));
  const table = path.join(folder, "table");
  const child = spawn(smcrun, ["serve", ...options.map((o) => o.replace("FOLDER", folder))],
    { stdio: ["ignore", fs.openSync(table, "w"), "inherit"] });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  try {
    await readTable(table, child);
    const extra = Object.fromEntries(Object.entries(env).map(([k, v]) => [k, v.replace("FOLDER", folder)]));
    const { status } = spawnSync(process.execPath, [program, smcrun, table],
      { stdio: "inherit", env: { ...process.env, ...extra } });
    child.kill("SIGTERM");
    return status === 0 && (await ended) === 0;
  } finally {
    child.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true });
  }
}

// ---- reading the table ------------------------------------------------------------

/** { binance: { words: { key, secret, .. }, blocks: { package: lines } }, .. } */
function parse(text) {
  const venues = {};
  let venue, block;
  for (const line of text.split("\n")) {
    const name = line.match(/^(\w+)$/)?.[1];
    const title = line.match(/^ {2}\/\/ (\S+)$/)?.[1];
    const word = line.match(/^ {2}(key|secret|token|account) +(\S+)$/);
    if (name) [venue, block] = [(venues[name] = { words: {}, blocks: {} })];
    else if (title) venue.blocks[(block = title)] = "";
    else if (venue && word && !Object.keys(venue.blocks).length) venue.words[word[1]] = word[2];
    else if (venue && block && line) venue.blocks[block] += `${line}\n`;
  }
  return venues;
}

const AsyncFunction = (async () => {}).constructor;

/** Runs the lines; returns what they made, by class or by the name of a const. */
async function make(venue, block, classes, returned = []) {
  const made = {};
  const recording = (name, type) => new Proxy(type, { construct(target, args) {
    const instance = new target(...args);
    (made[name] ??= []).push(instance);
    return instance;
  } });
  const given = { ...venue.words };
  for (const [key, value] of Object.entries(classes)) {
    given[key] = typeof value === "function" ? recording(key, value) : value;
  }
  const run = new AsyncFunction(...Object.keys(given), `${venue.blocks[block]}\nreturn { ${returned.join(", ")} }`);
  return Object.assign(made, await run(...Object.values(given)));
}

// ---- the checks -------------------------------------------------------------------

const checks = [];
const closing = [];
const check = (name, run) => checks.push({ name, run });
const once = (subscribe) => new Promise((resolve, reject) => subscribe(resolve, reject));

function ccxtCheck(venues, name, symbol) {
  check(`ccxt of ${name}`, async () => {
    const { default: ccxt } = await import("ccxt");
    const { [name]: ex } = await make(venues[name], "ccxt", { ccxt }, [name]);
    closing.push(() => ex.close());
    await ex.loadMarkets();
    const order = await ex.createOrder(symbol, "market", "buy", 0.01);
    assert.ok(order.id);
    assert.ok((await ex.fetchBalance()).BTC.total > 0);
    assert.ok((await ex.watchOrderBook(symbol)).bids.length > 0);
  });
}

function binanceChecks(venues) {
  const of = venues.binance;
  check("@binance/connector", async () => {
    const { Spot, WebsocketStream, WebsocketAPI } = require("@binance/connector");
    let heard;
    const opened = new Promise((resolve) => { heard = resolve; });
    const made = await make(of, "@binance/connector", { Spot, WebsocketStream, WebsocketAPI,
      callbacks: { open: (client) => heard(client), message: () => {} } });
    closing.push(async () => made.WebsocketStream[0].disconnect(), async () => made.WebsocketAPI[0].disconnect());
    assert.equal((await made.Spot[0].account()).data.canTrade, true);
    await opened;
  });
  check("@binance/spot", async () => {
    const { Spot } = require("@binance/spot");
    const [spot] = (await make(of, "@binance/spot", { Spot })).Spot;
    assert.equal((await (await spot.restAPI.getAccount()).data()).canTrade, true);
    const api = await spot.websocketAPI.connect();
    closing.push(() => api.disconnect());
    assert.equal((await api.time()).data.serverTime > 0, true);
    const streams = await spot.websocketStreams.connect();
    closing.push(() => streams.disconnect());
    const book = streams.bookTicker({ symbol: "btcusdt" });
    assert.equal((await once((resolve) => book.on("message", resolve))).s, "BTCUSDT");
  });
  check("binance", async () => {
    const { MainClient, WebsocketClient, WebsocketAPIClient } = require("binance");
    const made = await make(of, "binance", { MainClient, WebsocketClient, WebsocketAPIClient });
    assert.equal((await made.MainClient[0].getAccountInformation()).canTrade, true);
    const [streams] = made.WebsocketClient;
    closing.push(async () => streams.closeAll(true), async () => made.WebsocketAPIClient[0].getWSClient().closeAll(true));
    streams.subscribe(["btcusdt@bookTicker"], "main");
    assert.ok(await once((resolve) => streams.on("message", resolve)));
    assert.ok((await made.WebsocketAPIClient[0].getSpotServerTime()).result.serverTime > 0);
  });
}

function bybitChecks(venues) {
  check("bybit-api", async () => {
    const { RestClientV5, WebsocketClient } = require("bybit-api");
    const made = await make(venues.bybit, "bybit-api", { RestClientV5, WebsocketClient });
    assert.equal((await made.RestClientV5[0].getWalletBalance({ accountType: "UNIFIED" })).retCode, 0);
    const [streams] = made.WebsocketClient;
    closing.push(async () => streams.closeAll(true));
    streams.subscribeV5(["orderbook.1.BTCUSDT"], "spot");
    assert.equal((await once((resolve) => streams.on("update", resolve))).topic, "orderbook.1.BTCUSDT");
  });
}

function oandaChecks(venues) {
  check("@oanda/v20", async () => {
    const { Context } = require("@oanda/v20/context");
    const { rest, streams } = await make(venues.oanda, "@oanda/v20", { Context }, ["rest", "streams"]);
    const { account } = venues.oanda.words;
    const summary = await once((resolve) => rest.account.summary(account, resolve));
    assert.equal(String(summary.statusCode), "200");
    assert.equal(summary.body.account.id, account);
    const price = await once((resolve) => streams.pricing.stream(account, { instruments: "EUR_USD" },
      (line) => line.type === "PRICE" && resolve(line), () => {}));
    assert.equal(price.instrument, "EUR_USD");
  });
}

async function runAll() {
  const venues = parse(fs.readFileSync(tablePath, "utf8"));
  ccxtCheck(venues, "binance", "BTC/USDT");
  binanceChecks(venues);
  ccxtCheck(venues, "bybit", "BTC/USDT");
  bybitChecks(venues);
  oandaChecks(venues);
  check("every block is checked", async () => {
    const blocks = Object.values(venues).flatMap((v) => Object.keys(v.blocks));
    assert.equal(checks.length - 2, blocks.length, blocks.join(" "));
  });
  check("dials nothing but loopback", async () => assert.deepEqual(strays, []));
  let failed = 0;
  for (const { name, run } of checks) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("too late")), WAIT_MS); });
    try {
      await Promise.race([run(), late]);
      console.log(`ok - ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${name}\n#   ${String(error?.stack ?? JSON.stringify(error)).replace(/\n/g, "\n#   ")}`);
    } finally {
      clearTimeout(timer);
    }
  }
  const soon = () => new Promise((resolve) => setTimeout(resolve, 500));
  for (const close of closing) await Promise.race([close(), soon()]).catch(() => {});
  console.log(`${checks.length - failed} passed, ${failed} failed, 0 skipped`);
  process.exit(failed === 0 ? 0 : 1);
}

if (tablePath) {
  for (const level of ["trace", "debug", "info", "warn"]) console[level] = () => {}; // the packages are talkative
  await runAll();
} else {
  const plain = await served([], {});
  const tls = await served(["--tls", "--ca-file", "FOLDER/ca.pem"], { NODE_EXTRA_CA_CERTS: "FOLDER/ca.pem" });
  process.exit(plain && tls ? 0 : 1);
}
