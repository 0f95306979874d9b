--- The sandbox object that scenarios hold: what they may look at, and what they may turn.
local router = require "smc.sandbox.binance.router"
local venue = require "smc.sandbox.binance"
local ws_api = require "smc.sandbox.binance.ws_api"

local M = {}

M.options = { assume = true, key = true, secret = true }

local Box = {}
Box.__index = Box
Box.__name = "smc.sandbox.binance"

local hidden = setmetatable({}, { __mode = "k" }) -- box -> the venue behind it

local function def_of(self, symbol, what)
  local sb = hidden[self]
  local def = sb.by_name[symbol] or sb.by_symbol[symbol]
  if not def then error(("%s: no symbol is called '%s'"):format(what, tostring(symbol)), 3) end
  return sb, def
end

local function check_keys(what, given, known)
  if given == nil then return {} end
  if type(given) ~= "table" then error(what .. ": a table expected", 3) end
  for key in pairs(given) do
    if not known[key] then error(("%s: unknown key '%s'"):format(what, tostring(key)), 3) end
  end
  return given
end

local function lower(o)
  return { id = o.id, client_id = o.client_id, symbol = o.symbol, side = o.side, type = o.type, price = o.price,
    qty = o.qty, filled = o.filled, quote = o.filled_quote, status = o.status, time_in_force = o.tif,
      original_client_id = o.orig_client_id }
end

local ORDER_FILTERS = { client_id = true, side = true, status = true, symbol = true }
local OPEN = { new = true, partially_filled = true }

--- Orders of every account that the venue accepted, oldest first.  Filters: client_id (also one that a cancel
-- replaced), side "buy" or "sell", status (the venue's in lower case, or "open"), symbol.
function Box:orders(filters)
  filters = check_keys("sandbox:orders", filters, ORDER_FILTERS)
  local sb, symbol = hidden[self], nil
  if filters.symbol then symbol = select(2, def_of(self, filters.symbol, "sandbox:orders")).symbol end
  self:advance()
  local out = {}
  for account = sb.first_account, sb.last_account do
    for _, o in ipairs(sb.market:orders { account = account, symbol = symbol }) do
      local id, status = filters.client_id, filters.status
      if (not id or o.client_id == id or o.orig_client_id == id) and (not filters.side or o.side == filters.side)
        and (not status or o.status == status or status == "open" and OPEN[o.status]) then
        local copy = lower(o)
        copy.symbol = sb.by_symbol[o.symbol].name
        out[#out + 1] = copy
      end
    end
  end
  return out
end

--- The book as the venue has it now, in the form of a unified book: { symbol, id, bids, asks }, best first.
function Box:book(symbol, depth)
  local sb, def = def_of(self, symbol, "sandbox:book")
  self:advance()
  local book = sb.market:book(def.symbol, depth)
  return { symbol = def.name, id = book.update_id, bids = book.bids, asks = book.asks }
end

--- Weight used and allowed since the start, refusals, the running window:
-- { used, allowed, violations, window, limit, per }.
function Box:limits()
  local sb = hidden[self]
  return sb.limits:report(sb:now())
end

--- New limits: { request_weight = n, per = seconds } or { orders = n, per = seconds }.
function Box:limit(given)
  given = check_keys("sandbox:limit", given, { request_weight = true, orders = true, per = true })
  local kind = given.request_weight and "request_weight" or given.orders and "orders"
  local n = kind and given[kind]
  if not kind or given.request_weight and given.orders then
    error("sandbox:limit: either request_weight or orders expected", 2)
  end
  if math.type(n) ~= "integer" or n < 0 or math.type(given.per) ~= "integer" or given.per < 1 then
    error("sandbox:limit: a count and `per`, a whole number of seconds, expected", 2)
  end
  hidden[self].limits:change(kind, n, given.per)
end

--- From now on the venue's clock is so many seconds ahead of the true one (behind, when negative).
function Box:skew(seconds)
  if type(seconds) ~= "number" then error("sandbox:skew: a number of seconds expected", 2) end
  local ms = math.tointeger(math.floor(seconds * 1000 + 0.5))
  hidden[self].skew_ms = ms
end

--- Lets the market catch up with the clock, as every request does.
function Box:advance()
  hidden[self]:settle()
end

--- Moves a symbol's price at once: { by = "-0.03" } relatively, { to = "58000" } absolutely.
function Box:move(symbol, given)
  given = check_keys("sandbox:move", given, { by = true, to = true })
  if (given.by == nil) == (given.to == nil) then error("sandbox:move: either by or to expected", 2) end
  local sb, def = def_of(self, symbol, "sandbox:move")
  self:advance()
  local ok, err = pcall(sb.market.move, sb.market, def.symbol, given)
  if not ok then error("sandbox:move: " .. err, 2) end
  sb:settle()
  sb:arm()
end

--- The WebSocket connections that are open: { path, kind = "market"|"api", streams, pings, pongs, subscriptions }.
function Box:streams()
  local sb, out = hidden[self], {}
  for _, s in ipairs(sb.sessions) do
    out[#out + 1] = { kind = "market", path = s.path, combined = s.combined, streams = { table.unpack(s.names) },
      pings = s.pings, pongs = s.pongs }
  end
  for _, s in ipairs(sb.api_sessions) do
    local n = 0
    for _ in pairs(s.subscribed) do n = n + 1 end
    out[#out + 1] = { kind = "api", path = s.path, subscriptions = n, pings = s.pings, pongs = s.pongs }
  end
  return out
end

local KEY_OPTIONS = { kind = true, public = true, secret = true, trade = true }

--- Another API key of the same account: { kind = "hmac", secret = text } or { kind = "rsa"|"ed25519", public = PEM };
-- trade = false: may look but not trade.  Returns the key's name, as X-MBX-APIKEY wants it.
function Box:add_key(given)
  given = check_keys("sandbox:add_key", given, KEY_OPTIONS)
  local material = given.kind == "hmac" and given.secret or given.public
  if type(material) ~= "string" or given.kind ~= "hmac" and given.kind ~= "rsa" and given.kind ~= "ed25519" then
    error("sandbox:add_key: kind (hmac, rsa, ed25519) and its secret or public PEM expected", 2)
  end
  local sb = hidden[self]
  return sb:add_key(given.kind, material, sb.first_account, given.trade ~= false)
end

--- The key stops working at once.
function Box:remove_key(api_key)
  hidden[self].keys[api_key] = nil
end

-- A fixed key need not look like the venue's own.
local function check_credentials(options)
  local key, secret = options.key, options.secret
  if key ~= nil and (type(key) ~= "string" or not key:find "^[%w_-]+$" or #key > 128) then
    error("sandbox binance: key must be 1 to 128 letters, digits, - or _", 5)
  end
  if secret ~= nil and (type(secret) ~= "string" or not secret:find "^[!-~]+$" or #secret < 8 or #secret > 128) then
    error("sandbox binance: secret must be 8 to 128 printable characters without blanks", 5)
  end
end

--- Opens the venue.  Returns the object, its request handler and its end.
function M.new(seed, options, record)
  local assume = {}
  for name, value in pairs(venue.assumptions) do assume[name] = value end
  for name, value in pairs(options.assume or {}) do
    if assume[name] == nil then error(("sandbox binance: unknown assumption '%s'"):format(tostring(name)), 4) end
    assume[name] = value
  end
  check_credentials(options)
  local sb = venue.new(seed, assume, record, options)
  local box = setmetatable({ name = "binance", key = sb.key, secret = sb.secret }, Box)
  hidden[box] = sb
  return box, function(ex) sb:serve(ex) end, function() sb:close() end
end

-- ---- for `smcrun serve` -----------------------------------------------------

--- What metrics call the path of a request: as many words as the venue has routes, whatever clients send.
function M.template(entry)
  local path = entry.path
  if entry.method == "WS" then return ws_api.knows(path) and path or "other" end
  if not entry.websocket then return router.by_path[path] and path or "other" end
  if path == "/ws-api/v3" then return path end
  return path:find "^/ws" and "/ws" or path:find "^/stream" and "/stream" or "other"
end

--- How many orders of all accounts are open.
function M.open_orders(box)
  local sb, n = hidden[box], 0
  for account = sb.first_account, sb.last_account do n = n + sb.market:count { account = account } end
  return n
end

--- Fills in where things are, once the server listens.
function M.urls(box)
  local ws = box.origin:gsub("^http", "ws")
  box.url, box.ws_url, box.ws_api_url = box.origin, ws, ws .. "/ws-api/v3"
end

return M
