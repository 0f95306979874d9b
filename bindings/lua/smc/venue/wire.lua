--- The one way in which a venue's requests leave: sent once, timed, and remembered.
local http = require "smc.core.http"
local task = require "smc.core.task"

local Wire = {}
Wire.__index = Wire

local M = {}

local FILTERS = { signed = true, path = true, method = true, op = true, status = true, after = true, before = true }
local TIMEOUT = 10

function M.new()
  return setmetatable({ log = {} }, Wire)
end

--- Sends a request.  asked: { method, url, path, headers, body, op, signed }.  Returns the reply, or nil and an error.
function Wire:send(asked)
  local entry = { method = asked.method, path = asked.path, op = asked.op, signed = asked.signed or false,
    at = task.now() }
  self.log[#self.log + 1] = entry
  local reply, err = http.request { method = asked.method, url = asked.url, headers = asked.headers, body = asked.body,
    timeout = TIMEOUT }
  entry.elapsed = task.now() - entry.at
  if reply then
    entry.status = reply.status
  else
    entry.failed = err.class
  end
  return reply, err
end

--- What was sent, oldest first.  Filters: equal fields, and after <= at <= before in seconds of smc.now().
function Wire:requests(filters, level)
  filters = filters or {}
  for key in pairs(filters) do
    if not FILTERS[key] then error(("requests: unknown filter '%s'"):format(tostring(key)), level + 1) end
  end
  local out = {}
  for _, r in ipairs(self.log) do
    local fits = (not filters.after or r.at >= filters.after) and (not filters.before or r.at <= filters.before)
    for _, key in ipairs { "signed", "path", "method", "op", "status" } do
      if filters[key] ~= nil and r[key] ~= filters[key] then fits = false end
    end
    if fits then out[#out + 1] = r end
  end
  return out
end

return M
