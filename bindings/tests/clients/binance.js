// The venue's own two libraries and the best known third, unmodified, against the Binance sandbox.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { createRequire } from "node:module";
import { check, checkStrays, control, end, runAll, serving, until } from "./checks.js";

process.env.LOG_LEVEL = "error"; // @binance/spot reads it
const require = createRequire(import.meta.url);
const official = require("@binance/spot");
const { Spot: Connector, WebsocketAPI, WebsocketStream } = require("@binance/connector");
const { MainClient, WebsocketAPIClient, WebsocketClient } = require("binance");

const { rest, ws, ws_api: wsApi, key, secret } = serving.main;
const S = "BTCUSDT";
const LIMIT = { type: "LIMIT", timeInForce: "GTC", quantity: 0.01 };
const quiet = Object.fromEntries(["log", "info", "debug", "trace", "error", "warn"].map((name) => [name, () => {}]));
const ended = []; // what is closed at the end

/** The first value for which `wanted` holds, out of what `listen` is told. */
function first(listen, wanted) {
  return new Promise((resolve) => {
    listen((value) => {
      if (wanted(value)) resolve(value);
    });
  });
}

const refused = (promise, inspect, code) => assert.rejects(promise, (error) => {
  assert.equal(inspect(error), code, JSON.stringify(inspect(error)));
  return true;
});

const connector = new Connector(key, secret, { baseURL: rest, logger: quiet });
const low = async () => Math.trunc(Number((await connector.tickerPrice(S)).data.price) * 0.9);

// ---- @binance/connector ------------------------------------------------------

check("connector: public data", async () => {
  assert.deepEqual((await connector.ping()).data, {});
  assert.ok(Math.abs((await connector.time()).data.serverTime - Date.now()) < 2000);
  assert.equal((await connector.exchangeInfo({ symbol: S })).data.symbols[0].symbol, S);
  assert.deepEqual((await connector.exchangeInfo({ symbols: [S, "ETHUSDT"] })).data.symbols.map((s) => s.symbol),
    [S, "ETHUSDT"]);
  assert.equal((await connector.exchangeInfo({ permissions: ["SPOT"] })).data.symbols.length, 4);
  assert.equal((await connector.depth(S, { limit: 5 })).data.bids.length, 5);
  assert.equal((await connector.trades(S, { limit: 3 })).data.length, 3);
  assert.equal((await connector.historicalTrades(S, { limit: 3 })).data.length, 3);
  assert.equal((await connector.aggTrades(S, { limit: 3 })).data.length, 3);
  assert.equal((await connector.klines(S, "1m", { limit: 3 })).data[2].length, 12);
  assert.equal((await connector.avgPrice(S)).data.mins, 5);
  assert.equal((await connector.ticker24hr(S)).data.symbol, S);
  assert.equal((await connector.ticker24hr("", [S, "ETHUSDT"])).data.length, 2);
  assert.equal((await connector.tickerPrice()).data.length, 4);
  assert.equal((await connector.bookTicker(S)).data.symbol, S);
});

check("connector: rolling windows and trading days", async () => {
  const hour = (await connector.rollingWindowTicker(S, [], { windowSize: "1h" })).data;
  assert.equal(hour.openTime % 60000, 0);
  assert.ok(hour.closeTime - hour.openTime < 3660000 && Number(hour.volume) > 0);
  const both = (await connector.rollingWindowTicker("", [S, "ETHUSDT"])).data;
  assert.deepEqual(both.map((t) => t.symbol), [S, "ETHUSDT"]);
  const day = (await connector.publicRequest("GET", "/api/v3/ticker/tradingDay", { symbol: S })).data;
  assert.equal(day.openTime % 86400000, 0);
});

check("connector: an order's life", async () => {
  const order = (await connector.newOrder(S, "BUY", "LIMIT", { ...LIMIT, price: await low() })).data;
  assert.deepEqual([order.status, order.fills], ["NEW", []]);
  assert.equal((await connector.getOrder(S, { orderId: order.orderId })).data.clientOrderId, order.clientOrderId);
  assert.ok((await connector.openOrders({ symbol: S })).data.some((o) => o.orderId === order.orderId));
  assert.ok((await connector.allOrders(S)).data.some((o) => o.orderId === order.orderId));
  const gone = (await connector.cancelOrder(S, { orderId: order.orderId })).data;
  assert.deepEqual([gone.status, gone.origClientOrderId], ["CANCELED", order.clientOrderId]);
  const bought = (await connector.newOrder(S, "BUY", "MARKET", { quoteOrderQty: 100 })).data;
  assert.equal(bought.status, "FILLED");
  const fills = (await connector.myTrades(S, { orderId: bought.orderId })).data;
  assert.deepEqual(fills.map((f) => f.id), bought.fills.map((f) => f.tradeId));
  assert.ok((await connector.account({ omitZeroBalances: true })).data.balances.length > 0);
  assert.equal((await connector.newOrderTest(S, "BUY", "MARKET", { quantity: 0.01 })).status, 200);
  await connector.newOrder(S, "BUY", "LIMIT", { ...LIMIT, price: await low() });
  assert.equal((await connector.cancelOpenOrders(S)).data[0].status, "CANCELED");
});

check("connector: what the account pays and may do", async () => {
  const rates = (await connector.signRequest("GET", "/api/v3/account/commission", { symbol: S })).data;
  assert.deepEqual([rates.symbol, rates.standardCommission.maker], [S, "0.00000000"]);
  const counts = (await connector.signRequest("GET", "/api/v3/rateLimit/order", {})).data;
  assert.deepEqual(counts.map((c) => c.interval), ["SECOND", "DAY"]);
});

check("connector: one order replaces another", async () => {
  const price = await low();
  const order = (await connector.newOrder(S, "BUY", "LIMIT", { ...LIMIT, price })).data;
  const both = (await connector.cancelAndReplace(S, "BUY", "LIMIT", "STOP_ON_FAILURE",
    { ...LIMIT, price: price + 100, cancelOrderId: order.orderId })).data;
  assert.deepEqual([both.cancelResult, both.newOrderResult, both.cancelResponse.orderId, both.newOrderResponse.status],
    ["SUCCESS", "SUCCESS", order.orderId, "NEW"]);
  await refused(connector.cancelAndReplace(S, "BUY", "LIMIT", "STOP_ON_FAILURE",
    { ...LIMIT, price, cancelOrderId: order.orderId }),
  (e) => [e.response.status, e.response.data.code, e.response.data.data.newOrderResult].join(), "400,-2022,NOT_ATTEMPTED");
  await refused(connector.cancelAndReplace(S, "BUY", "LIMIT", "ALLOW_FAILURE",
    { ...LIMIT, price, cancelOrderId: order.orderId }),
  (e) => [e.response.status, e.response.data.code, e.response.data.data.newOrderResult].join(), "409,-2021,SUCCESS");
  await connector.cancelOpenOrders(S);
});

check("connector: refusals keep their status, code and text", async () => {
  const of = (e) => `${e.response.status} ${e.response.data.code} ${e.response.data.msg}`;
  await refused(connector.getOrder(S, { orderId: 999999999 }), of, "400 -2013 Order does not exist.");
  await refused(connector.depth("NOSUCH"), of, "400 -1121 Invalid symbol.");
  await refused(new Connector(key, "wrong", { baseURL: rest }).account(), of,
    "400 -1022 Signature for this request is not valid.");
  await refused(new Connector("A".repeat(64), secret, { baseURL: rest }).account(), of,
    "401 -2015 Invalid API-key, IP, or permissions for action.");
  await refused(connector.createListenKey(), (e) => e.response.status, 410);
});

check("connector: market streams, raw and combined", async () => {
  const messages = { raw: [], combined: [] };
  const streams = Object.keys(messages).map((kind) => {
    const client = new WebsocketStream({ wsURL: ws, logger: quiet, combinedStreams: kind === "combined",
      callbacks: { message: (data) => messages[kind].push(JSON.parse(data)) } });
    client.subscribe(["btcusdt@bookTicker", "btcusdt@miniTicker"]);
    ended.push(() => client.disconnect());
    return client;
  });
  await until(async () => messages.raw, (m) => m.some((d) => d.e === "24hrMiniTicker"), "raw");
  await until(async () => messages.combined, (m) => m.some((d) => d.stream === "btcusdt@miniTicker" && d.data.c), "combined");
  streams[0].subscribe("ethusdt@miniTicker");
  await until(async () => messages.raw, (m) => m.some((d) => d.result === null), "answer");
  await until(async () => messages.raw, (m) => m.some((d) => d.s === "ETHUSDT"), "one more stream");
});

check("connector: WebSocket API and user data", async () => {
  const messages = [];
  const client = new WebsocketAPI(key, secret, { wsURL: wsApi, logger: quiet,
    callbacks: { message: (data) => messages.push(JSON.parse(data)) } });
  ended.push(() => client.disconnect());
  await until(async () => client.isConnected(), (yes) => yes, "connection");
  const answer = (id) => until(async () => messages.find((m) => m.id === id), (m) => m, id);
  client.sendSignatureMessage("userDataStream.subscribe.signature", { id: "user" });
  assert.equal((await answer("user")).result.subscriptionId, 0);
  client.time({ id: "time" });
  assert.ok((await answer("time")).result.serverTime > 0);
  client.exchangeInfo({ id: "info", symbols: [S, "ETHUSDT"] });
  assert.equal((await answer("info")).result.symbols.length, 2);
  client.account({ id: "account" });
  assert.equal((await answer("account")).result.accountType, "SPOT");
  client.newOrder(S, "BUY", "LIMIT", { id: "place", ...LIMIT, price: await low() });
  const placed = await answer("place");
  assert.deepEqual([placed.status, placed.result.status], [200, "NEW"]);
  await until(async () => messages, (m) => m.some(({ event }) => event?.e === "executionReport"
    && event.i === placed.result.orderId && event.x === "NEW"), "executionReport");
  client.cancelOrder(S, { id: "cancel", orderId: placed.result.orderId });
  assert.equal((await answer("cancel")).result.status, "CANCELED");
  client.cancelOrder(S, { id: "again", orderId: placed.result.orderId });
  const no = await answer("again");
  assert.deepEqual([no.status, no.error.code], [400, -2011]);
});

// ---- @binance/spot -------------------------------------------------------------

const spot = new official.Spot({
  configurationRestAPI: { apiKey: key, apiSecret: secret, basePath: rest, timeout: 5000, retries: 0 },
  configurationWebsocketAPI: { apiKey: key, apiSecret: secret, wsURL: wsApi },
  configurationWebsocketStreams: { wsURL: ws },
});

const data = async (promise) => (await promise).data();

check("@binance/spot: public data", async () => {
  const api = spot.restAPI;
  assert.ok((await data(api.time())).serverTime > 0);
  assert.equal((await data(api.exchangeInfo({ symbols: [S, "ETHUSDT"] }))).symbols.length, 2);
  assert.equal((await data(api.depth({ symbol: S, limit: 5 }))).asks.length, 5);
  assert.equal((await data(api.getTrades({ symbol: S, limit: 2 }))).length, 2);
  assert.equal((await data(api.aggTrades({ symbol: S, limit: 2 }))).length, 2);
  assert.equal((await data(api.klines({ symbol: S, interval: "1h", limit: 2 }))).length, 2);
  assert.equal((await data(api.ticker24hr({ symbol: S }))).symbol, S);
  assert.equal((await data(api.tickerBookTicker({ symbols: [S, "ETHBTC"] }))).length, 2);
  assert.equal((await data(api.tickerPrice())).length, 4);
  assert.equal((await data(api.ticker({ symbol: S, windowSize: "4h" }))).symbol, S);
  assert.equal((await data(api.tickerTradingDay({ symbols: [S] })))[0].symbol, S);
  assert.equal((await data(api.avgPrice({ symbol: S }))).mins, 5);
});

check("@binance/spot: used weight is read from the headers", async () => {
  const reply = await spot.restAPI.ping();
  const limit = reply.rateLimits.find((l) => l.rateLimitType === "REQUEST_WEIGHT");
  assert.ok(limit.count > 0 && limit.interval === "MINUTE" && limit.intervalNum === 1, JSON.stringify(reply.rateLimits));
});

check("@binance/spot: an order's life", async () => {
  const api = spot.restAPI;
  const order = await data(api.newOrder({ symbol: S, side: "BUY", ...LIMIT, price: await low() }));
  assert.equal(order.status, "NEW");
  const one = { symbol: S, orderId: order.orderId };
  assert.equal((await data(api.getOrder(one))).status, "NEW");
  assert.ok((await data(api.getOpenOrders({ symbol: S }))).some((o) => o.orderId === order.orderId));
  assert.equal((await data(api.deleteOrder(one))).status, "CANCELED");
  assert.ok((await data(api.allOrders({ symbol: S }))).some((o) => o.orderId === order.orderId));
  const bought = await data(api.newOrder({ symbol: S, side: "BUY", type: "MARKET", quantity: 0.01 }));
  assert.equal((await data(api.myTrades({ symbol: S, orderId: bought.orderId }))).length, bought.fills.length);
  assert.ok((await data(api.getAccount({ omitZeroBalances: true }))).balances.length > 0);
  assert.equal((await data(api.accountCommission({ symbol: S }))).symbol, S);
  assert.equal((await data(api.rateLimitOrder())).length, 2);
  assert.equal((await data(api.myFilters({ symbol: S }))).symbolFilters[0].filterType, "MAX_NUM_ORDERS");
});

check("@binance/spot: refusals are its own classes", async () => {
  const as = (apiKey, apiSecret) => new official.Spot({ configurationRestAPI:
    { apiKey, apiSecret, basePath: rest, timeout: 5000, retries: 0 } }).restAPI;
  const name = (e) => `${e.constructor.name} ${e.code}`;
  await refused(as("A".repeat(64), secret).getAccount(), name, "UnauthorizedError -2015");
  await refused(as(key, "wrong").getAccount(), name, "BadRequestError -1022");
  await refused(spot.restAPI.getOrder({ symbol: S, orderId: 999999999 }), name, "BadRequestError -2013");
  await refused(spot.restAPI.newOrder({ symbol: S, side: "BUY", ...LIMIT, quantity: 0.010005, price: await low() }),
    name, "BadRequestError -1013");
});

check("@binance/spot: limits are its own classes", async () => {
  const { rest: basePath, key: apiKey, secret: apiSecret } = serving.strict;
  const api = new official.Spot({ configurationRestAPI: { apiKey, apiSecret, basePath, timeout: 5000, retries: 0 } }).restAPI;
  await control("strict", "limit", { request_weight: 1, per: 60 });
  const seen = [];
  for (let i = 0; i < 8; i += 1) await api.ping().catch((e) => seen.push(e.constructor.name));
  assert.ok(seen.includes("TooManyRequestsError") && seen.includes("RateLimitBanError"), seen.join());
  await control("strict", "limit", { request_weight: 6000, per: 60 });
});

check("@binance/spot: market streams", async () => {
  const connection = await spot.websocketStreams.connect();
  ended.push(() => connection.disconnect());
  const wait = (stream, wanted) => first((tell) => stream.on("message", tell), wanted);
  const trade = await wait(connection.trade({ symbol: "btcusdt" }), (d) => d.e === "trade");
  assert.ok(Number(trade.p) > 0);
  const depth = await wait(connection.diffBookDepth({ symbol: "btcusdt", updateSpeed: "100ms" }), (d) => d.u);
  assert.ok(depth.U <= depth.u);
  const top = await wait(connection.partialBookDepth({ symbol: "btcusdt", levels: "5" }), (d) => d.lastUpdateId);
  assert.equal(top.bids.length, 5);
  const candle = await wait(connection.kline({ symbol: "btcusdt", interval: "1s" }), (d) => d.k);
  assert.equal(candle.k.i, "1s");
});

check("@binance/spot: WebSocket API", async () => {
  const connection = await spot.websocketAPI.connect();
  ended.push(() => connection.disconnect());
  assert.ok((await connection.time()).data.serverTime > 0);
  assert.equal((await connection.depth({ symbol: S, limit: 5 })).data.bids.length, 5);
  assert.equal((await connection.exchangeInfo({ symbols: [S] })).data.symbols.length, 1);
  assert.equal((await connection.accountStatus()).data.accountType, "SPOT");
  const user = await connection.userDataStreamSubscribeSignature();
  const report = first((tell) => user.stream.on("message", tell), (e) => e.e === "executionReport");
  const placed = await connection.orderPlace({ symbol: S, side: "BUY", ...LIMIT, price: await low() });
  assert.equal(placed.data.status, "NEW");
  assert.equal((await report).i, placed.data.orderId);
  const one = { symbol: S, orderId: placed.data.orderId };
  assert.equal((await connection.orderStatus(one)).data.status, "NEW");
  assert.equal((await connection.orderCancel(one)).data.status, "CANCELED");
  await refused(connection.orderCancel(one), (e) => e.code, -2011);
  assert.equal((await connection.sessionStatus()).data.userDataStream, true);
});

check("@binance/spot: keys of every kind sign every kind of request", async () => {
  for (const [kind, options] of [["ed25519", {}], ["rsa", { modulusLength: 2048 }]]) {
    const pair = crypto.generateKeyPairSync(kind, options);
    const apiKey = await control("main", "add_key", { kind, public: pair.publicKey.export({ type: "spki", format: "pem" }) });
    const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" });
    const own = new official.Spot({ configurationRestAPI: { apiKey, privateKey, basePath: rest, timeout: 5000, retries: 0 },
      configurationWebsocketAPI: { apiKey, privateKey, wsURL: wsApi } });
    assert.ok((await data(own.restAPI.getAccount())).balances.length > 0);
    const connection = await own.websocketAPI.connect();
    ended.push(() => connection.disconnect());
    assert.equal((await connection.accountStatus()).data.accountType, "SPOT");
    if (kind === "rsa") continue; // only Ed25519 keys may log on
    await connection.sessionLogon();
    assert.equal((await connection.sessionStatus()).data.apiKey, apiKey);
    await connection.userDataStreamSubscribe();
    assert.equal((await connection.orderPlace({ symbol: S, side: "BUY", type: "MARKET", quantity: 0.001 })).data.status, "FILLED");
    await connection.sessionLogout();
    assert.equal((await connection.sessionStatus()).data.apiKey, null);
  }
});

check("@binance/spot: microseconds, where they are asked for", async () => {
  const us = new official.Spot({
    configurationRestAPI: { apiKey: key, apiSecret: secret, basePath: rest, timeout: 5000, timeUnit: "MICROSECOND" },
    configurationWebsocketAPI: { apiKey: key, apiSecret: secret, wsURL: wsApi, timeUnit: "MICROSECOND" },
  });
  const now = Date.now() * 1000;
  assert.ok(Math.abs(Number((await data(us.restAPI.time())).serverTime) - now) < 2e6);
  const connection = await us.websocketAPI.connect();
  ended.push(() => connection.disconnect());
  assert.ok(Math.abs(Number((await connection.time()).data.serverTime) - now) < 2e6);
});

check("@binance/spot: an order is made smaller, and keeps its labels", async () => {
  const api = spot.restAPI;
  const order = await data(api.newOrder({ symbol: S, side: "BUY", ...LIMIT, price: await low(), strategyId: 7,
    strategyType: 1000000 }));
  assert.deepEqual([order.strategyId, order.strategyType], [7, 1000000]);
  const one = { symbol: S, orderId: order.orderId };
  const less = await data(api.orderAmendKeepPriority({ ...one, newQty: 0.005 }));
  assert.deepEqual([less.amendedOrder.orderId, less.amendedOrder.qty], [order.orderId, "0.00500000"]);
  assert.equal((await data(api.orderAmendments(one)))[0].executionId, less.executionId);
  await data(api.deleteOrder(one));
});

check("@binance/spot: lists of what there is none of", async () => {
  const api = spot.restAPI;
  for (const list of [api.allOrderList(), api.openOrderList(), api.myAllocations({ symbol: S }),
    api.myPreventedMatches({ symbol: S, orderId: 1 }), api.historicalBlockTrades({ symbol: S, fromId: 1 })]) {
    assert.deepEqual(await data(list), []);
  }
  await refused(api.referencePrice({ symbol: S }), (e) => e.code, -2043);
});

// A symbol whose price no check moves.
const B = "BNBUSDT";
const OCO = { symbol: B, side: "SELL", quantity: 1, aboveType: "LIMIT_MAKER", belowType: "STOP_LOSS_LIMIT",
  belowTimeInForce: "GTC" };
const ocoAround = (last) => ({ ...OCO, abovePrice: Math.trunc(last * 1.05), belowStopPrice: Math.trunc(last * 0.95),
  belowPrice: Math.trunc(last * 0.94) });
const lastOf = async () => Number((await connector.tickerPrice(B)).data.price);

check("@binance/spot: order lists over REST", async () => {
  const api = spot.restAPI;
  const last = await lastOf();
  const oco = await data(api.orderListOco(ocoAround(last)));
  assert.deepEqual([oco.contingencyType, oco.listOrderStatus, oco.orders.length], ["OCO", "EXECUTING", 2]);
  const oto = await data(api.orderListOto({ symbol: B, workingType: "LIMIT", workingSide: "BUY", workingQuantity: 1,
    workingPrice: Math.trunc(last * 0.9), workingTimeInForce: "GTC", pendingType: "LIMIT_MAKER", pendingSide: "SELL",
    pendingQuantity: 1, pendingPrice: Math.trunc(last * 1.1) }));
  assert.deepEqual(oto.orderReports.map((o) => o.status), ["NEW", "PENDING_NEW"]);
  const otoco = await data(api.orderListOtoco({ symbol: B, workingType: "LIMIT", workingSide: "BUY", workingQuantity: 1,
    workingPrice: Math.trunc(last * 0.9), workingTimeInForce: "GTC", pendingSide: "SELL", pendingQuantity: 1,
    pendingAboveType: "TAKE_PROFIT", pendingAboveStopPrice: Math.trunc(last * 1.1), pendingBelowType: "STOP_LOSS",
    pendingBelowStopPrice: Math.trunc(last * 0.8) }));
  assert.equal(otoco.orders.length, 3);
  assert.equal((await data(api.openOrderList())).length, 3);
  assert.equal((await data(api.getOrderList({ orderListId: oco.orderListId }))).listClientOrderId, oco.listClientOrderId);
  for (const { orderListId } of [oco, oto, otoco]) {
    const gone = await data(api.deleteOrderList({ symbol: B, orderListId }));
    assert.deepEqual([gone.listOrderStatus, ...gone.orderReports.map((o) => o.status).filter((s) => s !== "CANCELED")],
      ["ALL_DONE"]);
  }
  assert.ok((await data(api.allOrderList())).length >= 3);
  await refused(api.orderListOco({ ...ocoAround(last), belowStopPrice: Math.trunc(last * 1.01) }), (e) => e.code, -2010);
});

check("@binance/spot: order lists over the WebSocket API", async () => {
  const socket = await spot.websocketAPI.connect();
  ended.push(() => socket.disconnect());
  const oco = (await socket.orderListPlaceOco(ocoAround(await lastOf()))).data;
  assert.equal(oco.orders.length, 2);
  const { orderListId } = oco;
  assert.equal((await socket.orderListStatus({ orderListId })).data.listOrderStatus, "EXECUTING");
  assert.equal((await socket.orderListCancel({ symbol: B, orderListId })).data.listOrderStatus, "ALL_DONE");
});

check("connector: orders that wait for a price", async () => {
  const last = await lastOf();
  const stop = (await connector.newOrder(B, "SELL", "STOP_LOSS_LIMIT", { timeInForce: "GTC", quantity: 1,
    price: Math.trunc(last * 0.9), stopPrice: Math.trunc(last * 0.95), newOrderRespType: "RESULT" })).data;
  assert.deepEqual([stop.status, stop.type, stop.workingTime], ["NEW", "STOP_LOSS_LIMIT", -1]);
  const found = (await connector.getOrder(B, { orderId: stop.orderId })).data;
  assert.deepEqual([found.isWorking, Number(found.stopPrice)], [false, Math.trunc(last * 0.95)]);
  await connector.cancelOrder(B, { orderId: stop.orderId });
  await refused(connector.newOrder(B, "SELL", "STOP_LOSS", { quantity: 1, stopPrice: Math.trunc(last * 1.05) }),
    (e) => e.response.data.msg, "Order would trigger immediately.");
});

// ---- binance --------------------------------------------------------------------

const tiago = new MainClient({ api_key: key, api_secret: secret, baseUrl: rest, disableTimeSync: true,
  beautifyResponses: false });

check("binance: public data", async () => {
  assert.ok((await tiago.get("api/v3/time")).serverTime > 0);
  assert.equal((await tiago.getExchangeInfo({ symbols: [S, "ETHUSDT"] })).symbols.length, 2);
  assert.equal((await tiago.getOrderBook({ symbol: S, limit: 5 })).bids.length, 5);
  assert.equal((await tiago.getRecentTrades({ symbol: S, limit: 2 })).length, 2);
  assert.equal((await tiago.getHistoricalTrades({ symbol: S, limit: 2 })).length, 2);
  assert.equal((await tiago.getAggregateTrades({ symbol: S, limit: 2 })).length, 2);
  assert.equal((await tiago.getKlines({ symbol: S, interval: "1m", limit: 2 })).length, 2);
  assert.equal((await tiago.get24hrChangeStatistics({ symbol: S })).symbol, S);
  assert.equal((await tiago.getSymbolPriceTicker()).length, 4);
  assert.equal((await tiago.getSymbolOrderBookTicker({ symbol: S })).symbol, S);
  assert.equal((await tiago.getTradingDayTicker({ symbol: S })).symbol, S);
  assert.equal((await tiago.getRollingWindowTicker({ symbols: [S], windowSize: "1d" })).length, 1);
});

check("binance: an order's life", async () => {
  const order = await tiago.submitNewOrder({ symbol: S, side: "BUY", ...LIMIT, price: await low() });
  assert.equal(order.status, "NEW");
  const one = { symbol: S, orderId: order.orderId };
  assert.equal((await tiago.getOrder(one)).clientOrderId, order.clientOrderId);
  assert.equal((await tiago.cancelOrder(one)).status, "CANCELED");
  const bought = await tiago.submitNewOrder({ symbol: S, side: "BUY", type: "MARKET", quoteOrderQty: 50 });
  assert.equal((await tiago.getAccountTradeList({ symbol: S, orderId: bought.orderId })).length, bought.fills.length);
  assert.ok((await tiago.getAccountInformation()).balances.length > 0);
  assert.ok((await tiago.getAllOrders({ symbol: S })).length > 1);
  await tiago.submitNewOrder({ symbol: S, side: "BUY", ...LIMIT, price: await low() });
  const open = (await tiago.getOpenOrders({ symbol: S })).length;
  assert.ok(open >= 1);
  assert.equal((await tiago.cancelAllSymbolOrders({ symbol: S })).length, open);
  await refused(tiago.cancelOrder(one), (e) => `${e.code} ${e.message}`, "-2011 Unknown order sent.");
  await refused(tiago.testNewOrder({ symbol: S, side: "BUY", ...LIMIT, price: "1" }), (e) => e.code, -1013);
});

check("binance: market streams", async () => {
  const client = new WebsocketClient({ wsUrl: ws, api_key: key, api_secret: secret, disableTimeSync: true }, quiet);
  ended.push(() => client.closeAll(true));
  const messages = [];
  for (const name of ["message", "formattedMessage"]) client.on(name, (m) => messages.push(m.data ?? m));
  client.on("exception", () => {});
  client.subscribe(["btcusdt@trade", "btcusdt@kline_1s", "btcusdt@depth10@100ms"], "main");
  await until(async () => messages, (m) => m.some((d) => d.e === "trade") && m.some((d) => d.e === "kline")
    && m.some((d) => d.lastUpdateId), "trade, kline and depth10");
});

check("binance: user data and WebSocket API, order lists among it", async () => {
  const client = new WebsocketAPIClient({ wsUrl: ws, api_key: key, api_secret: secret, disableTimeSync: true,
    attachEventListeners: false }, quiet);
  const raw = client.getWSClient();
  ended.push(() => client.disconnectAll());
  const events = [];
  raw.on("message", (m) => events.push(m.event ?? m));
  for (const name of ["exception", "open", "response", "reconnecting", "reconnected", "close", "authenticated"]) {
    raw.on(name, () => {});
  }
  assert.equal((await client.getSpotOrderBook({ symbol: S, limit: 5 })).result.bids.length, 5);
  assert.equal((await client.getSpotAccountInformation({ timestamp: Date.now() })).result.accountType, "SPOT");
  await client.subscribeUserDataStream("mainWSAPI");
  const order = await client.submitNewSpotOrder({ symbol: S, side: "BUY", ...LIMIT, price: String(await low()),
    timestamp: Date.now() });
  assert.equal(order.result.status, "NEW");
  await until(async () => events, (list) => list.some((e) => e.e === "executionReport"
    && e.i === order.result.orderId), "executionReport");
  const one = { symbol: S, orderId: order.result.orderId, timestamp: Date.now() };
  assert.equal((await client.cancelSpotOrder(one)).result.status, "CANCELED");
  await refused(client.cancelSpotOrder({ ...one, timestamp: Date.now() }), (e) => e.error?.code, -2011);

  const list = await tiago.submitNewOrderListOTO({ symbol: B, workingType: "LIMIT", workingSide: "BUY",
    workingQuantity: "1", workingPrice: String(Math.trunc((await lastOf()) * 0.9)), workingTimeInForce: "GTC",
    pendingType: "MARKET", pendingSide: "SELL", pendingQuantity: "1" });
  assert.deepEqual(list.orderReports.map((o) => o.status), ["NEW", "PENDING_NEW"]);
  await tiago.cancelOrder({ symbol: B, orderId: list.orders[0].orderId });
  const last = await lastOf();
  const oco = () => ({ symbol: B, side: "SELL", quantity: 1, price: Math.trunc(last * 1.05),
    stopPrice: Math.trunc(last * 0.95), timestamp: Date.now() }); // the library adds ids to what it is given
  for (const one of [await tiago.submitNewOCO(oco()), (await client.placeSpotOrderList(oco())).result]) {
    assert.deepEqual(one.orderReports.map((o) => o.type), ["STOP_LOSS", "LIMIT_MAKER"]);
    await tiago.cancelOCO({ symbol: B, orderListId: one.orderListId });
  }
  const told = await until(async () => events.filter((e) => e.e === "listStatus" && e.g === list.orderListId),
    (l) => l.length === 2, "listStatus");
  assert.deepEqual(told.map((e) => e.l), ["EXEC_STARTED", "ALL_DONE"]);
});

checkStrays();
await end(await runAll(), ended.map((close) => async () => close()));
