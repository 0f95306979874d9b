// ccxt, unmodified, REST and WebSocket, against the Bybit sandbox, category linear.
import assert from "node:assert/strict";
import ccxt from "ccxt";
import { bybit, collect, near, opened, rejects } from "./bybit_ccxt.js";
import { check, checkStrays, control, end, runAll, until } from "./checks.js";

const SYMBOL = "BTC/USDT:USDT";
const TAKER = 0.00055;

const ex = await bybit("bybit", { options: { defaultType: "swap" } });
for (const path of ["create", "cancel", "cancel-all"]) { // the checks are fast
  await control("bybit", "limit", { path: `/v5/order/${path}`, requests: 1000, per: 1 });
}
await ex.loadMarkets();

const bestBid = async () => (await ex.fetchOrderBook(SYMBOL, 5)).bids[0][0];
const below = async (by = 0.95) => Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * by));
const lookup = (order) => ex.fetchOrder(order.id, SYMBOL, { acknowledged: true });
const usdt = async () => (await ex.fetchBalance()).USDT;
const position = async () => (await ex.fetchPositions([SYMBOL]))[0];
const move = (to) => control("bybit", "move", { symbol: SYMBOL, to: String(to) });

async function taken(side, amount, params = {}) {
  const order = await ex.createOrder(SYMBOL, "market", side, amount, undefined, params);
  return until(() => lookup(order), (o) => o.status !== "open", "the end of a market order");
}

async function flat() {
  await ex.cancelAllOrders(SYMBOL);
  const { contracts, side } = await position();
  if (contracts > 0) await taken(side === "long" ? "sell" : "buy", contracts, { reduceOnly: true });
  assert.equal((await position()).contracts, 0);
}

/** A check that begins and ends without a position. */
const traded = (name, run) => check(name, async () => {
  await flat();
  await run();
  await flat();
});

// ---- public data ------------------------------------------------------------

check("loadMarkets knows the contracts", async () => {
  const m = ex.markets[SYMBOL];
  assert.deepEqual([m.id, m.swap, m.linear, m.settle, m.active], ["BTCUSDT", true, true, "USDT", true]);
  assert.deepEqual([m.precision.price, m.precision.amount, m.limits.amount.min, m.limits.leverage.max],
    [0.1, 0.001, 0.001, 100]);
});

check("fetchTicker has mark and index", async () => {
  const t = await ex.fetchTicker(SYMBOL);
  assert.equal(t.symbol, SYMBOL);
  assert.ok(t.bid < t.ask && t.markPrice > 0 && t.indexPrice > 0 && t.low <= t.last && t.last <= t.high);
  const all = await ex.fetchTickers(undefined, { type: "swap" });
  assert.ok(all[SYMBOL].last > 0 && all["ETH/USDT:USDT"].last > 0);
});

check("the book of a contract is its own", async () => {
  const book = await ex.fetchOrderBook(SYMBOL, 20);
  assert.ok(book.bids.length === 20 && book.bids[0][0] < book.asks[0][0]);
  assert.notDeepEqual(book.bids, (await ex.fetchOrderBook("BTC/USDT", 20)).bids);
});

check("funding: the rate, the time of the next, and the history", async () => {
  const f = await ex.fetchFundingRate(SYMBOL);
  assert.ok(Math.abs(f.fundingRate) <= 0.005 && f.fundingTimestamp > Date.now());
  assert.equal(f.fundingTimestamp % (8 * 3600000), 0);
  const past = await ex.fetchFundingRateHistory(SYMBOL, undefined, 3);
  assert.equal(past.length, 3);
  assert.equal(past[2].timestamp - past[1].timestamp, 8 * 3600000);
});

check("open interest, now and then", async () => {
  assert.ok((await ex.fetchOpenInterest(SYMBOL)).openInterestAmount > 0);
  assert.ok((await ex.fetchOpenInterestHistory(SYMBOL, "1h", undefined, 5)).length === 5);
});

check("candles: of trades, of mark and of index", async () => {
  assert.equal((await ex.fetchOHLCV(SYMBOL, "1m", undefined, 3)).length, 3);
  assert.equal((await ex.fetchMarkOHLCV(SYMBOL, "1m", undefined, 3)).length, 3);
  assert.equal((await ex.fetchIndexOHLCV(SYMBOL, "1m", undefined, 3)).length, 3);
});

check("leverage tiers and fees", async () => {
  const tiers = await ex.fetchMarketLeverageTiers(SYMBOL);
  assert.ok(tiers[0].maxLeverage === 100 && tiers[0].maintenanceMarginRate === 0.005);
  assert.equal((await ex.fetchTradingFee(SYMBOL)).taker, TAKER);
});

// ---- orders and positions -----------------------------------------------------

traded("a limit order rests, ties up its margin, is changed and cancelled", async () => {
  const before = await usdt();
  const price = await below();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.1, price);
  const seen = await lookup(order);
  assert.deepEqual([seen.symbol, seen.status, seen.amount, seen.reduceOnly], [SYMBOL, "open", 0.1, false]);
  near((await usdt()).used - before.used, (price * 0.1) / 10, 1e-6);
  await ex.editOrder(order.id, SYMBOL, "limit", "buy", 0.2, price - 100);
  const edited = await lookup(order);
  assert.deepEqual([edited.amount, edited.price, edited.status], [0.2, price - 100, "open"]);
  assert.ok((await ex.fetchOpenOrders(SYMBOL)).some((o) => o.id === order.id));
  await ex.cancelOrder(order.id, SYMBOL);
  assert.equal((await lookup(order)).status, "canceled");
  near((await usdt()).used, before.used);
  await rejects(ccxt.OrderNotFound, () => ex.cancelOrder(order.id, SYMBOL), "110001");
});

traded("a position opens, grows, shrinks and closes; the wallet moves by fees and profit alone", async () => {
  const before = await usdt();
  const bought = await taken("buy", 0.2);
  assert.deepEqual([bought.status, bought.filled, bought.fee.currency], ["closed", 0.2, "USDT"]);
  near(bought.fee.cost, bought.cost * TAKER, 1e-4);
  const held = await position();
  assert.deepEqual([held.side, held.contracts, held.leverage], ["long", 0.2, 10]);
  near(held.entryPrice, bought.average, 1e-4);
  near((await usdt()).total, before.total - bought.fee.cost, 1e-4);
  const sold = await taken("sell", 0.15, { reduceOnly: true });
  assert.equal((await position()).contracts, 0.05);
  near((await position()).entryPrice, held.entryPrice, 1e-6);
  const rest = await taken("sell", 1, { reduceOnly: true });
  assert.equal(rest.filled, 0.05);
  assert.equal((await position()).contracts, 0);
  const profit = sold.cost + rest.cost - bought.cost - bought.fee.cost - sold.fee.cost - rest.fee.cost;
  near((await usdt()).total, before.total + profit, 1e-3);
});

traded("a position turns round", async () => {
  await taken("buy", 0.1);
  await taken("sell", 0.3);
  const held = await position();
  assert.deepEqual([held.side, held.contracts], ["short", 0.2]);
  assert.ok((await ex.fetchPositions()).some((p) => p.symbol === SYMBOL));
});

traded("profit follows the mark", async () => {
  const bought = await taken("buy", 0.1);
  await move(Math.trunc(bought.average * 1.01));
  const held = await position();
  assert.ok(held.unrealizedPnl > 0);
  near(held.unrealizedPnl, (held.markPrice - held.entryPrice) * 0.1, 1e-6);
  await move(60000);
});

check("leverage is set once, and within bounds", async () => {
  await ex.setLeverage(20, SYMBOL);
  assert.equal((await ex.fetchLeverage(SYMBOL)).longLeverage, 20);
  const set = (leverage) => () => ex.privatePostV5PositionSetLeverage({ category: "linear", symbol: "BTCUSDT",
    buyLeverage: leverage, sellLeverage: leverage });
  await rejects(ccxt.BadRequest, set("20"), "110043");
  await rejects(ccxt.BadRequest, set("101"), "110013");
  await ex.setLeverage(10, SYMBOL);
});

check("modes", async () => {
  await rejects(ccxt.NoChange, () => ex.setPositionMode(false, SYMBOL), "110025");
  await ex.setMarginMode("isolated");
  await ex.setMarginMode("cross");
  await rejects(ccxt.MarginModeAlreadySet, () => ex.setMarginMode("cross"), "110026");
});

traded("what was closed is told with its profit", async () => {
  const bought = await taken("buy", 0.1);
  const sold = await taken("sell", 0.1, { reduceOnly: true });
  const [closed] = await ex.fetchPositionsHistory([SYMBOL]);
  assert.equal(closed.symbol, SYMBOL);
  assert.ok(Math.abs(closed.entryPrice - bought.average) < 0.1 && Math.abs(closed.lastPrice - sold.average) < 0.1);
});

traded("a conditional order waits, fires and trades", async () => {
  const triggerPrice = await below(0.97);
  const order = await ex.createOrder(SYMBOL, "market", "sell", 0.1, undefined,
    { triggerPrice, triggerDirection: "descending" });
  const waiting = await lookup(order);
  assert.deepEqual([waiting.status, waiting.info.orderStatus, waiting.triggerPrice], ["open", "Untriggered", triggerPrice]);
  await move(Math.trunc(triggerPrice * 0.99));
  await until(() => lookup(order), (o) => o.status === "closed", "its fill");
  assert.equal((await position()).side, "short");
  await move(60000);
  await rejects(ccxt.InvalidOrder, () => ex.createOrder(SYMBOL, "market", "sell", 0.1, undefined,
    { triggerPrice: 70000, triggerDirection: "descending" }), "110093");
});

traded("take profit and stop loss come with the position, and go with it", async () => {
  const price = await bestBid();
  await ex.createOrder(SYMBOL, "market", "buy", 0.1, undefined,
    { takeProfit: { triggerPrice: price * 1.05 }, stopLoss: { triggerPrice: price * 0.95 } });
  const held = await until(position, (p) => p.takeProfitPrice > 0, "the stops");
  assert.ok(held.takeProfitPrice > price && held.stopLossPrice < price);
  assert.equal((await ex.fetchOpenOrders(SYMBOL)).length, 2);
  await move(Math.trunc(price * 1.06));
  await until(position, (p) => p.contracts === 0, "the take profit");
  assert.equal((await ex.fetchOpenOrders(SYMBOL)).length, 0);
  await move(60000);
});

traded("both sides are held in hedge mode", async () => {
  await ex.setPositionMode(true, SYMBOL);
  const hedged = (side, more) => taken(side, 0.1, { hedged: true, ...more });
  await hedged("buy");
  await hedged("sell");
  const both = (await ex.fetchPositions([SYMBOL])).map((p) => [p.side, p.contracts, p.hedged]);
  assert.deepEqual(both, [["long", 0.1, true], ["short", 0.1, true]]);
  await hedged("sell", { reduceOnly: true });
  await hedged("buy", { reduceOnly: true });
  await ex.setPositionMode(false, SYMBOL);
});

// ---- refusals -------------------------------------------------------------

check("what a contract does not allow", async () => {
  const price = String(await below());
  const raw = (more) => () => ex.privatePostV5OrderCreate({ category: "linear", symbol: "BTCUSDT", side: "Buy",
    orderType: "Limit", price, qty: "0.1", ...more });
  await rejects(ccxt.BadRequest, raw({ qty: "0.0001" }), "minimum limit allowed");
  await rejects(ccxt.BadRequest, raw({ qty: "0.0015" }), "Qty invalid");
  await rejects(ccxt.BadRequest, raw({ symbol: "NOSUCH" }), "symbol invalid");
  await rejects(ccxt.InvalidOrder, raw({ symbol: "ETHUSDT", qty: "0.01", price: "100" }), "110094");
  await rejects(ccxt.InvalidOrder, raw({ reduceOnly: true, side: "Sell" }), "110017");
  await rejects(ccxt.InvalidOrder, raw({ price: "2000000" }), "110003");
  await rejects(ccxt.BadRequest, raw({ positionIdx: 1 }), "position idx not match position mode");
  await raw({ orderLinkId: "twice", timeInForce: "IOC" })();
  await rejects(ccxt.InvalidOrder, raw({ orderLinkId: "twice" }), "110072");
});

check("too little margin is InsufficientFunds", async () => {
  await ex.setLeverage(1, SYMBOL);
  const price = await below(0.999);
  await rejects(ccxt.InsufficientFunds, () => ex.createOrder(SYMBOL, "limit", "buy", 200, price), "110007");
  await ex.setLeverage(10, SYMBOL);
});

// ---- streams --------------------------------------------------------------

check("watchTicker: a snapshot, then what changes", async () => {
  const seen = [];
  while (seen.length < 3) seen.push({ ...(await ex.watchTicker(SYMBOL)) });
  for (const t of seen) assert.ok(t.symbol === SYMBOL && t.last > 0 && t.markPrice > 0 && t.bid < t.ask, JSON.stringify(t));
});

check("watchOrderBook and watchTrades are those of the contract", async () => {
  const book = await ex.watchOrderBook(SYMBOL);
  assert.ok(book.bids[0][0] < book.asks[0][0]);
  const seen = new Map();
  while (seen.size < 2) for (const t of await ex.watchTrades(SYMBOL)) seen.set(t.id, t);
  const known = new Set((await ex.fetchTrades(SYMBOL, undefined, 100)).map((t) => t.id));
  for (const id of seen.keys()) assert.ok(known.has(id), id);
  await ex.unWatchOrderBook(SYMBOL);
});

const listening = (topic) => until(() => control("bybit", "streams"),
  (list) => list.some((s) => s.streams.includes(topic)), topic);

traded("watchOrders and watchMyTrades tell of contracts as such", async () => {
  const orders = collect(() => ex.watchOrders(SYMBOL), (list) => list.some((o) => o.status === "canceled"));
  const fills = collect(() => ex.watchMyTrades(SYMBOL), (list) => list.length > 0);
  await listening("order");
  await listening("execution");
  const bought = await taken("buy", 0.1);
  const resting = await ex.createOrder(SYMBOL, "limit", "buy", 0.1, await below());
  await ex.cancelOrder(resting.id, SYMBOL);
  const all = await orders;
  assert.ok(all.every((o) => o.symbol === SYMBOL));
  assert.equal(all.filter((o) => o.id === bought.id).at(-1).status, "closed");
  const [fill] = await fills;
  assert.deepEqual([fill.symbol, fill.order, fill.fee.currency], [SYMBOL, bought.id, "USDT"]);
});

traded("watchPositions begins with what is held, of inverse contracts nothing, then brings what changes", async () => {
  await ex.watchPositions([SYMBOL]);
  const watching = ex.watchPositions([SYMBOL]);
  await listening("position");
  await taken("buy", 0.1);
  let seen = await watching;
  while (!seen.some((p) => p.symbol === SYMBOL && p.contracts === 0.1)) seen = await ex.watchPositions([SYMBOL]);
});

traded("orders over the trade socket are the same orders", async () => {
  const price = await below();
  const order = await ex.createOrderWs(SYMBOL, "limit", "buy", 0.1, price);
  assert.equal((await lookup(order)).status, "open");
  await ex.editOrderWs(order.id, SYMBOL, "limit", "buy", 0.2, price);
  assert.equal((await lookup(order)).amount, 0.2);
  await ex.cancelOrderWs(order.id, SYMBOL);
  assert.equal((await lookup(order)).status, "canceled");
});

traded("batches are of contracts too", async () => {
  const price = await below();
  const one = { symbol: SYMBOL, type: "limit", side: "buy", amount: 0.1, price };
  const ids = (await ex.createOrders([one, { ...one, amount: 0.2 }])).map((o) => o.id);
  assert.deepEqual((await ex.fetchOpenOrders(SYMBOL)).map((o) => o.amount).sort(), [0.1, 0.2]);
  assert.equal((await ex.cancelOrders(ids, SYMBOL)).length, 2);
  assert.deepEqual(await ex.fetchOpenOrders(SYMBOL), []);
});

checkStrays();
await end(await runAll(), opened.map((e) => () => e.close()));
