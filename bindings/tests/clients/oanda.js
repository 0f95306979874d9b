// The venue's own library, unmodified, against the OANDA sandbox.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { check, checkStrays, control, end, runAll, serving, until } from "./checks.js";

const require = createRequire(import.meta.url);
const { Context } = require("@oanda/v20/context");
// The library's price stream names a class that it has not imported.
globalThis.Price = require("@oanda/v20/pricing").ClientPrice;

const I = "EUR_USD";
const UNIT = 10000n; // amounts of money have four decimals

/** A context of the library for one of the sandboxes. */
function open(box, token = box.token) {
  const url = new URL(box.rest);
  const context = new Context(url.hostname, Number(url.port), false, "checks");
  context.setToken(token);
  return context;
}

/** Calls a method of the library; the response that it hands to its callback. */
const ask = (context, entity, method, ...args) =>
  new Promise((resolve) => { context[entity][method](...args, resolve); });

const main = open(serving.oanda);
const account = serving.oanda.account;

/** The body of an answer that must have this status. */
async function body(status, entity, method, ...args) {
  const response = await ask(main, entity, method, account, ...args);
  assert.equal(response.statusCode, String(status), response.rawBody);
  return response.body;
}

const price = async () => (await body(200, "pricing", "get", { instruments: I })).prices[0];
const balance = async () => money((await body(200, "account", "summary")).account.balance);
const tenths = (text, places) => BigInt(text.replace(".", "")) * 10n ** BigInt(places - text.split(".")[1].length);
const money = (text) => tenths(text, 4);
const shifted = (text, points) => ((Math.round(Number(text) * 1e5) + points) / 1e5).toFixed(5);
const market = async (units, more = {}) =>
  body(201, "order", "market", { instrument: I, units, ...more });
const limit = async (units, at, more = {}) =>
  body(201, "order", "limit", { instrument: I, units, price: at, ...more });
const low = async () => shifted((await price()).bids[0].price, -2000);

/** An order that must be refused with this code; the response. */
async function refused(status, code, method, spec, ...more) {
  const response = await ask(main, "order", method, account, ...more, spec);
  assert.equal(response.statusCode, String(status), response.rawBody);
  assert.equal(JSON.parse(response.rawBody).errorCode, code, response.rawBody);
  return response;
}

/** The account as it was: no orders, no trades. */
async function flat() {
  for (const o of (await body(200, "order", "listPending")).orders) await ask(main, "order", "cancel", account, o.id);
  for (const t of (await body(200, "trade", "listOpen")).trades) await body(200, "trade", "close", t.id, {});
  assert.deepEqual((await body(200, "position", "listOpen")).positions, []);
}

// Nobody waits here, so more is asked in a second than the venue allows.
await control("oanda", "limit", { requests: 100000, per: 1 });

// ---- the account and the market ----------------------------------------------

check("accounts: listed, whole, in short", async () => {
  const list = await ask(main, "account", "list");
  assert.deepEqual(list.body.accounts.map((a) => a.id), [account]);
  const whole = await body(200, "account", "get");
  assert.deepEqual([whole.account.id, whole.account.currency, whole.account.orders, whole.account.trades],
    [account, "USD", [], []]);
  const short = (await body(200, "account", "summary")).account;
  assert.equal(short.balance, whole.account.balance);
  assert.match(short.NAV, /^\d+\.\d{4}$/);
});

check("instruments: all, and some", async () => {
  assert.ok((await body(200, "account", "instruments", {})).instruments.length >= 4);
  const [yen, euro] = ["USD_JPY", I];
  const some = (await body(200, "account", "instruments", { instruments: `${yen},${euro}` })).instruments;
  const by = Object.fromEntries(some.map((i) => [i.name, i]));
  assert.deepEqual([some.length, by[yen].displayPrecision, by[yen].pipLocation, by[euro].displayPrecision], [2, 3, -2, 5]);
  const none = await ask(main, "account", "instruments", account, { instruments: "NO_SUCH" });
  assert.equal(none.statusCode, "400");
});

check("configuration: a new alias, a wrong margin rate", async () => {
  const done = await body(200, "account", "configure", { alias: "mine" });
  assert.equal(done.clientConfigureTransaction.alias, "mine");
  assert.equal((await body(200, "account", "summary")).account.alias, "mine");
  const no = await ask(main, "account", "configure", account, { marginRate: "7" });
  assert.deepEqual([no.statusCode, no.body.clientConfigureRejectTransaction.rejectReason], ["400", "MARGIN_RATE_INVALID"]);
});

check("prices: two sides that do not cross, only what is new", async () => {
  const first = await body(200, "pricing", "get", { instruments: `${I},USD_JPY` });
  assert.deepEqual(first.prices.map((p) => p.instrument), [I, "USD_JPY"]);
  for (const p of first.prices) assert.ok(Number(p.bids[0].price) < Number(p.asks[0].price) && p.tradeable);
  await control("oanda", "move", { symbol: "USD/JPY", by: "0.001" });
  const next = await body(200, "pricing", "get", { instruments: `${I},USD_JPY`, since: first.time });
  assert.ok(next.prices.some((p) => p.instrument === "USD_JPY"));
  const none = await ask(main, "pricing", "get", account, { instruments: "NO_SUCH" });
  assert.equal(none.statusCode, "400");
});

check("candles: by count, from a time, of all three prices", async () => {
  const candles = async (params) => {
    const response = await ask(main, "instrument", "candles", I, params);
    assert.equal(response.statusCode, "200", response.rawBody);
    return response.body.candles;
  };
  const last = await candles({ granularity: "M1", count: 3 });
  assert.equal(last.length, 3);
  assert.ok(Number(last[0].mid.h) >= Number(last[0].mid.l));
  const all = await candles({ granularity: "M5", price: "MBA", count: 2 });
  assert.ok(Number(all[0].bid.c) < Number(all[0].mid.c) && Number(all[0].mid.c) < Number(all[0].ask.c));
  const later = await candles({ granularity: "M1", from: last[1].time, count: 2 });
  assert.equal(later[0].time, last[1].time);
  const tooMany = await ask(main, "instrument", "candles", I, { count: 5001 });
  assert.equal(tooMany.statusCode, "400");
});

// ---- market orders, trades, positions ------------------------------------------

check("market order: filled at the price, a trade is open", async () => {
  const { asks } = await price();
  const done = await market("1000", { clientExtensions: { id: "life", tag: "t" } });
  const { orderCreateTransaction: create, orderFillTransaction: fill } = done;
  assert.deepEqual([create.type, create.timeInForce, create.reason], ["MARKET_ORDER", "FOK", "CLIENT_ORDER"]);
  assert.deepEqual([fill.orderID, fill.clientOrderID, fill.units, fill.tradeOpened.tradeID], [create.id, "life", "1000", fill.id]);
  assert.ok(Math.abs(Number(fill.price) - Number(asks[0].price)) < 0.001);
  assert.deepEqual([done.relatedTransactionIDs, done.lastTransactionID], [[create.id, fill.id], fill.id]);
  assert.deepEqual([create.batchID, fill.batchID, fill.requestID], [create.id, create.id, create.requestID]);
  const { trade } = await body(200, "trade", "get", fill.id);
  assert.deepEqual([trade.state, trade.currentUnits, trade.price, trade.instrument], ["OPEN", "1000", fill.price, I]);
  const { order } = await body(200, "order", "get", create.id);
  assert.deepEqual([order.state, order.fillingTransactionID, order.tradeOpenedID], ["FILLED", fill.id, fill.id]);
  const { position } = await body(200, "position", "get", I);
  assert.deepEqual([position.long.units, position.long.tradeIDs, position.short.units], ["1000", [fill.id], "0"]);
  await flat();
});

check("trade closed: the balance moves by exactly its profit", async () => {
  const before = await balance();
  const { orderFillTransaction: opened } = await market("100000");
  assert.equal(money(opened.accountBalance), before);
  await control("oanda", "move", { symbol: "EUR/USD", by: "0.01" });
  const closed = (await body(200, "trade", "close", opened.tradeOpened.tradeID, { units: "ALL" })).orderFillTransaction;
  const points = tenths(closed.price, 5) - tenths(opened.price, 5);
  assert.equal(money(closed.pl), points * 100000n * UNIT / 100000n);
  assert.equal(closed.reason, "MARKET_ORDER_TRADE_CLOSE");
  assert.equal(closed.tradesClosed[0].tradeID, opened.tradeOpened.tradeID);
  const after = await balance();
  assert.equal(after - before, money(closed.pl) + money(closed.financing) - money(closed.commission));
  assert.equal(after, money(closed.accountBalance));
  const { trade } = await body(200, "trade", "get", opened.tradeOpened.tradeID);
  assert.deepEqual([trade.state, trade.currentUnits, trade.realizedPL, trade.averageClosePrice],
    ["CLOSED", "0", closed.pl, closed.price]);
});

check("short trade: a loss is a loss", async () => {
  const before = await balance();
  const { orderFillTransaction: opened } = await market("-50000");
  await control("oanda", "move", { symbol: "EUR/USD", by: "0.005" });
  const { orderFillTransaction: closed } = await body(200, "trade", "close", opened.tradeOpened.tradeID, {});
  assert.ok(money(closed.pl) < 0n);
  assert.equal(money(closed.pl), (tenths(opened.price, 5) - tenths(closed.price, 5)) * 50000n * UNIT / 100000n);
  assert.equal(await balance() - before, money(closed.pl) + money(closed.financing));
});

check("trade closed in part", async () => {
  const { orderFillTransaction: opened } = await market("1000");
  const id = opened.tradeOpened.tradeID;
  const part = (await body(200, "trade", "close", id, { units: "400" })).orderFillTransaction;
  assert.deepEqual([part.tradeReduced.tradeID, part.tradeReduced.units], [id, "-400"]);
  assert.equal((await body(200, "trade", "get", id)).trade.currentUnits, "600");
  const tooMany = await ask(main, "trade", "close", account, id, { units: "601" });
  assert.deepEqual([tooMany.statusCode, tooMany.body.errorCode], ["400", "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE"]);
  await flat();
});

check("a larger order on the other side turns the position round, first in first out", async () => {
  const first = (await market("300")).orderFillTransaction.id;
  const second = (await market("200")).orderFillTransaction.id;
  const turned = (await market("-700")).orderFillTransaction;
  assert.deepEqual(turned.tradesClosed.map((t) => [t.tradeID, t.units]), [[first, "-300"], [second, "-200"]]);
  assert.equal(turned.tradeOpened.units, "-200");
  const { position } = await body(200, "position", "get", I);
  assert.deepEqual([position.long.units, position.short.units], ["0", "-200"]);
  await flat();
});

check("position closed: the side that is held, and no other", async () => {
  await market("500");
  const wrong = await ask(main, "position", "close", account, I, { longUnits: "ALL", shortUnits: "ALL" });
  assert.deepEqual([wrong.statusCode, wrong.body.errorCode], ["400", "CLOSEOUT_POSITION_DOESNT_EXIST"]);
  const done = await body(200, "position", "close", I, { longUnits: "ALL" });
  assert.deepEqual([done.longOrderCreateTransaction.reason, done.longOrderFillTransaction.units],
    ["POSITION_CLOSEOUT", "-500"]);
  const none = await ask(main, "position", "close", account, I, { longUnits: "ALL" });
  assert.deepEqual([none.statusCode, JSON.parse(none.rawBody).errorCode], ["404", "CLOSEOUT_POSITION_DOESNT_EXIST"]);
  assert.ok((await body(200, "position", "list")).positions.some((p) => p.instrument === I && p.long.units === "0"));
  const never = await ask(main, "position", "get", account, "AUD_USD");
  assert.deepEqual([never.statusCode, JSON.parse(never.rawBody).errorCode], ["404", "NO_SUCH_POSITION"]);
});

check("reduce only: never opens", async () => {
  const nothing = await market("100", { positionFill: "REDUCE_ONLY" });
  assert.equal(nothing.orderFillTransaction, undefined);
  assert.ok(nothing.orderCancelTransaction.reason);
  await market("100");
  const done = await market("-100", { positionFill: "REDUCE_ONLY" });
  assert.equal(done.orderFillTransaction.tradesClosed[0].units, "-100");
  assert.deepEqual((await body(200, "trade", "listOpen")).trades, []);
});

check("market order refused after it was accepted: no margin, no market", async () => {
  const poor = await market("8000000");
  assert.equal(poor.orderCancelTransaction.reason, "INSUFFICIENT_MARGIN");
  assert.equal(poor.orderCancelTransaction.orderID, poor.orderCreateTransaction.id);
  await control("oanda", "halt", { symbol: "EUR/USD" });
  const shut = await market("100");
  assert.equal(shut.orderCancelTransaction.reason, "MARKET_HALTED");
  assert.equal((await price()).tradeable, false);
  await control("oanda", "resume", { symbol: "EUR/USD" });
  assert.equal((await market("100")).orderFillTransaction.units, "100");
  await flat();
});

check("price bound: filled within it or not at all", async () => {
  const { asks } = await price();
  const never = await market("100", { priceBound: shifted(asks[0].price, -500) });
  assert.equal(never.orderCancelTransaction.reason, "BOUNDS_VIOLATION");
});

// ---- pending orders ------------------------------------------------------------

check("limit order: rests, is found by number and by name, is cancelled", async () => {
  const at = await low();
  const { orderCreateTransaction: create } = await limit("1000", at, { clientExtensions: { id: "resting" } });
  assert.deepEqual([create.type, create.timeInForce, create.price], ["LIMIT_ORDER", "GTC", at]);
  for (const spec of [create.id, "@resting"]) {
    const { order } = await body(200, "order", "get", spec);
    assert.deepEqual([order.id, order.state, order.units, order.price], [create.id, "PENDING", "1000", at]);
  }
  assert.deepEqual((await body(200, "order", "listPending")).orders.map((o) => o.id), [create.id]);
  assert.equal((await body(200, "account", "summary")).account.pendingOrderCount, 1);
  const gone = await body(200, "order", "cancel", "@resting");
  assert.deepEqual([gone.orderCancelTransaction.reason, gone.orderCancelTransaction.clientOrderID],
    ["CLIENT_REQUEST", "resting"]);
  assert.equal((await body(200, "order", "get", create.id)).order.state, "CANCELLED");
  const ended = await body(200, "order", "list", { state: "CANCELLED", instrument: I });
  assert.equal(ended.orders[0].id, create.id);
});

check("limit order: fills at once where it crosses, later where the price comes", async () => {
  const { asks } = await price();
  const crossing = await limit("100", shifted(asks[0].price, 300));
  assert.equal(crossing.orderFillTransaction.reason, "LIMIT_ORDER");
  assert.ok(Number(crossing.orderFillTransaction.price) <= Number(shifted(asks[0].price, 300)));
  const at = await low();
  const { orderCreateTransaction: create } = await limit("100", at);
  await control("oanda", "move", { symbol: "EUR/USD", by: "-0.03" });
  const order = await until(async () => (await body(200, "order", "get", create.id)).order,
    (o) => o.state === "FILLED", "the limit order");
  const { transaction } = await body(200, "transaction", "get", order.fillingTransactionID);
  assert.deepEqual([transaction.type, transaction.reason, transaction.units], ["ORDER_FILL", "LIMIT_ORDER", "100"]);
  assert.ok(Number(transaction.price) <= Number(at));
  await flat();
});

check("limit order replaced: a new number, the old one says by whom", async () => {
  const at = await low();
  const { orderCreateTransaction: old } = await limit("1000", at, { clientExtensions: { id: "replaced" } });
  const done = await body(201, "order", "limitReplace", old.id, { instrument: I, units: "700", price: shifted(at, 10),
    clientExtensions: { id: "replaced" } });
  assert.deepEqual([done.orderCancelTransaction.reason, done.orderCancelTransaction.replacedByOrderID],
    ["CLIENT_REQUEST_REPLACED", done.orderCreateTransaction.id]);
  assert.deepEqual([done.orderCreateTransaction.reason, done.orderCreateTransaction.replacesOrderID],
    ["REPLACEMENT", old.id]);
  const { order } = await body(200, "order", "get", "@replaced");
  assert.deepEqual([order.id, order.units, order.price], [done.orderCreateTransaction.id, "700", shifted(at, 10)]);
  await flat();
});

check("stop order: waits for a worse price, then fills at the market", async () => {
  const { asks } = await price();
  const trigger = shifted(asks[0].price, 500);
  const { orderCreateTransaction: create } = await body(201, "order", "stop", { instrument: I, units: "100", price: trigger });
  assert.equal((await body(200, "order", "get", create.id)).order.state, "PENDING");
  await control("oanda", "move", { symbol: "EUR/USD", by: "0.01" });
  const order = await until(async () => (await body(200, "order", "get", create.id)).order,
    (o) => o.state === "FILLED", "the stop order");
  const { transaction } = await body(200, "transaction", "get", order.fillingTransactionID);
  assert.equal(transaction.reason, "STOP_ORDER");
  assert.ok(Number(transaction.price) >= Number(trigger));
  await flat();
});

check("market if touched: waits for its price from either side", async () => {
  const { bids } = await price();
  const { orderCreateTransaction: create } = await body(201, "order", "marketIfTouched",
    { instrument: I, units: "100", price: shifted(bids[0].price, -500) });
  await control("oanda", "move", { symbol: "EUR/USD", by: "-0.01" });
  const order = await until(async () => (await body(200, "order", "get", create.id)).order,
    (o) => o.state === "FILLED", "the order");
  assert.equal(order.type, "MARKET_IF_TOUCHED");
  await flat();
});

// ---- orders that belong to trades ------------------------------------------------

check("take profit and stop loss on fill: one closes the trade, the other goes with it", async () => {
  const { asks } = await price();
  const done = await market("1000", { takeProfitOnFill: { price: shifted(asks[0].price, 500) },
    stopLossOnFill: { price: shifted(asks[0].price, -500) } });
  assert.equal(done.relatedTransactionIDs.length, 4);
  const id = done.orderFillTransaction.tradeOpened.tradeID;
  const { trade } = await body(200, "trade", "get", id);
  assert.deepEqual([trade.takeProfitOrder.tradeID, trade.stopLossOrder.tradeID], [id, id]);
  await control("oanda", "move", { symbol: "EUR/USD", by: "0.01" });
  const closed = await until(async () => (await body(200, "trade", "get", id)).trade, (t) => t.state === "CLOSED", "the trade");
  assert.ok(Number(closed.realizedPL) > 0);
  const { transaction: fill } = await body(200, "transaction", "get", closed.closingTransactionIDs[0]);
  assert.equal(fill.reason, "TAKE_PROFIT_ORDER");
  const { order: stop } = await body(200, "order", "get", trade.stopLossOrder.id);
  assert.equal(stop.state, "CANCELLED");
  const { transaction: cancel } = await body(200, "transaction", "get", stop.cancellingTransactionID);
  assert.equal(cancel.reason, "LINKED_TRADE_CLOSED");
});

check("dependent orders: made, replaced, taken away", async () => {
  const { asks } = await price();
  const id = (await market("1000")).orderFillTransaction.tradeOpened.tradeID;
  const made = await body(200, "trade", "setDependentOrders", id, { takeProfit: { price: shifted(asks[0].price, 900) },
    stopLoss: { price: shifted(asks[0].price, -900) } });
  assert.deepEqual([made.takeProfitOrderTransaction.reason, made.stopLossOrderTransaction.reason],
    ["CLIENT_ORDER", "CLIENT_ORDER"]);
  const other = await body(200, "trade", "setDependentOrders", id, { stopLoss: { price: shifted(asks[0].price, -800) } });
  assert.equal(other.stopLossOrderCancelTransaction.reason, "CLIENT_REQUEST_REPLACED");
  for (let i = 0; i < 2; i += 1) await body(200, "trade", "setDependentOrders", id, { takeProfit: null });
  const { trade } = await body(200, "trade", "get", id);
  assert.deepEqual([trade.takeProfitOrder, trade.stopLossOrder.price], [undefined, shifted(asks[0].price, -800)]);
  await body(200, "order", "cancel", trade.stopLossOrder.id);
  const far = await body(201, "order", "stopLoss", { tradeID: id, distance: "0.01000" });
  assert.equal((await body(200, "trade", "get", id)).trade.stopLossOrder.id, far.orderCreateTransaction.id);
  await flat();
});

check("trailing stop: follows the price up, not down", async () => {
  const done = await market("1000", { trailingStopLossOnFill: { distance: "0.00500" } });
  const id = done.orderFillTransaction.tradeOpened.tradeID;
  const stop = async () => (await body(200, "trade", "get", id)).trade.trailingStopLossOrder;
  const first = Number((await stop()).trailingStopValue);
  await control("oanda", "move", { symbol: "EUR/USD", by: "0.002" });
  const second = Number((await stop()).trailingStopValue);
  assert.ok(second > first, `${second} after ${first}`);
  await control("oanda", "move", { symbol: "EUR/USD", by: "-0.01" });
  const closed = await until(async () => (await body(200, "trade", "get", id)).trade, (t) => t.state === "CLOSED", "the trade");
  const { transaction } = await body(200, "transaction", "get", closed.closingTransactionIDs[0]);
  assert.equal(transaction.reason, "TRAILING_STOP_LOSS_ORDER");
});

// ---- names, refusals -------------------------------------------------------------

check("names: one pending order each; a market order with the same name fills twice", async () => {
  const at = await low();
  await limit("100", at, { clientExtensions: { id: "once" } });
  const again = await refused(400, "CLIENT_ORDER_ID_ALREADY_EXISTS", "limit",
    { instrument: I, units: "100", price: at, clientExtensions: { id: "once" } });
  assert.equal(again.body.orderRejectTransaction.rejectReason, "CLIENT_ORDER_ID_ALREADY_EXISTS");
  const first = await market("100", { clientExtensions: { id: "twice" } });
  const second = await market("100", { clientExtensions: { id: "twice" } });
  assert.ok(first.orderFillTransaction.id !== second.orderFillTransaction.id);
  await flat();
});

check("client extensions of orders and trades change", async () => {
  const { orderCreateTransaction: create } = await limit("100", await low());
  const changed = await body(200, "order", "setClientExtensions", create.id, { clientExtensions: { id: "named", tag: "x" } });
  assert.equal(changed.orderClientExtensionsModifyTransaction.clientExtensionsModify.id, "named");
  assert.equal((await body(200, "order", "get", "@named")).order.id, create.id);
  const trade = (await market("100")).orderFillTransaction.tradeOpened.tradeID;
  await body(200, "trade", "setClientExtensions", trade, { clientExtensions: { id: "held" } });
  assert.equal((await body(200, "trade", "get", "@held")).trade.id, trade);
  await flat();
});

check("orders that are wrong: each has its reason, and a transaction that says it", async () => {
  const at = await low();
  const rows = [
    ["market", { units: "0" }, "UNITS_INVALID"], ["market", { units: "1.5" }, "UNITS_PRECISION_EXCEEDED"],
    ["market", { units: "100000001" }, "UNITS_LIMIT_EXCEEDED"],
    ["limit", { units: "100", price: "1.0000001" }, "PRICE_PRECISION_EXCEEDED"],
    ["market", { units: "100", timeInForce: "GTC" }, "TIME_IN_FORCE_INVALID"],
    ["limit", { units: "100", price: at, timeInForce: "GTD", gtdTime: "2020-01-01T00:00:00Z" },
      "TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST"],
    ["limit", { units: "100", price: at, clientExtensions: { id: "x".repeat(129) } }, "CLIENT_ORDER_ID_INVALID"],
  ];
  for (const [method, spec, code] of rows) {
    const no = await refused(400, code, method, { instrument: I, ...spec });
    assert.equal(no.body.orderRejectTransaction.rejectReason, code);
    assert.deepEqual(no.body.relatedTransactionIDs, [no.body.lastTransactionID]);
  }
});

check("requests that are wrong cause no transaction", async () => {
  const before = (await body(200, "account", "summary")).lastTransactionID;
  for (const spec of [{ instrument: "NO_SUCH", units: "1" }, { instrument: I, units: "many" },
    { instrument: I, units: "1", timeInForce: "NEVER" }]) {
    const no = await ask(main, "order", "market", account, spec);
    assert.equal(no.statusCode, "400", no.rawBody);
    assert.equal(no.body.orderRejectTransaction, undefined);
  }
  assert.equal((await body(200, "account", "summary")).lastTransactionID, before);
});

check("unknown orders and trades", async () => {
  const missing = await ask(main, "order", "get", account, "999999");
  assert.deepEqual([missing.statusCode, JSON.parse(missing.rawBody).errorCode], ["404", "NO_SUCH_ORDER"]);
  const gone = await ask(main, "order", "cancel", account, "999999");
  assert.deepEqual([gone.statusCode, gone.body.orderCancelRejectTransaction.rejectReason], ["404", "ORDER_DOESNT_EXIST"]);
  const trade = await ask(main, "trade", "get", account, "999999");
  assert.deepEqual([trade.statusCode, JSON.parse(trade.rawBody).errorCode], ["404", "NO_SUCH_TRADE"]);
  const close = await ask(main, "trade", "close", account, "999999", {});
  assert.deepEqual([close.statusCode, close.body.orderRejectTransaction.rejectReason], ["404", "TRADE_DOESNT_EXIST"]);
});

check("strangers: a wrong token, an account that is not theirs, one that is none", async () => {
  const wrong = await ask(open(serving.oanda, "wrong-token"), "account", "summary", account);
  assert.deepEqual([wrong.statusCode, JSON.parse(wrong.rawBody).errorMessage],
    ["401", "Insufficient authorization to perform request."]);
  const other = await ask(main, "account", "summary", "101-004-1111111-001");
  assert.equal(other.statusCode, "403");
  const none = await ask(main, "account", "summary", "12345");
  assert.equal(none.statusCode, "400");
});

check("too many requests: 429, and none too soon", async () => {
  const context = open(serving.oandaStrict);
  await control("oandaStrict", "limit", { requests: 3, per: 1 });
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask(context, "account", "summary", serving.oandaStrict.account)));
  assert.equal(answers.filter((a) => a.statusCode === "429").length, 2);
  assert.ok(answers.find((a) => a.statusCode === "429").body.errorMessage);
  await until(async () => (await ask(context, "account", "summary", serving.oandaStrict.account)).statusCode,
    (status) => status === "200", "after the second");
});

check("a body that is longer than it says is refused, and the next request is not", async () => {
  const no = await ask(main, "order", "limit", account,
    { instrument: I, units: "100", price: "0.90000", clientExtensions: { comment: "\u00e9" } });
  assert.equal(no.statusCode, "400", no.rawBody);
  assert.deepEqual((await body(200, "order", "listPending")).orders, []);
});

check("answers of a venue that is unwell", async () => {
  await control("oandaStrict", "limit", { requests: 1000, per: 1 });
  const context = open(serving.oandaStrict);
  for (const [fault, status, type] of [[{ status: 503 }, "503", /^application\/json/], [{ status: 504 }, "504", /json/],
    [{ status: 502 }, "502", /^text\/html/]]) {
    await control("oandaStrict", "fault", { venue: "status", on: "account", ...fault });
    const sick = await ask(context, "account", "summary", serving.oandaStrict.account);
    await control("oandaStrict", "heal");
    assert.equal(sick.statusCode, status);
    assert.match(sick.contentType, type);
    if (status !== "502") assert.ok(sick.body.errorMessage, sick.rawBody);
  }
  assert.equal((await ask(context, "account", "summary", serving.oandaStrict.account)).statusCode, "200");
});

// ---- transactions and streams ------------------------------------------------------

check("transactions: numbered without a gap, in pages, ranges and since", async () => {
  const first = (await market("100")).orderCreateTransaction.id;
  await flat();
  const { transactions, lastTransactionID } = await body(200, "transaction", "range", { from: "1", to: first });
  assert.deepEqual(transactions.map((t) => t.id), Array.from({ length: Number(first) }, (_, i) => String(i + 1)));
  assert.equal(transactions[0].type, "CREATE");
  const later = await body(200, "transaction", "since", { id: first });
  assert.equal(later.transactions.at(-1).id, lastTransactionID);
  assert.equal(later.transactions[0].id, String(Number(first) + 1));
  const pages = await body(200, "transaction", "list", { pageSize: 10, type: "ORDER_FILL" });
  assert.ok(pages.pages.length > 0 && pages.pages.every((p) => p.startsWith(serving.oanda.rest)), pages.pages[0]);
  const bad = await ask(main, "transaction", "list", account, { pageSize: 1001 });
  assert.equal(JSON.parse(bad.rawBody).errorCode, "INVALID_PAGESIZE");
});

check("changes: what happened since a transaction, and the state now", async () => {
  const since = (await body(200, "account", "summary")).lastTransactionID;
  const { orderCreateTransaction: create } = await limit("100", await low());
  const { changes, state, lastTransactionID } = await body(200, "account", "changes", { sinceTransactionID: since });
  assert.deepEqual([changes.ordersCreated.map((o) => o.id), changes.transactions.length, lastTransactionID],
    [[create.id], 1, create.id]);
  assert.match(state.NAV, /^\d+\.\d{4}$/);
  await flat();
  const late = await ask(main, "account", "changes", account, { sinceTransactionID: "999999" });
  assert.equal(late.statusCode, "416");
});

check("transaction stream: each as it happens, and a heartbeat", async () => {
  const heard = [];
  let status;
  main.transaction.stream(account, (t) => heard.push(t), (response) => { status = response.statusCode; });
  await until(async () => control("oanda", "streams"), (list) => list.some((s) => s.kind === "transactions"), "the stream");
  const done = await market("100");
  await flat();
  const last = (await body(200, "account", "summary")).lastTransactionID;
  await until(async () => heard, (list) => list.some((t) => t.id === last), "the last transaction");
  const ids = heard.filter((t) => t.type !== "HEARTBEAT").map((t) => Number(t.id));
  assert.deepEqual(ids, ids.map((_, i) => Number(done.orderCreateTransaction.id) + i));
  await until(async () => heard, (list) => list.some((t) => t.type === "HEARTBEAT" && t.lastTransactionID === last),
    "a heartbeat");
  assert.equal(status, undefined, "it goes on");
});

check("price stream: a price of each instrument at once, then changes, and a heartbeat", async () => {
  const heard = [];
  main.pricing.stream(account, { instruments: `${I},USD_JPY` }, (p) => heard.push(p), () => {});
  await until(async () => heard, (list) => list.length >= 2, "the first prices");
  assert.deepEqual(heard.slice(0, 2).map((p) => [p.type, p.instrument]), [["PRICE", I], ["PRICE", "USD_JPY"]]);
  await control("oanda", "move", { symbol: "USD/JPY", by: "0.002" });
  const { prices: [now] } = await body(200, "pricing", "get", { instruments: "USD_JPY" });
  await until(async () => heard.slice(2), (list) => list.some((p) => p.instrument === "USD_JPY"
    && Math.abs(Number(p.bids[0].price) - Number(now.bids[0].price)) < 0.2), "the new price");
  await until(async () => heard, (list) => list.some((p) => p.type === "HEARTBEAT"), "a heartbeat");
});

check("streams are refused to strangers", async () => {
  const response = await new Promise((resolve) => {
    open(serving.oanda, "wrong-token").transaction.stream(account, () => assert.fail("a line"), resolve);
  });
  assert.equal(response.statusCode, "401");
});

checkStrays();
await end(await runAll(), []);
