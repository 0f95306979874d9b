--- Bybit v5, category spot, the client half: unified calls over its REST and WebSocket interfaces.
-- Orders and cancels are only acknowledged by the venue; place and cancel look up what became of them.
local client = require "smc.venue.client"
local errors = require "smc.venue.bybit.errors"
local request = require "smc.venue.bybit.request"
local spot = require "smc.venue.bybit.spot"
local task = require "smc.core.task"
local unify = require "smc.venue.bybit.unify"

local M = {}

M.options = client.options
M.credentials = { { "key", "BYBIT_TESTNET_API_KEY" }, { "secret", "BYBIT_TESTNET_API_SECRET" } }
M.testnet = { rest = "https://api-testnet.bybit.com", stream = "wss://stream-testnet.bybit.com/v5/public/spot",
  api = "wss://stream-testnet.bybit.com/v5/private" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url, api = box.ws_api_url }
end

local Venue = client.class "bybit"

local checked, each, native = client.checked, client.each, spot.native

local PAGE = 50
local LOOK_UPS, LOOK_UP_EVERY = 20, 0.1 -- how often, and how many seconds apart, an acknowledged order is looked for

function M.new(access, options, w)
  local self = client.new(Venue, access, options, w)
  self.symbols = { "BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT" }
  return self -- not a tail call: wrong options are blamed on the caller's line
end

-- ---- requests --------------------------------------------------------------------

--- One attempt.  op names it in errors and in requests{}.  Returns the decoded envelope and its headers.
local function call(self, op, method, path, params, signed)
  return request.call(self, client.inside(self), { op = op, method = method, path = path, params = params,
    signed = signed, mutation = method ~= "GET" and path:find("^/v5/order/") ~= nil })
end

client.verbs(Venue, call)

--- The `result` of a GET of category spot.
local function ask(self, op, path, params, signed)
  params.category = "spot"
  local answer, err = call(self, op, "GET", path, params, signed)
  if not answer then return nil, err end
  return answer.result, answer
end

-- ---- public data ------------------------------------------------------------------

--- Seconds that the venue took to answer.
function Venue:ping()
  local start = task.now()
  local answer, err = call(self, "ping", "GET", "/v5/market/time", {}, false)
  if not answer then return nil, err end
  return task.now() - start
end

--- The venue's clock in Unix milliseconds.
function Venue:time()
  local answer, err = call(self, "time", "GET", "/v5/market/time", {}, false)
  if not answer then return nil, err end
  return answer.time
end

function Venue:instruments()
  local result, err = ask(self, "instruments", "/v5/market/instruments-info", {}, false)
  if not result then return nil, err end
  return each(result.list, unify.instrument)
end

function Venue:ticker(symbol)
  local result, answer = ask(self, "ticker", "/v5/market/tickers", { symbol = native("ticker", symbol) }, false)
  if not result then return nil, answer end
  return unify.ticker(result.list[1], answer.time)
end

local BOOK_DEPTH = 100

function Venue:book(symbol, depth)
  local result, err = ask(self, "book", "/v5/market/orderbook", { symbol = native("book", symbol),
    limit = depth or BOOK_DEPTH }, false)
  if not result then return nil, err end
  return { symbol = symbol, id = result.seq, bids = unify.levels(result.b), asks = unify.levels(result.a) }
end

--- What comes newest first, oldest first.
local function reversed(list)
  local out = {}
  for i = #list, 1, -1 do out[#out + 1] = list[i] end
  return out
end

local INTERVALS = { ["1m"] = "1", ["3m"] = "3", ["5m"] = "5", ["15m"] = "15", ["30m"] = "30", ["1h"] = "60",
  ["2h"] = "120", ["4h"] = "240", ["6h"] = "360", ["12h"] = "720", ["1d"] = "D", ["1w"] = "W", ["1M"] = "M" }

function Venue:candles(symbol, interval, options)
  options = checked("candles", options or {}, { since = true, limit = true })
  local result, err = ask(self, "candles", "/v5/market/kline", { symbol = native("candles", symbol),
    interval = INTERVALS[interval] or interval, start = options.since, limit = options.limit }, false)
  if not result then return nil, err end
  return each(reversed(result.list), unify.candle)
end

function Venue:trades(symbol, limit)
  local result, err = ask(self, "trades", "/v5/market/recent-trade", { symbol = native("trades", symbol),
    limit = limit }, false)
  if not result then return nil, err end
  return each(reversed(result.list), unify.trade, symbol)
end

-- ---- the account -------------------------------------------------------------------

local function wallet(self, op)
  local answer, err = call(self, op, "GET", "/v5/account/wallet-balance", { accountType = "UNIFIED" }, true)
  if not answer then return nil, err end
  return answer.result.list[1], answer
end

local function has(list, word)
  for _, w in ipairs(list or {}) do
    if w == word then return true end
  end
  return false
end

--- Three requests: what the key may do, what trading costs, what there is.
function Venue:account()
  local answer, err = call(self, "account", "GET", "/v5/user/query-api", {}, true)
  if not answer then return nil, err end
  local key = answer.result
  local fees
  fees, err = ask(self, "account", "/v5/account/fee-rate", { symbol = "BTCUSDT" }, true)
  if not fees then return nil, err end
  local coins, envelope = wallet(self, "account")
  if not coins then return nil, envelope end
  return { can_trade = key.readOnly == 0 and has(key.permissions.Spot, "SpotTrade"),
    can_withdraw = key.readOnly == 0 and has(key.permissions.Wallet, "Withdraw"), can_deposit = true,
    type = coins.accountType:lower(), maker_fee = unify.number(fees.list[1].makerFeeRate),
    taker_fee = unify.number(fees.list[1].takerFeeRate), balances = unify.balances(coins.coin), updated = envelope.time,
    raw = key }
end

--- By asset: { free, locked, total }.
function Venue:balances()
  local coins, err = wallet(self, "balances")
  if not coins then return nil, err end
  return unify.balances(coins.coin)
end

-- ---- orders ------------------------------------------------------------------------

local OPEN = { open = true, partially_filled = true }

--- Looks an order up until `done(order)`; the last answer when that never comes, nil and an error when it is not there.
local function look_up(self, id, done)
  local order
  for i = 1, LOOK_UPS do
    local result, err = ask(self, "order", "/v5/order/realtime", { orderId = id }, true)
    if not result then return nil, err end
    order = result.list[1] and unify.order(result.list[1]) or order
    if order and done(order) then return order end
    if i < LOOK_UPS then task.sleep(LOOK_UP_EVERY) end
  end
  if order then return order end
  return nil, errors.broken("order", "an acknowledged order is not there", nil, true)
end

--- What failed after the acknowledgement leaves the outcome open.
local function in_doubt(err, op, client_id)
  local doubt = errors.broken(op, "acknowledged, but not found again: " .. err.message, err.http, true)
  doubt.client_id = client_id
  return nil, doubt
end

local SMP = { none = "None", expire_maker = "CancelMaker", expire_taker = "CancelTaker", expire_both = "CancelBoth" }
local SIDES = { buy = "Buy", sell = "Sell" }

local function body_of(given, symbol, id)
  local market = given.type == "market"
  local tif = given.time_in_force and given.time_in_force:upper() or nil
  if not market then tif = given.type == "limit_maker" and "PostOnly" or tif or "GTC" end
  return { category = "spot", symbol = symbol, side = SIDES[given.side] or given.side,
    orderType = market and "Market" or "Limit", qty = given.quote_qty or given.qty, price = given.price,
    marketUnit = market and (given.quote_qty and "quoteCoin" or "baseCoin") or nil, timeInForce = tif,
    orderLinkId = id, smpType = given.self_trade and (SMP[given.self_trade] or given.self_trade) or nil }
end

local TYPES = { limit = true, market = true, limit_maker = true }

--- Places an order.  type: limit (with qty, price and time_in_force, default "gtc"), market (qty or quote_qty), or
-- limit_maker (qty, price: never takes).  client_id is made when it is not given.
function Venue:place(given)
  client.check_place(given, TYPES)
  client.note_traded(self, given.symbol)
  if given.quote_qty and (given.qty or given.type ~= "market") then
    error("place: quote_qty stands alone, in a market order", 2)
  end
  local symbol = native("place", given.symbol)
  local id = given.client_id or client.new_id(self)
  local answer, err = call(self, "place", "POST", "/v5/order/create", body_of(given, symbol, id), true)
  if not answer then
    err.client_id = id
    return nil, err
  end
  local rests = given.type ~= "market" and (given.time_in_force or "gtc"):lower() == "gtc"
  local order
  order, err = look_up(self, answer.result.orderId, function(o) return rests or not OPEN[o.status] end)
  if not order then return in_doubt(err, "place", id) end
  return order
end

local function which(what, given)
  client.check_one(what, given)
  return { symbol = native(what, given.symbol, 4), orderId = given.id and tostring(given.id) or nil,
    orderLinkId = not given.id and given.client_id or nil, category = "spot" }
end

--- Cancels an order: { symbol, id | client_id }.
function Venue:cancel(given)
  local asked = which("cancel", given)
  local answer, err = call(self, "cancel", "POST", "/v5/order/cancel", asked, true)
  if not answer then return nil, err end
  local order
  order, err = look_up(self, answer.result.orderId, function(o) return not OPEN[o.status] end)
  if not order then return in_doubt(err, "cancel", given.client_id) end
  return order
end

--- Looks an order up: { symbol, id | client_id }.
function Venue:order(given)
  local asked = which("order", given)
  local result, err = ask(self, "order", "/v5/order/realtime", asked, true)
  if result and #result.list == 0 then result, err = ask(self, "order", "/v5/order/history", asked, true) end
  if not result then return nil, err end
  if #result.list > 0 then return unify.order(result.list[1]) end
  return nil, errors.answered({ http = 200, code = 170213, message = "Order does not exist." }, "order", false)
end

--- All pages of a list, newest first, but no more than `limit` items.
local function collect(self, op, path, params, limit)
  local out = {}
  params.limit = math.min(limit or PAGE, PAGE)
  repeat
    local result, err = ask(self, op, path, params, true)
    if not result then return nil, err end
    for _, item in ipairs(result.list) do
      if not limit or #out < limit then out[#out + 1] = item end
    end
    params.cursor = result.nextPageCursor
  until params.cursor == nil or params.cursor == "" or limit and #out >= limit
  return out
end

function Venue:open_orders(symbol)
  local list, err = collect(self, "open_orders", "/v5/order/realtime",
    { symbol = symbol and native("open_orders", symbol) })
  if not list then return nil, err end
  return each(reversed(list), unify.order)
end

--- All orders of a symbol, also ended ones.  options: since, until_ (ms), limit, order_id.
function Venue:orders(symbol, options)
  options = checked("orders", options or {}, client.SPAN)
  local name = native("orders", symbol)
  local id = options.order_id and tostring(options.order_id)
  local closed, err = collect(self, "orders", "/v5/order/history", { symbol = name, orderId = id,
    startTime = options.since, endTime = options.until_ }, options.limit)
  if not closed then return nil, err end
  local open
  open, err = collect(self, "orders", "/v5/order/realtime", { symbol = name, orderId = id })
  if not open then return nil, err end
  local by_id, out = {}, {}
  for _, list in ipairs { closed, open } do
    for _, o in ipairs(each(list, unify.order)) do
      if not by_id[o.id] and o.time >= (options.since or 0) and o.time <= (options.until_ or math.maxinteger) then
        by_id[o.id], out[#out + 1] = true, o
      end
    end
  end
  table.sort(out, function(a, b) return a.time < b.time or a.time == b.time and a.id < b.id end)
  while options.limit and #out > options.limit do table.remove(out, 1) end
  return out
end

--- The account's own fills.  options: since, until_ (ms), limit, order_id.
function Venue:fills(symbol, options)
  options = checked("fills", options or {}, client.SPAN)
  local list, err = collect(self, "fills", "/v5/execution/list", { symbol = native("fills", symbol),
    startTime = options.since, endTime = options.until_, execType = "Trade",
    orderId = options.order_id and tostring(options.order_id) }, options.limit)
  if not list then return nil, err end
  return each(reversed(list), unify.fill)
end

--- Cancels every open order of a symbol, or of all.  Returns the cancelled ones.
function Venue:cancel_all(symbol)
  local answer, err = call(self, "cancel_all", "POST", "/v5/order/cancel-all", { category = "spot",
    symbol = symbol and native("cancel_all", symbol) }, true)
  if not answer then return nil, err end
  local out = {}
  for _, gone in ipairs(answer.result.list) do
    local order
    order, err = look_up(self, gone.orderId, function(o) return not OPEN[o.status] end)
    if not order then return in_doubt(err, "cancel_all") end
    out[#out + 1] = order
  end
  return out
end

-- ---- streams (loaded when asked for) -------------------------------------------------

--- Market data as it happens: { "trade:BTC/USDT", "book:BTC/USDT", "ticker:BTC/USDT" }.
function Venue:stream(channels)
  return require("smc.venue.bybit.stream").open(self, channels)
end

--- What happens to the account: orders, fills, balances.  options: see stream_options; symbols.
function Venue:user_stream(options)
  return require("smc.venue.bybit.user_stream").open(self, client.inside(self), options)
end

return M
