--- Every parameter of the API by its name: it is the same wherever it appears.  Routes name what they take in a line,
-- see M.parse.
local candles = require "smc.sandbox.candles"
local params = require "smc.sandbox.binance.params"
local refusal = require "smc.sandbox.binance.refusal"

local M = {}

local function set(words)
  local out = {}
  for word in words:gmatch "%S+" do out[word] = true end
  return out
end

--- A word out of a few; any other is refused, in the way that is named (default: as data that is not valid).
local function word(words, no) return { "any", among = set(words), refusal = no and refusal[no]() } end

local intervals = { ["1M"] = true }
for name in pairs(candles.intervals) do intervals[name] = true end

local KNOWN = {
  cancelReplaceMode = word "STOP_ON_FAILURE ALLOW_FAILURE",
  cancelRestrictions = word("ONLY_NEW ONLY_PARTIALLY_FILLED", "invalid_restrictions"),
  interval = { "any", among = intervals, refusal = refusal.invalid_interval() },
  newOrderRespType = word "ACK RESULT FULL",
  orderRateLimitExceededMode = word "DO_NOTHING CANCEL_ONLY",
  pegOffsetType = word("PRICE_LEVEL", "invalid_peg_offset"),
  pegPriceType = word("PRIMARY_PEG MARKET_PEG", "invalid_peg"),
  selfTradePreventionMode = word "NONE EXPIRE_TAKER EXPIRE_MAKER EXPIRE_BOTH DECREMENT TRANSFER",
  side = word("BUY SELL", "invalid_side"),
  stopLimitTimeInForce = word("GTC IOC FOK", "invalid_tif"),
  strategyType = { "long", min = 1000000, refusal = refusal.strategy_type() },
  symbolStatus = word("TRADING HALT BREAK CANCEL_ONLY", "invalid_status"),
  timeInForce = word("GTC IOC FOK", "invalid_tif"),
  type = word("LIMIT LIMIT_MAKER MARKET STOP_LOSS STOP_LOSS_LIMIT TAKE_PROFIT TAKE_PROFIT_LIMIT", "invalid_type"),
  tickerType = word("FULL MINI", "invalid_ticker_type"), -- on the wire it is another `type`
}

for kind, names in pairs {
  any = "apiKey signature timeZone windowSize",
  bool = "computeCommissionRates omitZeroBalances returnRateLimits showPermissionSets",
  bound = "endTime startTime",
  client_id = "cancelNewClientOrderId cancelOrigClientOrderId clientOrderId listClientOrderId newClientOrderId "
    .. "origClientOrderId",
  decimal = "icebergQty newQty price quantity quoteOrderQty stopLimitPrice stopPrice",
  long = "cancelOrderId fromAllocationId fromExecutionId fromId fromPreventedMatchId limit orderId orderListId "
    .. "pegOffsetValue preventedMatchId strategyId subscriptionId trailingDelta",
  symbol = "symbol", symbols = "symbols", timestamp = "timestamp", window = "recvWindow", words = "permissions",
} do
  for name in names:gmatch "%S+" do KNOWN[name] = { kind } end
end

local WIRE_NAME = { tickerType = "type" }

-- How the legs of order lists begin the names of their parameters, and what each of them may have.
local LEGS = { "pendingAbove", "pendingBelow", "pending", "above", "below", "working", "limit", "stop" }
local OF_LEG = "ClientOrderId Price TimeInForce IcebergQty StrategyId StrategyType PegPriceType PegOffsetType "
  .. "PegOffsetValue"
local OF_WAITING = OF_LEG .. " StopPrice TrailingDelta" -- of all but a working order, which is a limit order

--- What a parameter is; one of a leg is what it is without the leg's name.
local function known_as(name)
  if KNOWN[name] then return KNOWN[name] end
  for _, leg in ipairs(LEGS) do
    local rest = name:match("^" .. leg .. "(%u%w*)$")
    local plain = rest and KNOWN[rest:sub(1, 1):lower() .. rest:sub(2)]
    if plain then return plain end
  end
  error("no parameter is called " .. name)
end

local made = {} -- by all that they depend on: most are in many lines, and nobody changes them

local function field(name, need, max)
  local key = name .. (need and "!" or "") .. (max or "")
  if not made[key] then
    local known = known_as(name)
    made[key] = params.field(WIRE_NAME[name] or name, known[1], { need = need, among = known.among, max = max,
      min = name == "limit" and 1 or known.min, refusal = known.refusal })
  end
  return made[key]
end

--- The fields of a line like "symbol! limit<=1000 origClientOrderId|orderId! timeZone": with "!" it is mandatory,
-- "a|b!" asks for at least one of the two, what is above "<=" is cut down to it, "above*" is what a leg may have.
function M.parse(line)
  local out, seen = { either = {} }, {}
  local function add(name, need, max)
    if not seen[name] then out[#out + 1] = field(name, need, max) end
    seen[name] = true
  end
  for piece in line:gmatch "%S+" do
    local one, other = piece:match "^(%w+)|(%w+)!$"
    local leg = piece:match "^(%w+)%*$"
    if one then
      out.either[#out.either + 1] = { one, other }
      add(one)
      add(other)
    elseif leg then
      for name in (leg == "working" and OF_LEG or OF_WAITING):gmatch "%S+" do add(leg .. name) end
    else
      local name, need, max = piece:match "^(%w+)(!?)<?=?(%d*)$"
      add(name, need == "!", math.tointeger(tonumber(max)))
    end
  end
  return out
end

return M
