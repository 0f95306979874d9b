--- Bybit v5, the client half: unified calls over its REST and WebSocket interfaces, categories spot and linear.
-- Orders, amendments and cancels are only acknowledged by the venue; place, amend and cancel look up what became of
-- them.
local categories = require "smc.venue.bybit.categories"
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local errors = require "smc.venue.bybit.errors"
local limits = require "smc.venue.bybit.limits"
local request = require "smc.venue.bybit.request"
local task = require "smc.core.task"
local unify = require "smc.venue.bybit.unify"
local words = require "smc.venue.words"

local M = {}

M.options = client.options
M.credentials = { { "key", "BYBIT_TESTNET_API_KEY" }, { "secret", "BYBIT_TESTNET_API_SECRET" } }
M.testnet = { rest = "https://api-testnet.bybit.com", stream = "wss://stream-testnet.bybit.com/v5/public/spot",
  api = "wss://stream-testnet.bybit.com/v5/private" }
M.moved = { "BYBIT_TESTNET_URL", rest = "$http", stream = "$ws/v5/public/spot", api = "$ws/v5/private" }

function M.sandbox_urls(box)
  return { rest = box.url, stream = box.ws_url, api = box.ws_api_url }
end

local Venue = client.class "bybit"

Venue.ages = true -- a signed request is good for a short while only

local each, seen = client.each, client.seen

local CANDLES = { since = true, limit = true }
local PAGE = 50
local LOOK_UPS, LOOK_UP_EVERY = 20, 0.1 -- how often, and how many seconds apart, an acknowledged order is looked for
local SETTLED_IN = "USDT"

function M.new(access, options, w)
  local self = client.new(Venue, access, options, w, limits)
  self.symbols = { "BTC/USDT", "ETH/USDT", "ETH/BTC", "BNB/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT", "BNB/USDT:USDT" }
  return self -- not a tail call: wrong options are blamed on the caller's line
end

-- ---- requests --------------------------------------------------------------------

--- op names it in errors and in requests{}.  read and doubt, { look_up, lives }: see guard.lua.  Returns what read
-- makes of the decoded envelope, or it, and its headers.
local function call(self, op, method, path, params, signed, read, doubt)
  return request.call(self, client.inside(self), { op = op, method = method, path = path, params = params,
    signed = signed, mutation = method ~= "GET" and path:find "^/v5/order/" ~= nil, read = read,
    look_up = doubt and doubt.look_up, lives = doubt and doubt.lives })
end

client.verbs(Venue, call)

--- convert(result, envelope) of a call; endpoint: "GET market/time".
local function ask(self, op, endpoint, params, signed, convert, doubt)
  local method, path = endpoint:match "^(%u+) (.+)$"
  local got, err = call(self, op, method, "/v5/" .. path, params, signed,
    function(answer) return convert(answer.result, answer) end, doubt)
  if got == nil then return nil, err end
  return got
end

local function public(self, op, path, params, convert) return ask(self, op, "GET " .. path, params, false, convert) end
local function signed(self, op, endpoint, params, convert, doubt)
  return ask(self, op, endpoint, params, true, convert, doubt)
end

--- The parameters that name an instrument, and more.
local function of(what, symbol, more)
  local params = more or {}
  params.category, params.symbol = categories.of(what, symbol, 4)
  return params
end

--- A list that the venue gives newest first, oldest first.
local function reversed(list)
  local out = {}
  for i = #list, 1, -1 do out[#out + 1] = list[i] end
  return out
end

-- ---- public data ------------------------------------------------------------------

--- Seconds that the venue took to answer.
function Venue:ping()
  local start = task.now()
  return public(self, "ping", "market/time", {}, function() return task.now() - start end)
end

--- The venue's clock in Unix milliseconds.
function Venue:time()
  return public(self, "time", "market/time", {}, function(_, answer) return words.integer(answer.time) end)
end

--- A list of the venue's, in our words.  wanted(item): which are (default: all).
local function list_of(result, wanted, convert, ...)
  local out = {}
  for _, item in ipairs(result.list) do
    if not wanted or wanted(item) then out[#out + 1] = convert(item, ...) end
  end
  return out
end

local function is_perpetual(s) return s.contractType == "LinearPerpetual" and s.settleCoin == SETTLED_IN end

--- A page of a list: the items, and where the next page begins, if there is one.
local function page_of(items, result)
  local cursor = result.nextPageCursor
  return { items = items, cursor = cursor ~= nil and words.text(cursor) ~= "" and cursor or nil }
end

--- Of both categories; of contracts the perpetual ones in USDT.
function Venue:instruments()
  local out = {}
  for _, category in ipairs { "spot", "linear" } do
    local linear = category == "linear"
    local params = { category = category, limit = linear and 1000 or nil }
    repeat
      local page, err = public(self, "instruments", "market/instruments-info", params, function(result)
        return page_of(list_of(result, linear and is_perpetual, unify.instrument), result)
      end)
      if not page then return nil, err end
      table.move(page.items, 1, #page.items, #out + 1, out)
      params.cursor = page.cursor
    until not params.cursor
  end
  return out
end

function Venue:ticker(symbol)
  local params = of("ticker", symbol)
  return public(self, "ticker", "market/tickers", params,
    function(result, answer) return unify.ticker(result.list[1], answer.time, symbol) end)
end

local BOOK_DEPTH = 100

function Venue:book(symbol, depth)
  local params = of("book", symbol, { limit = client.count("book", "depth", depth) or BOOK_DEPTH })
  return public(self, "book", "market/orderbook", params, function(result)
    return { symbol = symbol, id = result.seq, bids = unify.levels(result.b), asks = unify.levels(result.a) }
  end)
end

local INTERVALS = { ["1m"] = "1", ["3m"] = "3", ["5m"] = "5", ["15m"] = "15", ["30m"] = "30", ["1h"] = "60",
  ["2h"] = "120", ["4h"] = "240", ["6h"] = "360", ["12h"] = "720", ["1d"] = "D", ["1w"] = "W", ["1M"] = "M" }

function Venue:candles(symbol, interval, options)
  options = client.span("candles", options, CANDLES, 3)
  local params = of("candles", symbol, { interval = INTERVALS[interval] or client.interval(interval),
    start = options.since, limit = options.limit })
  return public(self, "candles", "market/kline", params,
    function(result) return each(reversed(result.list), unify.candle) end)
end

function Venue:trades(symbol, limit)
  local params = of("trades", symbol, { limit = client.count("trades", "limit", limit) })
  return public(self, "trades", "market/recent-trade", params,
    function(result) return each(reversed(result.list), unify.trade, symbol) end)
end

-- ---- the account -------------------------------------------------------------------

local function wallet(self, op, convert)
  return signed(self, op, "GET account/wallet-balance", { accountType = "UNIFIED" },
    function(result, answer) return convert(result.list[1], answer) end)
end

local function has(list, word)
  for _, w in ipairs(list or {}) do
    if w == word then return true end
  end
  return false
end

local function rights_of(key)
  return { can_trade = key.readOnly == 0 and has(key.permissions.Spot, "SpotTrade"),
    can_withdraw = key.readOnly == 0 and has(key.permissions.Wallet, "Withdraw"), can_deposit = true, raw = key }
end

--- Three requests: what the key may do, what trading costs, what there is.
function Venue:account()
  local account, err = signed(self, "account", "GET user/query-api", {}, rights_of)
  if not account then return nil, err end
  local fees
  fees, err = signed(self, "account", "GET account/fee-rate", { category = "spot", symbol = "BTCUSDT" },
    function(result)
      local fee = result.list[1]
      return { maker = unify.number(fee.makerFeeRate), taker = unify.number(fee.takerFeeRate) }
    end)
  if not fees then return nil, err end
  return wallet(self, "account", function(coins, envelope)
    account.type, account.balances = coins.accountType:lower(), unify.balances(coins.coin)
    account.maker_fee, account.taker_fee, account.updated = fees.maker, fees.taker, envelope.time
    return account
  end)
end

--- By asset: { free, locked, total }.
function Venue:balances()
  return wallet(self, "balances", function(coins) return unify.balances(coins.coin) end)
end

--- Of contracts in USDT, in hedge mode both sides of one; flat ones are left out.
function Venue:positions()
  return signed(self, "positions", "GET position/list", { category = "linear", settleCoin = SETTLED_IN, limit = 200 },
    function(result) return list_of(result, unify.is_held, unify.position) end)
end

-- ---- orders ------------------------------------------------------------------------

local OPEN = { open = true, partially_filled = true }

local function is_over(order) return not OPEN[order.status] end

--- Looks an order up until `done(order)`; the last answer when that never comes, nil and an error when it is not there.
local function look_up(self, category, id, done)
  local order
  for i = 1, LOOK_UPS do
    local list, err = signed(self, "order", "GET order/realtime", { category = category, orderId = id },
      function(result) return list_of(result, nil, unify.order, category) end)
    if not list then return nil, err end
    order = list[1] or order
    if order and done(order) then return order end
    if i < LOOK_UPS then task.sleep(LOOK_UP_EVERY) end
  end
  if order then return order end
  return nil, errors.broken("order", "an acknowledged order is not there", nil, true)
end

--- Sends what the venue only acknowledges, and looks up what became of it.  What failed after the acknowledgement
-- leaves the outcome open.
local function acknowledged(self, op, path, params, done, client_id, doubt)
  local id, err = signed(self, op, "POST order/" .. path, params, function(result)
    return words.text(result.orderId)
  end, doubt)
  if not id then
    err.client_id = client_id
    return nil, err
  end
  local order
  order, err = look_up(self, params.category, id, done)
  if order then return order end
  err = errors.broken(op, "acknowledged, but not found again: " .. err.message, err.http, true)
  err.client_id = client_id
  return nil, err
end

local SMP = { none = "None", expire_maker = "CancelMaker", expire_taker = "CancelTaker", expire_both = "CancelBoth" }
local SIDES = { buy = "Buy", sell = "Sell" }
-- By type: the venue's, and which way a price must go that a buy order waits for (a sell order: the other way).
local TYPES = { limit = { "Limit" }, market = { "Market" }, limit_maker = { "Limit" }, stop = { "Market", 1 },
  stop_limit = { "Limit", 1 }, take_profit = { "Market", 2 }, take_profit_limit = { "Limit", 2 } }

local function body_of(given, params, id)
  local type, direction = table.unpack(TYPES[given.type])
  local spot, market = params.category == "spot", type == "Market"
  local tif = given.time_in_force and given.time_in_force:upper() or nil
  if not market then tif = given.type == "limit_maker" and "PostOnly" or tif or "GTC" end
  if direction and given.side == "sell" then direction = 3 - direction end
  params.side, params.orderType, params.timeInForce = SIDES[given.side] or given.side, type, tif
  params.qty, params.price, params.orderLinkId = given.quote_qty or given.qty, given.price, id
  params.smpType = given.self_trade and (SMP[given.self_trade] or given.self_trade) or nil
  if spot and market then params.marketUnit = given.quote_qty and "quoteCoin" or "baseCoin" end
  if not spot then params.reduceOnly = given.reduce_only end
  if direction then
    params.triggerPrice, params.triggerDirection = given.trigger_price, direction
    params.orderFilter = spot and "StopOrder" or nil
  end
  return params
end

--- more: what goes out besides.
local function place(self, given, more)
  local params = { category = "spot" }
  if type(given) == "table" and given.symbol then params = of("place", given.symbol) end
  client.check_place(given, TYPES, params.category == "linear")
  client.note_traded(self, given.symbol)
  if given.quote_qty and (given.qty or given.type ~= "market" or params.category ~= "spot") then
    error("place: quote_qty stands alone, in a market order of category spot", 2)
  end
  local id = given.client_id or client.new_id(self)
  local rests = given.trigger_price or given.type ~= "market" and (given.time_in_force or "gtc"):lower() == "gtc"
  -- An order whose acknowledgement is missing is found again by its client id, as if it had come.
  local function find()
    local order, err = self:order { symbol = given.symbol, client_id = id }
    return order and order.id, err
  end
  local body, doubt = body_of(given, params, id), { look_up = find, lives = client.lives(self) }
  for name, value in pairs(more or {}) do body[name] = value end
  return client.placed(self, given.symbol, id, function()
    return acknowledged(self, "place", "create", body, function(order) return rests or is_over(order) end, id, doubt)
  end)
end

--- Places an order.  type: limit (with qty, price and time_in_force, default "gtc"), market (qty or, of spot,
-- quote_qty), limit_maker (qty, price: never takes), or one that waits for its trigger_price and then is a market order
-- (stop, take_profit) or a limit order (stop_limit, take_profit_limit).  client_id is made when it is not given.
function Venue:place(given) return place(self, given) end

local function which(what, given)
  client.check_one(what, given)
  local category, native = categories.of(what, given.symbol, 4)
  return { category = category, symbol = native, orderId = given.id and tostring(given.id) or nil,
    orderLinkId = not given.id and given.client_id or nil }
end

-- The filters behind which spot orders are kept that wait for their price.
local WAITING = { "StopOrder", "tpslOrder" }
local ALL = { "Order", "BidirectionalTpslOrder", table.unpack(WAITING) }

--- Cancels an order: { symbol, id | client_id }.
function Venue:cancel(given)
  local params = which("cancel", given)
  local order, err
  for _, filter in ipairs(params.category == "spot" and { false, table.unpack(WAITING) } or { false }) do
    params.orderFilter = filter or nil
    order, err = acknowledged(self, "cancel", "cancel", params, is_over, given.client_id)
    if order or err.code ~= 170213 then break end
  end
  return seen(self, order, err)
end

--- Changes an open order, which keeps its id: { symbol, id | client_id, qty, price, trigger_price }.
function Venue:amend(given)
  client.check_amend(given)
  local params = of("amend", given.symbol, { orderId = given.id and tostring(given.id) or nil,
    orderLinkId = not given.id and given.client_id or nil, qty = given.qty, price = given.price,
    triggerPrice = given.trigger_price })
  local function as_asked(name, order)
    return given[name] == nil or order[name] ~= nil and decimal.cmp(order[name], given[name]) == 0
  end
  return acknowledged(self, "amend", "amend", params, function(order)
    return is_over(order) or as_asked("qty", order) and as_asked("price", order) and as_asked("trigger_price", order)
  end, given.client_id)
end

--- Looks an order up: { symbol, id | client_id }.
function Venue:order(given)
  local params = which("order", given)
  for _, path in ipairs { "GET order/realtime", "GET order/history" } do
    local list, err = signed(self, "order", path, params,
      function(result) return list_of(result, nil, unify.order, params.category) end)
    if not list then return nil, err end
    if list[1] then return seen(self, list[1]) end
  end
  return nil, errors.answered({ http = 200, code = 170213, message = "Order does not exist." }, "order", false)
end

--- All pages of a list in our words, newest first, but no more than `limit` items.  convert(item, category);
-- wanted(item): which count (default: all).
local function collect(self, op, path, params, convert, limit, wanted)
  local out = {}
  params.limit = math.min(limit or PAGE, PAGE)
  repeat
    local page, err = signed(self, op, "GET " .. path, params, function(result)
      return page_of(list_of(result, wanted, convert, params.category), result)
    end)
    if not page then return nil, err end
    table.move(page.items, 1, math.min(#page.items, (limit or math.maxinteger) - #out), #out + 1, out)
    params.cursor = page.cursor
  until not params.cursor or limit and #out >= limit
  return out
end

--- The parameters of calls about a symbol, or of one call for each category.
local function scopes(what, symbol)
  if symbol then
    local category, native = categories.of(what, symbol, 4)
    return { { category = category, symbol = native } }
  end
  return { { category = "spot" }, { category = "linear", settleCoin = SETTLED_IN } }
end

local function older(a, b) return a.time < b.time or a.time == b.time and a.id < b.id end

function Venue:open_orders(symbol)
  local out = {}
  for _, params in ipairs(scopes("open_orders", symbol)) do
    local list, err = collect(self, "open_orders", "order/realtime", params, unify.order)
    if not list then return nil, err end
    table.move(list, 1, #list, #out + 1, out)
  end
  table.sort(out, older)
  return out
end

--- All orders of a symbol, also ended ones.  options: since, until_ (ms), limit, order_id.
function Venue:orders(symbol, options)
  options = client.span("orders", options, nil, 3)
  local id = options.order_id and tostring(options.order_id)
  local params = of("orders", symbol, { orderId = id, startTime = options.since, endTime = options.until_ })
  local closed, err = collect(self, "orders", "order/history", params, unify.order, options.limit)
  if not closed then return nil, err end
  local open
  open, err = collect(self, "orders", "order/realtime", { category = params.category, symbol = params.symbol,
    orderId = id }, unify.order)
  if not open then return nil, err end
  local by_id, out = {}, {}
  for _, list in ipairs { closed, open } do
    for _, o in ipairs(list) do
      if not by_id[o.id] and o.time >= (options.since or 0) and o.time <= (options.until_ or math.maxinteger) then
        by_id[o.id], out[#out + 1] = true, o
      end
    end
  end
  table.sort(out, older)
  while options.limit and #out > options.limit do table.remove(out, 1) end
  return out
end

--- The account's own fills.  options: since, until_ (ms), limit, order_id.
function Venue:fills(symbol, options)
  options = client.span("fills", options, nil, 3)
  local params = of("fills", symbol, { startTime = options.since, endTime = options.until_,
    orderId = options.order_id and tostring(options.order_id) })
  local list, err = collect(self, "fills", "execution/list", params, unify.fill, options.limit, unify.is_trade)
  if not list then return nil, err end
  return reversed(list)
end

--- Cancels every open order of a symbol, or of all.  Returns the cancelled ones.
function Venue:cancel_all(symbol)
  local out = {}
  for _, params in ipairs(scopes("cancel_all", symbol)) do
    -- Of spot each kind is cancelled by a call of its own.
    for _, filter in ipairs(params.category == "spot" and ALL or { false }) do
      params.orderFilter = filter or nil
      local gone, err = signed(self, "cancel_all", "POST order/cancel-all", params,
        function(result) return each(result.list, function(row) return words.text(row.orderId) end) end)
      if not gone then return nil, err end
      for _, id in ipairs(gone) do
        local order
        order, err = look_up(self, params.category, id, is_over)
        if not order then
          return nil, errors.broken("cancel_all", "acknowledged, but not found again: " .. err.message, err.http, true)
        end
        out[#out + 1] = order
      end
    end
  end
  return seen(self, out)
end

--- In hedge mode its positionIdx says which one.
local function close(self, position)
  return place(self, { symbol = position.symbol, side = position.side == "long" and "sell" or "buy",
    type = "market", qty = position.qty, reduce_only = true }, { positionIdx = position.raw.positionIdx })
end

--- Nothing is left in the market, and no position; spot assets stay what they are.  Returns { cancelled, closed }.
function Venue:flatten(symbol)
  if symbol then scopes("flatten", symbol) end
  local cancelled, err = self:cancel_all(symbol)
  if not cancelled then return nil, err end
  return client.close_positions(self, cancelled, symbol, close)
end

-- ---- streams (loaded when asked for) -------------------------------------------------

--- Market data as it happens: { "trade:BTC/USDT", "book:BTC/USDT", "ticker:BTC/USDT" }.  One stream has symbols of one
-- category.
function Venue:stream(channels)
  return require("smc.venue.bybit.stream").open(self, channels)
end

--- What happens to the account: orders, fills, balances.  options: see stream_options; symbols.
function Venue:user_stream(options)
  return require("smc.venue.bybit.user_stream").open(self, client.inside(self), options)
end

return M
