--- Binance Spot, the client half: unified calls over its REST and WebSocket interfaces.
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local errors = require "smc.venue.binance.errors"
local limits = require "smc.venue.binance.limits"
local request = require "smc.venue.binance.request"
local task = require "smc.core.task"
local unify = require "smc.venue.binance.unify"
local words = require "smc.venue.words"

local M = {}

M.options = client.options
M.credentials = { { "key", "BINANCE_TESTNET_API_KEY" }, { "secret", "BINANCE_TESTNET_API_SECRET" } }
M.testnet = { rest = "https://testnet.binance.vision", stream = "wss://stream.testnet.binance.vision",
  api = "wss://ws-api.testnet.binance.vision/ws-api/v3" }
M.moved = { "BINANCE_TESTNET_URL", rest = "$http", stream = "$ws", api = "$ws/ws-api/v3" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url, api = box.ws_api_url }
end

local Venue = client.class "binance"

Venue.ages = true -- a signed request is good for a short while only

local native, each, seen = client.native, client.each, client.seen

local CANDLES = { since = true, limit = true }

function M.new(access, options, w)
  local self = client.new(Venue, access, options, w, limits)
  self.symbols = { "BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT" }
  return self -- not a tail call: wrong options are blamed on the caller's line
end

-- ---- requests --------------------------------------------------------------------

local MUTATING = { POST = true, PUT = true, DELETE = true, PATCH = true }

--- op names it in errors and in requests{}.  read and doubt, { look_up, lives }: see guard.lua.  Returns what read
-- makes of the decoded answer, or it, and its headers.
local function call(self, op, method, path, params, signed, read, doubt)
  return request.call(self, client.inside(self), { op = op, method = method, path = path, params = params,
    signed = signed, mutation = MUTATING[method] and signed and not path:find("/test$"), read = read,
    look_up = doubt and doubt.look_up, lives = doubt and doubt.lives })
end

client.verbs(Venue, call)

--- convert(answer, ...) of a call; endpoint: "GET order".
local function ask(self, op, endpoint, params, signed, convert, ...)
  local method, path = endpoint:match "^(%u+) (.+)$"
  local more = table.pack(...)
  local got, err = call(self, op, method, "/api/v3/" .. path, params, signed,
    function(answer) return convert(answer, table.unpack(more)) end)
  if got == nil then return nil, err end
  return got
end

local function public(self, op, path, params, convert, ...)
  return ask(self, op, "GET " .. path, params, false, convert, ...)
end

local function signed(self, op, endpoint, params, convert, ...)
  return ask(self, op, endpoint, params, true, convert, ...)
end

-- ---- public data ------------------------------------------------------------------

--- Seconds that the venue took to answer.
function Venue:ping()
  local start = task.now()
  return public(self, "ping", "ping", {}, function() return task.now() - start end)
end

--- The venue's clock in Unix milliseconds.
function Venue:time()
  return public(self, "time", "time", {}, function(answer) return words.integer(answer.serverTime) end)
end

function Venue:instruments()
  return public(self, "instruments", "exchangeInfo", {}, function(info) return each(info.symbols, unify.instrument) end)
end

function Venue:ticker(symbol)
  return public(self, "ticker", "ticker/24hr", { symbol = native("ticker", symbol) }, unify.ticker)
end

function Venue:book(symbol, depth)
  local params = { symbol = native("book", symbol), limit = client.count("book", "depth", depth) }
  return public(self, "book", "depth", params, unify.book, symbol)
end

function Venue:candles(symbol, interval, options)
  options = client.span("candles", options, CANDLES, 3)
  return public(self, "candles", "klines", { symbol = native("candles", symbol), interval = client.interval(interval),
    startTime = options.since, limit = options.limit }, each, unify.candle)
end

function Venue:trades(symbol, limit)
  local params = { symbol = native("trades", symbol), limit = client.count("trades", "limit", limit) }
  return public(self, "trades", "trades", params, each, unify.trade, symbol)
end

-- ---- the account -------------------------------------------------------------------

function Venue:account() return signed(self, "account", "GET account", {}, unify.account) end

--- Spot: what the account holds are balances.
function Venue:positions() return {} end

--- By asset: { free, locked, total }.
function Venue:balances()
  return signed(self, "balances", "GET account", { omitZeroBalances = true },
    function(account) return unify.balances(account.balances) end)
end

local function upper(word) return word and word:upper() end

--- How an order whose answer is missing is found again.  Its client id may have been that of an order that has ended:
-- of one that is older.
local function doubt_of(self, symbol, id)
  local since = task.wall_ms() + client.inside(self).offset_ms - client.CLOCKS_MS
  return { lives = client.lives(self), look_up = function()
    local order, err = call(self, "order", "GET", "/api/v3/order", { symbol = symbol, origClientOrderId = id }, true,
      unify.order)
    if not order or order.time >= since then return order, err end
    return nil, errors.answered({ http = 400, code = -2013, message = "Order does not exist." }, "order", false)
  end }
end

local TIMED = { limit = true, stop_limit = true, take_profit_limit = true } -- have a time in force

--- Places an order.  type: limit (with qty, price and time_in_force, default "gtc"), market (qty or quote_qty),
-- limit_maker (qty, price: never takes), or one that waits for its trigger_price and then is a market order (stop,
-- take_profit) or a limit order (stop_limit, take_profit_limit).  client_id is made when it is not given.
function Venue:place(given)
  client.check_place(given, unify.TYPES)
  client.note_traded(self, given.symbol)
  local id = given.client_id or client.new_id(self)
  local symbol = native("place", given.symbol)
  local params = { symbol = symbol, side = upper(given.side), type = unify.TYPES[given.type],
    timeInForce = upper(given.time_in_force) or TIMED[given.type] and "GTC" or nil, quantity = given.qty,
    quoteOrderQty = given.quote_qty, price = given.price, stopPrice = given.trigger_price, newClientOrderId = id,
    newOrderRespType = "FULL", selfTradePreventionMode = upper(given.self_trade) }
  return client.placed(self, given.symbol, id, function()
    local order, err = call(self, "place", "POST", "/api/v3/order", params, true,
      unify.order, doubt_of(self, symbol, id))
    return order, order == nil and err or nil
  end)
end

local function which(what, given)
  client.check_one(what, given)
  return { symbol = native(what, given.symbol, 4), orderId = given.id, origClientOrderId = not given.id
    and given.client_id or nil }
end

--- Cancels an order: { symbol, id | client_id }.
function Venue:cancel(given)
  local params = which("cancel", given)
  return seen(self, signed(self, "cancel", "DELETE order", params, unify.cancelled_one, params))
end

--- Looks an order up: { symbol, id | client_id }.
function Venue:order(given)
  return seen(self, signed(self, "order", "GET order", which("order", given), unify.order))
end

--- The order that takes the place of another: what is left of it, with what is given.
local function replacement(self, old, given)
  local raw = old.raw
  local function kept(value) return value and unify.number(value) ~= "0" and value or nil end
  return { symbol = raw.symbol, side = raw.side, type = raw.type,
    timeInForce = TIMED[old.type] and raw.timeInForce or nil, quantity = decimal.sub(given.qty or old.qty, old.filled),
    price = given.price or kept(raw.price), stopPrice = given.trigger_price or kept(raw.stopPrice),
    trailingDelta = raw.trailingDelta, icebergQty = kept(raw.icebergQty), newClientOrderId = client.new_id(self),
    newOrderRespType = "FULL",
    selfTradePreventionMode = raw.selfTradePreventionMode, cancelReplaceMode = "STOP_ON_FAILURE",
    cancelOrderId = old.id }
end

--- Changes an open order.  Only the quantity, to less: the order keeps its id and its place in the queue.  Anything
-- else cancels it and places another, with a new id; err.client_id is that one's.
function Venue:amend(given)
  client.check_amend(given)
  local old, err = signed(self, "amend", "GET order", { symbol = native("amend", given.symbol), orderId = given.id,
    origClientOrderId = not given.id and given.client_id or nil }, unify.order)
  if not old then return nil, err end
  if not given.price and not given.trigger_price and decimal.cmp(given.qty, old.qty) < 0 then
    return signed(self, "amend", "PUT order/amend/keepPriority", { symbol = old.raw.symbol, orderId = old.id,
      newQty = given.qty, newClientOrderId = old.client_id }, unify.amended, old)
  end
  local params = replacement(self, old, given)
  return client.placed(self, given.symbol, params.newClientOrderId, function()
    return signed(self, "amend", "POST order/cancelReplace", params,
      function(both) return unify.order(both.newOrderResponse) end)
  end)
end

function Venue:open_orders(symbol)
  return signed(self, "open_orders", "GET openOrders", { symbol = symbol and native("open_orders", symbol) }, each,
    unify.order)
end

local function span(what, symbol, options)
  options = client.span(what, options, nil, 4)
  return { symbol = native(what, symbol, 4), startTime = options.since, endTime = options.until_, limit = options.limit,
    orderId = options.order_id }
end

--- All orders of a symbol, also ended ones.  options: since, until_ (ms), limit.
function Venue:orders(symbol, options)
  return signed(self, "orders", "GET allOrders", span("orders", symbol, options), each, unify.order)
end

--- The account's own fills.  options: since, until_ (ms), limit, order_id.
function Venue:fills(symbol, options)
  return signed(self, "fills", "GET myTrades", span("fills", symbol, options), each, unify.fill)
end

--- The native symbols that have open orders.
local function busy(self)
  local open, err = self:open_orders()
  if not open then return nil, err end
  local known, out = {}, {}
  for _, o in ipairs(open) do
    if not known[o.raw.symbol] then out[#out + 1] = o.raw.symbol end
    known[o.raw.symbol] = true
  end
  return out
end

--- Cancels every open order of a symbol, or of all.  Returns the cancelled ones.
function Venue:cancel_all(symbol)
  local natives, err = { symbol and native("cancel_all", symbol) }, nil
  if not symbol then natives, err = busy(self) end
  if not natives then return nil, err end
  local out = {}
  for _, name in ipairs(natives) do
    local gone
    gone, err = signed(self, "cancel_all", "DELETE openOrders", { symbol = name }, unify.cancelled)
    if not gone and err.class ~= "unknown_order" then return nil, err end -- of that class: nothing was open
    for _, order in ipairs(gone or {}) do out[#out + 1] = order end
  end
  return seen(self, out)
end

--- Nothing is left in the market; assets stay what they are.  Returns { cancelled, closed }.
function Venue:flatten(symbol)
  if symbol then native("flatten", symbol) end
  local cancelled, err = self:cancel_all(symbol)
  if not cancelled then return nil, err end
  return { cancelled = cancelled, closed = {} }
end

-- ---- streams (loaded when asked for) -------------------------------------------------

--- Market data as it happens: { "trade:BTC/USDT", "book:BTC/USDT", "ticker:BTC/USDT" }.
function Venue:stream(channels)
  return require("smc.venue.binance.stream").open(self, channels)
end

--- What happens to the account: orders, fills, balances.  options: see stream_options; symbols.
function Venue:user_stream(options)
  local inner = client.inside(self)
  return require("smc.venue.binance.user_stream").open(self, function(params)
    params.apiKey, params.timestamp = self.key, task.wall_ms() + inner.offset_ms
    if inner.recv_window then params.recvWindow = inner.recv_window end
    return request.sign_ws(inner.signer, params)
  end, options)
end

return M
