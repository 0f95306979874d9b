--- Binance Spot, the client half: unified calls over its REST and WebSocket interfaces.
local request = require "smc.venue.binance.request"
local rng = require "smc.core.rng"
local sign = require "smc.core.sign"
local spec = require "smc.spec"
local task = require "smc.core.task"
local unify = require "smc.venue.binance.unify"
local wire = require "smc.venue.wire"

local M = {}

M.options = { key = true, secret = true, recv_window = true, sandbox = true }
M.credentials = { { "key", "BINANCE_TESTNET_API_KEY" }, { "secret", "BINANCE_TESTNET_API_SECRET" } }
M.testnet = { rest = "https://testnet.binance.vision", stream = "wss://stream.testnet.binance.vision",
  api = "wss://ws-api.testnet.binance.vision/ws-api/v3" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url, api = box.ws_api_url }
end

local Venue = { name = "binance" }
local inside = setmetatable({}, { __mode = "k" }) -- venue -> what it keeps to itself

--- What a testnet can't give ends the spec as skipped.
function Venue.__index(self, name)
  if name == "sandbox" then spec.skip "a testnet has no sandbox to look into" end
  return Venue[name]
end

local CLIENT_ID_LENGTH = 20
local opened = setmetatable({}, { __mode = "k" }) -- by world: how many, so that no two draw the same client ids

--- PEM is recognised; any other text is the secret of an HMAC key.
local function key_of(material)
  local kind, err = sign.detect(material)
  if not kind then error(err, 0) end
  local key
  key, err = sign.key(kind, material)
  if not key then error(err, 0) end
  return key
end

function M.new(access, options, w)
  if options.recv_window and (math.type(options.recv_window) ~= "integer" or options.recv_window < 1) then
    error("smc.venue: recv_window is a whole number of milliseconds", 3)
  end
  opened[w] = (opened[w] or 0) + 1
  local self = setmetatable({
    name = "binance", url = access.urls.rest, ws_url = access.urls.stream, ws_api_url = access.urls.api,
    key = options.key or access.key, secret = access.sandbox and (options.secret or access.secret) or nil,
    sandbox = access.sandbox, symbols = { "BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT" },
  }, Venue)
  inside[self] = { signer = key_of(options.secret or access.secret), wire = wire.new(), offset_ms = 0,
    recv_window = options.recv_window, random = rng.new(w.seed, "binance client " .. opened[w]) }
  return self
end

-- ---- requests --------------------------------------------------------------------

local MUTATING = { POST = true, PUT = true, DELETE = true, PATCH = true }

--- One attempt.  op names it in errors and in requests{}.  Returns the decoded answer and its headers.
local function call(self, op, method, path, params, signed)
  return request.call(self, inside[self], { op = op, method = method, path = path, params = params, signed = signed,
    mutation = MUTATING[method] and signed and not path:find("/test$") })
end

local function verb(method)
  return function(self, path, params, options)
    options = options or {}
    for key in pairs(options) do
      if key ~= "signed" then error(("%s: unknown option '%s'"):format(method:lower(), tostring(key)), 2) end
    end
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then error(method:lower() .. ": a path expected", 2) end
    return call(self, method:lower() .. " " .. path, method, path, params or {}, options.signed == true)
  end
end

Venue.get, Venue.post, Venue.put = verb "GET", verb "POST", verb "PUT"
Venue.patch, Venue.delete = verb "PATCH", verb "DELETE"

--- What this venue object has sent, oldest first: { method, path, op, signed, at, elapsed, status | failed }.
function Venue:requests(filters)
  return (inside[self].wire:requests(filters, 2)) -- the parentheses keep this frame for the levels of errors
end

local function checked(what, given, known, needed)
  if type(given) ~= "table" then error(what .. ": a table expected", 3) end
  for key in pairs(given) do
    if not known[key] then error(("%s: unknown key '%s'"):format(what, tostring(key)), 3) end
  end
  for _, key in ipairs(needed or {}) do
    if given[key] == nil then error(("%s: %s is missing"):format(what, key), 3) end
  end
  return given
end

local function native(what, symbol)
  if type(symbol) ~= "string" then error(what .. ": a symbol like \"BTC/USDT\" expected", 3) end
  return unify.native(symbol)
end

local function each(list, convert, ...)
  local out = {}
  for i, item in ipairs(list) do out[i] = convert(item, ...) end
  return out
end

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

--- Measures how far the venue's clock is ahead of ours, and signs by it from now on.  Returns milliseconds.
function Venue:sync()
  local sent = task.wall_ms()
  local server, err = self:time()
  if not server then return nil, err end
  local offset = server - (sent + task.wall_ms()) // 2
  inside[self].offset_ms = offset
  return offset
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

--- By asset: { free, locked, total }.
function Venue:balances()
  local answer, err = call(self, "balances", "GET", "/api/v3/account", { omitZeroBalances = true }, true)
  if not answer then return nil, err end
  return unify.balances(answer.balances)
end

local PLACE = { symbol = true, side = true, type = true, qty = true, quote_qty = true, price = true,
  time_in_force = true, client_id = true, self_trade = true }
local TYPES = { limit = "LIMIT", market = "MARKET", limit_maker = "LIMIT_MAKER" }

local function upper(what, given, name)
  local value = given[name]
  if value ~= nil and type(value) ~= "string" then error(("%s: %s is a word"):format(what, name), 3) end
  return value and value:upper()
end

--- Places an order.  type: limit (with qty, price and time_in_force, default "gtc"), market (qty or quote_qty), or
-- limit_maker (qty, price: never takes).  client_id is made when it is not given.
function Venue:place(given)
  checked("place", given, PLACE, { "symbol", "side", "type" })
  if not TYPES[given.type] then error("place: type is limit, market or limit_maker", 2) end
  for _, name in ipairs { "qty", "quote_qty", "price" } do
    if given[name] ~= nil and type(given[name]) ~= "string" then
      error(("place: %s is a decimal string"):format(name), 2)
    end
  end
  local tif = upper("place", given, "time_in_force") or given.type == "limit" and "GTC" or nil
  local id = given.client_id or "smc-" .. inside[self].random:alnum(CLIENT_ID_LENGTH)
  local answer, err = call(self, "place", "POST", "/api/v3/order", {
    symbol = native("place", given.symbol), side = upper("place", given, "side"), type = TYPES[given.type],
    timeInForce = tif, quantity = given.qty, quoteOrderQty = given.quote_qty, price = given.price,
    newClientOrderId = id, newOrderRespType = "FULL", selfTradePreventionMode = upper("place", given, "self_trade") },
      true)
  if not answer then
    err.client_id = id
    return nil, err
  end
  return unify.order(answer)
end

local ONE = { symbol = true, id = true, client_id = true }

local function which(what, given)
  checked(what, given, ONE, { "symbol" })
  if not given.id and not given.client_id then error(what .. ": id or client_id expected", 3) end
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

local SPAN = { since = true, until_ = true, limit = true, order_id = true }

--- All orders of a symbol, also ended ones.  options: since, until_ (ms), limit.
function Venue:orders(symbol, options)
  options = checked("orders", options or {}, SPAN)
  local answer, err = call(self, "orders", "GET", "/api/v3/allOrders", { symbol = native("orders", symbol),
    startTime = options.since, endTime = options.until_, limit = options.limit, orderId = options.order_id }, true)
  if not answer then return nil, err end
  return each(answer, unify.order)
end

--- The account's own fills.  options: since, until_ (ms), limit, order_id.
function Venue:fills(symbol, options)
  options = checked("fills", options or {}, SPAN)
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
  local inner = inside[self]
  return require("smc.venue.binance.user_stream").open(self, function(params)
    params.apiKey, params.timestamp = self.key, task.wall_ms() + inner.offset_ms
    if inner.recv_window then params.recvWindow = inner.recv_window end
    return request.sign_ws(inner.signer, params)
  end)
end


return M
