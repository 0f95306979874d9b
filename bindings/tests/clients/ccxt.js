// ccxt, unmodified, REST and WebSocket, against the Binance sandbox.
import assert from "node:assert/strict";
import ccxt from "ccxt";
import { check, checkStrays, control, end, runAll, serving, until } from "./checks.js";

const SYMBOL = "BTC/USDT";
const opened = [];

/** A client of one of the sandboxes, every address of it on loopback. */
async function client(box = "main", config = {}) {
  const { rest, ws, ws_api: wsApi, key, secret } = serving[box];
  const ex = new ccxt.pro.binance({ apiKey: key, secret, enableRateLimit: false, ...config });
  ex.setSandboxMode(true);
  ex.options.fetchMarkets = { types: ["spot"] };
  ex.options.fetchCurrencies = false;
  ex.options.fetchMargins = false;
  ex.options.fetchOpenOrders = { warnWithoutSymbol: false };
  for (const [name, value] of Object.entries(ex.urls.api)) {
    if (typeof value === "string") ex.urls.api[name] = `${rest}/api/v3`;
  }
  ex.urls.api.ws.spot = `${ws}/ws`;
  ex.urls.api.ws["ws-api"].spot = wsApi;
  await ex.loadHttpProxyAgent(); // without it ccxt takes ws:// for a proxy that it may not use
  opened.push(ex);
  return ex;
}

const ex = await client();
const paid = await client("paid");
const strict = await client("strict");

const rejects = (kind, run, text) => assert.rejects(run, (error) => {
  assert.equal(error.constructor.name, kind.name, String(error));
  if (text) assert.ok(error.message.includes(text), error.message);
  return true;
});

const header = (e, name) => Object.entries(e.last_response_headers)
  .find(([given]) => given.toLowerCase() === name)?.[1];

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
const bestBid = async (e = ex) => (await e.fetchOrderBook(SYMBOL, 5)).bids[0][0];
const belowMarket = async (e = ex) => Number(e.priceToPrecision(SYMBOL, (await bestBid(e)) * 0.9));

async function fundsOf(e) {
  const b = await e.fetchBalance();
  return { BTC: b.BTC, USDT: b.USDT };
}

// ---- public data ------------------------------------------------------------

check("fetchTime is the time", async () => {
  const time = await ex.fetchTime();
  assert.ok(Math.abs(time - Date.now()) < 2000);
});

check("loadMarkets knows the symbols, their precision and limits", async () => {
  const markets = await ex.loadMarkets();
  assert.deepEqual(Object.keys(markets).sort(), ["BNB/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT"]);
  const m = markets[SYMBOL];
  assert.deepEqual([m.spot, m.active, m.swap, m.margin], [true, true, false, false]);
  assert.deepEqual([m.precision.price, m.precision.amount], [0.01, 0.00001]);
  assert.deepEqual([m.limits.cost.min, m.limits.amount.min, m.limits.price.max], [5, 0.00001, 1000000]);
  assert.equal(m.limits.market.max, 140);
});

check("fetchTicker is whole and agrees with itself", async () => {
  const t = await ex.fetchTicker(SYMBOL);
  for (const name of ["bid", "bidVolume", "ask", "askVolume", "high", "low", "last", "open", "vwap", "baseVolume",
    "quoteVolume", "percentage", "change", "previousClose", "timestamp"]) {
    assert.equal(typeof t[name], "number", name);
  }
  assert.ok(t.bid < t.ask && t.low <= t.last && t.last <= t.high);
  near(t.last - t.open, t.change);
  assert.ok(Math.abs((t.change / t.open) * 100 - t.percentage) < 0.001);
});

check("fetchTickers, fetchBidsAsks and fetchLastPrices name the same symbols", async () => {
  const all = Object.keys(await ex.fetchTickers()).sort();
  assert.equal(all.length, 4);
  assert.deepEqual(Object.keys(await ex.fetchBidsAsks()).sort(), all);
  assert.deepEqual(Object.keys(await ex.fetchLastPrices()).sort(), all);
  const two = await ex.fetchTickers([SYMBOL, "ETH/USDT"]);
  assert.deepEqual(Object.keys(two).sort(), [SYMBOL, "ETH/USDT"]);
});

check("fetchOrderBook is sorted, two-sided, numbered", async () => {
  const book = await ex.fetchOrderBook(SYMBOL, 20);
  assert.equal(book.bids.length, 20);
  assert.ok(Number.isInteger(book.nonce));
  for (let i = 1; i < 20; i += 1) {
    assert.ok(book.bids[i - 1][0] > book.bids[i][0]);
    assert.ok(book.asks[i - 1][0] < book.asks[i][0]);
  }
  assert.ok(book.bids[0][0] < book.asks[0][0]);
});

check("fetchTrades is in order of time, both by aggregate and one by one", async () => {
  const aggregate = await ex.fetchTrades(SYMBOL, undefined, 50);
  const single = await ex.fetchTrades(SYMBOL, undefined, 50, { fetchTradesMethod: "publicGetTrades" });
  for (const list of [aggregate, single]) {
    assert.equal(list.length, 50);
    for (const [i, t] of list.entries()) {
      assert.ok(t.price > 0 && t.amount > 0 && ["buy", "sell"].includes(t.side));
      near(t.cost, t.price * t.amount);
      assert.ok(i === 0 || list[i - 1].timestamp <= t.timestamp);
    }
  }
});

check("fetchTrades since a time begins there", async () => {
  const since = Date.now() - 120000;
  const list = await ex.fetchTrades(SYMBOL, since, 20);
  assert.ok(list.length > 0);
  assert.ok(list.every((t) => t.timestamp >= since));
});

for (const [interval, ms] of [["1s", 1000], ["1m", 60000], ["15m", 900000], ["1h", 3600000]]) {
  check(`fetchOHLCV gives whole candles of ${interval}`, async () => {
    const candles = await ex.fetchOHLCV(SYMBOL, interval, undefined, 3);
    assert.equal(candles.length, 3);
    candles.forEach(([time, open, high, low, close, volume], i) => {
      assert.equal(time % ms, 0);
      assert.ok(i === 0 || time - candles[i - 1][0] === ms);
      assert.ok(low <= Math.min(open, close) && high >= Math.max(open, close) && volume >= 0);
    });
    assert.ok(Date.now() - candles[2][0] < ms + 2000);
  });
}

check("fetchOHLCV since a time begins there", async () => {
  const since = Math.floor(Date.now() / 60000) * 60000 - 10 * 60000;
  const candles = await ex.fetchOHLCV(SYMBOL, "1m", since, 5);
  assert.equal(candles[0][0], since);
  assert.equal(candles.length, 5);
});

check("a client that was told nothing but addresses finds its markets", async () => {
  const { rest, key, secret } = serving.main;
  const plain = new ccxt.binance({ apiKey: key, secret });
  plain.setSandboxMode(true);
  for (const [name, value] of Object.entries(plain.urls.api)) {
    if (typeof value === "string") plain.urls.api[name] = value.replace(/^https:\/\/[^/]+/, rest);
  }
  assert.equal(Object.keys(await plain.loadMarkets()).length, 4);
  assert.ok((await plain.fetchBalance()).BTC.total > 0);
});

check("an unknown market is a BadSymbol", async () => {
  await rejects(ccxt.BadSymbol, () => ex.publicGetTicker24hr({ symbol: "NOSUCH" }), "-1121");
});

// ---- orders ---------------------------------------------------------------

check("fetchBalance has free, used and total", async () => {
  const b = await ex.fetchBalance();
  for (const code of ["BTC", "ETH", "BNB", "USDT"]) {
    assert.ok(b[code].total > 0, code);
    near(b[code].free + b[code].used, b[code].total);
  }
});

check("a limit order rests, locks its cost, is found everywhere, and is cancelled", async () => {
  const before = await fundsOf(ex);
  const price = await belowMarket();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  assert.deepEqual([order.status, order.filled, order.price, order.timeInForce], ["open", 0, price, "GTC"]);
  const locked = await fundsOf(ex);
  near(locked.USDT.used - before.USDT.used, price * 0.01);
  near(before.USDT.free - locked.USDT.free, price * 0.01);

  const same = await ex.fetchOrder(order.id, SYMBOL);
  assert.deepEqual([same.id, same.clientOrderId, same.status, same.amount, same.remaining],
    [order.id, order.clientOrderId, "open", 0.01, 0.01]);
  assert.ok((await ex.fetchOpenOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.ok((await ex.fetchOpenOrders()).some((o) => o.id === order.id));
  assert.ok((await ex.fetchOrders(SYMBOL)).some((o) => o.id === order.id));

  const gone = await ex.cancelOrder(order.id, SYMBOL);
  assert.deepEqual([gone.id, gone.status], [order.id, "canceled"]);
  assert.ok((await ex.fetchCanceledOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.deepEqual(await fundsOf(ex), before);
});

check("a market buy moves balances by exactly its fills", async () => {
  const before = await fundsOf(ex);
  const order = await ex.createOrder(SYMBOL, "market", "buy", 0.05);
  assert.deepEqual([order.status, order.filled, order.remaining], ["closed", 0.05, 0]);
  const cost = order.trades.reduce((sum, t) => sum + t.price * t.amount, 0);
  assert.ok(Math.abs(cost - order.cost) < 1e-6);
  near(order.average, order.cost / order.filled);
  const after = await fundsOf(ex);
  near(after.BTC.free - before.BTC.free, 0.05);
  assert.ok(Math.abs(before.USDT.free - after.USDT.free - order.cost) < 1e-6);
  near(after.USDT.used, before.USDT.used);
});

check("commission is taken from what was received, and reported with every fill", async () => {
  await paid.loadMarkets();
  const before = await fundsOf(paid);
  const bought = await paid.createOrder(SYMBOL, "market", "buy", 0.05);
  assert.deepEqual([bought.fee.currency, bought.fee.cost], ["BTC", 0.00005]);
  const between = await fundsOf(paid);
  near(between.BTC.free - before.BTC.free, 0.05 - 0.00005);
  const sold = await paid.createOrder(SYMBOL, "market", "sell", 0.04);
  assert.equal(sold.fee.currency, "USDT");
  assert.ok(Math.abs(sold.fee.cost - sold.cost * 0.001) < 1e-7 * sold.trades.length);
  const after = await fundsOf(paid);
  assert.ok(Math.abs(after.USDT.free - between.USDT.free - (sold.cost - sold.fee.cost)) < 1e-6);
  const mine = await paid.fetchMyTrades(SYMBOL, undefined, undefined, { orderId: sold.id });
  assert.equal(mine.length, sold.trades.length);
  assert.ok(Math.abs(mine.reduce((sum, t) => sum + t.fee.cost, 0) - sold.fee.cost) < 1e-7);
});

check("a market order may name its cost", async () => {
  const before = await fundsOf(ex);
  const order = await ex.createMarketBuyOrderWithCost(SYMBOL, 1000);
  assert.equal(order.status, "closed");
  assert.ok(order.cost <= 1000 && order.cost > 999, String(order.cost));
  const after = await fundsOf(ex);
  assert.ok(Math.abs(before.USDT.free - after.USDT.free - order.cost) < 1e-6);
  near(after.BTC.free - before.BTC.free, order.filled);
  const sold = await ex.createMarketSellOrderWithCost(SYMBOL, 500);
  assert.ok(sold.cost <= 501 && sold.cost > 499, String(sold.cost));
});

check("a limit order at a crossing price takes at the book's price", async () => {
  const ask = (await ex.fetchOrderBook(SYMBOL, 5)).asks[0][0];
  const limit = Number(ex.priceToPrecision(SYMBOL, ask * 1.05));
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.001, limit);
  assert.equal(order.status, "closed");
  assert.ok(order.average < limit);
});

check("fetchMyTrades knows every fill of an order", async () => {
  const order = await ex.createOrder(SYMBOL, "market", "sell", 0.02);
  const mine = await ex.fetchMyTrades(SYMBOL, undefined, undefined, { orderId: order.id });
  near(mine.reduce((sum, t) => sum + t.amount, 0), 0.02);
  assert.ok(mine.every((t) => t.order === order.id && t.side === "sell" && t.takerOrMaker === "taker"));
  const found = await ex.fetchOrderTrades(order.id, SYMBOL);
  assert.deepEqual(found.map((t) => t.id), mine.map((t) => t.id));
  const recent = await ex.fetchMyTrades(SYMBOL);
  assert.ok(recent.some((t) => t.id === mine[0].id));
});

check("postOnly rests, or is OrderImmediatelyFillable", async () => {
  const price = await belowMarket();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { postOnly: true });
  const seen = await ex.fetchOrder(order.id, SYMBOL);
  assert.deepEqual([seen.status, seen.postOnly], ["open", true]);
  await ex.cancelOrder(order.id, SYMBOL);
  const crossing = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 1.1));
  await rejects(ccxt.OrderImmediatelyFillable,
    () => ex.createOrder(SYMBOL, "limit", "buy", 0.01, crossing, { postOnly: true }), "immediately match and take");
});

check("IOC and FOK expire what they cannot fill", async () => {
  const price = await belowMarket();
  for (const timeInForce of ["IOC", "FOK"]) {
    const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { timeInForce });
    assert.deepEqual([order.status, order.filled, order.timeInForce], ["expired", 0, timeInForce]);
    assert.equal((await ex.fetchOrder(order.id, SYMBOL)).status, "expired");
  }
  const ask = (await ex.fetchOrderBook(SYMBOL, 5)).asks[0][0];
  const limit = Number(ex.priceToPrecision(SYMBOL, ask * 1.01));
  const taken = await ex.createOrder(SYMBOL, "limit", "buy", 0.001, limit, { timeInForce: "FOK" });
  assert.deepEqual([taken.status, taken.filled], ["closed", 0.001]);
});

check("a test order is judged and not placed", async () => {
  const before = (await ex.fetchOrders(SYMBOL)).length;
  await ex.createOrder(SYMBOL, "limit", "buy", 0.01, await belowMarket(), { test: true });
  assert.equal((await ex.fetchOrders(SYMBOL)).length, before);
});

check("a client order id is unique while its order is open", async () => {
  const price = await belowMarket();
  const clientOrderId = `check-${Date.now()}`;
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { clientOrderId });
  assert.equal(order.clientOrderId, clientOrderId);
  await rejects(ccxt.InvalidOrder,
    () => ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { clientOrderId }), "Duplicate order sent.");
  assert.equal((await ex.fetchOrder(undefined, SYMBOL, { clientOrderId })).id, order.id);
  await ex.cancelOrder(undefined, SYMBOL, { clientOrderId });
  const again = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { clientOrderId });
  await ex.cancelOrder(again.id, SYMBOL);
});

check("editOrder replaces an order, and keeps the old one where the new one is refused", async () => {
  const price = await belowMarket();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  const edited = await ex.editOrder(order.id, SYMBOL, "limit", "buy", 0.02, price);
  assert.notEqual(edited.id, order.id);
  assert.deepEqual([edited.status, edited.amount], ["open", 0.02]);
  assert.equal((await ex.fetchOrder(order.id, SYMBOL)).status, "canceled");
  await assert.rejects(() => ex.editOrder(order.id, SYMBOL, "limit", "buy", 0.02, price), (error) => {
    assert.ok(error.message.includes("-2022") && error.message.includes("NOT_ATTEMPTED"), error.message);
    return true;
  });
  await ex.cancelOrder(edited.id, SYMBOL);
});

check("cancelAllOrders leaves none open", async () => {
  const price = await belowMarket();
  for (let i = 0; i < 3; i += 1) await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  const gone = await ex.cancelAllOrders(SYMBOL);
  assert.deepEqual(gone.map((o) => o.status), ["canceled", "canceled", "canceled"]);
  assert.deepEqual(await ex.fetchOpenOrders(SYMBOL), []);
  await rejects(ccxt.OrderNotFound, () => ex.cancelAllOrders(SYMBOL), "-2011");
});

// ---- refusals -------------------------------------------------------------

check("filters are InvalidOrder or BadRequest, as at the venue", async () => {
  const raw = (more) => ex.privatePostOrder({ symbol: "BTCUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", ...more });
  const price = String(await belowMarket());
  await rejects(ccxt.InvalidOrder, () => raw({ quantity: "0.010005", price }), "LOT_SIZE");
  await rejects(ccxt.InvalidOrder, () => raw({ quantity: "0.01", price: `${Math.trunc(price)}.001` }), "PRICE_FILTER");
  await rejects(ccxt.InvalidOrder, () => raw({ quantity: "0.01", price: "10000" }), "PERCENT_PRICE_BY_SIDE");
  await rejects(ccxt.BadRequest, () => raw({ quantity: "0.00001", price }), "NOTIONAL");
  await rejects(ccxt.InvalidOrder, () => ex.privatePostOrder({ symbol: "BTCUSDT", side: "BUY", type: "MARKET",
    quantity: "200" }), "MARKET_LOT_SIZE");
});

check("too little money is InsufficientFunds", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 1.05));
  await rejects(ccxt.InsufficientFunds, () => ex.createOrder(SYMBOL, "limit", "sell", 120, price), "insufficient balance");
  await rejects(ccxt.InsufficientFunds, () => ex.createOrder(SYMBOL, "market", "sell", 120), "insufficient balance");
});

check("an unknown order is OrderNotFound", async () => {
  await rejects(ccxt.OrderNotFound, () => ex.fetchOrder("999999999", SYMBOL), "-2013");
  await rejects(ccxt.OrderNotFound, () => ex.cancelOrder("999999999", SYMBOL), "-2011");
});

check("a wrong key or secret is an AuthenticationError", async () => {
  const wrongKey = await client("main", { apiKey: "A".repeat(64) });
  await rejects(ccxt.AuthenticationError, () => wrongKey.fetchBalance(), "-2015");
  const oddKey = await client("main", { apiKey: "short" });
  await rejects(ccxt.AuthenticationError, () => oddKey.fetchBalance(), "-2014");
  const wrongSecret = await client("main", { secret: "B".repeat(64) });
  await rejects(ccxt.AuthenticationError, () => wrongSecret.fetchBalance(), "-1022");
  await rejects(ccxt.AuthenticationError, () => wrongSecret.createOrder(SYMBOL, "market", "buy", 0.01), "-1022");
});

check("a skewed clock is an InvalidNonce, and is mended by loadTimeDifference", async () => {
  await control("strict", "skew", { seconds: 30 });
  await strict.loadMarkets();
  await rejects(ccxt.InvalidNonce, () => strict.fetchBalance(), "outside of the recvWindow");
  await strict.loadTimeDifference();
  assert.ok((await strict.fetchBalance()).BTC.total > 0);
  await control("strict", "skew", { seconds: -30 });
  await rejects(ccxt.InvalidNonce, () => strict.fetchBalance(), "1000ms ahead");
  await control("strict", "skew", { seconds: 0 });
  strict.options.timeDifference = 0;
});

check("a key that may not trade is refused when it does", async () => {
  const secret = "C".repeat(64);
  const apiKey = await control("main", "add_key", { kind: "hmac", secret, trade: false });
  const looker = await client("main", { apiKey, secret });
  looker.setMarkets(ex.markets);
  await rejects(ccxt.AuthenticationError, () => looker.createOrder(SYMBOL, "market", "buy", 0.01), "-2015");
  assert.ok((await looker.fetchBalance()).BTC.total > 0);
});

check("used weight is counted in every answer", async () => {
  await ex.fetchOrderBook(SYMBOL, 5);
  const used = Number(header(ex, "x-mbx-used-weight-1m"));
  await ex.fetchOrderBook(SYMBOL, 5);
  const now = Number(header(ex, "x-mbx-used-weight-1m"));
  assert.ok(now === used + 5 || now === 5, `${used} then ${now}`); // 5: a new minute has begun
});

check("too many orders are DDoSProtection", async () => {
  await control("strict", "limit", { orders: 2, per: 86400 });
  const price = await belowMarket(strict);
  for (let i = 0; i < 2; i += 1) await strict.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  await rejects(ccxt.DDoSProtection, () => strict.createOrder(SYMBOL, "limit", "buy", 0.01, price), "-1015");
  await strict.cancelAllOrders(SYMBOL);
  await control("strict", "limit", { orders: 160000, per: 86400 });
});

check("too much weight is DDoSProtection, then a ban, and both pass", async () => {
  await control("strict", "limit", { request_weight: 3, per: 1 });
  const seen = { 429: 0, 418: 0 };
  for (let i = 0; i < 30 && seen[418] === 0; i += 1) {
    try {
      await strict.fetchTime();
    } catch (error) {
      assert.ok(error instanceof ccxt.DDoSProtection, String(error));
      seen[error.message.includes(" 418 ") ? 418 : 429] += 1;
      assert.ok(Number(header(strict, "retry-after")) >= 1);
    }
  }
  assert.ok(seen[429] >= 1 && seen[418] === 1, JSON.stringify(seen));
  await control("strict", "limit", { request_weight: 6000, per: 60 });
  await until(() => strict.fetchTime().then(() => true, () => false), (ok) => ok, "the ban");
});

// ---- streams --------------------------------------------------------------

check("watchTicker and watchTickers", async () => {
  const t = await ex.watchTicker(SYMBOL);
  assert.equal(t.symbol, SYMBOL);
  assert.ok(t.last > 0 && t.low <= t.last && t.last <= t.high && t.baseVolume > 0);
  const full = await ex.watchTicker("ETH/USDT", { name: "ticker" });
  assert.ok(full.bid < full.ask && full.vwap > 0);
  const both = await ex.watchTickers([SYMBOL, "ETH/BTC"]);
  assert.ok(Object.keys(both).length >= 1);
});

check("watchTickers of all symbols, and over a window", async () => {
  const all = await ex.watchTickers();
  assert.ok(Object.keys(all).length >= 1 && Object.values(all).every((t) => t.last > 0));
  const hour = await ex.watchTicker("ETH/BTC", { name: "ticker_1h" });
  assert.ok(hour.vwap > 0 && hour.low <= hour.last && hour.last <= hour.high);
});

check("watchTrades brings trades that REST knows too", async () => {
  const seen = new Map();
  while (seen.size < 3) {
    for (const t of await ex.watchTrades(SYMBOL)) seen.set(t.id, t);
  }
  const known = new Map((await ex.fetchTrades(SYMBOL, undefined, 1000, { fetchTradesMethod: "publicGetTrades" }))
    .map((t) => [t.id, t]));
  for (const [id, t] of seen) {
    const same = known.get(id);
    assert.ok(same, id);
    assert.deepEqual([t.price, t.amount, t.side, t.timestamp], [same.price, same.amount, same.side, same.timestamp]);
  }
});

/** Shakes the market while `run` runs: moves it to and fro, and trades. */
async function shaken(run) {
  let done = false;
  const shake = (async () => {
    for (let i = 0; !done; i += 1) {
      await control("main", "move", { symbol: SYMBOL, by: i % 2 === 0 ? "0.002" : "-0.002" });
      await ex.createOrder(SYMBOL, "market", i % 2 === 0 ? "buy" : "sell", 0.3);
    }
  })();
  return run().finally(async () => {
    done = true;
    await shake;
  });
}

check("watchOrderBook stays whole over many updates", () => shaken(async () => {
  let last = 0;
  for (let updates = 0; updates < 100; updates += 1) {
    const book = await ex.watchOrderBook(SYMBOL);
    assert.ok(book.bids.length > 5 && book.asks.length > 5);
    assert.ok(book.bids[0][0] < book.asks[0][0], `crossed: ${book.bids[0]} ${book.asks[0]}`);
    assert.ok(book.nonce >= last);
    last = book.nonce;
  }
}));

check("watchOrderBook is the venue's book, number for number", async () => {
  // Both move, so they are compared where they stand at the same number.
  const rows = (side) => Array.from(side).slice(0, 20).map(([price, amount]) => `${price} ${amount}`);
  let compared = 0;
  const watch = async () => {
    const book = await ex.watchOrderBook(SYMBOL);
    const rest = await ex.fetchOrderBook(SYMBOL, 100);
    if (book.nonce !== rest.nonce) return;
    assert.deepEqual([rows(book.bids), rows(book.asks)], [rows(rest.bids), rows(rest.asks)]);
    compared += 1;
  };
  while (compared < 5) await watch();
});

check("watchOrderBook shows my own order", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 0.998));
  const amount = 0.12345;
  const order = await ex.createOrder(SYMBOL, "limit", "buy", amount, price);
  await until(() => ex.watchOrderBook(SYMBOL), (book) => book.bids.some(([p, q]) => p === price && q >= amount), "order");
  await ex.cancelOrder(order.id, SYMBOL);
  await until(() => ex.watchOrderBook(SYMBOL), (book) => !book.bids.some(([p, q]) => p === price && q >= amount), "gone");
});

check("watchOHLCV brings the running candle", async () => {
  const candles = await ex.watchOHLCV(SYMBOL, "1m");
  const [time, open, high, low, close] = candles[candles.length - 1];
  assert.equal(time % 60000, 0);
  assert.ok(low <= Math.min(open, close) && high >= Math.max(open, close));
});

check("watchBidsAsks brings the best prices", async () => {
  const t = (await ex.watchBidsAsks([SYMBOL]))[SYMBOL];
  assert.ok(t.bid < t.ask && t.bidVolume > 0 && t.askVolume > 0);
});

/** Collects what a watch method brings, until `enough` of it has come. */
async function collect(watch, enough) {
  const seen = [];
  // Copies: ccxt goes on changing the orders that it has handed out.
  while (!enough(seen)) seen.push(...(await watch()).map((one) => ({ ...one })));
  return seen;
}

const subscribed = (n) => until(() => control("main", "streams"),
  (list) => list.reduce((sum, s) => sum + (s.subscriptions ?? 0), 0) === n, `${n} user streams`);

check("watchOrders tells of placing, filling and cancelling", async () => {
  const seen = collect(() => ex.watchOrders(SYMBOL), (list) => list.some((o) => o.status === "canceled"));
  await subscribed(1);
  const price = await belowMarket();
  const taken = await ex.createOrder(SYMBOL, "market", "buy", 0.01);
  const resting = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  await ex.cancelOrder(resting.id, SYMBOL);
  const all = await seen;
  const of = (id) => all.filter((o) => o.id === id);
  assert.equal(of(taken.id).at(-1).status, "closed");
  assert.equal(of(taken.id).at(-1).filled, 0.01);
  assert.ok(Math.abs(of(taken.id).at(-1).cost - taken.cost) < 1e-6);
  assert.deepEqual(of(resting.id).map((o) => o.status).filter((s, i, l) => s !== l[i - 1]), ["open", "canceled"]);
  assert.ok(of(resting.id).every((o) => o.clientOrderId === resting.clientOrderId && o.price === price && o.filled === 0));
});

check("watchMyTrades brings each fill once, with its fee", async () => {
  const fills = collect(() => ex.watchMyTrades(SYMBOL), (list) => list.some((t) => t.side === "sell"));
  const order = await ex.createOrder(SYMBOL, "market", "sell", 0.01);
  const mine = (await fills).filter((t) => t.order === order.id);
  assert.ok(mine.length >= 1);
  assert.deepEqual([mine[0].takerOrMaker, mine[0].price], ["taker", order.trades[0].price]);
});

check("watchBalance moves with the fills", async () => {
  const first = ex.watchBalance();
  await new Promise((resolve) => setImmediate(resolve));
  const before = await fundsOf(ex);
  const order = await ex.createOrder(SYMBOL, "market", "buy", 0.03);
  let balance = await first;
  const end = before.BTC.free + 0.03;
  while (Math.abs(balance.BTC.free - end) > 1e-9) balance = await ex.watchBalance();
  assert.ok(Math.abs(before.USDT.free - balance.USDT.free - order.cost) < 1e-6);
});

check("a resting order is filled as a maker when the market comes to it", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 0.99));
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  await control("main", "move", { symbol: SYMBOL, to: String(Math.trunc(price * 0.99)) });
  const filled = await until(() => ex.fetchOrder(order.id, SYMBOL), (o) => o.status === "closed", "fill");
  assert.deepEqual([filled.filled, filled.average], [0.01, price]);
  const fills = await ex.fetchOrderTrades(order.id, SYMBOL);
  assert.ok(fills.every((t) => t.takerOrMaker === "maker" && t.price === price));
  assert.ok((await ex.fetchClosedOrders(SYMBOL)).some((o) => o.id === order.id));
});

const ETH = "ETH/USDT"; // of the box "paid", whose price nobody else moves

async function around() {
  const { last } = await paid.fetchTicker(ETH);
  return (factor) => Number(paid.priceToPrecision(ETH, last * factor));
}

check("stop orders wait, show for what, and are cancelled", async () => {
  const at = await around();
  const stop = await paid.createOrder(ETH, "limit", "sell", 0.1, at(0.97), { stopLossPrice: at(0.98) });
  const gain = await paid.createOrder(ETH, "market", "sell", 0.1, undefined, { takeProfitPrice: at(1.02) });
  const found = await paid.fetchOrder(stop.id, ETH);
  assert.deepEqual([found.status, found.info.type, found.triggerPrice, found.price, found.filled],
    ["open", "STOP_LOSS_LIMIT", at(0.98), at(0.97), 0]);
  assert.equal((await paid.fetchOrder(gain.id, ETH)).triggerPrice, at(1.02));
  const open = (await paid.fetchOpenOrders(ETH)).map((o) => o.id);
  assert.ok(open.includes(stop.id) && open.includes(gain.id));
  const moved = await paid.editOrder(stop.id, ETH, "STOP_LOSS_LIMIT", "sell", 0.1, at(0.96), { stopPrice: at(0.975) });
  assert.equal((await paid.fetchOrder(moved.id, ETH)).triggerPrice, at(0.975));
  await paid.cancelAllOrders(ETH);
  assert.equal((await paid.fetchOrder(moved.id, ETH)).status, "canceled");
});

check("a stop on the wrong side of the market is OrderImmediatelyFillable", async () => {
  const at = await around();
  await rejects(ccxt.OrderImmediatelyFillable, paid.createOrder(ETH, "market", "sell", 0.1, undefined,
    { stopLossPrice: at(1.02) }), "Order would trigger immediately.");
  await rejects(ccxt.InvalidOrder, paid.createOrder(ETH, "limit", "sell", 0.1, at(0.97),
    { stopLossPrice: 2000000 }), "PRICE_FILTER");
});

check("watchOrders tells how a stop is triggered and filled", async () => {
  const at = await around();
  const seen = collect(() => paid.watchOrders(ETH), (list) => list.some((o) => o.status === "closed"));
  await until(() => control("paid", "streams"), (list) => list.some((s) => s.subscriptions > 0), "a user stream");
  const stop = await paid.createOrder(ETH, "market", "sell", 0.1, undefined, { stopLossPrice: at(0.98) });
  await control("paid", "move", { symbol: ETH, to: String(at(0.975)) });
  const mine = (await seen).filter((o) => o.id === stop.id);
  assert.equal(mine[0].status, "open");
  assert.deepEqual([mine.at(-1).status, mine.at(-1).filled, mine.at(-1).triggerPrice], ["closed", 0.1, at(0.98)]);
  await control("paid", "move", { symbol: ETH, to: "3000" });
});

check("a trailing stop follows the market", async () => {
  const { id } = await paid.createOrder(ETH, "STOP_LOSS", "sell", 0.1, undefined, { trailingDelta: 100 });
  await control("paid", "move", { symbol: ETH, to: "3100" });
  assert.equal((await paid.fetchOrder(id, ETH)).status, "open");
  await control("paid", "move", { symbol: ETH, to: "3060" });
  assert.equal((await until(() => paid.fetchOrder(id, ETH), (o) => o.status !== "open", "a fill")).status, "closed");
  await control("paid", "move", { symbol: ETH, to: "3000" });
});

check("one order cancels the other, and a cancelled one takes it along", async () => {
  const at = await around();
  const oco = () => paid.privatePostOrderListOco({ symbol: "ETHUSDT", side: "SELL", quantity: "0.1",
    aboveType: "LIMIT_MAKER", abovePrice: String(at(1.02)), belowType: "STOP_LOSS", belowStopPrice: String(at(0.98)) });
  const [below, above] = (await oco()).orders.map((o) => o.orderId);
  assert.equal((await paid.fetchOrder(below, ETH)).triggerPrice, at(0.98));
  await control("paid", "move", { symbol: ETH, to: String(at(1.025)) });
  assert.equal((await until(() => paid.fetchOrder(above, ETH), (o) => o.status !== "open", "a fill")).status, "closed");
  assert.equal((await paid.fetchOrder(below, ETH)).status, "expired");
  await control("paid", "move", { symbol: ETH, to: "3000" });
  const again = (await oco()).orders.map((o) => o.orderId);
  await paid.cancelOrder(again[0], ETH);
  assert.deepEqual((await paid.fetchOrders(ETH)).slice(-2).map((o) => o.status), ["canceled", "canceled"]);
});

check("orders over the WebSocket API are the same orders", async () => {
  const price = await belowMarket();
  const order = await ex.createOrderWs(SYMBOL, "limit", "buy", 0.01, price);
  assert.equal(order.status, "open");
  assert.equal((await ex.fetchOrderWs(order.id, SYMBOL)).id, order.id);
  assert.ok((await ex.fetchOpenOrdersWs(SYMBOL)).some((o) => o.id === order.id));
  assert.ok((await ex.fetchOpenOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.equal((await ex.cancelOrderWs(order.id, SYMBOL)).status, "canceled");
  await rejects(ccxt.OrderNotFound, () => ex.cancelOrderWs(order.id, SYMBOL), "-2011");
  assert.ok((await ex.fetchOrdersWs(SYMBOL)).some((o) => o.id === order.id));
  assert.ok((await ex.fetchMyTradesWs(SYMBOL)).length > 0);
  const account = (await ex.fetchBalanceWs()).info; // ccxt reads a spot account as one of futures here
  assert.ok(account.balances.some((b) => b.asset === "BTC" && Number(b.free) > 0));
});

check("public data over the WebSocket API is the same data", async () => {
  assert.ok((await ex.fetchOHLCVWs(SYMBOL, "1m", undefined, 3)).length === 3);
  assert.ok((await ex.fetchTradesWs(SYMBOL, undefined, 5)).length === 5);
});

check("unWatch ends a stream and leaves the others", async () => {
  await ex.watchTrades(SYMBOL);
  await ex.unWatchTrades(SYMBOL);
  await ex.watchTicker(SYMBOL);
  await ex.watchTrades(SYMBOL);
});

checkStrays();
await end(await runAll(), opened.map((e) => () => e.close()));
