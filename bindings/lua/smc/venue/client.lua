--- What every venue object is made of, whatever its venue speaks.
local check = require "smc.check"
local colon = require "smc.colon"
local lists = require "smc.list"
local guard_options = require "smc.venue.guard_options"
local journal = require "smc.journal"
local reading = require "smc.venue.reading"
local link_faults = require "smc.sandbox.link_faults"
local rng = require "smc.core.rng"
local sign = require "smc.core.sign"
local spec = require "smc.spec"
local task = require "smc.core.task"
local testnet_links = require "smc.venue.testnet_links"
local wire = require "smc.venue.wire"
local words = require "smc.venue.words"
local world = require "smc.world"

local M = {}
local Client = {}

M.options = { key = true, secret = true, recv_window = true, sandbox = true }
for _, name in ipairs(guard_options.NAMES) do M.options[name] = true end
M.SPAN = { since = true, until_ = true, limit = true, order_id = true }

local CLIENT_ID_LENGTH = 20
local LEAST_BYTES = 4 -- of a secret
local within = setmetatable({}, { __mode = "k" }) -- venue -> what it keeps to itself
local opened = setmetatable({}, { __mode = "k" }) -- by world and name: how many, so that no two draw the same ids

--- The stream that a venue object draws from: by the seed, so that a run repeats.  A testnet remembers the client ids
-- of earlier runs: there no two runs draw alike.
local function stream_of(w, name)
  opened[w] = opened[w] or {}
  opened[w][name] = (opened[w][name] or 0) + 1
  local stream = name .. " client " .. opened[w][name]
  return rng.new(w.seed, w.target == "sandbox" and stream or stream .. " at " .. task.wall_ms())
end

local GONE = ": this venue was opened in setup() or in another spec, and has ended with it: open it in before_each() "
  .. "or it()"

--- method, for venues of the spec that runs.  Tail calls: wrong use is blamed on the same line as ever.
local function of_this_spec(name, method)
  return function(self, ...)
    if not world.is_current(within[self].world) then error(name .. GONE, 2) end
    return method(self, ...)
  end
end

--- The class of a venue's objects.  It adds time() and the other calls.
function M.class(name)
  local class = setmetatable({ name = name }, { __index = Client })
  local calls = {} -- by name: the call, guarded against a dot, and against what the venue may answer
  --- What a testnet can't give ends the spec as skipped.
  function class.__index(_, key)
    if key == "sandbox" then spec.skip "a testnet has no sandbox to look into" end
    if key == "secret" then spec.skip "a secret is not to be had on a testnet: a program reads its own" end
    if calls[key] then return calls[key] end
    local method = class[key]
    if type(method) ~= "function" then return method end
    if reading.reads(key) then method = reading.call(key, method) end
    calls[key] = colon.method(key, of_this_spec(key, method), within)
    return calls[key]
  end
  return class
end

--- PEM is recognised; any other text is the secret of an HMAC key.
local function key_of(material)
  local kind, err = sign.detect(material)
  if not kind then error(err, 0) end
  if type(material) == "string" and #material < LEAST_BYTES then
    error(("smc.venue: secret must have at least %d bytes"):format(LEAST_BYTES), 5)
  end
  local key
  key, err = sign.key(kind, material)
  if not key then error(err, 0) end
  return key
end

--- A secret that goes out as it is: a handle, which nobody can read.
local function token_of(material)
  if type(material) ~= "string" then return material end
  return assert(sign.secret(material))
end

--- access: { urls = { rest, stream, api }, key, secret, sandbox }.  limits: what the venue allows, see
-- binance/limits.lua; {} when nobody has published it.  how: "bearer" when the secret is a token that goes out itself;
-- else it signs.  Wrong options are blamed on the third line up.
function M.new(class, access, options, w, limits, how)
  if options.recv_window and (math.type(options.recv_window) ~= "integer" or options.recv_window < 1) then
    error("smc.venue: recv_window is a whole number of milliseconds", 4)
  end
  local self = setmetatable({
    name = class.name, url = access.urls.rest, ws_url = access.urls.stream, ws_api_url = access.urls.api,
    key = options.key or access.key, secret = access.sandbox and (options.secret or access.secret) or nil,
    sandbox = access.sandbox,
  }, class)
  local ca = access.ca
  local inner = { world = w, wire = wire.new(class.name, ca), ca = ca, offset_ms = 0, traded = {},
    recv_window = options.recv_window, journal = journal.of(w), random = stream_of(w, class.name) }
  local secret = options.secret or access.secret
  if how == "bearer" then inner.token = token_of(secret) else inner.signer = key_of(secret) end
  if not access.sandbox then inner.away = { urls = access.urls } end
  inner.guard = guard_options.guard(self, options, limits, w, 5)
  within[self] = inner
  check.called[self] = "venue " .. class.name
  return self
end

--- What a venue keeps to itself: { signer | token, wire, guard, attempt, ca, offset_ms, recv_window,
-- journal, random }; attempt(asked): see guard.lua, made with the first request.
function M.inside(venue) return within[venue] end

--- A client id for an order that was given none.
function M.new_id(venue) return "smc-" .. within[venue].random:alnum(CLIENT_ID_LENGTH) end

--- By how much the clocks of a venue and of a client that it accepts may differ, in one direction.
M.CLOCKS_MS = 1000

local RECV_WINDOW_MS = 5000

--- Seconds after which a signed request that was sent can't take effect any more: the venue finds it too old.  nil
-- where requests don't grow old.
function M.lives(venue)
  return venue.ages and ((within[venue].recv_window or RECV_WINDOW_MS) + M.CLOCKS_MS) / 1000 or nil
end

--- Sends an order, of which the journal knows first: send() -> order, or nil and an error.  Returns what it returned,
-- the error with the order's client id.
function M.placed(venue, symbol, client_id, send)
  local entry = within[venue].journal:sending(venue, symbol, client_id, M.lives(venue))
  local order, err = send()
  if not order then err.client_id = client_id end
  entry:answered(order, err)
  return order, err
end

--- Whatever was done to the way to a venue must not keep its orders alive: ends its faults, and what keeps requests
-- back, but for the venue's own limits.
function M.clear_way(venue)
  local guard = within[venue].guard
  guard.breaker, guard.retry, guard.wait, guard.priority = nil, nil, nil, "critical"
  pcall(venue.heal, venue) -- on a testnet there may be nothing to heal
end

--- Passes on what a call returned, an order or a list of them, after a look for those that have ended.
function M.seen(venue, result, ...)
  local its = within[venue].journal
  for _, order in ipairs(result and (result[1] and result or { result }) or {}) do its:saw(venue, order) end
  return result, ...
end

--- Symbols that orders were placed in, as a set: where a stream looks for what it missed.
function M.traded(venue) return within[venue].traded end
function M.note_traded(venue, symbol) within[venue].traded[symbol] = true end

-- ---- what callers give -----------------------------------------------------------------

function M.checked(what, given, known, needed, level)
  level = level or 3
  if type(given) ~= "table" then error(what .. ": a table expected", level) end
  for key in pairs(given) do
    if not known[key] then error(("%s: %s"):format(what, lists.unknown("key", key, known)), level) end
  end
  for _, key in ipairs(needed or {}) do
    if given[key] == nil then error(("%s: %s is missing"):format(what, key), level) end
  end
  return given
end

function M.native(what, symbol, level)
  if not words.is_symbol(symbol) then
    error(what .. ": a symbol like \"BTC/USDT\" expected", level or 3)
  end
  return words.native(symbol)
end

local PLACE = { symbol = true, side = true, type = true, qty = true, quote_qty = true, price = true,
  trigger_price = true, time_in_force = true, client_id = true, self_trade = true, reduce_only = true }

--- Words of a set, in order: "a, b or c".  without: a set of those to leave out.
local function any_of(set, without)
  local list = {}
  for word in pairs(set) do list[#list + 1] = not (without and without[word]) and word or nil end
  table.sort(list)
  local last = table.remove(list)
  return #list == 0 and last or table.concat(list, ", ") .. " or " .. last
end

local SIDES = { buy = true, sell = true }
local TIMES = { gtc = true, ioc = true, fok = true }
local AT_MARKET = { market = true, stop = true, take_profit = true }

local function check_types(what, given, kind, names)
  for _, name in ipairs(names) do
    if given[name] ~= nil and type(given[name]) ~= kind then
      local wanted = kind == "boolean" and "true or false" or name:find "price$" and "a decimal string"
        or name:find "qty$" and "a decimal string" or "a word"
      error(("%s: %s is %s"):format(what, name, wanted), 4)
    end
  end
end

--- What place was given; wrong use is blamed on its caller.  types: a table with the order types that the venue has as
-- its keys.  An order that waits for a price has a trigger_price, and no other order has one.  positions: the venue has
-- positions, which a reduce_only order can make smaller.
function M.check_place(given, types, positions)
  M.checked("place", given, PLACE, { "symbol", "side", "type" }, 4)
  if not types[given.type] then error(("place: type is %s"):format(any_of(types)), 3) end
  check_types("place", given, "string",
    { "qty", "quote_qty", "price", "trigger_price", "symbol", "side", "time_in_force", "client_id", "self_trade" })
  check_types("place", given, "boolean", { "reduce_only" })
  if not SIDES[given.side] then error("place: side is buy or sell", 3) end
  if given.time_in_force and not TIMES[given.time_in_force] then error("place: time_in_force is fok, gtc or ioc", 3) end
  if given.price and AT_MARKET[given.type] then
    error(("place: a %s order has no price; types that have one: %s"):format(given.type, any_of(types, AT_MARKET)), 3)
  end
  if given.reduce_only and not positions then
    error("place: reduce_only belongs to positions; this venue has none", 3)
  end
  local waits = given.type:find "^stop" or given.type:find "^take_profit"
  if waits and not given.trigger_price then error(("place: a %s order needs a trigger_price"):format(given.type), 3) end
  if not waits and given.trigger_price then
    error(("place: a %s order has no trigger_price; types that have one: stop, take_profit"):format(given.type), 3)
  end
end

local WHOLE = { since = "a whole number of milliseconds", until_ = "a whole number of milliseconds",
  limit = "a whole number above 0" }

--- Options of calls that ask for a time: those of M.SPAN, or of another set; wrong use is blamed on `level`.
function M.span(what, given, known, level)
  given = M.checked(what, given or {}, known or M.SPAN, nil, level + 1)
  for name, expected in pairs(WHOLE) do
    local value = given[name]
    if value ~= nil and (math.type(value) ~= "integer" or name == "limit" and value < 1) then
      error(("%s: %s is %s"):format(what, name, expected), level)
    end
  end
  return given
end

--- How many levels or items are asked for, if that is said; wrong use is blamed on the caller's caller.
function M.count(what, name, value)
  if value ~= nil and (math.type(value) ~= "integer" or value < 1) then
    error(("%s: %s is %s"):format(what, name, WHOLE.limit), 3)
  end
  return value
end

--- Wrong use is blamed on the caller's caller.
function M.interval(word)
  if type(word) ~= "string" or word == "" then error("candles: an interval like \"1m\" expected", 3) end
  return word
end

local ONE = { symbol = true, id = true, client_id = true }

--- An order is named by the venue's id, or by ours.
function M.check_ids(what, given, level)
  if not given.id and not given.client_id then error(what .. ": id or client_id expected", level) end
  if given.id and type(given.id) ~= "string" and math.type(given.id) ~= "integer" then
    error(what .. ": id is a text or a whole number", level)
  end
  if given.client_id and type(given.client_id) ~= "string" then error(what .. ": client_id is a text", level) end
end

--- What names one order; wrong use is blamed on the caller of the call that was given it.
function M.check_one(what, given)
  M.checked(what, given, ONE, { "symbol" }, 5)
  M.check_ids(what, given, 5)
end

local AMEND = { symbol = true, id = true, client_id = true, qty = true, price = true, trigger_price = true }

--- What amend was given; wrong use is blamed on its caller.
function M.check_amend(given)
  M.checked("amend", given, AMEND, { "symbol" }, 4)
  M.check_ids("amend", given, 4)
  if not given.qty and not given.price and not given.trigger_price then
    error("amend: a new qty, price or trigger_price expected", 3)
  end
  check_types("amend", given, "string", { "qty", "price", "trigger_price", "client_id" })
end

function M.each(list, convert, ...)
  local out = {}
  for i, item in ipairs(list) do out[i] = convert(item, ...) end
  return out
end

--- The second half of flatten: closes what is held of a symbol, or of all.  close(self, position) -> the order that
-- closed it, or nil and an error; one of class unknown_order says that it was gone already.
function M.close_positions(self, cancelled, symbol, close)
  local held, err = self:positions()
  if not held then return nil, err end
  local closed = {}
  for _, position in ipairs(held) do
    if not symbol or position.symbol == symbol then
      local order
      order, err = close(self, position)
      if not order and err.class ~= "unknown_order" then return nil, err end
      closed[#closed + 1] = order
    end
  end
  return { cancelled = cancelled, closed = closed }
end

-- ---- calls that are the same everywhere --------------------------------------------------

--- What a pcall gave, for its caller's caller; tail-called, so that a wrong parameter (see query.lua) is blamed there.
local function returned(ok, ...)
  if ok then return ... end
  local why = ...
  error(why, type(why) == "string" and why:find "^parameter " and 2 or 0)
end

--- Gives a class get, post, put, patch and delete.  call(self, op, method, path, params, signed).
function M.verbs(class, call)
  for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
    local name = method:lower()
    class[name] = function(self, path, params, options)
      options = options or {}
      if params ~= nil and type(params) ~= "table" then error(name .. ": parameters are a table", 2) end
      if type(options) ~= "table" then error(name .. ": options are a table, as in { signed = true }", 2) end
      for key in next, options do -- of one that is wrong any may be named
        if key ~= "signed" then error(("%s: %s"):format(name, lists.unknown("option", key, { signed = true })), 2) end
      end
      if type(path) ~= "string" or path:sub(1, 1) ~= "/" then error(name .. ": a path expected", 2) end
      return returned(pcall(call, self, name .. " " .. path, method, path, params or {}, options.signed == true))
    end
  end
end

--- What this venue object has sent, oldest first: { method, path, op, signed, at, elapsed, status | failed }.
function Client:requests(filters)
  return (within[self].wire:requests(filters, 2)) -- the parentheses keep this frame for the levels of errors
end

-- Tail calls: wrong use is blamed on their callers.

--- The venue's sandbox commits a fault from now on; a link fault acts on a testnet, too.
function Client:fault(given)
  local away = within[self].away
  if not away or type(given) ~= "table" or given.link == nil then return self.sandbox:fault(given) end
  testnet_links.check(given)
  local ok, wrong = testnet_links.of(within[self].world, self.name, away.urls):add(given, true)
  if not ok then error("fault: " .. wrong, 2) end
end

--- Ends all faults, or those of one name.
function Client:heal(name)
  local away = within[self].away
  if not away or name ~= nil and not link_faults.table[name] then return self.sandbox:heal(name) end
  local its = testnet_links.known(within[self].world, self.name)
  if not its then return true end
  return its:heal(name)
end

--- Measures how far the venue's clock is ahead of ours, and signs by it from now on.  Returns milliseconds.
function Client:sync()
  local inner, sent = within[self], task.wall_ms()
  local server, err = self:time()
  if not server then return nil, err end
  local offset = server - (sent + task.wall_ms()) // 2
  inner.offset_ms = offset
  guard_options.follow(inner.guard, offset)
  return offset
end

return M
