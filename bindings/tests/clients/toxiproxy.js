// Toxiproxy's client for Node, unmodified, against the control API of `smcrun serve`.
//   node toxiproxy.js SMCRUN     serves, and checks
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

const [, program, given] = process.argv;

// ---- serving ----------------------------------------------------------------

/** Serves, runs the checks with what it says of itself, and stops it. */
async function serve(smcrun) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "toxiproxy-"));
  const child = spawn(smcrun, ["serve", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  try {
    let line = "";
    for await (const piece of child.stdout) {
      line += piece;
      if (line.includes("\n")) break;
    }
    const file = path.join(folder, "serving.json");
    fs.writeFileSync(file, line);
    const { status } = spawnSync(process.execPath, [program, file, "--checks"], { stdio: "inherit" });
    child.kill("SIGTERM");
    return status === 0 && (await ended) === 0 ? 0 : 1;
  } finally {
    child.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true });
  }
}

if (process.argv[3] !== "--checks") process.exit(await serve(given));
process.argv.splice(3, 1);

// ---- the checks ---------------------------------------------------------------

const { check, checkStrays, runAll, serving, until } = await import("./checks.js");
const { Toxiproxy } = createRequire(import.meta.url)("toxiproxy-node-client");

const toxiproxy = new Toxiproxy(serving.control);
const TIME = `${serving.binance.rest}/api/v3/time`;
const binance = () => toxiproxy.get("binance");

/** One request over a connection of its own; its text. */
function ask(url = TIME) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent: false }, async (answer) => {
      let text = "";
      for await (const piece of answer) text += piece;
      resolve(text);
    }).on("error", reject);
  });
}

/** A bare connection to binance: text is what came, ended the code of its error, or "none". */
function dial(target, fields = "") {
  const { hostname, port, host } = new URL(serving.binance.rest);
  const socket = net.connect(Number(port), hostname);
  const out = { text: "", ended: null };
  let code = "none";
  socket.on("data", (piece) => { out.text += piece; }).on("error", (error) => { code = error.code; });
  out.ended = new Promise((resolve) => { socket.on("close", () => resolve(code)); });
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
  return out;
}

async function took(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** The code of the error. */
const failure = (promise) => promise.then(() => "none", (error) => error.code);

/** A check that leaves nothing behind. */
function cleanCheck(name, run) {
  check(name, async () => {
    await toxiproxy.reset();
    await run();
    await toxiproxy.reset();
  });
}

const toxic = async (type, attributes, more = {}) =>
  (await binance()).addToxic({ name: "", type, attributes, stream: "downstream", toxicity: 1, ...more });

/** What the API says without a client between. */
async function raw(method, where, body, headers = {}) {
  const answer = await fetch(serving.control + where, { method, body: body && JSON.stringify(body), headers });
  const text = await answer.text();
  return [answer.status, text && JSON.parse(text)];
}

check("the version of the API", async () => {
  assert.match(JSON.parse(await toxiproxy.getVersion()).version, /^2\.\d+\.\d+$/);
});

check("each venue is a proxy", async () => {
  const all = await toxiproxy.getAll();
  assert.deepEqual(Object.keys(all).sort(), ["binance", "bybit", "oanda"]);
  for (const [name, proxy] of Object.entries(all)) {
    assert.deepEqual([proxy.name, proxy.enabled, `http://${proxy.listen}`], [name, true, serving[name].rest]);
    assert.ok(proxy.upstream);
  }
});

cleanCheck("latency delays answers", async () => {
  await toxic("latency", { latency: 300, jitter: 0 });
  assert.ok(await took(ask) >= 300);
});

cleanCheck("latency delays questions", async () => {
  const { name, stream } = await toxic("latency", { latency: 300 }, { stream: "upstream" });
  assert.deepEqual([name, stream], ["latency_upstream", "upstream"]);
  assert.ok(await took(ask) >= 300);
});

cleanCheck("a toxic has a name, as given or by its kind", async () => {
  assert.equal((await toxic("latency", { latency: 1 })).name, "latency_downstream");
  assert.equal((await toxic("latency", { latency: 1 }, { name: "mine" })).name, "mine");
  assert.deepEqual((await (await binance()).getToxic("mine")).toJson(),
    { attributes: { jitter: 0, latency: 1 }, name: "mine", stream: "downstream", toxicity: 1, type: "latency" });
});

cleanCheck("a toxic is changed in part", async () => {
  const mine = await toxic("latency", { latency: 5, jitter: 2 });
  const changed = await mine.update({ attributes: { latency: 300 }, toxicity: 0.5 });
  assert.deepEqual([changed.attributes, changed.toxicity], [{ latency: 300, jitter: 2 }, 0.5]);
  await mine.update({ attributes: {}, toxicity: 1 });
  assert.ok(await took(ask) >= 298);
});

cleanCheck("a toxic is removed", async () => {
  const mine = await toxic("timeout", { timeout: 0 });
  await mine.remove();
  assert.ok(JSON.parse(await ask()).serverTime);
  await assert.rejects((await binance()).getToxic("timeout_downstream"), /status code 404/);
});

cleanCheck("bandwidth takes its time", async () => {
  const url = `${serving.binance.rest}/api/v3/depth?symbol=BTCUSDT&limit=5000`;
  const size = (await ask(url)).length;
  await toxic("bandwidth", { rate: Math.ceil(size / 500) });
  assert.ok(await took(() => ask(url)) >= 400);
});

cleanCheck("slicer and slow_close change nothing but the time", async () => {
  await toxic("slicer", { average_size: 10, size_variation: 5, delay: 100 });
  await toxic("slow_close", { delay: 100 });
  assert.ok(JSON.parse(await ask()).serverTime);
});

cleanCheck("timeout closes", async () => {
  await toxic("timeout", { timeout: 200 });
  const ms = await took(async () => assert.equal(await dial("/api/v3/time").ended, "none"));
  assert.ok(ms >= 200, `${ms}`);
});

cleanCheck("reset_peer resets", async () => {
  await toxic("reset_peer", { timeout: 0 });
  assert.equal(await dial("/api/v3/time").ended, "ECONNRESET");
});

cleanCheck("limit_data passes exactly its bytes", async () => {
  await toxic("limit_data", { bytes: 20 });
  const socket = dial("/api/v3/time");
  assert.equal(await socket.ended, "none");
  assert.equal(socket.text, "HTTP/1.1 200 OK\r\nCon");
});

cleanCheck("a toxicity of zero hits nobody", async () => {
  await toxic("reset_peer", { timeout: 0 }, { toxicity: 0 });
  for (let i = 0; i < 5; i += 1) assert.ok(JSON.parse(await ask()).serverTime);
});

cleanCheck("a stream that is open is hit, too", async () => {
  const socket = dial("/ws/btcusdt@bookTicker", "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  await until(() => socket.text, (text) => text.includes('"b":'), "a first frame");
  await toxic("reset_peer", { timeout: 0 });
  assert.equal(await socket.ended, "ECONNRESET");
});

cleanCheck("a proxy that is off refuses connections", async () => {
  const proxy = await binance();
  const off = await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
  assert.equal(off.enabled, false);
  assert.equal(await failure(ask()), "ECONNREFUSED");
  assert.equal((await toxiproxy.getAll()).bybit.enabled, true);
  const again = await off.update({ enabled: true, listen: proxy.listen, upstream: proxy.upstream });
  assert.equal(again.enabled, true);
  assert.ok(JSON.parse(await ask()).serverTime);
});

cleanCheck("reset heals and enables all", async () => {
  await toxic("timeout", { timeout: 0 });
  const bybit = await toxiproxy.get("bybit");
  await bybit.update({ enabled: false, listen: bybit.listen, upstream: bybit.upstream });
  await toxiproxy.reset();
  const [, all] = await raw("GET", "/proxies");
  for (const proxy of Object.values(all)) assert.deepEqual([proxy.enabled, proxy.toxics], [true, []]);
  assert.ok(JSON.parse(await ask()).serverTime);
});

cleanCheck("populate is safe to repeat, and knows its venues", async () => {
  const wanted = [{ name: "binance", listen: new URL(serving.binance.rest).host, upstream: "venue:1" }];
  for (let i = 0; i < 2; i += 1) {
    assert.deepEqual(Object.keys(await toxiproxy.populate(wanted)), ["binance"]);
  }
  await assert.rejects(toxiproxy.populate([{ ...wanted[0], name: "redis" }]), /status code 400/);
  await assert.rejects(toxiproxy.populate([{ ...wanted[0], listen: "127.0.0.1:1" }]), /status code 400/);
});

cleanCheck("a proxy is deleted, and made again", async () => {
  const proxy = await toxiproxy.get("oanda");
  await assert.rejects(toxiproxy.createProxy(proxy.toJson()), /status code 409/);
  await proxy.remove();
  assert.equal(await failure(ask(`${serving.oanda.rest}/v3/accounts`)), "ECONNREFUSED");
  await assert.rejects(toxiproxy.get("oanda"), /status code 404/);
  const again = await toxiproxy.createProxy(proxy.toJson());
  assert.equal(again.enabled, true);
  assert.match(await ask(`${serving.oanda.rest}/v3/accounts`), /errorMessage/);
  await again.remove();
  await toxiproxy.populate([proxy.toJson()]);
  assert.equal((await toxiproxy.get("oanda")).enabled, true);
});

cleanCheck("errors have Toxiproxy's statuses and words", async () => {
  const error = (status, text) => [status, { error: text, status }];
  const toxics = "/proxies/binance/toxics";
  assert.deepEqual(await raw("GET", "/proxies/redis"), error(404, "proxy not found"));
  assert.deepEqual(await raw("GET", `${toxics}/none`), error(404, "toxic not found"));
  assert.deepEqual(await raw("POST", toxics, { type: "flood" }), error(400, "invalid toxic type"));
  assert.deepEqual(await raw("POST", toxics, { type: "latency", stream: "up" }),
    error(400, "stream was invalid, can be either upstream or downstream"));
  await toxic("latency", { latency: 1 });
  assert.deepEqual(await raw("POST", toxics, { type: "latency" }), error(409, "toxic already exists"));
  assert.deepEqual(await raw("POST", "/proxies", { name: "x" }), error(400, "missing required field: upstream"));
  assert.match((await raw("POST", toxics, []))[1].error, /^bad request body: /);
  assert.equal((await raw("PUT", "/proxies"))[0], 405);
});

cleanCheck("what is mistyped is named", async () => {
  const [status, { error }] = await raw("POST", "/proxies/binance/toxics", { type: "latency", attributes: { latenc: 1 } });
  assert.equal(status, 400);
  assert.match(error, /unknown attribute 'latenc' of latency \(it has: jitter, latency\)/);
  assert.match((await raw("POST", "/proxies/binance/toxics", { type: "latency", attributes: { latency: -1 } }))[1].error,
    /latency must be a number of 0 or more/);
});

check("browsers are sent away", async () => {
  assert.equal((await raw("GET", "/proxies", undefined, { "user-agent": "Mozilla/5.0" }))[0], 403);
});

checkStrays();

process.exit(await runAll());
