--- What the sandbox trades, by category, and how instruments-info describes it.
-- An instrument's `symbol` is its own in the whole market; `native` is what the venue calls it within its category.
local coins = require "smc.sandbox.coins"
local decimal = require "smc.decimal"
local json = require "smc.json"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

M.max_orders = { spot = 500, linear = 500 } -- open ones; linear: of a symbol
M.max_waiting = { spot = 30, linear = 10 } -- conditional ones, of a symbol
local MAKER_FACTOR = "5" -- a PostOnly order of category spot may be so many times as large

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

for _, def in ipairs(SPOT) do
  def.category, def.native, def.max_maker = "spot", def.symbol, decimal.mul(def.max_limit, MAKER_FACTOR)
  def.asset = def.quote -- what turnover is counted in
end

--- The categories, each { name, list, by_native }; those that have nothing here are empty.
M.categories, M.list = {}, {}
for name, list in pairs { spot = SPOT, linear = {}, inverse = {}, option = {} } do
  local category = { name = name, list = list, by_native = {} }
  M.categories[name] = category
  for _, def in ipairs(list) do
    category.by_native[def.native], def.no = def, refusal[name]
    def.zero = decimal.format("0", #def.tick - 2)
  end
end
for i, def in ipairs(SPOT) do M.list[i], def.index = def, i end

-- ---- instruments-info --------------------------------------------------------------------

local o = json.object

--- One element of instruments-info's list.
function M.describe(def)
  return o("symbolId", def.id, "symbol", def.native, "baseCoin", def.base, "quoteCoin", def.quote, "innovation", "0",
    "status", "Trading", "marginTrading", "none", "stTag", "0",
    "lotSizeFilter", o("basePrecision", def.step, "quotePrecision", def.quote_step, "minOrderQty", def.step,
      "maxOrderQty", def.max_limit, "minOrderAmt", def.min_value, "maxOrderAmt", "4000000",
      "maxLimitOrderQty", def.max_limit, "maxMarketOrderQty", def.max_market,
      "postOnlyMaxLimitOrderSize", def.max_maker),
    "priceFilter", o("tickSize", def.tick),
    "riskParameters", o("priceLimitRatioX", def.band, "priceLimitRatioY", def.band_limit), "symbolType", "")
end

return M
