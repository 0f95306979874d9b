--- What the OANDA sandbox knows, read off its tables.
local catalogue = require "smc.sandbox.catalogue"
local fills = require "smc.sandbox.oanda.fills"
local limits = require "smc.sandbox.oanda.limits"
local refusal = require "smc.sandbox.oanda.refusal"
local requests = require "smc.sandbox.oanda.requests"
local rest = require "smc.sandbox.oanda.rest"

local function reject_reasons()
  local names = {}
  for code in pairs(refusal.reasons) do names[#names + 1] = code end
  return catalogue.plain("errors", "Reasons of rejects", "rejectReason", names)
end

--- Types of transactions: those of orders, and the rest.
local function transactions()
  local names = { "CREATE", "TRANSFER_FUNDS", "ORDER_FILL", "ORDER_CANCEL", "ORDER_CANCEL_REJECT", "MARGIN_CALL_ENTER",
    "MARGIN_CALL_EXIT", "DAILY_FINANCING" }
  for kind in pairs(requests.types) do
    names[#names + 1] = kind .. "_ORDER"
    names[#names + 1] = kind .. "_ORDER_REJECT"
  end
  for _, kind in ipairs { "CLIENT_CONFIGURE", "ORDER_CLIENT_EXTENSIONS_MODIFY", "TRADE_CLIENT_EXTENSIONS_MODIFY" } do
    names[#names + 1] = kind
    names[#names + 1] = kind .. "_REJECT"
  end
  return names
end

return { catalogue.plain("endpoints", "REST endpoints and streams", "endpoint", rest.endpoints),
  catalogue.plain("transactions", "Transactions", "type", transactions()),
  catalogue.plain("cancels", "Reasons of cancels", "reason", fills.reasons),
  catalogue.limits(limits.list), catalogue.errors(refusal), reject_reasons() }
