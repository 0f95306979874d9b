--- Binance Spot, the client half: unified calls over its REST and WebSocket interfaces.
local client = require "smc.venue.client"
local request = require "smc.venue.binance.request"
local task = require "smc.core.task"
local unify = require "smc.venue.binance.unify"

local M = {}

M.options = { key = true, secret = true, recv_window = true, sandbox = true }
M.credentials = { { "key", "BINANCE_TESTNET_API_KEY" }, { "secret", "BINANCE_TESTNET_API_SECRET" } }
M.testnet = { rest = "https://testnet.binance.vision", stream = "wss://stream.testnet.binance.vision",
  api = "wss://ws-api.testnet.binance.vision/ws-api/v3" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url, api = box.ws_api_url }
end

local Venue = client.class "binance"

local checked, native, each = client.checked, client.native, client.each

function M.new(access, options, w)
  local self = client.new(Venue, access, options, w)
  self.symbols = { "BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT" }
  return self -- not a tail call: wrong options are blamed on the caller's line
end

-- ---- requests --------------------------------------------------------------------

local MUTATING = { POST = true, PUT = true, DELETE = true, PATCH = true }

--- One attempt.  op names it in errors and in requests{}.  Returns the decoded answer and its headers.
local function call(self, op, method, path, params, signed)
  return request.call(self, client.inside(self), { op = op, method = method, path = path, params = params,
    signed = signed, mutation = MUTATING[method] and signed and not path:find("/test$") })
end

client.verbs(Venue, call)

-- ---- public data ------------------------------------------------------------------

--- Seconds that the venue took to answer.
function Venue:ping()
  local start = task.now()
  local answer, err = call(self, "ping", "GET", "/api/v3/ping", {}, false)
  if not answer then return nil, err end
  return task.now() - start
end

--- The venue's clock in Unix milliseconds.
function Venue:time()
  local answer, err = call(self, "time", "GET", "/api/v3/time", {}, false)
  if not answer then return nil, err end
  return answer.serverTime
end

function Venue:instruments()
  local answer, err = call(self, "instruments", "GET", "/api/v3/exchangeInfo", {}, false)
  if not answer then return nil, err end
  return each(answer.symbols, unify.instrument)
end

function Venue:ticker(symbol)
  local answer, err = call(self, "ticker", "GET", "/api/v3/ticker/24hr", { symbol = native("ticker", symbol) }, false)
  if not answer then return nil, err end
  return unify.ticker(answer)
end

function Venue:book(symbol, depth)
  local answer, err = call(self, "book", "GET", "/api/v3/depth", { symbol = native("book", symbol), limit = depth },
    false)
  if not answer then return nil, err end
  return { symbol = symbol, id = answer.lastUpdateId, bids = unify.levels(answer.bids),
    asks = unify.levels(answer.asks) }
end

function Venue:candles(symbol, interval, options)
  options = checked("candles", options or {}, { since = true, limit = true })
  local answer, err = call(self, "candles", "GET", "/api/v3/klines", { symbol = native("candles", symbol),
    interval = interval, startTime = options.since, limit = options.limit }, false)
  if not answer then return nil, err end
  return each(answer, unify.candle)
end

function Venue:trades(symbol, limit)
  local answer, err = call(self, "trades", "GET", "/api/v3/trades", { symbol = native("trades", symbol),
    limit = limit }, false)
  if not answer then return nil, err end
  return each(answer, unify.trade, symbol)
end

-- ---- the account -------------------------------------------------------------------

function Venue:account()
  local a, err = call(self, "account", "GET", "/api/v3/account", {}, true)
  if not a then return nil, err end
  return { can_trade = a.canTrade, can_withdraw = a.canWithdraw, can_deposit = a.canDeposit,
    type = a.accountType:lower(), maker_fee = unify.number(a.commissionRates.maker),
    taker_fee = unify.number(a.commissionRates.taker), balances = unify.balances(a.balances), updated = a.updateTime,
      raw = a }
end

--- Spot: what the account holds are balances.
function Venue:positions() return {} end

--- Nothing is left in the market; assets stay what they are.  Returns { cancelled, closed }.
function Venue:flatten(symbol)
  local cancelled, err = self:cancel_all(symbol)
  if not cancelled then return nil, err end
  return { cancelled = cancelled, closed = {} }
end

--- By asset: { free, locked, total }.
function Venue:balances()
  local answer, err = call(self, "balances", "GET", "/api/v3/account", { omitZeroBalances = true }, true)
  if not answer then return nil, err end
  return unify.balances(answer.balances)
end

local TYPES = { limit = "LIMIT", market = "MARKET", limit_maker = "LIMIT_MAKER" }

local function upper(word) return word and word:upper() end

--- Places an order.  type: limit (with qty, price and time_in_force, default "gtc"), market (qty or quote_qty), or
-- limit_maker (qty, price: never takes).  client_id is made when it is not given.
function Venue:place(given)
  client.check_place(given, TYPES)
  local tif = upper(given.time_in_force) or given.type == "limit" and "GTC" or nil
  local id = given.client_id or client.new_id(self)
  local answer, err = call(self, "place", "POST", "/api/v3/order", {
    symbol = native("place", given.symbol), side = upper(given.side), type = TYPES[given.type],
    timeInForce = tif, quantity = given.qty, quoteOrderQty = given.quote_qty, price = given.price,
    newClientOrderId = id, newOrderRespType = "FULL", selfTradePreventionMode = upper(given.self_trade) },
      true)
  if not answer then
    err.client_id = id
    return nil, err
  end
  return unify.order(answer)
end

local function which(what, given)
  client.check_one(what, given)
  return { symbol = unify.native(given.symbol), orderId = given.id, origClientOrderId = not given.id
    and given.client_id or nil }
end

--- Cancels an order: { symbol, id | client_id }.
function Venue:cancel(given)
  local answer, err = call(self, "cancel", "DELETE", "/api/v3/order", which("cancel", given), true)
  if not answer then return nil, err end
  return unify.order(answer)
end

--- Looks an order up: { symbol, id | client_id }.
function Venue:order(given)
  local answer, err = call(self, "order", "GET", "/api/v3/order", which("order", given), true)
  if not answer then return nil, err end
  return unify.order(answer)
end

function Venue:open_orders(symbol)
  local answer, err = call(self, "open_orders", "GET", "/api/v3/openOrders",
    { symbol = symbol and native("open_orders", symbol) }, true)
  if not answer then return nil, err end
  return each(answer, unify.order)
end

--- All orders of a symbol, also ended ones.  options: since, until_ (ms), limit.
function Venue:orders(symbol, options)
  options = checked("orders", options or {}, client.SPAN)
  local answer, err = call(self, "orders", "GET", "/api/v3/allOrders", { symbol = native("orders", symbol),
    startTime = options.since, endTime = options.until_, limit = options.limit, orderId = options.order_id }, true)
  if not answer then return nil, err end
  return each(answer, unify.order)
end

--- The account's own fills.  options: since, until_ (ms), limit, order_id.
function Venue:fills(symbol, options)
  options = checked("fills", options or {}, client.SPAN)
  local answer, err = call(self, "fills", "GET", "/api/v3/myTrades", { symbol = native("fills", symbol),
    startTime = options.since, endTime = options.until_, limit = options.limit, orderId = options.order_id }, true)
  if not answer then return nil, err end
  return each(answer, unify.fill)
end

local function cancel_symbol(self, symbol, out)
  local answer, err = call(self, "cancel_all", "DELETE", "/api/v3/openOrders", { symbol = symbol }, true)
  if not answer then
    if err.class == "unknown_order" then return true end -- nothing was open
    return nil, err
  end
  for _, o in ipairs(answer) do out[#out + 1] = unify.order(o) end
  return true
end

--- Cancels every open order of a symbol, or of all.  Returns the cancelled ones.
function Venue:cancel_all(symbol)
  local natives, out = {}, {}
  if symbol then
    natives[1] = native("cancel_all", symbol)
  else
    local open, err = self:open_orders()
    if not open then return nil, err end
    for _, o in ipairs(open) do
      if not natives[o.raw.symbol] then
        natives[o.raw.symbol] = true
        natives[#natives + 1] = o.raw.symbol
      end
    end
  end
  for _, name in ipairs(natives) do
    local ok, err = cancel_symbol(self, name, out)
    if not ok then return nil, err end
  end
  return out
end

-- ---- streams (loaded when asked for) -------------------------------------------------

--- Market data as it happens: { "trade:BTC/USDT", "book:BTC/USDT", "ticker:BTC/USDT" }.
function Venue:stream(channels)
  return require("smc.venue.binance.stream").open(self, channels)
end

--- What happens to the account: orders, fills, balances.
function Venue:user_stream()
  local inner = client.inside(self)
  return require("smc.venue.binance.user_stream").open(self, function(params)
    params.apiKey, params.timestamp = self.key, task.wall_ms() + inner.offset_ms
    if inner.recv_window then params.recvWindow = inner.recv_window end
    return request.sign_ws(inner.signer, params)
  end)
end

return M
