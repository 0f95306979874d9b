--- What an account is told about itself: executionReport, outboundAccountPosition, balanceUpdate.
local account_events = require "smc.sandbox.account_events"
local format = require "smc.sandbox.binance.format"
local json = require "smc.json"

local M = {}
local pad, upper, ZERO = format.pad, format.upper, format.ZERO

-- The engine's word for what happened, in the venue's.
local EXEC = { new = "NEW", trade = "TRADE", canceled = "CANCELED", expired = "EXPIRED", prevented = "TRADE_PREVENTION",
  replaced = "REPLACED" }

function M.execution(e, now, skew)
  local o, traded, prevented = e.order, e.exec == "trade", e.exec == "prevented"
  local stamp = e.time_ms + skew
  return json.object(
    "e", "executionReport", "E", now, "s", o.symbol, "c", o.client_id, "S", upper[o.side], "o", upper[o.type],
    "f", format.TIF[o.tif], "q", pad(o.qty), "p", pad(o.price), "P", ZERO, "F", ZERO, "g", -1, "C", o.orig_client_id,
    "j", o.strategy_id, "J", o.strategy_type,
    "x", EXEC[e.exec], "X", upper[o.status], "r", "NONE", "i", o.id,
    "l", traded and pad(e.last_qty) or ZERO, "z", pad(o.filled), "L", traded and pad(e.last_price) or ZERO,
    "n", traded and pad(e.fee) or "0", "N", traded and e.fee_asset or json.null,
    "T", stamp, "t", traded and e.trade_id or -1,
    "v", prevented and e.prevented_match_id or nil,
    "I", e.exec_id, "w", o.on_book == true, "m", traded and e.is_maker or false, "M", traded,
    "O", o.created_ms + skew, "Z", pad(o.filled_quote), "Y", traded and pad(e.last_quote) or ZERO, "Q",
    pad(o.quote_qty), "W", o.working_ms + skew, "V", upper[o.stp],
    "A", prevented and pad(o.prevented_qty) or nil, "B", prevented and pad(e.last_prevented_qty) or nil,
    "U", prevented and e.counter_order_id or nil, "Cs", prevented and o.symbol or nil,
    "pl", prevented and pad(e.last_prevented_qty) or nil, "pL", prevented and pad(e.prevented_price) or nil,
    "pY", prevented and pad(e.prevented_quote) or nil,
    "eR", format.expiry(o))
end

local function position(list, now, skew)
  local assets = {}
  for i, b in ipairs(list) do
    assets[i] = json.object("a", b.asset, "f", pad(b.free), "l", pad(b.locked))
  end
  return json.object("e", "outboundAccountPosition", "E", now, "u", list[#list].time_ms + skew, "B", json.array(assets))
end

local function signed(amount)
  if amount:sub(1, 1) == "-" then return "-" .. pad(amount:sub(2)) end
  return pad(amount)
end

local function transfer(e, now, skew)
  return json.object("e", "balanceUpdate", "E", now, "a", e.asset, "d", signed(e.amount), "T", e.time_ms + skew)
end

--- Calls tell(account, event) for each thing that one operation after the other did.
function M.each(events, now, skew, tell)
  account_events.each(events, {
    balances = function(list) tell(list[1].account, position(list, now, skew)) end,
    order = function(e) tell(e.account, M.execution(e, now, skew)) end,
    transfer = function(e) tell(e.account, transfer(e, now, skew)) end,
  })
end

return M
