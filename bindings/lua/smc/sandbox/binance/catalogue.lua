--- What the Binance sandbox knows, read off its tables.
local catalogue = require "smc.sandbox.catalogue"
local refusal = require "smc.sandbox.binance.refusal"
local rest = require "smc.sandbox.binance.rest"
local routes = require "smc.sandbox.binance.routes"
local symbols = require "smc.sandbox.binance.symbols"
local topics = require "smc.sandbox.binance.topics"
local ws_api = require "smc.sandbox.binance.ws_api"

local function weight_of(route)
  return type(route.weight) == "function" and "by parameters" or tostring(route.weight)
end

local function endpoints()
  local rows = {}
  for path, methods in pairs(routes.by_path) do
    for method, route in pairs(methods) do
      rows[#rows + 1] = { name = method .. " " .. path, method .. " " .. path, route.security, weight_of(route) }
    end
  end
  for path in pairs(rest.retired) do rows[#rows + 1] = { name = "any " .. path, "any " .. path, "", "answers 410" } end
  table.sort(rows, function(a, b) return a.name < b.name end)
  return { kind = "endpoints", title = "REST endpoints", columns = { "endpoint", "security", "weight" }, rows = rows }
end

local function limits()
  local rows = {}
  for _, name in ipairs { "weight_used", "requests_used", "connections_used", "orders_used", "banned" } do
    rows[#rows + 1] = { name = name, name, tostring(refusal.rows[name][3]), tostring(refusal.rows[name][1]) }
  end
  return { kind = "errors", title = "Limits", columns = { "limit", "HTTP", "code" }, rows = rows }
end

return { endpoints(), catalogue.plain("methods", "WebSocket API methods", "method", ws_api.methods()),
  catalogue.plain("streams", "Market streams", "stream", topics.forms),
  catalogue.plain("filters", "Filters", "filter", symbols.filter_names()), limits(), catalogue.errors(refusal) }
