--- The numbers of /metrics, in Prometheus' text format.
local boxes = require "smc.sandbox.box"

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, DELETE = true, PATCH = true, OPTIONS = true,
  WS = true }

local M = {}
local Metrics = {}
Metrics.__index = Metrics

--- Counts the requests of one venue.  dialect: its face.
function M.new(venue, dialect)
  return setmetatable({ venue = venue, dialect = dialect, seen = 0, counts = {} }, Metrics)
end

local function below(t, key)
  local v = t[key]
  if not v then
    v = {}
    t[key] = v
  end
  return v
end

--- Counts requests of a log unless that was done.  To be called once they are answered: one without a status made its
-- handler raise, which answers 500.
function Metrics:count(log, first, last)
  local id = math.max(first, self.seen + 1)
  while id <= last do
    local method, path, websocket, status, other = log:outline(id, last) -- most are like the one before
    local template = self.dialect.template(method, path, websocket)
    local counts = below(below(self.counts, METHODS[method] and method or "other"), template)
    status = status or 500
    counts[status] = (counts[status] or 0) + other - id
    id = other
  end
  self.seen = math.max(self.seen, last)
end

--- Those of the log that are not counted yet.
function Metrics:catch_up(log) self:count(log, log.first, log.last) end

function Metrics:lines()
  local out = {}
  local line = 'smcrun_requests_total{venue="%s",method="%s",path="%s",status="%d"} %d'
  for method, paths in pairs(self.counts) do
    for path, counts in pairs(paths) do
      for status, n in pairs(counts) do out[#out + 1] = line:format(self.venue, method, path, status, n) end
    end
  end
  table.sort(out)
  return out
end

local function put(out, name, kind, help, lines)
  out[#out + 1] = ("# HELP %s %s"):format(name, help)
  out[#out + 1] = ("# TYPE %s %s"):format(name, kind)
  table.move(lines, 1, #lines, #out + 1, out)
end

--- The page.  venues: a list of { name, metrics, log, box, server, dialect }.
function M.page(venues)
  local requests, connections, streams, orders, out = {}, {}, {}, {}, {}
  for _, v in ipairs(venues) do
    v.metrics:catch_up(v.log)
    local lines = v.metrics:lines()
    table.move(lines, 1, #lines, #requests + 1, requests)
    local function gauge(name, n) return ('%s{venue="%s"} %d'):format(name, v.name, n) end
    connections[#connections + 1] = gauge("smcrun_open_connections", v.server:connections())
    streams[#streams + 1] = gauge("smcrun_open_streams", #v.box:streams())
    orders[#orders + 1] = gauge("smcrun_open_orders", boxes.open_orders(v.box))
  end
  put(out, "smcrun_requests_total", "counter", "Requests that arrived; method WS: over the WebSocket API.", requests)
  put(out, "smcrun_open_connections", "gauge", "TCP connections to the sandbox.", connections)
  put(out, "smcrun_open_streams", "gauge", "Those of them that are WebSockets.", streams)
  put(out, "smcrun_open_orders", "gauge", "Orders that rest in the books, of all accounts.", orders)
  return table.concat(out, "\n") .. "\n"
end

return M
