--- What the Bybit sandbox knows, read off its tables.
local calls = require "smc.sandbox.bybit.calls"
local catalogue = require "smc.sandbox.catalogue"
local limits = require "smc.sandbox.bybit.limits"
local private_stream = require "smc.sandbox.bybit.private_stream"
local public_stream = require "smc.sandbox.bybit.public_stream"
local refusal = require "smc.sandbox.bybit.refusal"
local topics = require "smc.sandbox.bybit.topics"
local trade_stream = require "smc.sandbox.bybit.trade_stream"

local function endpoints()
  local rows = {}
  for path, route in pairs(calls.routes) do
    local name = route.method .. " " .. path
    local limit = route.limit or ""
    if type(limit) == "table" then limit = ("spot %d, linear %d"):format(limit.spot, limit.linear) end
    rows[#rows + 1] = { name = name, name, route.private and "signed" or "", tostring(limit) }
  end
  table.sort(rows, function(a, b) return a.name < b.name end)
  return { kind = "endpoints", title = "REST endpoints", columns = { "endpoint", "security", "requests a second" },
    rows = rows }
end

local function operations()
  local names = {}
  for socket, list in pairs { public = public_stream.operations, private = private_stream.operations,
    trade = trade_stream.operations } do
    for name in pairs(list) do names[#names + 1] = socket .. " " .. name end
  end
  return names
end

return { endpoints(), catalogue.plain("operations", "WebSocket operations", "socket and operation", operations()),
  catalogue.plain("streams", "Public topics", "topic", topics.forms),
  catalogue.plain("private", "Private topics", "topic", private_stream.topics),
  catalogue.limits(limits.list), catalogue.errors(refusal) }
