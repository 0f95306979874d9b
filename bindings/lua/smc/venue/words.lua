--- The words that all venues share: symbols with a slash, minimal decimals.
local decimal = require "smc.decimal"
local minimal = require "smc.core.text".minimal

local M = {}

-- Longest first where one ends in another.
local QUOTES = { "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "DAI", "EUR", "TRY", "BRL", "JPY", "BTC", "ETH",
  "BNB" }

--- Whether it is a symbol in our words, "BTC/USDT"; the venue's own ones are none.
function M.is_symbol(symbol) return type(symbol) == "string" and symbol:find "^[^%l/]+/[^%l/]+$" ~= nil end

--- "BTC/USDT" -> "BTCUSDT".
function M.native(symbol)
  return (symbol:gsub("/", "", 1))
end

local unified = {}

--- "BTCUSDT" -> "BTC/USDT"; a symbol whose quote asset is unknown stays as it is.
function M.symbol(native)
  if unified[native] then return unified[native] end
  for _, quote in ipairs(QUOTES) do
    if #native > #quote and native:sub(-#quote) == quote then
      unified[native] = native:sub(1, -#quote - 1) .. "/" .. quote
      return unified[native]
    end
  end
  return native
end

local function wrong(value, wanted) error(("%s expected, not a %s"):format(wanted, type(value))) end

--- What is not there stays nil; what is there must be of its type.
function M.integer(n)
  if n ~= nil and math.type(n) ~= "integer" then wrong(n, "a whole number") end
  return n
end

function M.text(s)
  if type(s) ~= "string" then wrong(s, "a text") end
  return s
end

--- "0.50000000" -> "0.5".
local function number(s)
  if s == nil then return nil end
  if type(s) ~= "string" then wrong(s, "a decimal in a text") end
  return minimal(s)
end
M.number = number

function M.levels(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = { number(row[1]), number(row[2]) } end
  return out
end

--- The price of what was filled; nil while nothing is.
function M.average(quote, qty)
  if not quote or qty == "0" then return nil end
  return number(decimal.div(quote, qty, 8))
end

return M
