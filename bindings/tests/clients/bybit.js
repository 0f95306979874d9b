// ccxt, unmodified, REST and WebSocket, against the Bybit sandbox, category spot.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import ccxt from "ccxt";
import { bybit, collect, header, near, opened, rejects } from "./bybit_ccxt.js";
import { check, checkStrays, control, end, runAll, serving, until } from "./checks.js";

const SYMBOL = "BTC/USDT";
const FEE = 0.001;

const ex = await bybit();
const strict = await bybit("bybitStrict");
await control("bybit", "limit", { path: "/v5/order/create", requests: 1000, per: 1 }); // the checks are fast

const bestBid = async (e = ex) => (await e.fetchOrderBook(SYMBOL, 5)).bids[0][0];
const belowMarket = async (e = ex) => Number(e.priceToPrecision(SYMBOL, (await bestBid(e)) * 0.9));
const lookup = (order, e = ex) => e.fetchOrder(order.id, SYMBOL, { acknowledged: true });

async function fundsOf(e = ex) {
  const b = await e.fetchBalance();
  return { BTC: b.BTC, USDT: b.USDT };
}

/** Places a market order and waits for its end; settlement is asynchronous at this venue. */
async function taken(side, amount, params = {}) {
  const order = await ex.createOrder(SYMBOL, "market", side, amount, undefined, params);
  return until(() => lookup(order), (o) => o.status !== "open", "the end of a market order");
}

// ---- public data ------------------------------------------------------------

check("loadMarkets asks for all it wants, and knows the symbols, their precision and limits", async () => {
  const markets = await ex.loadMarkets();
  const spot = Object.values(markets).filter((m) => m.spot).map((m) => m.symbol).sort();
  assert.deepEqual(spot, ["BNB/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT"]);
  const m = markets[SYMBOL];
  assert.deepEqual([m.id, m.active, m.swap, m.margin], ["BTCUSDT", true, false, false]);
  assert.deepEqual([m.precision.price, m.precision.amount], [0.1, 0.000001]);
  assert.deepEqual([m.limits.cost.min, m.limits.amount.min], [5, 0.000001]);
  const paths = (await control("bybit", "requests")).map((r) => `${r.path}?${r.query}`);
  for (const wanted of ["/v5/asset/coin/query-info?", "category=linear&limit=1000&status=PreLaunch",
    "category=inverse&limit=1000&status=PreLaunch", "category=option&baseCoin=SOL"]) {
    assert.ok(paths.some((p) => p.includes(wanted)), wanted);
  }
});

check("fetchTime is the time", async () => {
  assert.ok(Math.abs((await ex.fetchTime()) - Date.now()) < 2000);
});

check("fetchTicker is whole and agrees with itself", async () => {
  const t = await ex.fetchTicker(SYMBOL);
  for (const name of ["bid", "bidVolume", "ask", "askVolume", "high", "low", "last", "open", "vwap", "baseVolume",
    "quoteVolume", "percentage", "change"]) {
    assert.equal(typeof t[name], "number", name);
  }
  assert.ok(t.symbol === SYMBOL && t.bid < t.ask && t.low <= t.last && t.last <= t.high);
  near(t.last - t.open, t.change);
});

check("fetchTickers names every symbol, and those that are asked for", async () => {
  const all = Object.keys(await ex.fetchTickers(undefined, { type: "spot" })).sort();
  assert.deepEqual(all, ["BNB/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT"]);
  assert.deepEqual(Object.keys(await ex.fetchTickers([SYMBOL, "ETH/USDT"])).sort(), [SYMBOL, "ETH/USDT"]);
});

check("fetchOrderBook is sorted and two-sided", async () => {
  const book = await ex.fetchOrderBook(SYMBOL, 20);
  assert.equal(book.bids.length, 20);
  for (let i = 1; i < 20; i += 1) {
    assert.ok(book.bids[i - 1][0] > book.bids[i][0]);
    assert.ok(book.asks[i - 1][0] < book.asks[i][0]);
  }
  assert.ok(book.bids[0][0] < book.asks[0][0]);
});

check("fetchTrades is in order of time", async () => {
  const list = await ex.fetchTrades(SYMBOL, undefined, 50);
  assert.equal(list.length, 50);
  for (const [i, t] of list.entries()) {
    assert.ok(t.price > 0 && t.amount > 0 && ["buy", "sell"].includes(t.side));
    near(t.cost, t.price * t.amount);
    assert.ok(i === 0 || list[i - 1].timestamp <= t.timestamp);
  }
});

for (const [interval, ms] of [["1m", 60000], ["15m", 900000], ["1h", 3600000]]) {
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
  assert.deepEqual([candles[0][0], candles.length], [since, 5]);
});

check("an unknown market is a BadSymbol", async () => {
  await rejects(ccxt.BadSymbol, () => ex.publicGetV5MarketTickers({ category: "spot", symbol: "NOSUCH" }), "10001");
});

check("fetchTradingFee is that of the account", async () => {
  const fee = await ex.fetchTradingFee(SYMBOL);
  assert.deepEqual([fee.symbol, fee.maker, fee.taker], [SYMBOL, FEE, FEE]);
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
  const before = await fundsOf();
  const price = await belowMarket();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  const same = await lookup(order);
  assert.deepEqual([same.id, same.status, same.side, same.price, same.amount, same.filled, same.remaining,
    same.timeInForce], [order.id, "open", "buy", price, 0.01, 0, 0.01, "GTC"]);
  const locked = await fundsOf();
  near(locked.USDT.used - before.USDT.used, price * 0.01);
  near(before.USDT.free - locked.USDT.free, price * 0.01);
  assert.ok((await ex.fetchOpenOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.equal((await ex.fetchOpenOrder(order.id, SYMBOL)).clientOrderId, same.clientOrderId);

  const gone = await ex.cancelOrder(order.id, SYMBOL);
  assert.equal(gone.id, order.id);
  assert.equal((await lookup(order)).status, "canceled");
  assert.ok((await ex.fetchCanceledOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.ok((await ex.fetchCanceledAndClosedOrders(SYMBOL)).some((o) => o.id === order.id));
  assert.deepEqual(await fundsOf(), before);
});

check("market orders move balances by exactly their fills and fees", async () => {
  const before = await fundsOf();
  const bought = await taken("buy", 0.05);
  assert.deepEqual([bought.status, bought.filled, bought.remaining], ["closed", 0.05, 0]);
  near(bought.average, bought.cost / bought.filled, 1e-4);
  const between = await fundsOf();
  near(between.BTC.free - before.BTC.free, 0.05 * (1 - FEE));
  near(before.USDT.free - between.USDT.free, bought.cost, 1e-5);
  const sold = await taken("sell", 0.04);
  const after = await fundsOf();
  near(between.BTC.free - after.BTC.free, 0.04);
  near(after.USDT.free - between.USDT.free, sold.cost * (1 - FEE), 1e-5);
  for (const [order, currency] of [[bought, "BTC"], [sold, "USDT"]]) {
    const mine = await ex.fetchOrderTrades(order.id, SYMBOL);
    near(mine.reduce((sum, t) => sum + t.amount, 0), order.amount);
    assert.ok(mine.every((t) => t.order === order.id && t.takerOrMaker === "taker" && t.fee.currency === currency));
    const paid = currency === "BTC" ? order.filled * FEE : order.cost * FEE;
    near(mine.reduce((sum, t) => sum + t.fee.cost, 0), paid, 1e-6);
  }
  assert.ok((await ex.fetchClosedOrders(SYMBOL)).some((o) => o.id === bought.id));
  assert.ok((await ex.fetchMyTrades(SYMBOL)).some((t) => t.order === sold.id));
});

check("a market order may name its cost", async () => {
  const before = await fundsOf();
  const order = await ex.createMarketBuyOrderWithCost(SYMBOL, 1000);
  const done = await until(() => lookup(order), (o) => o.status !== "open", "its end");
  assert.ok(done.cost <= 1000 && done.cost > 999, String(done.cost));
  const after = await fundsOf();
  near(before.USDT.free - after.USDT.free, done.cost, 1e-5);
  near(after.BTC.free - before.BTC.free, done.filled * (1 - FEE), 1e-7);
  const sold = await ex.createMarketSellOrderWithCost(SYMBOL, 500);
  const end = await until(() => lookup(sold), (o) => o.status !== "open", "its end");
  assert.ok(end.cost <= 500 && end.cost > 499, String(end.cost));
});

check("a limit order at a crossing price takes at the book's price", async () => {
  const ask = (await ex.fetchOrderBook(SYMBOL, 5)).asks[0][0];
  const limit = Number(ex.priceToPrecision(SYMBOL, ask * 1.003));
  const done = await lookup(await ex.createOrder(SYMBOL, "limit", "buy", 0.001, limit));
  assert.equal(done.status, "closed");
  assert.ok(done.average < limit);
});

check("a resting order is filled as a maker when the market comes to it", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 0.99));
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  await control("bybit", "move", { symbol: SYMBOL, to: String(Math.trunc(price * 0.99)) });
  const filled = await until(() => lookup(order), (o) => o.status === "closed", "fill");
  assert.deepEqual([filled.filled, filled.average], [0.01, price]);
  const fills = await ex.fetchOrderTrades(order.id, SYMBOL);
  assert.ok(fills.every((t) => t.takerOrMaker === "maker" && t.price === price));
});

check("postOnly rests, or is rejected after its acknowledgement", async () => {
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, await belowMarket(), { postOnly: true });
  const seen = await lookup(order);
  assert.deepEqual([seen.status, seen.postOnly], ["open", true]);
  await ex.cancelOrder(order.id, SYMBOL);
  const crossing = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 1.003));
  const late = await lookup(await ex.createOrder(SYMBOL, "limit", "buy", 0.01, crossing, { postOnly: true }));
  assert.deepEqual([late.status, late.info.rejectReason], ["rejected", "EC_PostOnlyWillTakeLiquidity"]);
});

check("IOC and FOK end what they cannot fill", async () => {
  const price = await belowMarket();
  for (const [timeInForce, reason] of [["IOC", "EC_NoImmediateQtyToFill"], ["FOK", "EC_NoEnoughQtyToFill"]]) {
    const order = await lookup(await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { timeInForce }));
    assert.deepEqual([order.status, order.filled, order.timeInForce, order.info.rejectReason],
      ["canceled", 0, timeInForce, reason]);
  }
});

check("editOrder changes price and quantity of the same order", async () => {
  const price = await belowMarket();
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  const edited = await ex.editOrder(order.id, SYMBOL, "limit", "buy", 0.02, price - 10);
  assert.equal(edited.id, order.id);
  const seen = await lookup(order);
  assert.deepEqual([seen.status, seen.amount, seen.price], ["open", 0.02, price - 10]);
  await ex.cancelOrder(order.id, SYMBOL);
  await rejects(ccxt.OrderNotFound, () => ex.editOrder(order.id, SYMBOL, "limit", "buy", 0.03, price), "170213");
});

check("createOrders and cancelOrders are batches", async () => {
  const price = await belowMarket();
  const one = { symbol: SYMBOL, type: "limit", side: "buy", amount: 0.01, price };
  const placed = await ex.createOrders([one, { ...one, amount: 0.02 }, { ...one, amount: 0.00001 }]);
  const ids = placed.filter((o) => o.id).map((o) => o.id);
  assert.equal(ids.length, 2);
  assert.deepEqual((await ex.fetchOpenOrders(SYMBOL)).map((o) => o.amount).sort(), [0.01, 0.02]);
  await ex.editOrders([{ ...one, id: ids[0], amount: 0.03 }, { ...one, id: ids[1], amount: 0.04 }]);
  assert.deepEqual((await ex.fetchOpenOrders(SYMBOL)).map((o) => o.amount).sort(), [0.03, 0.04]);
  assert.equal((await ex.cancelOrders(ids, SYMBOL)).length, 2);
  assert.deepEqual(await ex.fetchOpenOrders(SYMBOL), []);
});

check("a conditional order waits for its price", async () => {
  const trigger = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 0.95));
  const order = await ex.createOrder(SYMBOL, "market", "sell", 0.01, undefined, { triggerPrice: trigger });
  const waiting = await lookup(order);
  assert.deepEqual([waiting.status, waiting.triggerPrice, waiting.info.orderStatus], ["open", trigger, "Untriggered"]);
  await control("bybit", "move", { symbol: SYMBOL, to: String(Math.trunc(trigger * 0.99)) });
  const done = await until(() => lookup(order), (o) => o.status === "closed", "its fill");
  assert.equal(done.filled, 0.01);
});

check("a limit order brings a take profit and a stop loss, which are cancelled together", async () => {
  const ask = (await ex.fetchOrderBook(SYMBOL, 5)).asks[0][0];
  const at = (by) => Number(ex.priceToPrecision(SYMBOL, ask * by));
  await ex.createOrder(SYMBOL, "limit", "buy", 0.01, at(1.001), { takeProfit: { triggerPrice: at(1.1) },
    stopLoss: { triggerPrice: at(0.9), price: at(0.89) } });
  const both = await until(() => ex.fetchOpenOrders(SYMBOL), (list) => list.length === 2, "what follows the order");
  assert.deepEqual(both.map((o) => [o.side, o.type, o.triggerPrice, o.symbol]).sort(), [
    ["sell", "limit", at(0.9), SYMBOL], ["sell", "market", at(1.1), SYMBOL]]);
  await ex.cancelOrder(both[0].id, SYMBOL, { orderFilter: "tpslOrder" });
  assert.deepEqual(await ex.fetchOpenOrders(SYMBOL), []);
});

check("a link id is taken once", async () => {
  const price = await belowMarket();
  const clientOrderId = `check-${Date.now()}`;
  const order = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { clientOrderId });
  await rejects(ccxt.InvalidOrder,
    () => ex.createOrder(SYMBOL, "limit", "buy", 0.01, price, { clientOrderId }), "170141");
  assert.equal((await lookup(order)).clientOrderId, clientOrderId);
  await ex.cancelOrder(undefined, SYMBOL, { orderLinkId: clientOrderId });
  assert.equal((await lookup(order)).status, "canceled");
});

check("cancelAllOrders leaves none open", async () => {
  const price = await belowMarket();
  for (let i = 0; i < 3; i += 1) await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  assert.equal((await ex.cancelAllOrders(SYMBOL)).length, 3);
  assert.deepEqual(await ex.fetchOpenOrders(SYMBOL), []);
  assert.deepEqual(await ex.cancelAllOrders(SYMBOL), []);
});

// ---- refusals -------------------------------------------------------------

check("filters are InvalidOrder, as at the venue", async () => {
  const price = String(await belowMarket());
  const raw = (more) => () => ex.privatePostV5OrderCreate({ category: "spot", symbol: "BTCUSDT", side: "Buy",
    orderType: "Limit", price, qty: "0.01", ...more });
  await rejects(ccxt.InvalidOrder, raw({ qty: "0.0100000005" }), "170137");
  await rejects(ccxt.InvalidOrder, raw({ price: `${Math.trunc(price)}.05` }), "170134");
  await rejects(ccxt.InvalidOrder, raw({ qty: "0.00001" }), "170140");
  await rejects(ccxt.InvalidOrder, raw({ price: "90000" }), "170193");
  await rejects(ccxt.InvalidOrder, raw({ side: "Sell", price: "20000" }), "170194");
  await rejects(ccxt.InvalidOrder, raw({ side: "buy" }), "170117");
});

check("too little money is InsufficientFunds", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 1.05));
  await ex.createOrder(SYMBOL, "limit", "sell", 80, price);
  await rejects(ccxt.InsufficientFunds, () => ex.createOrder(SYMBOL, "limit", "sell", 40, price), "170131");
  await ex.cancelAllOrders(SYMBOL);
});

check("an unknown order is OrderNotFound", async () => {
  await rejects(ccxt.OrderNotFound, () => lookup({ id: "999999999" }));
  await rejects(ccxt.OrderNotFound, () => ex.cancelOrder("999999999", SYMBOL), "170213");
});

check("a wrong key or secret is an AuthenticationError", async () => {
  const wrongKey = await bybit("bybit", { apiKey: "A".repeat(18) });
  wrongKey.setMarkets(ex.markets);
  await rejects(ccxt.AuthenticationError, () => wrongKey.fetchBalance(), "10003");
  const wrongSecret = await bybit("bybit", { secret: "B".repeat(36) });
  wrongSecret.setMarkets(ex.markets);
  await rejects(ccxt.AuthenticationError, () => wrongSecret.fetchBalance(), "10004");
  await rejects(ccxt.AuthenticationError, () => wrongSecret.createOrder(SYMBOL, "limit", "buy", 0.01, 1), "10004");
});

check("an RSA key signs as well", async () => {
  const pair = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  const apiKey = await control("bybit", "add_key", { kind: "rsa",
    public: pair.publicKey.export({ type: "spki", format: "pem" }) });
  const own = await bybit("bybit", { apiKey, secret: pair.privateKey.export({ type: "pkcs8", format: "pem" }) });
  own.setMarkets(ex.markets);
  assert.ok((await own.fetchBalance()).BTC.total > 0);
});

check("a skewed clock is an InvalidNonce, and is mended by loadTimeDifference", async () => {
  await control("bybitStrict", "skew", { seconds: 30 });
  strict.setMarkets(ex.markets);
  await rejects(ccxt.InvalidNonce, () => strict.fetchBalance(), "10002");
  await strict.loadTimeDifference();
  assert.ok((await strict.fetchBalance()).BTC.total > 0);
  await control("bybitStrict", "skew", { seconds: 0 });
  strict.options.timeDifference = 0;
});

check("a key that may not trade is refused when it does", async () => {
  const secret = "C".repeat(36);
  const apiKey = await control("bybit", "add_key", { kind: "hmac", secret, trade: false });
  const looker = await bybit("bybit", { apiKey, secret });
  looker.setMarkets(ex.markets);
  await rejects(ccxt.PermissionDenied, () => looker.createOrder(SYMBOL, "limit", "buy", 0.01, 50000), "10005");
  assert.ok((await looker.fetchBalance()).BTC.total > 0);
});

check("what is left of a limit is told, and one too many is RateLimitExceeded", async () => {
  await control("bybitStrict", "limit", { path: "/v5/account/wallet-balance", requests: 2, per: 1 });
  await strict.fetchBalance();
  assert.deepEqual([header(strict, "x-bapi-limit"), header(strict, "x-bapi-limit-status")], ["2", "1"]);
  await rejects(ccxt.RateLimitExceeded, async () => {
    for (let i = 0; i < 5; i += 1) await strict.fetchBalance();
  }, "10006");
  assert.ok(Number(header(strict, "x-bapi-limit-reset-timestamp")) > Date.now() - 2000);
  await control("bybitStrict", "limit", { path: "/v5/account/wallet-balance", requests: 50, per: 1 });
});

check("too many requests shut the address out for a while", async () => {
  await control("bybitStrict", "limit", { requests: 3, per: 1 });
  await rejects(ccxt.RateLimitExceeded, async () => {
    for (let i = 0; i < 5; i += 1) await strict.fetchTime();
  }, "access too frequent");
  await control("bybitStrict", "limit", { requests: 600, per: 5 });
  await until(() => strict.fetchTime().then(() => true, () => false), (ok) => ok, "the ban");
});

// ---- streams --------------------------------------------------------------

check("watchTicker and watchTickers", async () => {
  const t = await ex.watchTicker(SYMBOL);
  assert.equal(t.symbol, SYMBOL);
  assert.ok(t.last > 0 && t.low <= t.last && t.last <= t.high && t.baseVolume > 0);
  assert.ok(Object.keys(await ex.watchTickers([SYMBOL, "ETH/BTC"])).length >= 1);
});

check("watchTrades brings trades that REST knows too", async () => {
  const seen = new Map();
  while (seen.size < 3) {
    for (const t of await ex.watchTrades(SYMBOL)) seen.set(t.id, t);
  }
  const known = new Map((await ex.fetchTrades(SYMBOL, undefined, 60)).map((t) => [t.id, t]));
  for (const [id, t] of seen) {
    const same = known.get(id);
    assert.ok(same, id);
    assert.deepEqual([t.price, t.amount, t.side, t.timestamp], [same.price, same.amount, same.side, same.timestamp]);
  }
});

check("watchOrderBook stays whole, and is the venue's book where the numbers agree", async () => {
  const rows = (side) => Array.from(side).slice(0, 20).map(([price, amount]) => `${price} ${amount}`);
  let compared = 0;
  for (let updates = 0; compared < 3; updates += 1) {
    assert.ok(updates < 200, "never at the same number");
    await control("bybit", "move", { symbol: SYMBOL, by: updates % 2 === 0 ? "0.001" : "-0.001" });
    const book = await ex.watchOrderBook(SYMBOL);
    assert.ok(book.bids[0][0] < book.asks[0][0], `crossed: ${book.bids[0]} ${book.asks[0]}`);
    const rest = await ex.publicGetV5MarketOrderbook({ category: "spot", symbol: "BTCUSDT", limit: 50 });
    if (rest.result.seq !== ex.safeString(book, "seq", rest.result.seq)) continue;
    const theirs = (side) => side.slice(0, 20).map(([price, amount]) => `${Number(price)} ${Number(amount)}`);
    if (rows(book.bids)[0] !== theirs(rest.result.b)[0]) continue; // has moved on between the two
    assert.deepEqual(rows(book.bids), theirs(rest.result.b));
    compared += 1;
  }
});

check("watchOrderBook shows my own order", async () => {
  const price = Number(ex.priceToPrecision(SYMBOL, (await bestBid()) * 0.999));
  const amount = 0.123456;
  const order = await ex.createOrder(SYMBOL, "limit", "buy", amount, price);
  await until(() => ex.watchOrderBook(SYMBOL), (book) => book.bids.some(([p, q]) => p === price && q >= amount), "order");
  await ex.cancelOrder(order.id, SYMBOL);
  await until(() => ex.watchOrderBook(SYMBOL), (book) => !book.bids.some(([p, q]) => p === price && q >= amount), "gone");
});

check("watchBidsAsks brings the best prices", async () => {
  const t = (await ex.watchBidsAsks([SYMBOL]))[SYMBOL];
  assert.ok(t.bid < t.ask && t.bidVolume > 0 && t.askVolume > 0);
});

check("watchOHLCV brings the running candle", async () => {
  const candles = await ex.watchOHLCV(SYMBOL, "1m");
  const [time, open, high, low, close] = candles[candles.length - 1];
  assert.equal(time % 60000, 0);
  assert.ok(low <= Math.min(open, close) && high >= Math.max(open, close));
});

const listening = () => until(() => control("bybit", "streams"),
  (list) => list.some((s) => s.kind === "private" && s.streams.length > 0), "a private stream");

check("watchOrders tells of placing, filling and cancelling", async () => {
  const seen = collect(() => ex.watchOrders(SYMBOL), (list) => list.some((o) => o.status === "canceled"));
  await listening();
  const price = await belowMarket();
  const bought = await taken("buy", 0.01);
  const resting = await ex.createOrder(SYMBOL, "limit", "buy", 0.01, price);
  await ex.cancelOrder(resting.id, SYMBOL);
  const all = await seen;
  const of = (order) => all.filter((o) => o.id === order.id);
  assert.deepEqual([of(bought).at(-1).status, of(bought).at(-1).filled], ["closed", 0.01]);
  near(of(bought).at(-1).cost, bought.cost, 1e-5);
  assert.deepEqual(of(resting).map((o) => o.status).filter((s, i, l) => s !== l[i - 1]), ["open", "canceled"]);
  assert.ok(all.every((o) => o.symbol === SYMBOL));
});

check("watchMyTrades brings each fill once, with its fee", async () => {
  const fills = collect(() => ex.watchMyTrades(SYMBOL), (list) => list.some((t) => t.side === "sell"));
  await listening();
  const order = await taken("sell", 0.01);
  const mine = (await fills).filter((t) => t.order === order.id);
  assert.equal(new Set(mine.map((t) => t.id)).size, mine.length);
  assert.deepEqual([mine[0].takerOrMaker, mine[0].symbol, mine[0].fee.currency], ["taker", SYMBOL, "USDT"]);
});

check("watchBalance moves with the fills", async () => {
  const first = ex.watchBalance();
  await until(() => control("bybit", "streams"),
    (list) => list.some((s) => s.streams.includes("wallet")), "the wallet topic");
  const before = await fundsOf();
  await taken("buy", 0.03);
  let balance = await first;
  const total = before.BTC.total + 0.03 * (1 - FEE);
  while (Math.abs(balance.BTC.total - total) > 1e-9) balance = await ex.watchBalance();
});

check("orders over the trade socket are the same orders", async () => {
  const price = await belowMarket();
  const order = await ex.createOrderWs(SYMBOL, "limit", "buy", 0.01, price);
  assert.equal((await lookup(order)).status, "open");
  await ex.editOrderWs(order.id, SYMBOL, "limit", "buy", 0.02, price);
  assert.equal((await lookup(order)).amount, 0.02);
  await ex.cancelOrderWs(order.id, SYMBOL);
  assert.equal((await lookup(order)).status, "canceled");
  await rejects(ccxt.InvalidOrder, () => ex.cancelOrderWs(order.id, SYMBOL), "170142");
});

check("unWatch ends a stream and leaves the others", async () => {
  await ex.watchTrades(SYMBOL);
  await ex.unWatchTrades(SYMBOL);
  await ex.unWatchOrderBook(SYMBOL);
  await ex.watchTicker(SYMBOL);
  await ex.watchTrades(SYMBOL);
});

check("a private stream is refused to a stranger", async () => {
  const stranger = await bybit("bybit", { secret: "B".repeat(36) });
  stranger.setMarkets(ex.markets);
  await assert.rejects(() => stranger.watchOrders(SYMBOL), (error) => error instanceof ccxt.ExchangeError);
});

checkStrays();
await end(await runAll(), opened.map((e) => () => e.close()));
