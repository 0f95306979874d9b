--- The calls of a venue, made through a group.
local core = require "smc.core.task"
local errors = require "smc.error"
local invoke = require "smc.failover.invoke"
local orders = require "smc.failover.orders"
local switching = require "smc.failover.switching"

local M = {}

-- After these the next member may be asked.
local TROUBLE = { network = true, timeout = true, server = true, protocol = true, unknown_outcome = true,
  rate_limit = true, ip_ban = true, circuit_open = true }

local ORDERS = { open_orders = true, orders = true }

local function check_offers(member, op)
  if not member.venue[op] then invoke.wrong("%s: %s does not offer it", op, member.label) end
end

--- One call of one member.  Returns what it returned.
local function ask(g, member, op, ...)
  check_offers(member, op)
  local result = table.pack(invoke.call(g, member, op, ...))
  switching.examine(g, member, result[1] == nil and result[2] or nil)
  return result
end

local function given_up(member, op)
  return errors.new { class = "timeout", code = "given_up", op = op, venue = member.venue.name, retryable = true,
    message = "it went down before it answered" }
end

--- The same, but for a member that goes down meanwhile nobody waits: one that is silent would keep its caller until the
-- timeout of the request.
local function ask_while_up(g, member, op, ...)
  local call <close> = core.spawn(ask, g, member, op, ...)
  if core.join_any { call, switching.fall(g, member) } == 1 then return core.results(call) end
  return { nil, given_up(member, op), n = 2 }
end

--- What may be asked twice: the active member's answer; when that goes down, the next one's.
local function read(g, op, ...)
  local tried, last = {}, nil
  while true do
    local member, none = switching.await(g, op)
    if not member then return nil, none end
    if tried[member] then return nil, last end
    tried[member] = true
    local result = ask_while_up(g, member, op, ...)
    if result[1] ~= nil then
      for _, order in ipairs(ORDERS[op] and result[1] or {}) do orders.remember(g, member, order) end
      return table.unpack(result, 1, result.n)
    end
    last = result[2]
    if not TROUBLE[last.class] then return nil, last end
  end
end

--- What changes something there: the active member alone is asked.
local function act(g, op, ...)
  local member, none = switching.await(g, op)
  if not member then return nil, none end
  local result = ask(g, member, op, ...)
  return table.unpack(result, 1, result.n)
end

--- What concerns one order: the member that has it is asked, whether it is active or not.
local function at_holder(g, op, which)
  if type(which) ~= "table" then return act(g, op, which) end
  local member, err = orders.holder(g, op, which)
  if err then return nil, err end
  if not member then member, err = switching.await(g, op) end
  if not member then return nil, err end
  local given = {}
  for key, value in pairs(which) do given[key] = value end
  given.venue = nil
  local result = ask(g, member, op, given)
  if result[1] ~= nil then orders.remember(g, member, result[1]) end
  return table.unpack(result, 1, result.n)
end

local function place(g, _, given)
  if type(given) ~= "table" then return act(g, "place", given) end
  return orders.place(g, given)
end

--- A stream of the active member, which moves with the group.
local function stream(g, kind, given)
  local tried, last = {}, nil
  while true do
    local member, none = switching.await(g, kind)
    if not member then return nil, none end
    if tried[member] then return nil, last end
    check_offers(member, kind)
    local opened, err = g.streams:open(g, member, kind, given, function()
      while g.switch and not g.closed do g.gate:wait() end
      return switching.active(g) == member
    end)
    if opened then return opened end
    if err then
      tried[member], last = true, err
      switching.examine(g, member, err)
      if not TROUBLE[err.class] then return nil, err end
    end
  end
end

M.table = {}
for _, op in ipairs { "ping", "time", "instruments", "ticker", "book", "candles", "trades", "account", "balances",
  "positions", "open_orders", "orders", "fills" } do
  M.table[op] = read
end
for _, op in ipairs { "cancel_all", "flatten" } do M.table[op] = act end
for _, op in ipairs { "cancel", "amend", "order" } do M.table[op] = at_holder end
M.table.place = place
M.table.stream, M.table.user_stream = stream, stream

return M
