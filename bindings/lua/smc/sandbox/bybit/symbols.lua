--- What the sandbox trades, by category, and how instruments-info describes it.
-- An instrument's `symbol` is its own in the whole market; `native` is what the venue calls it within its category.
local coins = require "smc.sandbox.coins"
local decimal = require "smc.decimal"
local json = require "smc.json"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

M.max_orders = { spot = 500, linear = 500 } -- open ones; linear: of a symbol
M.max_waiting = { spot = 30, linear = 10 } -- conditional ones, of a symbol
M.leverage = "10" -- of an account that has set none
M.taker_rate = "0.00055" -- of contracts
local MAKER_RATE = "0.0002"
local MAKER_FACTOR = "5" -- a PostOnly order of category spot may be so many times as large
local MAINTENANCE = "0.005"

-- step: of base quantities; quote_step: of quote amounts; band, band_limit: how far from the index one may buy or sell.
local SPOT = coins.with {
  BTCUSDT = { id = 9, tick = "0.1", step = "0.000001", quote_step = "0.0000001", min_value = "5", max_limit = "80",
    max_market = "40", band = "0.005", band_limit = "0.01" },
  ETHUSDT = { id = 10, tick = "0.01", step = "0.00001", quote_step = "0.0000001", min_value = "5", max_limit = "1500",
    max_market = "700", band = "0.01", band_limit = "0.02" },
  ETHBTC = { id = 12, tick = "0.00001", step = "0.00001", quote_step = "0.0000001", min_value = "0.0001",
    max_limit = "1000", max_market = "500", band = "0.01", band_limit = "0.02" },
  BNBUSDT = { id = 33, tick = "0.1", step = "0.0001", quote_step = "0.0000001", min_value = "5", max_limit = "2000",
    max_market = "1000", band = "0.01", band_limit = "0.02" },
}

-- interest: what strangers hold, in base.  risk_limit: the largest value of a position.
local LINEAR = {
  { id = 5, base = "BTC", start = "60000", tick = "0.1", step = "0.001", max_price = "1999999.8", max_limit = "1000",
    max_market = "400", max_leverage = "100", interest = "50000", risk_limit = "20000000" },
  { id = 6, base = "ETH", start = "3000", tick = "0.01", step = "0.01", max_price = "199999.98", max_limit = "7000",
    max_market = "3000", max_leverage = "100", interest = "400000", risk_limit = "10000000" },
  { id = 7, base = "BNB", start = "600", tick = "0.1", step = "0.01", max_price = "199999.8", max_limit = "30000",
    max_market = "6000", max_leverage = "75", interest = "90000", risk_limit = "2000000" },
}

for _, def in ipairs(SPOT) do
  def.category, def.native, def.max_maker = "spot", def.symbol, decimal.mul(def.max_limit, MAKER_FACTOR)
  def.asset = def.quote -- what turnover is counted in
end

for _, def in ipairs(LINEAR) do
  def.category, def.quote, def.native = "linear", "USDT", def.base .. "USDT"
  def.symbol, def.name, def.index_symbol = def.native .. ".P", def.base .. "/USDT:USDT", def.native
  def.min_value, def.max_maker, def.band, def.band_limit = "5", def.max_limit, "0.01", "0.02"
  def.taker_fee, def.maker_fee = M.taker_rate, MAKER_RATE
  def.contract = { kind = "contract", positions = "average", margin_rate = decimal.div("1", M.leverage, 8),
    maintenance_rate = MAINTENANCE }
end

--- The categories, each { name, contracts, list, by_native }; those that have nothing here are empty.
M.categories, M.list = {}, {}
for name, list in pairs { spot = SPOT, linear = LINEAR, inverse = {}, option = {} } do
  local category = { name = name, contracts = name ~= "spot", list = list, by_native = {} }
  M.categories[name] = category
  for _, def in ipairs(list) do
    category.by_native[def.native], def.no = def, refusal[name]
    def.zero = decimal.format("0", #def.tick - 2)
  end
end
for _, list in ipairs { SPOT, LINEAR } do
  for _, def in ipairs(list) do
    M.list[#M.list + 1] = def
    def.index = #M.list
  end
end

-- ---- instruments-info --------------------------------------------------------------------

local o = json.object
local describe = {}

function describe.spot(def, more)
  return o("symbolId", def.id, "symbol", def.native, "baseCoin", def.base, "quoteCoin", def.quote, "innovation", "0",
    "status", "Trading", "marginTrading", "none", "stTag", "0",
    "lotSizeFilter", o("basePrecision", def.step, "quotePrecision", def.quote_step, "minOrderQty", def.step,
      "maxOrderQty", def.max_limit, "minOrderAmt", def.min_value, "maxOrderAmt", "4000000",
      "maxLimitOrderQty", def.max_limit, "maxMarketOrderQty", def.max_market,
      "postOnlyMaxLimitOrderSize", def.max_maker),
    "priceFilter", o("tickSize", def.tick),
    "riskParameters", o("priceLimitRatioX", def.band, "priceLimitRatioY", def.band_limit), "symbolType", "",
    table.unpack(more))
end

function describe.linear(def, more)
  return o("symbol", def.native, "symbolId", def.id, "contractType", "LinearPerpetual", "status", "Trading",
    "baseCoin", def.base, "quoteCoin", def.quote, "launchTime", "1584230400000", "deliveryTime", "0",
    "deliveryFeeRate", "", "priceScale", tostring(#def.tick - 2),
    "leverageFilter", o("minLeverage", "1", "maxLeverage", def.max_leverage .. ".00", "leverageStep", "0.01"),
    "priceFilter", o("minPrice", def.tick, "maxPrice", def.max_price, "tickSize", def.tick),
    "lotSizeFilter", o("maxOrderQty", def.max_limit, "minOrderQty", def.step, "qtyStep", def.step,
      "postOnlyMaxOrderQty", def.max_maker, "maxMktOrderQty", def.max_market, "minNotionalValue", def.min_value),
    "unifiedMarginTrade", true, "fundingInterval", 480, "settleCoin", "USDT", "copyTrading", "none",
    "upperFundingRate", "0.005", "lowerFundingRate", "-0.005", "displayName", "", "isPreListing", false,
    "preListingInfo", json.null,
    "riskParameters", o("priceLimitRatioX", def.band, "priceLimitRatioY", def.band_limit), "symbolType", "",
    table.unpack(more))
end

--- One element of instruments-info's list.  more: names and values that it has besides.
function M.describe(def, more) return describe[def.category](def, more) end

--- One element of risk-limit's list.
function M.describe_risk(def)
  return o("id", def.id, "symbol", def.native, "riskLimitValue", def.risk_limit, "maintenanceMargin", MAINTENANCE,
    "initialMargin", decimal.div("1", def.max_leverage, 8), "isLowestRisk", 1, "maxLeverage", def.max_leverage .. ".00",
    "mmDeduction", "")
end

return M
