// bybit-api, unmodified, REST and WebSocket, against the Bybit sandbox.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { createRequire } from "node:module";
import { check, checkStrays, control, end, runAll, serving, until } from "./checks.js";

const require = createRequire(import.meta.url);
const { RestClientV5, WebsocketAPIClient, WebsocketClient } = require("bybit-api");

const { rest, key, secret } = serving.bybit;
const WS = rest.replace(/^http/, "ws");
const S = "BTCUSDT";
const SPOT = { category: "spot", symbol: S };
const quiet = Object.fromEntries(["silly", "trace", "debug", "info", "notice", "warning", "error"].map((n) => [n, () => {}]));
const ended = []; // what is closed at the end

const as = (more = {}) => new RestClientV5({ key, secret, baseUrl: rest, ...more });
const api = as();

/** The result of a call that must succeed. */
async function ok(call) {
  const answer = await call;
  assert.equal(answer.retCode, 0, JSON.stringify(answer));
  return answer.result;
}

const code = async (call) => (await call).retCode;
const price = async () => String(Math.trunc((await ok(api.getTickers(SPOT))).list[0].lastPrice * 0.9));
const limit = async (more) => ({ ...SPOT, side: "Buy", orderType: "Limit", qty: "0.01", price: await price(), ...more });
const lookup = async (orderId, category = "spot") => (await ok(api.getActiveOrders({ category, orderId }))).list[0];

/** A stream; what it brings is collected in `seen`. */
function stream(path, more = {}) {
  const client = new WebsocketClient({ market: "v5", wsUrl: `${WS}${path}`, key, secret, ...more }, quiet);
  ended.push(() => client.closeAll(true));
  const seen = { update: [], response: [], exception: [] };
  for (const [event, list] of Object.entries(seen)) client.on(event, (m) => list.push(m));
  return { client, seen };
}

const arrives = (seen, wanted, what) => until(async () => seen.update, (list) => list.some(wanted), what);

// ---- REST -------------------------------------------------------------------

check("the time, and the clock by it", async () => {
  const { timeSecond, timeNano } = await ok(api.getServerTime());
  assert.equal(timeNano.slice(0, 10), timeSecond);
  assert.ok(Math.abs((await api.fetchServerTime()) - Date.now() / 1000) < 2);
});

check("public data", async () => {
  assert.equal((await ok(api.getInstrumentsInfo(SPOT))).list[0].symbol, S);
  assert.equal((await ok(api.getOrderbook({ ...SPOT, limit: 5 }))).b.length, 5);
  assert.equal((await ok(api.getKline({ ...SPOT, interval: "1", limit: 3 }))).list[2].length, 7);
  assert.equal((await ok(api.getPublicTradingHistory({ ...SPOT, limit: 3 }))).list.length, 3);
  assert.equal((await ok(api.getTickers({ category: "spot" }))).list.length, 4);
});

check("who am I", async () => {
  const info = await ok(api.getQueryApiKey());
  assert.deepEqual([info.apiKey, info.readOnly, info.uta], [key, 0, 1]);
  assert.ok((await ok(api.getAccountInfo())).unifiedMarginStatus >= 5);
  assert.deepEqual((await ok(api.getCoinInfo())).rows, []);
});

check("the wallet, of all coins and of some", async () => {
  const coins = (list) => list[0].coin.map((c) => c.coin).sort();
  assert.deepEqual(coins((await ok(api.getWalletBalance({ accountType: "UNIFIED" }))).list), ["BNB", "BTC", "ETH", "USDT"]);
  assert.deepEqual(coins((await ok(api.getWalletBalance({ accountType: "UNIFIED", coin: "USDT,BTC" }))).list), ["BTC", "USDT"]);
});

check("fee rates", async () => {
  assert.deepEqual((await ok(api.getFeeRate(SPOT))).list, [{ symbol: S, takerFeeRate: "0.001", makerFeeRate: "0.001" }]);
});

check("an order's life", async () => {
  const orderLinkId = `life-${Date.now()}`;
  const order = await ok(api.submitOrder(await limit({ orderLinkId })));
  assert.equal(order.orderLinkId, orderLinkId);
  assert.equal((await lookup(order.orderId)).orderStatus, "New");
  assert.equal((await ok(api.cancelOrder({ ...SPOT, orderLinkId }))).orderId, order.orderId);
  const gone = (await ok(api.getHistoricOrders({ ...SPOT, orderId: order.orderId }))).list[0];
  assert.deepEqual([gone.orderStatus, gone.cancelType], ["Cancelled", "CancelByUser"]);
  const bought = await ok(api.submitOrder({ ...SPOT, side: "Buy", orderType: "Market", qty: "100" }));
  const fills = (await ok(api.getExecutionList({ ...SPOT, orderId: bought.orderId }))).list;
  assert.ok(fills.length > 0 && fills.every((f) => f.execType === "Trade" && f.feeCurrency === "BTC"));
  await ok(api.submitOrder(await limit()));
  assert.ok((await ok(api.cancelAllOrders({ category: "spot" }))).list.length > 0);
});

check("an order is amended, and batches are judged one by one", async () => {
  const { orderId } = await ok(api.submitOrder(await limit()));
  await ok(api.amendOrder({ ...SPOT, orderId, qty: "0.02" }));
  assert.equal((await lookup(orderId)).qty, "0.02");
  assert.equal(await code(api.amendOrder({ ...SPOT, orderId, qty: "0.02" })), 10001);
  const { category, ...one } = await limit();
  const made = await api.batchSubmitOrders(category, [one, { ...one, qty: "0" }]);
  assert.deepEqual([made.retCode, made.retExtInfo.list.map((row) => row.code)], [0, [0, 170136]]);
  const id = { symbol: S, orderId: made.result.list[0].orderId };
  assert.equal((await api.batchAmendOrders(category, [{ ...id, qty: "0.03" }])).retExtInfo.list[0].code, 0);
  assert.equal((await api.batchCancelOrders(category, [id])).retExtInfo.list[0].code, 0);
  await ok(api.cancelAllOrders(SPOT));
});

check("contracts: what they are, cost and hold", async () => {
  const linear = { category: "linear", symbol: S };
  assert.equal((await ok(api.getInstrumentsInfo(linear))).list[0].contractType, "LinearPerpetual");
  assert.deepEqual((await ok(api.getInstrumentsInfo({ category: "inverse" }))).list, []);
  assert.ok(Number((await ok(api.getTickers(linear))).list[0].markPrice) > 0);
  assert.equal((await ok(api.getFundingRateHistory({ ...linear, limit: 2 }))).list.length, 2);
  assert.equal((await ok(api.getOpenInterest({ ...linear, intervalTime: "1h", limit: 2 }))).list.length, 2);
  assert.equal((await ok(api.getRiskLimit(linear))).list[0].symbol, S);
  assert.ok(Number((await ok(api.getOrderPriceLimit(linear))).buyLmt) > 0);
  assert.equal((await ok(api.getMarkPriceKline({ ...linear, interval: "1", limit: 1 }))).list[0].length, 5);
  assert.equal((await ok(api.getPremiumIndexPriceKline({ ...linear, interval: "1", limit: 1 }))).list[0].length, 5);
});

check("contracts: a position from its opening to its end", async () => {
  const linear = { category: "linear", symbol: S };
  const market = (side, more) => ok(api.submitOrder({ ...linear, side, orderType: "Market", qty: "0.1", ...more }));
  const held = async () => (await ok(api.getPositionInfo(linear))).list[0];
  await ok(api.setLeverage({ ...linear, buyLeverage: "20", sellLeverage: "20" }));
  assert.equal(await code(api.setLeverage({ ...linear, buyLeverage: "20", sellLeverage: "20" })), 110043);
  assert.equal(await code(api.switchPositionMode({ ...linear, mode: 0 })), 110025);
  await market("Buy");
  const open = await held();
  assert.deepEqual([open.side, open.size, open.leverage, open.positionIdx], ["Buy", "0.1", "20", 0]);
  const stopLoss = String(Math.trunc(Number(open.markPrice) * 0.95));
  await ok(api.setTradingStop({ ...linear, stopLoss, positionIdx: 0 }));
  assert.equal((await held()).stopLoss, stopLoss);
  assert.equal(await code(api.setTradingStop({ ...linear, stopLoss, positionIdx: 0 })), 34040);
  assert.equal((await ok(api.getActiveOrders({ ...linear, orderFilter: "StopOrder" }))).list[0].createType, "CreateByStopLoss");
  const { orderId } = await market("Sell", { reduceOnly: true });
  assert.deepEqual([(await held()).size, (await held()).side], ["0", ""]);
  const closed = (await ok(api.getClosedPnL(linear))).list[0];
  assert.equal(closed.orderId, orderId);
  const usdt = { accountType: "UNIFIED", category: "linear", currency: "USDT" };
  const changes = (await ok(api.getTransactionLog(usdt))).list;
  const sum = changes.reduce((all, row) => all + Number(row.change), 0);
  assert.ok(Math.abs(sum - Number(closed.closedPnl)) < 1e-6, `${sum} ${closed.closedPnl}`);
  assert.equal(changes[0].cashBalance,
    (await ok(api.getWalletBalance({ accountType: "UNIFIED", coin: "USDT" }))).list[0].coin[0].walletBalance);
  assert.deepEqual((await ok(api.getActiveOrders(linear))).list, []);
  await ok(api.setLeverage({ ...linear, buyLeverage: "10", sellLeverage: "10" }));
});

check("contracts: both sides at once in hedge mode", async () => {
  const linear = { category: "linear", symbol: S };
  const market = (side, positionIdx, more) => api.submitOrder({ ...linear, side, positionIdx, orderType: "Market",
    qty: "0.1", ...more });
  const held = async () => (await ok(api.getPositionInfo(linear))).list.map((p) => [p.positionIdx, p.side, p.size]);
  await ok(api.switchPositionMode({ ...linear, mode: 3 }));
  assert.equal(await code(market("Buy", 0)), 10001);
  await ok(market("Buy", 1));
  await ok(market("Sell", 2));
  assert.deepEqual(await held(), [[1, "Buy", "0.1"], [2, "Sell", "0.1"]]);
  assert.equal(await code(api.switchPositionMode({ ...linear, mode: 0 })), 110024);
  await ok(market("Sell", 1, { reduceOnly: true }));
  await ok(market("Buy", 2, { reduceOnly: true }));
  assert.deepEqual(await held(), [[1, "", "0"], [2, "", "0"]]);
  await ok(api.switchPositionMode({ ...linear, mode: 0 }));
});

check("a spot order brings a take profit and a stop loss", async () => {
  const ask = Number((await ok(api.getTickers(SPOT))).list[0].ask1Price);
  const at = (by) => String(Math.trunc(ask * by));
  const order = await limit();
  const { orderId } = await ok(api.submitOrder({ ...order, side: "Buy", price: at(1.002), takeProfit: at(1.1),
    stopLoss: at(0.9), slLimitPrice: at(0.89), tpOrderType: "Market", slOrderType: "Limit" }));
  const pair = (await ok(api.getActiveOrders({ ...SPOT, orderFilter: "BidirectionalTpslOrder" }))).list;
  assert.deepEqual(pair.map((o) => [o.side, o.orderType, o.triggerPrice]), [["Sell", "Limit", at(0.9)],
    ["Sell", "Market", at(1.1)]]);
  assert.equal((await ok(api.getActiveOrders({ ...SPOT, orderId }))).list[0].orderStatus, "Filled");
  await ok(api.cancelOrder({ ...SPOT, orderId: pair[0].orderId, orderFilter: "tpslOrder" }));
  assert.deepEqual((await ok(api.getActiveOrders(SPOT))).list, []);
});

check("pages lead on by their cursor, encoded as it comes", async () => {
  for (let i = 0; i < 3; i += 1) await ok(api.submitOrder(await limit()));
  const first = await ok(api.getActiveOrders({ ...SPOT, limit: 2 }));
  const second = await ok(api.getActiveOrders({ ...SPOT, limit: 2, cursor: first.nextPageCursor }));
  assert.deepEqual([first.list.length, second.list.length, second.nextPageCursor], [2, 1, ""]);
  assert.equal(new Set([...first.list, ...second.list].map((o) => o.orderId)).size, 3);
  await ok(api.cancelAllOrders(SPOT));
});

check("refusals come with their codes", async () => {
  assert.equal(await code(api.submitOrder(await limit({ price: "1.05" }))), 170134);
  assert.equal(await code(api.submitOrder(await limit({ symbol: "NOSUCH" }))), 170121);
  assert.equal(await code(api.cancelOrder({ ...SPOT, orderId: "7" })), 170213);
  assert.equal(await code(as({ secret: "B".repeat(36) }).getAccountInfo()), 10004);
  await assert.rejects(as({ key: "A".repeat(18) }).getAccountInfo(), (error) => error.code === 401 && error.body.retCode === 10003);
});

check("limits are read from the headers", async () => {
  const answer = await as({ parseAPIRateLimits: true }).getWalletBalance({ accountType: "UNIFIED" });
  assert.equal(answer.rateLimitApi.maxRequests, 50);
  assert.ok(answer.rateLimitApi.remainingRequests < 50 && answer.rateLimitApi.resetAtTimestamp > 1e12);
});

check("an RSA key signs as well", async () => {
  const pair = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  const own = await control("bybit", "add_key", { kind: "rsa", public: pair.publicKey.export({ type: "spki", format: "pem" }) });
  const signer = as({ key: own, secret: pair.privateKey.export({ type: "pkcs8", format: "pem" }) });
  assert.equal((await ok(signer.getQueryApiKey())).apiKey, own);
});

// ---- streams ------------------------------------------------------------------

check("public streams, their snapshots, and a heartbeat that is understood", async () => {
  const { client, seen } = stream("/v5/public/spot", { pingInterval: 300 });
  client.subscribeV5([`publicTrade.${S}`, `orderbook.50.${S}`, `tickers.${S}`, `kline.1.${S}`], "spot");
  const book = (m) => m.topic === `orderbook.50.${S}`;
  await arrives(seen, book, "the book");
  assert.equal(seen.update.find(book).type, "snapshot");
  for (const topic of ["publicTrade", "tickers", "kline.1"]) {
    await arrives(seen, (m) => m.topic === `${topic}.${S}`, topic);
  }
  await until(() => control("bybit", "streams"), (list) => list.some((s) => s.pings >= 2), "pings");
  assert.ok(seen.response.every((m) => m.op === "subscribe"), JSON.stringify(seen.response)); // a pong is none
});

check("private streams tell of order, execution and wallet", async () => {
  const { client, seen } = stream("/v5/private");
  client.subscribeV5(["order", "execution", "wallet"], "spot");
  await until(() => control("bybit", "streams"), (list) => list.some((s) => s.streams.includes("wallet")), "topics");
  const { orderId } = await ok(api.submitOrder({ ...SPOT, side: "Buy", orderType: "Market", qty: "100" }));
  await arrives(seen, (m) => m.topic === "execution" && m.data[0].orderId === orderId, "execution");
  await arrives(seen, (m) => m.topic === "order" && m.data[0].orderId === orderId
    && m.data[0].orderStatus === "PartiallyFilledCanceled", "order");
  await arrives(seen, (m) => m.topic === "wallet" && m.data[0].accountType === "UNIFIED", "wallet");
});

check("orders over the trade socket", async () => {
  const client = new WebsocketAPIClient({ wsUrl: `${WS}/v5/trade`, key, secret, attachEventListeners: false }, quiet);
  const raw = client.getWSClient();
  ended.push(() => raw.closeAll(true));
  for (const name of ["exception", "open", "response", "reconnect", "reconnected", "close", "authenticated"]) {
    raw.on(name, () => {});
  }
  const made = await client.submitNewOrder(await limit());
  const one = { ...SPOT, orderId: made.data.orderId };
  assert.deepEqual([made.retCode, made.op], [0, "order.create"]);
  assert.equal((await client.amendOrder({ ...one, qty: "0.02" })).retCode, 0);
  assert.equal((await lookup(one.orderId)).qty, "0.02");
  assert.equal((await client.cancelOrder(one)).data.orderId, one.orderId);
  await assert.rejects(client.cancelOrder(one), (error) => error.retCode === 170142);
  const both = await client.batchSubmitOrders("spot", [await limit(), await limit({ qty: "0" })]);
  assert.deepEqual(both.retExtInfo.list.map((row) => row.code), [0, 170136]);
  await ok(api.cancelAllOrders(SPOT));
});

check("a private stream is refused to a stranger", async () => {
  const { client, seen } = stream("/v5/private", { secret: "B".repeat(36), reconnectTimeout: 1e6 });
  Promise.allSettled(client.subscribeV5("order", "spot"));
  await until(async () => seen.exception, (list) => list.length > 0, "the exception");
});

checkStrays();
await end(await runAll(), ended.map((close) => async () => close()));
