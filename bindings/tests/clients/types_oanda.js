// What OANDA's sandbox answers and tells, for types.js.  @oanda/v20 has no TypeScript: its classes have tables of their
// properties, and leave out what they do not know.
import { createRequire } from "node:module";
import { control, serving, until } from "./checks.js";

const require = createRequire(import.meta.url);
const { Context } = require("@oanda/v20/context");
const { Definition } = require("@oanda/v20/base");
const { ClientPrice, PricingHeartbeat } = require("@oanda/v20/pricing");
const { Transaction, TransactionHeartbeat } = require("@oanda/v20/transaction");

const { rest, token, account } = serving.oanda;
const I = "EUR_USD";
const leaving = new AbortController();
export const close = async () => leaving.abort();

// What the library is too old for, or leaves out: what is said then, and where the venue has it.
export const excused = [
  [/(guaranteedStopLossOrderMode|Instrument\.(tags|financing)|dividendAdjustment): unknown/,
    "newer: developer.oanda.com, Primitive and Account Definitions"],
  [/(triggerMode|partialFill): unknown/, "recorded at the venue: of each order"],
  [/(requestedUnits|quotePL|baseFinancing|quoteGuaranteedExecutionFee|homeConversionFactors): unknown/,
    "recorded at the venue: of fills"],
  [/TradeReduce\.clientTradeID: unknown/, "recorded at the venue: of fills"],
  [/^(?!.*: pricing).*(ClientPrice\.timestamp: unknown|liquidity: "\d+", not integer)/,
    "recorded at the venue: the fullPrice of a fill"],
  [/OrderCancelTransaction\.(closedTradeID|tradeCloseTransactionID): unknown/,
    "recorded at the venue: of LINKED_TRADE_CLOSED"],
  [/get, 404\.(lastTransactionID|error\w+): unknown/, "the library reads no body of a 404"],
];

// ---- the judge ---------------------------------------------------------------------------------

const KINDS = { integer: Number.isInteger, boolean: (value) => typeof value === "boolean" };
const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null;

/** All that is wrong with what was sent, by what the library made of it. */
function differences(sent, made, where) {
  if (Array.isArray(sent)) return sent.flatMap((one, i) => differences(one, made[i], where));
  if (!isObject(sent)) return [];
  const isDefined = made instanceof Definition;
  const at = isDefined ? made.constructor.name : where;
  const known = new Map((isDefined ? made._properties : []).map((property) => [property.name, property]));
  return Object.entries(sent).flatMap(([name, value]) => {
    const property = known.get(name);
    if (isDefined ? !property : made?.[name] === undefined) return [`${at}.${name}: unknown`];
    const wrong = property ? ofKind(value, property).map((what) => `${at}.${name}: ${what}`) : [];
    return wrong.length > 0 ? wrong : differences(value, made[name], `${at}.${name}`);
  });
}

function ofKind(value, { typeClass, typeName }) {
  const list = typeClass.startsWith("array");
  if (list !== Array.isArray(value)) return [`${JSON.stringify(value)}, not ${typeClass} ${typeName}`];
  const fits = typeClass.endsWith("primitive") ? KINDS[typeName] ?? isText : isObject;
  return (list ? value : [value]).filter((one) => !fits(one)).map((one) => `${JSON.stringify(one)}, not ${typeName}`);
}

const judged = (name, sent, made) =>
  ({ name: `@oanda/v20: ${name}`, said: [...new Set(differences(sent, made, name))] });

// ---- calls -------------------------------------------------------------------------------------

const url = new URL(rest);
const context = new Context(url.hostname, Number(url.port), false, "checks");
context.setToken(token);

const shifted = (saved, by) => (Number(saved.price.prices[0].bids[0].price) + by).toFixed(5);
const order = (saved, by, more) => ({ order: { instrument: I, units: "100",
  price: by === 0 ? undefined : shifted(saved, by), ...more } });
const stops = (saved) => ({ takeProfitOnFill: { price: shifted(saved, 0.01), clientExtensions: { tag: "t" } },
  stopLossOnFill: { price: shifted(saved, -0.01) }, trailingStopLossOnFill: { distance: "0.02000" } });
const extensions = { id: "mine", tag: "t", comment: "c" };
const A = account;

// Entity and method; its arguments, or of what was saved before; and under which name the body is saved.
const CALLS = [
  ["pricing get", [A, { instruments: `${I},USD_JPY`, includeHomeConversions: true }], "price"],
  ["pricing get", [A, { instruments: I, includeUnitsAvailable: true }]],
  ["account list", []], ["account instruments", [A, {}]],
  ["instrument candles", [I, { granularity: "M5", price: "MBA", count: 2 }]],
  ["order create", (s) => [A, order(s, 0, { type: "MARKET", ...stops(s), clientExtensions: extensions,
    tradeClientExtensions: { tag: "t", comment: "c" } })], "filled"],
  ["order create", (s) => [A, order(s, -0.02, { type: "LIMIT", clientExtensions: extensions, ...stops(s),
    takeProfitOnFill: undefined, stopLossOnFill: { distance: "0.01000" } })], "limit"],
  ["order create", (s) => [A, order(s, 0.02, { type: "STOP", priceBound: shifted(s, 0.03), timeInForce: "GTD",
    gtdTime: "2100-01-01T00:00:00Z" })]],
  ["order create", (s) => [A, order(s, -0.02, { type: "MARKET_IF_TOUCHED" })], "touched"],
  ["order create", (s) => [A, order(s, 0, { type: "MARKET", units: "0" })]],
  ["order create", (s) => [A, order(s, -0.02, { type: "LIMIT", price: "1.0000001" })]],
  ["order create", (s) => [A, order(s, 0.02, { type: "STOP", price: "1.0000001" })]],
  ["order create", (s) => [A, order(s, 0.02, { type: "MARKET_IF_TOUCHED", price: "1.0000001" })]],
  ["order create", (s) => [A, order(s, 0, { type: "MARKET", priceBound: "0.50000" })]],
  ["order list", [A, { state: "ALL" }]], ["order listPending", [A]],
  ["order get", (s) => [A, s.limit.orderCreateTransaction.id]],
  ["order replace", (s) => [A, s.limit.orderCreateTransaction.id, order(s, -0.03, { type: "LIMIT" })], "next"],
  ["order setClientExtensions", (s) => [A, s.next.orderCreateTransaction.id,
    { clientExtensions: { id: "other", tag: "u" } }]],
  ["order setClientExtensions", [A, "999999", { clientExtensions: { id: "nobody" } }]],
  ["order cancel", (s) => [A, s.next.orderCreateTransaction.id]], ["order cancel", [A, "999999"]],
  ["order replace", (s) => [A, "999999", order(s, -0.03, { type: "LIMIT" })]],
  ["trade list", [A, { state: "ALL" }]], ["trade listOpen", [A], "open"],
  ["trade get", (s) => [A, s.open.trades[0].id]], ["trade get", [A, "999999"]],
  ["trade setClientExtensions", (s) => [A, s.open.trades[0].id, { clientExtensions: extensions }]],
  ["trade setClientExtensions", [A, "999999", { clientExtensions: extensions }]],
  ["trade setDependentOrders", (s) => [A, s.open.trades[0].id, { takeProfit: { price: shifted(s, 0.02) },
    stopLoss: { price: shifted(s, -0.02) }, trailingStopLoss: { distance: "0.03000" } }]],
  ["trade setDependentOrders", (s) => [A, s.open.trades[0].id, { takeProfit: { price: "1.0000001" } }]],
  ["trade setDependentOrders", (s) => [A, s.open.trades[0].id, { stopLoss: { price: "1.0000001" } }]],
  ["trade setDependentOrders", (s) => [A, s.open.trades[0].id, { trailingStopLoss: { distance: "9999.00000" } }]],
  ["account get", [A]], ["account summary", [A]],
  ["account changes", [A, { sinceTransactionID: "1" }]],
  ["trade close", (s) => [A, s.open.trades[0].id, { units: "50" }]], ["trade close", [A, "999999", {}]],
  ["position list", [A]], ["position listOpen", [A]], ["position get", [A, I]],
  ["position close", [A, I, { longUnits: "ALL", longClientExtensions: extensions }]],
  ["position close", [A, I, { longUnits: "ALL" }]],
  ["trade list", [A, { state: "ALL" }]], ["order list", [A, { state: "ALL" }]],
  ["account configure", [A, { alias: "mine", marginRate: "0.05" }]], ["account configure", [A, { marginRate: "7" }]],
  ["account changes", [A, { sinceTransactionID: "1" }]],
  ["transaction list", [A, { pageSize: 100 }]], ["transaction get", [A, "1"]], ["transaction get", [A, "999999"]],
  ["transaction range", [A, { from: "1", to: "20" }]], ["transaction since", [A, { id: "1" }]],
  ["user getInfo", ["@"]], ["user getExternalInfo", ["@"]],
];

async function ask() {
  const rows = [];
  const saved = {};
  for (const [name, given, save] of CALLS) {
    const [entity, method] = name.split(" ");
    try {
      const asked = JSON.parse(JSON.stringify(typeof given === "function" ? given(saved) : given));
      const response = await new Promise((resolve) => { context[entity][method](...asked, resolve); });
      rows.push(judged(`${name}, ${response.statusCode}`, JSON.parse(response.rawBody), response.body));
      if (save) saved[save] = JSON.parse(response.rawBody);
    } catch (error) {
      rows.push({ name: `@oanda/v20: ${name}`, error });
    }
  }
  return rows;
}

// ---- streams -----------------------------------------------------------------------------------

/** Collects the lines of a stream as they come. */
async function listen(path) {
  const reply = await fetch(`${rest}/v3/accounts/${account}/${path}`, { headers: { Authorization: `Bearer ${token}` },
    signal: leaving.signal });
  const lines = [];
  (async () => {
    let left = "";
    for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
      const parts = (left + piece).split("\n");
      left = parts.pop();
      lines.push(...parts.filter(Boolean).map((line) => JSON.parse(line)));
    }
  })().catch(() => {}); // it ends when we leave
  return lines;
}

async function told(name, lines, make, Heartbeat) {
  const all = await until(async () => lines, (list) => new Set(list.map((line) => line.type)).size > 1
    && list.some((line) => line.type === "HEARTBEAT"), name);
  return judged(name, [...all], all.map((line) => (line.type === "HEARTBEAT" ? new Heartbeat(line) : make(line))));
}

/** Everything that is judged: rows of { name, said } or { name, error }. */
export async function collect() {
  await control("oanda", "limit", { requests: 100000, per: 1 });
  const prices = await listen(`pricing/stream?instruments=${I},USD_JPY`);
  const transactions = await listen("transactions/stream");
  const rows = await ask();
  return [...rows, await told("pricing stream", prices, (line) => new ClientPrice(line), PricingHeartbeat),
    await told("transactions stream", transactions, (line) => Transaction.create(line), TransactionHeartbeat)];
}
