// What Bybit's sandbox answers and tells, for types.js: each call of bybit-api, spot and linear, and each topic.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { control, serving, until } from "./checks.js";

const require = createRequire(import.meta.url);
const { RestClientV5, WebsocketAPIClient, WebsocketClient } = require("bybit-api");

export const prelude = `import * as V5 from "bybit-api";
declare const bybit: V5.RestClientV5;
declare const bybitTrade: V5.WebsocketAPIClient;
`;

const { rest, key, secret } = serving.bybit;
const WS = rest.replace(/^http/, "ws");
const S = "BTCUSDT";
const SPOT = { category: "spot", symbol: S };
const LINEAR = { category: "linear", symbol: S };
const LEVELS = ["silly", "trace", "debug", "info", "notice", "warning", "error"];
const quiet = Object.fromEntries(LEVELS.map((name) => [name, () => {}]));
const closing = [];
export const close = () => Promise.allSettled(closing.map((one) => one()));

// Where a declaration is wrong: what is said then, and why, by the venue's documents.
export const excused = [
  [/V5\.(stopOrderType|marketUnit|\w*[tT]riggerBy|triggerDirection|isLeverage|tpslMode): (""|"UNKNOWN"|0), not/,
    "what does not apply: v5/order/open-order, v5/order/execution"],
  [/smpGroup: 0, not string/, "an integer: v5/account/smp-group"],
  [/OrderV5\.(ocoTriggerBy: unknown|ocoTriggerType: missing)/, "its name in v5/order/open-order"],
  [/spot: \w+(Order|Execution)V5\.(createType|tpslMode|lastPriceOnCreated): missing/,
    "of contracts: v5/order/open-order, v5/websocket/private/execution"],
  [/linear: AccountOrderV5\.basePrice: missing|getFeeRate linear: .*category: missing|FeeRateV5\.baseCoin: missing/,
    "of spot, and of options: v5/order/open-order, v5/account/fee-rate"],
  [/rejectReason: "EC_CancelForNoFullFill"/, "v5/enum"],
  [/ExecutionV5\.(isLeverage|marketUnit|execPnl|createType): unknown/, "v5/order/execution"],
  [/WSAccountOrderV5\.(slippage\w+|extraFees): unknown/, "v5/websocket/private/order"],
  [/InstrumentInfoV5\.forbidUplWithdrawal: (missing|unknown)/, "contracts have it, spot has not: v5/market/instrument"],
  [/RiskLimitV5\.(\w+Margin: "[\d.]+"|section: missing)|getRiskLimit linear: .*nextPageCursor: unknown/,
    "v5/market/risk-limit"],
  [/WalletBalanceV5Coin\.spotHedgingQty: unknown/, "v5/account/wallet-balance"],
  [/TransactionLogV5\.(id: unknown|category: "")/, "deposits have none: v5/account/transaction-log"],
  [/AccountInfoV5\.(dcpStatus|timeWindow|smpGroup): unknown/, "v5/account/account-info"],
  [/ApiKeyInfoV5\.\w+Int64: unknown/, "v5/user/apikey-info"],
  [/availableWithdrawalMap: unknown/, "v5/account/unified-trans-amnt"],
  [/APIResponseV3\.(time: unknown|result: an object, not undefined)/, "v5/guide, Common response parameters"],
  [/WS(Trade|PublicTopic|Kline|PriceLimit)EventV5\.cts|WSPriceLimitEventV5\.type: missing/,
    "v5/websocket/public: books alone have cts, limits no type"],
  [/WSTradeV5\.seq: unknown/, "v5/websocket/public/trade"],
  [/WSPositionV5\.(delta|gamma|vega|theta): missing/, "of options: v5/websocket/private/position"],
];

/** Without what the library adds of its own and does not declare. */
const sent = ({ isWSAPIResponse, request, rateLimitApi, ...answer }) => answer;

// ---- REST --------------------------------------------------------------------------------------

const at = (saved, by) => String(Math.trunc(Number(saved.ticker.list[0].lastPrice) * by));
const limit = (saved) => ({ ...saved.of, side: "Buy", orderType: "Limit", qty: "0.01", price: at(saved, 0.9) });
const plain = (saved, more) => { // an order of a batch
  const { category, ...one } = limit(saved);
  return { ...one, ...more };
};
const batched = (saved, more) => [saved.of.category, [{ symbol: S, orderId: saved.batch.list[0].orderId, ...more }]];

// The method; its arguments, or of what was saved before; and under which name the result is saved.
const CALLS_OF_BOTH = [
  ["getInstrumentsInfo", (saved) => [saved.of]],
  ["getAccountInstrumentsInfo", (saved) => [saved.of]],
  ["getTickers", (saved) => [saved.of], "ticker"],
  ["getKline", (saved) => [{ ...saved.of, interval: "1", limit: 2 }]],
  ["getOrderbook", (saved) => [{ ...saved.of, limit: 3 }]],
  ["getPublicTradingHistory", (saved) => [{ ...saved.of, limit: 3 }]],
  ["getOrderPriceLimit", (saved) => [saved.of]],
  ["getFeeRate", (saved) => [saved.of]],
  ["submitOrder", (saved) => [limit(saved)], "order"],
  ["amendOrder", (saved) => [{ ...saved.of, orderId: saved.order.orderId, qty: "0.02" }]],
  ["submitOrder", (saved) => [{ ...saved.of, side: "Buy", orderType: "Market", qty: saved.much }]],
  ["submitOrder", (saved) => [{ ...limit(saved), side: "Sell", timeInForce: "PostOnly", price: at(saved, 1.1),
    qty: "0.001" }]],
  ["submitOrder", (saved) => [{ ...limit(saved), ...saved.conditional }]],
  ["submitOrder", (saved) => [{ ...limit(saved), takeProfit: at(saved, 1.2), stopLoss: at(saved, 0.8) }]],
  ["getActiveOrders", (saved) => [saved.of]],
  ["cancelOrder", (saved) => [{ ...saved.of, orderId: saved.order.orderId }]],
  ["batchSubmitOrders", (saved) => [saved.of.category, [plain(saved), plain(saved, { qty: "0" })]], "batch"],
  ["batchAmendOrders", (saved) => batched(saved, { qty: "0.03" })],
  ["batchCancelOrders", (saved) => batched(saved)],
  ["cancelAllOrders", (saved) => [saved.of]],
  ["getHistoricOrders", (saved) => [saved.of]],
  ["getExecutionList", (saved) => [saved.of]],
  ["setLimitPriceAction", (saved) => [{ category: saved.of.category, modifyEnable: true }]],
];

const CALLS = [
  ["getSystemStatus"], ["getServerTime"],
  ["getFundingRateHistory", [{ ...LINEAR, limit: 2 }]],
  ["getOpenInterest", [{ ...LINEAR, intervalTime: "5min", limit: 2 }]],
  ["getRiskLimit", [LINEAR]],
  ["getMarkPriceKline", [{ ...LINEAR, interval: "1", limit: 2 }]],
  ["getIndexPriceKline", [{ ...LINEAR, interval: "1", limit: 2 }]],
  ["getPremiumIndexPriceKline", [{ ...LINEAR, interval: "1", limit: 2 }]],
  ["setLeverage", [{ ...LINEAR, buyLeverage: "5", sellLeverage: "5" }]],
  ["getFuturesLeverage", [LINEAR]],
  ["getPositionInfo", [LINEAR], "held"],
  ["setTradingStop", (saved) => [{ ...LINEAR, stopLoss: at(saved, 0.95), takeProfit: at(saved, 1.1), positionIdx: 0 }]],
  ["getActiveOrders", [LINEAR]],
  ["getPositionInfo", [LINEAR]],
  ["submitOrder", [{ ...LINEAR, side: "Sell", orderType: "Market", qty: "0.005", reduceOnly: true }]],
  ["getClosedPnL", [LINEAR]],
  ["switchPositionMode", [{ category: "linear", symbol: "ETHUSDT", mode: 3 }]],
  ["getPositionInfo", [{ category: "linear", symbol: "ETHUSDT" }]],
  ["switchPositionMode", [{ category: "linear", symbol: "ETHUSDT", mode: 0 }]],
  ["getSpotBorrowCheck", [S, "Buy"]],
  ["getWalletBalance", [{ accountType: "UNIFIED" }]],
  ["getTransactionLog", [{ accountType: "UNIFIED" }]],
  ["getAccountInfo"], ["getDCPInfo"], ["getSMPGroup"], ["getLimitPriceAction"], ["getQueryApiKey"],
  ["setDisconnectCancelAllWindowV2", [{ product: "DERIVATIVES", timeWindow: 40 }]],
  ["getDCPInfo"],
  ["setMarginMode", ["ISOLATED_MARGIN"]], ["setAutoAddMargin", [{ ...LINEAR, autoAddMargin: 1, positionIdx: 0 }]],
  ["setMarginMode", ["REGULAR_MARGIN"]],
  ["getAllCoinsBalance", [{ accountType: "UNIFIED", coin: "USDT,BTC" }]],
  ["getCoinBalance", [{ accountType: "UNIFIED", coin: "USDT" }]],
  ["getTransferableAmount", [{ coinName: "USDT" }]],
  ["getCoinInfo"],
];

async function ask(calls, saved) {
  const api = new RestClientV5({ key, secret, baseUrl: rest });
  const rows = [];
  for (const [method, given, save] of calls) {
    const row = { name: `bybit-api: ${method}` };
    rows.push(row);
    try {
      const asked = (typeof given === "function" ? given(saved) : given) ?? [];
      if (asked[0]?.category) row.name += ` ${asked[0].category}`;
      row.expression = `await bybit.${method}(${asked.map((one) => JSON.stringify(one)).join(", ")})`;
      row.value = sent(await api[method](...asked));
      assert.equal(row.value.retCode, 0, `${row.value.retCode} ${row.value.retMsg}`);
      if (save) saved[save] = row.value.result;
    } catch (error) {
      row.error = error;
    }
  }
  return rows;
}

/** Orders over the trade socket. */
async function trade(saved) {
  const client = new WebsocketAPIClient({ wsUrl: `${WS}/v5/trade`, key, secret, attachEventListeners: false }, quiet);
  const raw = client.getWSClient();
  closing.push(() => raw.closeAll(true));
  for (const name of ["exception", "open", "response", "reconnect", "reconnected", "close", "authenticated"]) {
    raw.on(name, () => {});
  }
  const rows = [];
  const call = async (method, ...asked) => {
    const value = sent(await client[method](...asked));
    rows.push({ name: `bybit-api, trade socket: ${method}`, value,
      expression: `await bybitTrade.${method}(${asked.map((one) => JSON.stringify(one)).join(", ")})` });
    return value.data;
  };
  const { orderId } = await call("submitNewOrder", limit(saved));
  await call("amendOrder", { ...LINEAR, orderId, qty: "0.02" });
  await call("cancelOrder", { ...LINEAR, orderId });
  const { list } = await call("batchSubmitOrders", "linear", [plain(saved), plain(saved, { qty: "0" })]);
  const one = { symbol: S, orderId: list[0].orderId };
  await call("batchAmendOrder", "linear", [{ ...one, qty: "0.02" }]);
  await call("batchCancelOrder", "linear", [one]);
  return rows;
}

// ---- streams -----------------------------------------------------------------------------------

// The path of the socket, the topic, the type of its events; a delta has what changed.
const DELTAS = 'V5.WSPublicTopicEventV5<string, "delta", Partial<V5.WSTickerV5>>';
const TOPICS = [
  ["public/spot", `orderbook.50.${S}`, "V5.WSOrderbookEventV5"],
  ["public/spot", `publicTrade.${S}`, "V5.WSTradeEventV5"],
  ["public/spot", `tickers.${S}`, 'V5.WSPublicTopicEventV5<string, "snapshot", V5.WSTickerSpotV5>'],
  ["public/spot", `kline.1.${S}`, "V5.WSKlineEventV5"], ["public/spot", `priceLimit.${S}`, "V5.WSPriceLimitEventV5"],
  ["public/linear", `orderbook.50.${S}`, "V5.WSOrderbookEventV5"],
  ["public/linear", `publicTrade.${S}`, "V5.WSTradeEventV5"],
  ["public/linear", `tickers.${S}`, `V5.WSPublicTopicEventV5<string, "snapshot", V5.WSTickerV5> | ${DELTAS}`],
  ["public/linear", `kline.1.${S}`, "V5.WSKlineEventV5"],
  ["public/linear", `priceLimit.${S}`, "V5.WSPriceLimitEventV5"],
  ["private", "order", "V5.WSAccountOrderEventV5"], ["private", "execution", "V5.WSExecutionEventV5"],
  ["private", "execution.fast", "V5.WSExecutionFastEventV5"], ["private", "position", "V5.WSPositionEventV5"],
  ["private", "wallet", "V5.WSWalletEventV5"],
];

const categoryOf = (event) => event.data[0]?.category ?? "";

/** Listens to all topics; returns what brings the rows: all events of each, by category. */
async function listen() {
  const heard = new Map(TOPICS.map((topic) => [topic, []]));
  for (const path of new Set(TOPICS.map(([of]) => of))) {
    const here = TOPICS.filter(([of]) => of === path);
    const client = new WebsocketClient({ market: "v5", wsUrl: `${WS}/v5/${path}`, key, secret }, quiet);
    closing.push(() => client.closeAll(true));
    client.on("update", (event) => {
      heard.get(here.find(([, topic]) => topic === event.topic)).push(sent(event));
    });
    client.on("exception", () => {});
    client.subscribeV5(here.map(([, topic]) => topic), path === "public/linear" ? "linear" : "spot");
  }
  await until(() => control("bybit", "streams"), (list) => list.some((s) => s.streams.includes("wallet")), "topics");
  return async () => {
    await until(async () => [...heard.values()], (all) => all.every((events) => events.length > 0), "an event of each");
    return [...heard].flatMap(([[path, topic, type], events]) => [...new Set(events.map(categoryOf))].map((category) =>
      ({ name: `bybit-api, ${path}: ${topic} ${category}`.trim(), expression: `null! as (${type})[]`,
        value: events.filter((event) => categoryOf(event) === category) })));
  };
}

/** Everything that is judged: rows of { name, expression, value } or { name, error }. */
export async function collect() {
  await control("bybit", "limit", { requests: 1000000, per: 5 });
  const heard = await listen();
  const spot = { of: SPOT, much: "200" };
  const linear = { of: LINEAR, much: "0.01" };
  const rows = [];
  for (const saved of [spot, linear]) {
    await ask([["getTickers", [saved.of], "ticker"]], saved);
    saved.conditional = saved === spot ? { orderFilter: "StopOrder", triggerPrice: at(saved, 0.95) }
      : { triggerPrice: at(saved, 0.95), triggerDirection: 2 };
    rows.push(...await ask(CALLS_OF_BOTH, saved));
  }
  rows.push(...await ask(CALLS, linear), ...await trade(linear));
  return [...rows, ...await heard()];
}
