--- What a risk guard is told: its limits, and the rest.
local client = require "smc.venue.client"
local decimal = require "smc.decimal"
local lists = require "smc.list"

local M = {}

-- By option: the name in the core, and what it is.
local LIMITS = {
  max_drawdown = { "drawdown", "share" }, max_daily_loss = { "daily_loss", "money" },
  max_exposure = { "exposure", "money" }, max_concentration = { "concentration", "money" }, max_var = { "var", "rate" },
  max_correlation = { "correlation", "rate" }, max_consecutive_losses = { "losses", "count" },
  max_error_rate = { "error_rate", "rate" },
}

local OTHERS = { venues = true, alert = true, currency = true, par = true, assets = true, sell_assets = true,
  check_every = true, trial = true, stale_after = true, error_window = true, close_within = true }

local ALL = {}
for _, names in ipairs { LIMITS, OTHERS } do
  for name in pairs(names) do ALL[name] = true end
end

-- By name: default, least, most, in seconds.
local SECONDS = { check_every = { 1, 0.01, 86400 }, trial = { 60, 0, 86400 }, stale_after = { 5, 0, 86400 },
  error_window = { 60, 0.01, 86400 }, close_within = { 120, 0, 86400 } }

local NEEDED = { "balances", "positions", "open_orders", "cancel_all", "flatten", "instruments", "book", "place",
  "amend" }

local function wrong(level, text, ...) error("smc.risk: " .. text:format(...), level + 1) end

--- An exact decimal above zero, at most 1 when it is a share.
local function exact(name, value, kind, level)
  local ok = math.type(value) == "integer" or type(value) == "string" and decimal.is_valid(value)
  local text = ok and decimal.format(value)
  if not ok or not decimal.lt("0", text) or kind == "share" and decimal.lt("1", text) then
    wrong(level + 1, "%s must be a decimal string above 0%s, such as \"0.05\"; without the limit leave it out", name,
      kind == "share" and " and at most 1" or "")
  end
  return text
end

local function limit_of(name, value, level)
  local kind = LIMITS[name][2]
  local number = tonumber(value)
  if kind == "share" or kind == "money" then
    local text = exact(name, value, kind, level + 1)
    return text -- not a tail call: it would take this frame away, and the levels with it
  end
  if kind == "count" then
    if math.type(value) ~= "integer" or value < 1 or value > 1000000 then
      wrong(level + 1, "%s must be a whole number from 1", name)
    end
  elseif not number or not (number > 0 and number <= 1) then
    wrong(level + 1, "%s must be above 0 and at most 1", name)
  end
  return number
end

--- The limits that `given` names, over those of `before`; false takes one away.  By the options' names.
function M.limits(given, before, level)
  if type(given) ~= "table" then wrong(level + 1, "a table of limits expected, as in { max_drawdown = \"0.08\" }") end
  local out = {}
  for name, value in pairs(before) do out[name] = value end
  for name, value in pairs(given) do
    if not LIMITS[name] then wrong(level + 1, "%s", lists.unknown("limit", name, LIMITS)) end
    out[name] = value ~= false and limit_of(name, value, level + 1) or nil
  end
  return out
end

--- As the core wants them.
function M.conf(limits, trial)
  local conf = { trial_ms = math.floor(trial * 1000 + 0.5) }
  for name, value in pairs(limits) do conf[LIMITS[name][1]] = value end
  return conf
end

-- ---- the rest ------------------------------------------------------------------------------

local function seconds(given, name, level)
  local default, least, most = table.unpack(SECONDS[name])
  local value = given[name]
  if value == nil then value = default end
  if math.type(value) == nil or not (value >= least and value <= most) then
    wrong(level + 1, "%s must be a number of seconds from %g to %g", name, least, most)
  end
  return value
end

local function set_of(given, name, level)
  local out, ok = {}, type(given) == "table"
  for key, asset in pairs(ok and given or {}) do
    ok = ok and math.type(key) == "integer" and type(asset) == "string"
    out[asset] = true
  end
  if not ok then wrong(level + 1, "%s is a list of assets, like { \"BTC\", \"ETH\" }", name) end
  return out
end

local function venues_of(list, level)
  if type(list) ~= "table" or lists.length(list) == 0 then
    wrong(level + 1, "venues is a list, as in { binance, bybit }")
  end
  local seen = {}
  for i = 1, lists.length(list) do
    local venue = list[i]
    if type(venue) ~= "table" or not client.inside(venue) then wrong(level + 1, "venues[%d] is no venue", i) end
    if seen[venue] then wrong(level + 1, "venues[%d] is there twice", i) end
    seen[venue] = true
    for _, call in ipairs(NEEDED) do
      if type(venue[call]) ~= "function" then
        wrong(level + 1, "%s has no %s: a guard can't watch it", tostring(venue.name or "venues[" .. i .. "]"), call)
      end
    end
  end
  return table.move(list, 1, #list, 1, {})
end

--- Everything, checked: { venues, limits, alert, currency, par, assets, .. }.
function M.read(given, level)
  if type(given) ~= "table" then wrong(level + 1, "options expected, as in { venues = { .. }, max_var = 0.05 }") end
  local limits = {}
  for name, value in pairs(given) do
    if LIMITS[name] then limits[name] = value
    elseif not OTHERS[name] then wrong(level + 1, "%s", lists.unknown("option", name, ALL)) end
  end
  local out = { venues = venues_of(given.venues, level + 1), limits = M.limits(limits, {}, level + 1),
    alert = given.alert, currency = given.currency or "USD", sell_assets = given.sell_assets or false,
    par = given.par == false and {} or set_of(given.par or { "USD", "USDT", "USDC" }, "par", level + 1),
    assets = given.assets and set_of(given.assets, "assets", level + 1) }
  if type(out.currency) ~= "string" then wrong(level + 1, "currency is a currency, like \"USD\"") end
  if type(out.sell_assets) ~= "boolean" then wrong(level + 1, "sell_assets is true or false") end
  for name in pairs(SECONDS) do out[name] = seconds(given, name, level + 1) end
  return out
end

return M
