--- What an order asks for: what its type must have, what can be judged of it without the engine, and what the engine is
-- told.  v: the values of the request, or of one leg of an order list.
local core = require "smc.core.params"
local decimal = require "smc.decimal"
local filters = require "smc.sandbox.binance.filters"
local format = require "smc.sandbox.binance.format"
local refusal = require "smc.sandbox.binance.refusal"
local symbols = require "smc.sandbox.binance.symbols"

local M = {}

local function words(text)
  local out = {}
  for word in text:gmatch "%S+" do out[#out + 1] = word end
  return out
end

-- What a type must have and must not have; works: as what the engine knows it; stops: it waits for a worse price, else
-- for a better one.
local RULES = {
  LIMIT = { need = words "timeInForce quantity price", refuse = words "quoteOrderQty stopPrice trailingDelta",
    works = "limit" },
  LIMIT_MAKER = { need = words "quantity price", refuse = words "timeInForce quoteOrderQty stopPrice trailingDelta",
    works = "limit_maker" },
  MARKET = { need = {}, refuse = words "timeInForce price icebergQty stopPrice trailingDelta", works = "market" },
  STOP_LOSS = { need = words "quantity", refuse = words "timeInForce price quoteOrderQty icebergQty", works = "market",
    waits = true, stops = true },
  STOP_LOSS_LIMIT = { need = words "timeInForce quantity price", refuse = words "quoteOrderQty", works = "limit",
    waits = true, stops = true },
  TAKE_PROFIT = { need = words "quantity", refuse = words "timeInForce price quoteOrderQty icebergQty",
    works = "market", waits = true },
  TAKE_PROFIT_LIMIT = { need = words "timeInForce quantity price", refuse = words "quoteOrderQty", works = "limit",
    waits = true },
}
M.RULES = RULES

-- Of the types of which that is all there is to judge.
for name, rule in pairs(RULES) do
  if name ~= "MARKET" and not rule.waits then rule.fits = core.having(rule.need, rule.refuse) end
end

local function same(name) return name end

--- Whether an order has what its type needs, and no more.  Returns nil, or a refusal.  named(name): how the request
-- calls a parameter (default: so).
function M.shape(v, named)
  local rule = RULES[v.type]
  if rule.fits and rule.fits(v) then return nil end
  named = named or same
  local need, refuse = rule.need, rule.refuse
  for i = 1, #need do
    local name = need[i]
    if v[name] == nil and not (name == "price" and v.pegPriceType) then return refusal.missing(named(name)) end
  end
  for i = 1, #refuse do
    if v[refuse[i]] ~= nil then return refusal.not_required(named(refuse[i])) end
  end
  if v.type == "MARKET" then
    if v.quantity and v.quoteOrderQty then return refusal.not_required(named "quoteOrderQty") end
    if not v.quantity and not v.quoteOrderQty then
      return refusal.missing_both(named "quantity", named "quoteOrderQty")
    end
  end
  if rule.waits and not v.stopPrice and not v.trailingDelta then
    return refusal.missing_both(named "stopPrice", named "trailingDelta")
  end
end

-- ---- pegged prices -----------------------------------------------------------------------------

local MAX_PEG_OFFSET = 100

local function peg_fits(v)
  if not v.pegPriceType then
    return (v.pegOffsetType or v.pegOffsetValue) and refusal.bad_combination() or nil
  end
  if (v.pegOffsetType == nil) ~= (v.pegOffsetValue == nil) then return refusal.bad_combination() end
  if v.pegOffsetValue and v.pegOffsetValue > MAX_PEG_OFFSET then return refusal.invalid "pegOffsetValue" end
  local rule, primary = RULES[v.type], v.pegPriceType == "PRIMARY_PEG"
  if rule.works == "market" then return refusal.no_peg() end
  -- The engine knows no price that is set when an order begins.
  if rule.waits or v.pending then return refusal.unsupported "Pegged" end
  if primary and v.type == "LIMIT" and v.timeInForce ~= "GTC" or not primary and v.type == "LIMIT_MAKER" then
    return refusal.other_peg()
  end
end

--- The price that an order is pegged to, now; nil when the book does not reach that deep.
local function pegged_price(sb, v)
  local depth = (v.pegOffsetValue or 0) + 1
  local book = sb.market:book(v.symbol, depth)
  local side = (v.side == "BUY") == (v.pegPriceType == "PRIMARY_PEG") and book.bids or book.asks
  return side[depth] and side[depth][1]
end

-- ---- what can be judged without the engine -------------------------------------------------------

local function is_iceberg(v) return v.icebergQty ~= nil and decimal.cmp(v.icebergQty, "0") > 0 end

local function iceberg_fits(v)
  if v.timeInForce and v.timeInForce ~= "GTC" then return refusal.combination() end
  if decimal.cmp(v.icebergQty, v.quantity) >= 0 then return refusal.iceberg_too_large() end
end

--- Whether it fires when the price rises.
local function rises(v) return (RULES[v.type].stops or false) == (v.side == "BUY") end

--- A trailing order whose stop price has been passed already; of any other the engine sees it.
local function passed(sb, v)
  if not v.trailingDelta or not v.stopPrice then return false end
  local last = sb.market:trades { symbol = v.symbol, limit = 1 }[1].price
  local order = decimal.cmp(last, v.stopPrice)
  return order == 0 or (order > 0) == rises(v)
end

--- Returns nil, or a refusal; sets v.pegged, the price of a pegged order.
function M.judge(sb, def, v)
  local no
  if v.pegPriceType or v.pegOffsetType or v.pegOffsetValue then
    no = peg_fits(v)
    if no then return no end
  end
  local part = v.icebergQty and is_iceberg(v) and v.icebergQty or nil
  if part then
    no = iceberg_fits(v)
    if no then return no end
  end
  if v.pegPriceType then
    v.pegged = pegged_price(sb, v)
    if not v.pegged then return refusal.no_peg_liquidity() end
  end
  no = filters.check(sb, def, v, v.pegged or v.price, part, RULES[v.type].works == "market")
  if no then return no end
  if v.trailingDelta and not v.pending and passed(sb, v) then return refusal.would_trigger() end
end

--- The refusal of an order that would be one too many on its symbol.  more: that come with it, and how many of those
-- wait for a price.
function M.crowded(sb, account, v, more, waiting)
  if v.type == "MARKET" then return nil end
  if sb.market:count(account, v.symbol) + (more or 0) >= symbols.max_orders then
    return refusal.engine_filter "MAX_NUM_ORDERS"
  end
  if RULES[v.type].waits and #sb.market:orders { account = account, symbol = v.symbol, open = true,
    conditional = true } + (waiting or 0) >= symbols.max_algo_orders then
    return refusal.engine_filter "MAX_NUM_ALGO_ORDERS"
  end
end

-- ---- the engine ----------------------------------------------------------------------------------

local ENGINE_STP = { TRANSFER = "decrement" } -- within one account it is the same

local function trigger_of(v)
  local up = rises(v)
  if v.trailingDelta then up = v.side == "BUY" end -- the price turns back by so much
  return { price = v.stopPrice, by = "last", when = up and "rises" or "falls" }
end

local LOWER = { BUY = "buy", SELL = "sell", GTC = "gtc", IOC = "ioc", FOK = "fok" }

for name in pairs { NONE = 1, EXPIRE_TAKER = 1, EXPIRE_MAKER = 1, EXPIRE_BOTH = 1, DECREMENT = 1 } do
  LOWER[name] = name:lower()
end

--- The request for the engine.
function M.request(sb, account, v)
  local stp, rule = v.selfTradePreventionMode or symbols.stp_default, RULES[v.type]
  return { account = account, symbol = v.symbol, side = LOWER[v.side], type = rule.works, qty = v.quantity,
    quote_qty = v.quoteOrderQty, price = v.pegged or v.price, tif = LOWER[v.timeInForce],
    client_id = v.newClientOrderId or sb:new_client_id(), stp = ENGINE_STP[stp] or LOWER[stp],
    trigger = rule.waits and trigger_of(v) or nil, trail_bps = v.trailingDelta,
    expires_unfilled = rule.works == "market" or nil,
    display_qty = v.icebergQty and is_iceberg(v) and v.icebergQty or nil }
end

--- What the engine does not know of the order; nil: nothing.  shows: in place of what it knows, as views show it.
function M.label(v)
  local plain = not (v.strategyId or v.strategyType or v.pegPriceType or v.selfTradePreventionMode)
  if plain and not RULES[v.type].waits then return nil end
  local shows = { type = RULES[v.type].waits and v.type or nil, price = v.pegged and format.pad(v.price or "0"),
    selfTradePreventionMode = ENGINE_STP[v.selfTradePreventionMode] and v.selfTradePreventionMode }
  local label = { strategy_id = v.strategyId, strategy_type = v.strategyType, peg = v.pegPriceType,
    peg_offset = v.pegOffsetType, peg_levels = v.pegOffsetValue, pegged = v.pegged, shows = next(shows) and shows }
  return next(label) and label
end

-- How the venue says what the engine refuses.
M.REJECTED = {
  duplicate_client_id = refusal.duplicate_order(),
  insufficient_funds = refusal.no_balance(),
  would_take = refusal.would_take(),
  would_trigger = refusal.would_trigger(),
  no_liquidity = refusal.no_liquidity(),
  halted = refusal.market_closed(),
  invalid_price = refusal.filter "PRICE_FILTER",
  invalid_trigger_price = refusal.filter "PRICE_FILTER",
  invalid_trail = refusal.filter "TRAILING_DELTA",
  invalid_qty = refusal.filter "LOT_SIZE",
  invalid_quote_qty = refusal.filter "NOTIONAL",
  quote_qty_too_small = refusal.filter "LOT_SIZE",
}

return M
