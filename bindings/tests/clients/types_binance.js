// What Binance's sandbox answers and tells, for types.js: each call by each of two libraries, over REST and over the
// WebSocket API; and each stream.
import crypto from "node:crypto";
import { createRequire } from "node:module";
import { control, serving, until } from "./checks.js";

process.env.LOG_LEVEL = "error"; // @binance/spot reads it
const require = createRequire(import.meta.url);
const { MainClient, WebsocketAPIClient } = require("binance");
const { Spot } = require("@binance/spot");

export const prelude = `import * as B from "binance";
import { Spot } from "@binance/spot";
declare const binance: B.MainClient, binanceWs: B.WebsocketAPIClient;
type Answer<F> = F extends (...given: any) => Promise<infer A> ? A : never;
type Rest<M extends keyof Spot["restAPI"]> = Answer<Answer<Spot["restAPI"][M]> extends { data: infer D } ? D : never>;
type Socket = Answer<Spot["websocketAPI"]["connect"]>;
type Ws<M extends keyof Socket> = Answer<Socket[M]> extends { data: infer D } ? D : never;
type Streams = Answer<Spot["websocketStreams"]["connect"]>;
type Told<S> = S extends { on(event: "message", tell: (data: infer D) => any): void } ? D : never;
type Stream<M extends keyof Streams> = Streams[M] extends (...given: any) => infer S ? Told<S> : never;
type UserEvent = Answer<Socket["userDataStreamSubscribeSignature"]> extends { stream: infer S } ? Told<S> : never;
type Raw<E> = Omit<E, keyof B.WsSharedBase>;
`;

const { rest, ws, ws_api: wsApi, key, secret } = serving.main;
const S = "BTCUSDT";
const quiet = Object.fromEntries(["log", "info", "debug", "trace", "error", "warn"].map((name) => [name, () => {}]));
const closing = [];
export const close = () => Promise.allSettled(closing.map((one) => one()));

// Where a declaration is wrong: what is said then, and why, by the venue's documents.
const CONDITIONAL = "stopPrice|icebergQty|strategy\\w+|trailing\\w+|peg\\w+|prevented(MatchId|Quantity)|expiryReason";
const LIST = "contingencyType|list\\w+|transactionTime|orders|orderReports";
export const excused = [
  [/SymbolExchangeInfo\.(otoAllowed|amendAllowed|pegInstructionsAllowed|permissionSets): unknown/,
    "newer: rest-api.md, Exchange information"],
  [/SymbolIcebergPartsFilter\./, "filters that are not declared, taken for the one that comes first: filters.md"],
  [/RateLimiter\.rateLimitType: "CONNECTIONS"/, "web-socket-api.md, Exchange information"],
  [/(getTradingDayTicker\[\]|tickerTradingDay): an object/, "one symbol has no array: rest-api.md, Trading Day Ticker"],
  [new RegExp(`(SpotOrder|CancelSpotOrderResult|WSAPIOrder|WSAPIOrderCancel|NewOrderResponse|`
    + `DeleteOpenOrdersResponseInner)\\.(${CONDITIONAL}): unknown`),
    "rest-api.md, Conditional fields in Order Responses"],
  [/SpotOrder\.workingTime: unknown/, "rest-api.md, Query order"],
  [/origQuoteOrderQty: unknown/, "rest-api.md, Cancel order, New Order list - OTO"],
  [new RegExp(`(CancelSpotOrderResult|DeleteOpenOrdersResponseInner)\\.(${LIST}): unknown`),
    "a list stands among the orders: rest-api.md, Cancel All Open Orders on a Symbol"],
  [/cancelAllSymbolOrders: CancelSpotOrderResult\.\w+: missing/, "the same"],
  [/preventedMatches: unknown|PreventedMatch\w*\.(takerPreventedQuantity: unknown|makerPreventedQuantity: missing)/,
    "faqs/stp_faq.md: goes by the mode"],
  [/OrderList\.(contingencyType: "OTO"|orders: 3 items)/, "rest-api.md, New Order list - OTO, OTOCO"],
  [/specialCommission(ForOrder)?: unknown/, "rest-api.md, Query Commission Rates, Test new order"],
  [/AccountInformation\.(accountType: unknown|accoountType: missing)/, "misspelt: rest-api.md, Account information"],
  [/WSAPITrade\.\w+: missing/, "one type for all trades and one's own: web-socket-api.md, Recent trades"],
  [/WSAPIMiniTicker\.(priceChange|priceChangePercent|weightedAvgPrice): unknown/,
    "full tickers are declared with what only those of 24 hours have: web-socket-api.md, Trading Day Ticker"],
  [/DeleteOrderListResponseOrderReportsInner\.selfTradePreventionMode: unknown/, "rest-api.md, Cancel Order list"],
  [/OrderListCancelResponseResultOrderReportsInner\.origClientOrderId: unknown/,
    "web-socket-api.md, Cancel open orders"],
  [/OrderCancelReplaceResponseResultNewOrderResponse\.(workingTime|fills): unknown/,
    "as when an order is placed: web-socket-api.md, Place new order"],
  [/stream: trade: Raw\.[ab]: missing/, "web-socket-streams.md, Trade Streams"],
  [/executionReport\[\]\.N: null/, "user-data-stream.md, Order Update"],
  [/executionReport: Raw\.(W: missing|g\w+: unknown|x: "(TRADE_PREVENTION|REPLACED)")/,
    "user-data-stream.md, Order Update"],
  [/SessionLogoutResponseResult\.(apiKey|authorizedSince): null/, "web-socket-api.md, Log out of the session"],
  [/listStatus: Raw\.c: "OTO"/, "user-data-stream.md, Order Update"],
];

// ---- calls -------------------------------------------------------------------------------------

const at = { symbol: S };
const signed = { signed: true };
const one = (saved) => ({ ...at, orderId: saved.order.orderId });
const between = (top) => Number((Number(top.bidPrice) + 0.01).toFixed(2));
const list = (saved) => ({ orderListId: saved.list.orderListId });
const limit = (saved) => ({ ...at, side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: 0.01, price: saved.low });
const stop = (saved) => ({ ...limit(saved), side: "SELL", type: "STOP_LOSS_LIMIT", stopPrice: saved.low });
const market = { ...at, side: "BUY", type: "MARKET", quantity: 0.01 };
const oco = (saved) => ({ ...at, side: "SELL", quantity: "0.01", aboveType: "LIMIT_MAKER",
  abovePrice: String(saved.high), belowType: "STOP_LOSS_LIMIT", belowStopPrice: String(saved.low),
  belowPrice: String(saved.low), belowTimeInForce: "GTC" });
const working = (saved) => ({ ...at, workingType: "LIMIT", workingSide: "BUY", workingPrice: String(saved.low),
  workingQuantity: "0.01", workingTimeInForce: "GTC", pendingSide: "SELL", pendingQuantity: "0.01" });
const above = (saved) => ({ pendingAboveType: "LIMIT_MAKER", pendingAbovePrice: String(saved.high),
  pendingBelowType: "STOP_LOSS", pendingBelowStopPrice: String(saved.low - 100) });

// The method of `binance` over REST and over the WebSocket API, and that of @binance/spot over both ("-": none, or none
// with a type, or one that asks for something else); what is asked, perhaps by what was saved before; and under which
// name the answer is saved.  `signed` is asked with a timestamp where the library wants one.
const PLACE = "submitNewOrder submitNewSpotOrder newOrder orderPlace";
const TEST = "testNewOrder testSpotOrder orderTest orderTest";
const CALLS = [
  ["getExchangeInfo getSpotExchangeInfo exchangeInfo -", at],
  ["getExecutionRules getSpotExecutionRules executionRules executionRules", at],
  ["- getSpotServerTime time time"],
  ["getOrderBook getSpotOrderBook depth depth", { ...at, limit: 5 }],
  ["getRecentTrades getSpotRecentTrades getTrades tradesRecent", { ...at, limit: 3 }],
  ["getHistoricalTrades getSpotHistoricalTrades historicalTrades tradesHistorical", { ...at, limit: 3 }],
  ["getHistoricalBlockTrades getSpotHistoricalBlockTrades historicalBlockTrades blockTradesHistorical",
    { ...at, fromId: 1 }],
  ["getAggregateTrades getSpotAggregateTrades aggTrades tradesAggregate", { ...at, limit: 3 }],
  ["getKlines getSpotKlines klines klines", { ...at, interval: "1h", limit: 2 }],
  ["getUIKlines getSpotUIKlines uiKlines uiKlines", { ...at, interval: "1h", limit: 2 }],
  ["getAvgPrice getSpotAveragePrice avgPrice avgPrice", at],
  ["getRollingWindowTicker getSpotTicker ticker ticker", { symbols: [S, "ETHUSDT"], windowSize: "1h" }],
  ["- getSpotTicker ticker ticker", { ...at, windowSize: "1h", type: "MINI" }],
  ["get24hrChangeStatistics getSpot24hrTicker ticker24hr ticker24hr", at],
  ["get24hrChangeStatistics getSpot24hrTicker ticker24hr ticker24hr", { symbols: [S, "ETHUSDT"], type: "MINI" }],
  ["getTradingDayTicker getSpotTradingDayTicker tickerTradingDay tickerTradingDay", at],
  ["getTradingDayTicker getSpotTradingDayTicker tickerTradingDay tickerTradingDay", { symbols: [S], type: "MINI" }],
  ["getSymbolPriceTicker getSpotSymbolPriceTicker tickerPrice tickerPrice", at],
  ["getSymbolPriceTicker getSpotSymbolPriceTicker tickerPrice tickerPrice", { symbols: [S, "ETHUSDT"] }],
  ["getSymbolOrderBookTicker getSpotSymbolOrderBookTicker tickerBookTicker tickerBook", at],
  ["getSymbolOrderBookTicker getSpotSymbolOrderBookTicker tickerBookTicker tickerBook", { symbols: [S, "ETHUSDT"] }],

  [PLACE, { ...market, ...signed }],
  [PLACE, (saved) => ({ ...limit(saved), newOrderRespType: "ACK", ...signed })],
  [PLACE, (saved) => ({ ...limit(saved), timeInForce: "IOC", ...signed })],
  [PLACE, (saved) => ({ ...limit(saved), newOrderRespType: "RESULT",
    ...signed })],
  [PLACE, (saved) => ({ ...stop(saved), newOrderRespType: "FULL",
    icebergQty: 0.005, strategyId: 7, strategyType: 1000000, ...signed })],
  [PLACE, (saved) => ({ ...stop(saved), newOrderRespType: "FULL",
    type: "TAKE_PROFIT_LIMIT", stopPrice: undefined, price: saved.high, trailingDelta: 100, ...signed })],
  [PLACE, (saved) => ({ ...limit(saved), newOrderRespType: "FULL",
    price: undefined, pegPriceType: "PRIMARY_PEG", pegOffsetType: "PRICE_LEVEL", pegOffsetValue: 2, ...signed })],
  [TEST, (saved) => ({ ...limit(saved), ...signed })],
  [TEST, (saved) => ({ ...limit(saved), computeCommissionRates: true, ...signed })],
  [PLACE, (saved) => ({ ...limit(saved), newOrderRespType: "FULL",
    ...signed }), "order"],
  ["getOrder getSpotOrderStatus getOrder orderStatus", (saved) => ({ ...one(saved), ...signed })],
  ["- amendSpotOrderKeepPriority orderAmendKeepPriority orderAmendKeepPriority",
    (saved) => ({ ...one(saved), newQty: "0.005", ...signed })],
  ["- - orderAmendments orderAmendments", one],
  ["replaceOrder cancelReplaceSpotOrder orderCancelReplace orderCancelReplace", (saved) => ({ ...limit(saved),
    cancelReplaceMode: "STOP_ON_FAILURE", cancelOrderId: saved.order.orderId, newOrderRespType: "FULL", ...signed }),
  "next"],
  ["cancelOrder cancelSpotOrder deleteOrder orderCancel",
    (saved) => ({ ...at, orderId: saved.next.newOrderResponse.orderId, ...signed })],

  ["- placeSpotOrderList orderOco orderListPlace", (saved) => ({ ...at, side: "SELL", quantity: 0.01,
    price: saved.high, stopPrice: saved.low, stopLimitPrice: saved.low, stopLimitTimeInForce: "GTC",
    ...signed }), "list"],
  ["- cancelSpotOrderList deleteOrderList orderListCancel", (saved) => ({ ...at, ...list(saved), ...signed })],
  ["submitNewOrderList placeSpotOCOOrderList orderListOco orderListPlaceOco",
    (saved) => ({ ...oco(saved), newOrderRespType: "RESULT", ...signed }), "list"],
  ["cancelOCO cancelSpotOrderList deleteOrderList orderListCancel", (saved) => ({ ...at, ...list(saved), ...signed })],
  ["submitNewOrderListOTO placeSpotOTOOrderList orderListOto orderListPlaceOto",
    (saved) => ({ ...working(saved), pendingType: "MARKET", ...signed })],
  ["submitNewOrderListOTOCO placeSpotOTOCOOrderList orderListOtoco orderListPlaceOtoco",
    (saved) => ({ ...working(saved), ...above(saved), ...signed }), "list"],
  ["getAllOpenOCO getSpotOpenOrderLists openOrderList openOrderListsStatus", signed],
  ["getOCO getSpotOrderListStatus getOrderList orderListStatus", (saved) => ({ ...list(saved), ...signed })],
  ["getAllOCO getSpotAllOrderLists allOrderList allOrderLists", signed],
  ["getOpenOrders getSpotOpenOrders getOpenOrders openOrdersStatus", { ...at, ...signed }],
  ["cancelAllSymbolOrders cancelAllSpotOpenOrders deleteOpenOrders openOrdersCancelAll", { ...at, ...signed }],

  ["getSymbolOrderBookTicker getSpotSymbolOrderBookTicker tickerBookTicker tickerBook", at, "top"],
  [PLACE,
    (saved) => ({ ...limit(saved), price: between(saved.top), ...signed })],
  [PLACE, (saved) => ({ ...limit(saved), price: between(saved.top),
    side: "SELL", selfTradePreventionMode: "EXPIRE_TAKER", newOrderRespType: "FULL", ...signed }), "own"],
  ["getPreventedMatches getSpotPreventedMatches myPreventedMatches myPreventedMatches",
    (saved) => ({ ...at, orderId: saved.own.orderId, ...signed })],
  ["cancelAllSymbolOrders cancelAllSpotOpenOrders deleteOpenOrders openOrdersCancelAll", { ...at, ...signed }],
  ["getAllOrders getSpotAllOrders allOrders allOrders", { ...at, ...signed }],
  ["getAccountTradeList getSpotMyTrades myTrades myTrades", { ...at, ...signed }],
  ["- - myFilters -", at],
  ["getAllocations getSpotAllocations myAllocations myAllocations", { ...at, ...signed }],
  ["getCommissionRates getSpotAccountCommission accountCommission accountCommission", { ...at, ...signed }],
  ["getAccountInformation getSpotAccountInformation getAccount accountStatus", signed],
  ["getOrderRateLimit getSpotOrderRateLimits rateLimitOrder accountRateLimitsOrders", signed],
];

// The faces of the libraries: how each is called, what an answer says, and how its type is written.
async function faces() {
  const options = { api_key: key, api_secret: secret, disableTimeSync: true };
  const main = new MainClient({ ...options, baseUrl: rest, beautifyResponses: false });
  const socket = new WebsocketAPIClient({ ...options, wsUrl: ws, attachEventListeners: false }, quiet);
  for (const name of ["exception", "open", "response", "reconnecting", "reconnected", "close", "authenticated"]) {
    socket.getWSClient().on(name, () => {});
  }
  const connection = await spot.websocketAPI.connect();
  closing.push(() => socket.disconnectAll(), () => connection.disconnect());
  const typed = (name) => (method, given) => `await ${name}.${method}(${given ? JSON.stringify(given) : ""})`;
  return [
    { name: "binance, REST", of: main, expression: typed("binance") },
    { name: "binance, WebSocket API", of: socket, timestamp: true, value: (answer) => answer.result,
      expression: (...asked) => `(${typed("binanceWs")(...asked)}).result` },
    { name: "@binance/spot, REST", of: spot.restAPI, expression: (method) => `null! as Rest<"${method}">`,
      value: (answer) => answer.data() },
    { name: "@binance/spot, WebSocket API", of: connection, expression: (method) => `null! as Ws<"${method}">`,
      value: (answer) => answer.data },
  ];
}

async function ask(face, column) {
  const rows = [];
  const last = Number((await (await spot.restAPI.tickerPrice(at)).data()).price);
  const saved = { low: Math.trunc(last * 0.9), high: Math.trunc(last * 1.1) };
  for (const [names, given, save] of CALLS) {
    const method = names.split(" ")[column];
    if (method === "-") continue;
    const row = { name: `${face.name}: ${method}` };
    rows.push(row);
    try {
      const wanted = typeof given === "function" ? given(saved) : given ?? {};
      const { signed: dated, ...asked } = JSON.parse(JSON.stringify(wanted));
      if (dated && face.timestamp) asked.timestamp = Date.now();
      const none = Object.keys(asked).length === 0;
      row.expression = face.expression(method, none ? undefined : asked);
      const answer = await (none ? face.of[method]() : face.of[method]({ ...asked }));
      row.value = face.value ? await face.value(answer) : answer;
      if (save) saved[save] = row.value;
    } catch (error) {
      row.error = error;
    }
  }
  return rows;
}

/** Sessions, which only Ed25519 keys may open. */
async function session() {
  const pair = crypto.generateKeyPairSync("ed25519");
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" });
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" });
  const apiKey = await control("main", "add_key", { kind: "ed25519", public: publicKey });
  const own = new Spot({ configurationWebsocketAPI: { apiKey, privateKey, wsURL: wsApi } });
  const connection = await own.websocketAPI.connect();
  closing.push(() => connection.disconnect());
  const row = (method, answer, expression = `null! as Ws<"${method}">`) =>
    ({ name: `@binance/spot, WebSocket API: ${method}`, expression, value: answer.data });
  const every = (method, answers) => answers.map((answer) =>
    row(method, answer, `null! as Answer<Socket["${method}"]>[number]["data"]`));
  const opened = every("sessionLogon", await connection.sessionLogon());
  await connection.userDataStreamSubscribe();
  return [...opened, row("sessionStatus", await connection.sessionStatus()),
    row("sessionSubscriptions", await connection.sessionSubscriptions()),
    row("userDataStreamUnsubscribe", await connection.userDataStreamUnsubscribe()),
    ...every("sessionLogout", await connection.sessionLogout())];
}

// ---- streams -----------------------------------------------------------------------------------

// The method of @binance/spot, what it is asked for, and the type that `binance` has for the event.
const STREAMS = [
  ["aggTrade", {}, "B.WsMessageAggTradeRaw"], ["avgPrice", {}], ["bookTicker", {}],
  ["trade", {}, "B.WsMessageTradeRaw"], ["ticker", {}, "B.WsMessage24hrTickerRaw"],
  ["miniTicker", {}, "B.WsMessage24hrMiniTickerRaw"], ["kline", { interval: "1s" }, "B.WsMessageKlineRaw"],
  ["klineOffset", { interval: "1m" }, "B.WsMessageKlineRaw"], ["diffBookDepth", {}],
  ["partialBookDepth", { levels: "5" }],
  ["rollingWindowTicker", { windowSize: "1h" }, "B.WsMessageRollingWindowTickerRaw"],
  ["allMiniTicker", {}], ["allMarketRollingWindowTicker", { windowSize: "1h" }],
];

const spot = new Spot({
  configurationRestAPI: { apiKey: key, apiSecret: secret, basePath: rest, timeout: 5000, retries: 0 },
  configurationWebsocketAPI: { apiKey: key, apiSecret: secret, wsURL: wsApi },
  configurationWebsocketStreams: { wsURL: ws },
});

/** Listens to every market stream; returns what brings the rows: all events of each. */
async function listen() {
  const connection = await spot.websocketStreams.connect();
  closing.push(() => connection.disconnect());
  const heard = STREAMS.map(([method, given]) => {
    const events = [];
    connection[method]({ symbol: S.toLowerCase(), ...given }).on("message", (event) => events.push(event));
    return events;
  });
  return async () => {
    await until(async () => heard, (all) => all.every((events) => events.length > 0), "an event of each stream");
    return STREAMS.flatMap(([method, , type], i) => {
      const row = { name: `@binance/spot, stream: ${method}`, expression: `null! as Stream<"${method}">[]`,
        value: [...heard[i]] };
      if (!type) return [row];
      return [row, { ...row, name: `binance, stream: ${method}`, expression: `null! as Raw<${type}>[]` }];
    });
  };
}

const USER_EVENTS = { executionReport: "B.WsMessageSpotUserDataExecutionReportEventRaw",
  outboundAccountPosition: "B.WsMessageSpotOutboundAccountPositionRaw",
  listStatus: "B.WsMessageSpotUserDataListStatusEventRaw" };

/** Listens to the account; returns what brings the rows: of every kind of event all, as one. */
async function listenUser() {
  const connection = await spot.websocketAPI.connect();
  closing.push(() => connection.disconnect());
  const { stream } = await connection.userDataStreamSubscribeSignature();
  const events = [];
  stream.on("message", (event) => events.push(event));
  return async () => {
    const kinds = Object.keys(USER_EVENTS);
    await until(async () => events, (all) => kinds.every((e) => all.some((event) => event.e === e)), "user data");
    return Object.entries(USER_EVENTS).flatMap(([e, type]) => {
      const value = events.filter((event) => event.e === e);
      return [{ name: `@binance/spot, user data: ${e}`, expression: "null! as UserEvent[]", value },
        { name: `binance, user data: ${e}`, expression: `null! as Raw<${type}>[]`, value }];
    });
  };
}

/** Everything that is judged: rows of { name, expression, value } or { name, error }. */
export async function collect() {
  await control("main", "limit", { request_weight: 1000000, per: 60 });
  await control("main", "limit", { orders: 10000, per: 10 });
  const rows = [];
  const heard = await listen();
  const told = await listenUser();
  for (const [column, face] of (await faces()).entries()) rows.push(...await ask(face, column));
  return [...rows, ...await session(), ...await heard(), ...await told()];
}
