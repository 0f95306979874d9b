--- Gets every account flat: nothing open in the market, no position.  All venues at once, each until it is flat or time
-- is up; what a venue or one of its positions refuses stops neither the others nor the next attempt.  Its requests are
-- urgent: see venue/guard.lua.
local backoff = require "smc.venue.backoff"
local decimal = require "smc.decimal"
local gate = require "smc.risk.gate"
local task = require "smc.core.task"
local tasks = require "smc.task"
local world = require "smc.world"

local M = {}

local FIRST_DELAY, LONGEST_DELAY = 0.5, 8

--- What happened at one venue, as it goes on.
local function new_result(venue)
  return { venue = venue.name, flat = false, attempts = 0, cancelled = 0, closed = {}, errors = {} }
end

local function note(result, err)
  if err then result.errors[#result.errors + 1] = tostring(err) end
end

local function cancel(venue, result)
  local gone, err = venue:cancel_all()
  result.cancelled = result.cancelled + (gone and #gone or 0)
  note(result, err)
end

local function close_one(venue, result, symbol)
  local done, err = venue:flatten(symbol)
  for _, order in ipairs(done and done.closed or {}) do result.closed[#result.closed + 1] = order end
  result.cancelled = result.cancelled + (done and #done.cancelled or 0)
  note(result, err)
end

local function close_positions(venue, result)
  local held, err = venue:positions()
  note(result, err)
  local asked = {}
  for _, position in ipairs(held or {}) do
    if not asked[position.symbol] then close_one(venue, result, position.symbol) end
    asked[position.symbol] = true
  end
end

local function sell_assets(account, result)
  local sales, err = account.spot:sales()
  note(result, err)
  for _, sale in ipairs(sales or {}) do
    local order
    order, err = account.venue:place(sale)
    if order and decimal.cmp(order.filled, "0") > 0 then result.closed[#result.closed + 1] = order end
    note(result, err)
  end
end

--- Read again at the venue itself: what is left, as text; nil when nothing is.
local function left_over(account, result, sells)
  local under_way = gate.under_way(account.venue) -- before anything is read: what arrives meanwhile is not in it
  local held, err = account.venue:positions()
  local open, sales
  if held then open, err = account.venue:open_orders() end
  if open and sells then sales, err = account.spot:sales() end
  note(result, err)
  if err then return "nobody knows" end
  local n = { positions = #held, orders = #open, assets = sales and #sales or 0 }
  if n.positions + n.orders + n.assets == 0 then
    return under_way > 0 and ("%d requests under way"):format(under_way) or nil
  end
  return ("%d positions, %d orders, %d assets to sell"):format(n.positions, n.orders, n.assets)
end

local function attempt(account, result, sells)
  result.attempts = result.attempts + 1
  if world.is_sabotaged "guard-keeps" then
    result.flat = true
    return
  end
  cancel(account.venue, result)
  close_positions(account.venue, result)
  if sells then sell_assets(account, result) end
  result.left = left_over(account, result, sells)
  result.flat = result.left == nil
end

local function until_flat(account, result, how)
  local start, n = task.now(), 0
  while true do
    attempt(account, result, how.sell_assets)
    result.elapsed = task.now() - start
    how.log(("%s: attempt %d: %s"):format(account.venue.name, result.attempts,
      result.flat and "flat" or result.left .. (result.errors[1] and "; " .. result.errors[#result.errors] or "")))
    if result.flat then return end
    n = n + 1
    local wait = backoff.delay(n, FIRST_DELAY, LONGEST_DELAY, how.random)
    if result.elapsed + wait > how.close_within then return end
    task.sleep(wait)
  end
end

--- how: close_within, sell_assets, random, log(text).  Returns { flat, elapsed, venues = { result of each } }.
function M.run(accounts, how)
  local start, calls, out = task.now(), {}, { flat = true, venues = {} }
  for i, account in ipairs(accounts) do
    local result = new_result(account.venue)
    out.venues[i] = result
    calls[i] = gate.passing(function() until_flat(account, result, how) end)
  end
  tasks.all(calls)
  for _, result in ipairs(out.venues) do out.flat = out.flat and result.flat end
  out.elapsed = task.now() - start
  return out
end

return M
