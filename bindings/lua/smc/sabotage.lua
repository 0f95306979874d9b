--- What `--sabotage NAME` breaks, on purpose, to find specs that cannot fail.  Some names befall every sandbox as it
-- opens, by the hands of this file; the others are asked for by our own mechanisms, at the one line each that they
-- break (world.is_sabotaged).  runner/run/sabotage.h lists the names, and says what each does.
local visit = require "smc.sandbox.visit"

local M = {}

-- Nothing heals these.  A venue that has no such thing (streams, a clock) is left alone.
local FAULTS = {
  dead = { venue = "down" },
  mute = { venue = "mute" },
  garbage = { venue = "not_json" },
  empty = { venue = "not_json", body = "{}" },
  frozen = { venue = "stale" },
  silent = { venue = "stall" },
  ["clock-wrong"] = { venue = "skew", seconds = 3600 },
}

--- Something that has the methods and fields of `real`, and of its own what is put into it.
local function in_front_of(real)
  return setmetatable({}, { __index = function(front, name)
    local value = real[name]
    if type(value) ~= "function" then return value end
    local function call(_, ...) return value(real, ...) end
    rawset(front, name, call)
    return call
  end, __newindex = real })
end

local VENUES = {}

--- Whoever asks is the account's owner, and has signed well.
function VENUES.forgiving(venue)
  local _, owner = next(venue.keys)
  owner.forgiving = true
  setmetatable(venue.keys, { __index = function() return owner end })
end

--- Limits that count, and turn nobody away.
function VENUES.unlimited(venue)
  local real = venue.limits
  local front = in_front_of(real)
  for _, name in ipairs { "admit", "connect", "may_order" } do
    rawset(front, name, function(_, ...)
      real[name](real, ...)
      return true
    end)
  end
  rawset(front, "admit_user", function(_, ...) return true, select(2, real:admit_user(...)) end)
  rawset(front, "used_up", function() return false end)
  venue.limits = front
end

--- A market that forgets what was ordered.
function VENUES.amnesiac(venue)
  local front = in_front_of(venue.market)
  rawset(front, "order", function() return nil end)
  rawset(front, "orders", function() return {} end)
  venue.market = front
end

function VENUES.doubling(venue)
  local real, twins = venue.market, 0
  local front = in_front_of(real)
  rawset(front, "place", function(_, request, ...)
    local placed = table.pack(real:place(request, ...))
    if placed[1] then
      local twin = {}
      for key, value in pairs(request) do twin[key] = value end
      twins = twins + 1
      twin.client_id = "twin-" .. twins
      real:place(twin)
    end
    return table.unpack(placed, 1, placed.n)
  end)
  venue.market = front
end

function VENUES.uncancellable(venue)
  local real = venue.market
  local front = in_front_of(real)
  rawset(front, "cancel", function(_, which)
    local order = real:order(which)
    if order then order.status = "canceled" end
    return order
  end)
  rawset(front, "cancel_all", function() return {} end)
  venue.market = front
end

local function without_retry_after(headers)
  local out = {}
  for _, header in ipairs(headers or {}) do
    if header[1]:lower() ~= "retry-after" then out[#out + 1] = header end
  end
  return out
end

--- What the server calls for each request.  name: the sabotage, or nil.
function M.entrance(name, enter)
  if name ~= "no-retry-after" then return enter end
  return function(ex)
    return enter(visit.stand_in(ex, function(status, headers, body)
      return ex:reply(status, without_retry_after(headers), body)
    end, true))
  end
end

--- Breaks a sandbox that has just been opened, in a way that a venue's own code may know of, too: venue.sabotage.
function M.befall(name, door, venue)
  venue.sabotage = name
  if FAULTS[name] then
    door:add(FAULTS[name], true)
  elseif VENUES[name] then
    VENUES[name](venue)
  end
end

return M
