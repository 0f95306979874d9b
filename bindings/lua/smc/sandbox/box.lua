--- The sandbox object that scenarios hold: what they may look at, and what they may turn, whichever the venue.
local colon = require "smc.colon"
local decimal = require "smc.decimal"
local sign = require "smc.core.sign"
local list = require "smc.list"
local stall = require "smc.sandbox.stall"

local M = {}

M.options = { assume = true, key = true, secret = true }

local Box = {}
Box.__index = Box

local hidden = setmetatable({}, { __mode = "k" }) -- box -> the venue behind it
local beginnings = setmetatable({}, { __mode = "k" }) -- box -> begin() makes the venue anew
local doors = setmetatable({}, { __mode = "k" }) -- box -> its front door

local function def_of(self, symbol, what)
  local sb = hidden[self]
  local def = sb.by_name[symbol] or sb.by_symbol[symbol]
  if def then return sb, def end
  local names = {}
  for i, each in ipairs(sb.symbols) do names[i] = each.name end
  table.sort(names)
  error(("%s: %s (known: %s)"):format(what, symbol == nil and "symbol is missing"
    or ("no symbol is called '%s'"):format(tostring(symbol)), table.concat(names, ", ")), 3)
end

M.def_of = def_of

--- The venue behind a box.
function M.venue(box) return hidden[box] end

function M.set_door(box, door) doors[box] = door end

local function check_keys(what, given, known, level)
  if given == nil then return {} end
  if type(given) ~= "table" then error(what .. ": a table expected", level or 3) end
  for key in pairs(given) do
    if not known[key] then error(("%s: %s"):format(what, list.unknown("key", key, known)), level or 3) end
  end
  return given
end

M.check_keys = check_keys

local function lower(o)
  return { id = o.id, client_id = o.client_id, symbol = o.symbol, side = o.side, type = o.type, price = o.price,
    qty = o.qty, filled = o.filled, quote = o.filled_quote, status = o.status, time_in_force = o.tif,
      original_client_id = o.orig_client_id }
end

local ORDER_FILTERS = { client_id = true, side = true, status = true, symbol = true }
local OPEN = { new = true, partially_filled = true }
local STATUS = { open = true, new = true, partially_filled = true, filled = true, canceled = true, expired = true,
  expired_in_match = true }

--- The filters of orders; wrong use is blamed on the caller's caller.
function M.order_filters(given)
  local filters = check_keys("sandbox:orders", given, ORDER_FILTERS, 4)
  if filters.side ~= nil and filters.side ~= "buy" and filters.side ~= "sell" then
    error("sandbox:orders: side is buy or sell", 3)
  end
  if filters.status ~= nil and not STATUS[filters.status] then
    error("sandbox:orders: " .. list.unknown("status", filters.status, STATUS), 3)
  end
  return filters
end

--- Orders of every account that the venue accepted, oldest first.  Filters: client_id (also one that a cancel
-- replaced), side "buy" or "sell", status (the venue's in lower case, or "open"), symbol.
function Box:orders(filters)
  filters = M.order_filters(filters)
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

--- What the account holds of contracts: symbol side qty entry unrealized.  Flat ones are left out.
function Box:positions()
  local sb, out = hidden[self], {}
  self:advance()
  for _, p in ipairs(sb.market:positions(sb.first_account)) do
    if p.qty ~= "0" then
      out[#out + 1] = { symbol = sb.by_symbol[p.symbol].name, side = p.qty:sub(1, 1) == "-" and "short" or "long",
        qty = decimal.abs(p.qty), entry = p.entry, unrealized = p.upl }
    end
  end
  return out
end

--- Amounts by asset, each a decimal string that is not below zero.
local function check_funds(what, given)
  if type(given) ~= "table" or next(given) == nil then
    error(what .. ": amounts by asset expected, as in { USDT = \"50000\" }", 3)
  end
  for asset, amount in pairs(given) do
    if type(amount) ~= "string" or not decimal.is_valid(amount) or decimal.lt(amount, "0") then
      error(("%s: %s must be a decimal string, not below zero"):format(what, tostring(asset)), 3)
    end
  end
end

M.check_funds = check_funds

--- The account owns these amounts from now on, and nothing else: { USDT = "50000" }.
function Box:fund(given)
  check_funds("sandbox:fund", given)
  local sb, known = hidden[self], {}
  self:advance()
  for _, b in ipairs(sb.market:balances(sb.first_account)) do
    known[b.asset] = true
    if b.locked ~= "0" then error(("sandbox:fund: an order holds %s of %s"):format(b.locked, b.asset), 2) end
  end
  for asset in pairs(given) do
    if not known[asset] then error(("sandbox:fund: no asset is called '%s'"):format(asset), 2) end
  end
  for _, b in ipairs(sb.market:balances(sb.first_account)) do
    local change = decimal.sub(given[b.asset] or "0", b.free)
    if change ~= "0" then sb.market:adjust(sb.first_account, b.asset, change) end
  end
  sb:settle()
end

--- The book as the venue has it now, in the form of a unified book: { symbol, id, bids, asks }, best first.
function Box:book(symbol, depth)
  local sb, def = def_of(self, symbol, "sandbox:book")
  self:advance()
  local book = sb.market:book(def.symbol, depth)
  return { symbol = def.name, id = book.update_id, bids = book.bids, asks = book.asks }
end

--- Used and allowed since the start, refusals, the running window:
-- { used, allowed, violations, window, limit, per, each = { name = { used, limit, per } } }.
function Box:limits()
  local sb = hidden[self]
  self:advance()
  return sb.limits:report(sb:now(), sb.first_account)
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

--- To be called as a tail: a wrong symbol is blamed on the caller.
local function halt(self, symbol, halted, what)
  local sb, def = def_of(self, symbol, what)
  self:advance()
  sb.market:halt(def.symbol, halted)
  sb:arm()
end

local FILL = { symbol = true, id = true, client_id = true, qty = true }

--- The account and the symbol of the open order that is meant, or nil.
local function find_open(sb, given, defs)
  for account = sb.first_account, sb.last_account do
    for _, def in ipairs(defs) do
      local o = sb.market:order { account = account, symbol = def.symbol, id = given.id, client_id = given.client_id }
      if o and OPEN[o.status] then return account, def.symbol, o.id end
    end
  end
end

local FILL_TYPES = { { "id", "integer", "a whole number, as orders{} has it" }, { "client_id", "string", "a string" },
  { "qty", "string", "a decimal string" } }

local REFUSED = { invalid_qty = " (qty is above 0, at most what is left of the order, and in whole steps)" }

local function check_fill(given)
  for _, field in ipairs(FILL_TYPES) do
    local name, kind, said = table.unpack(field)
    if given[name] ~= nil and (math.type(given[name]) or type(given[name])) ~= kind then
      error(("sandbox:fill: %s is %s"):format(name, said), 3)
    end
  end
  if given.client_id == nil and (given.id == nil or not given.symbol) then
    error("sandbox:fill: client_id, or id and symbol, expected", 3)
  end
end

--- Somebody trades with one order that rests in the book, at its price, whatever comes before it: { client_id =, or
-- id = as orders{} has it and symbol =; qty = (default: all that is left) }.
function Box:fill(given)
  given = check_keys("sandbox:fill", given, FILL)
  local sb, defs = hidden[self], hidden[self].symbols
  if given.symbol then defs = { select(2, def_of(self, given.symbol, "sandbox:fill")) } end
  check_fill(given)
  self:advance()
  local ok, account, symbol, id = pcall(find_open, sb, given, defs)
  if ok and not account then error("sandbox:fill: no such order is open", 2) end
  local order, why
  if ok then
    ok, order, why = pcall(sb.market.fill, sb.market, { account = account, symbol = symbol, id = id, qty = given.qty })
  end
  if not ok then error("sandbox:fill: " .. (order or account), 2) end
  if not order then error(("sandbox:fill: refused: %s%s"):format(why, REFUSED[why] or ""), 2) end
  sb:settle()
  sb:arm()
end

--- The symbol stops trading: its price stands still, orders are refused, cancels work.
function Box:halt(symbol) return halt(self, symbol, true, "sandbox:halt") end

--- It trades again.
function Box:resume(symbol) return halt(self, symbol, false, "sandbox:resume") end

--- Begins anew: the market, accounts, limits and clock as when the sandbox was opened; no faults, no connections.  What
-- stays is its address, its first key, and the log of requests.  Returns true; nil and an error when it cannot listen
-- again.
function Box:reset()
  local ok, err = self:heal()
  if not ok then return nil, err end
  doors[self].server:drop()
  hidden[self]:close()
  hidden[self] = beginnings[self]()
  return true
end

--- The WebSocket connections that are open.
function Box:streams()
  return hidden[self]:describe_sessions()
end

--- Ends every stream at once, WebSockets without a Close frame.
function Box:drop_streams()
  for _, session in ipairs(hidden[self]:every_session()) do session.sock:reset() end
end

--- true: nothing more arrives over the streams that are open now, and none of them ends.  false: what was held back
-- arrives, and they go on.  Streams that are opened meanwhile work.
function Box:stall_streams(on)
  if type(on) ~= "boolean" then error("sandbox:stall_streams: true or false expected", 2) end
  for _, session in ipairs(hidden[self]:every_session()) do (on and stall.begin or stall.finish)(session) end
end


--- From now on the venue commits a fault: { venue = NAME, on = OP, path =, method =, times =, .. }; see faults.lua.
function Box:fault(given)
  local ok, wrong = doors[self]:add(given)
  if not ok then error("fault: " .. wrong, 2) end
end

--- The link faults of a box, and whether its server refuses connections, whoever made it.
function M.links(box) return doors[box].links end
function M.is_down(box) return doors[box]:is_down() or doors[box].links:is_down() end

--- Ends all faults, or those of one name.  Returns true, or nil and an error when it cannot listen again.
function Box:heal(name)
  local ok, err = doors[self]:heal(name)
  if not ok and type(err) == "string" then error("heal: " .. err, 2) end
  return ok, err
end

--- The faults in force, oldest first: what was given, and how often each was committed.
function Box:faults() return doors[self]:list() end

local KEY_OPTIONS = { kind = true, public = true, secret = true, trade = true }

--- Another API key of the same account: { kind = "hmac", secret = text } or another kind with { public = PEM };
-- trade = false: may look but not trade.  Returns the key's name, as the venue's headers want it; of kind "bearer" the
-- token itself, which the venue draws, and which may always trade.
function Box:add_key(given)
  given = check_keys("sandbox:add_key", given, KEY_OPTIONS)
  local sb = hidden[self]
  if given.kind == "bearer" and self.key_kinds.bearer then
    for name in pairs(KEY_OPTIONS) do
      if name ~= "kind" and given[name] ~= nil then
        error(("sandbox:add_key: a token is drawn by the venue, and takes no '%s'"):format(name), 2)
      end
    end
    return sb:add_key("bearer", nil, sb.first_account, true)
  end
  local material = given.kind == "hmac" and given.secret or given.public
  if type(material) ~= "string" or not self.key_kinds[given.kind] then
    local kinds = {}
    for kind in pairs(self.key_kinds) do kinds[#kinds + 1] = kind end
    table.sort(kinds)
    error("sandbox:add_key: " .. (self.key_kinds.bearer and "kind = \"bearer\" expected"
      or ("kind (%s) and its secret or public PEM expected"):format(table.concat(kinds, ", "))), 2)
  end
  if given.kind == "hmac" and #material < 4 then error("sandbox:add_key: a secret has at least 4 bytes", 2) end
  local signer, err = sign.key(given.kind, material)
  if not signer then error("sandbox:add_key: " .. err.message, 2) end
  return sb:add_key(given.kind, material, sb.first_account, given.trade ~= false)
end

--- The key stops working at once.
function Box:remove_key(api_key)
  if not hidden[self].keys[api_key] then
    error(("sandbox:remove_key: no key is called '%s'"):format(tostring(api_key)), 2)
  end
  hidden[self].keys[api_key] = nil
end

colon.below("sandbox", Box, hidden)

--- The class of a venue's boxes.  key_kinds: the set of signature kinds that it takes.
function M.class(name, key_kinds)
  local class = setmetatable({ name = name, key_kinds = key_kinds, __name = "smc.sandbox." .. name }, Box)
  class.__index = class
  return class
end

-- A fixed key need not look like the venue's own.
local function check_credentials(name, options)
  local key, secret = options.key, options.secret
  if key ~= nil and (type(key) ~= "string" or not key:find "^[%w_-]+$" or #key > 128) then
    error(("smc.sandbox: %s: key must be 1 to 128 letters, digits, - or _"):format(name), 6)
  end
  if secret ~= nil and (type(secret) ~= "string" or not secret:find "^[!-~]+$" or #secret < 8 or #secret > 128) then
    error(("smc.sandbox: %s: secret must be 8 to 128 printable characters without blanks"):format(name), 6)
  end
end

--- Opens a venue { assumptions, new }.  Returns the object, its request handler and its end.
function M.new(class, venue, seed, options, book)
  local assume = {}
  for name, value in next, venue.assumptions do assume[name] = value end
  for name, value in pairs(options.assume or {}) do
    if assume[name] == nil then
      error(("smc.sandbox: %s: %s"):format(class.name, list.unknown("assumption", name, venue.assumptions)), 5)
    end
    local usual = type(venue.assumptions[name])
    if venue.assumptions[name] ~= false and type(value) ~= usual then -- false: there is none, of whatever kind
      error(("smc.sandbox: %s: the assumption %s is a %s, not a %s"):format(class.name, name, usual, type(value)), 5)
    end
    assume[name] = value
  end
  check_credentials(class.name, options)
  local function begin() return venue.new(seed, assume, book, options) end
  local sb = begin()
  local box = setmetatable({ name = class.name, key = sb.key, secret = sb.secret }, class)
  hidden[box], beginnings[box] = sb, begin
  return box, function(ex) hidden[box]:serve(ex) end, function() hidden[box]:close() end
end

--- What the market of a box remembers from now on, also after a reset; see core/market/README.md.
function M.keep(box, orders, trades)
  local begin = beginnings[box]
  local function bound(sb)
    sb.market:keep(orders, trades)
    sb:keep(orders)
    return sb
  end
  bound(hidden[box])
  beginnings[box] = function() return bound(begin()) end
end

--- How many orders of all accounts are open.
function M.open_orders(box)
  local sb, n = hidden[box], 0
  for account = sb.first_account, sb.last_account do n = n + sb.market:count(account) end
  return n
end

return M
