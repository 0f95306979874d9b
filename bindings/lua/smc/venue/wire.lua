--- The one way in which a venue's requests leave: sent once, timed, and remembered.
local http = require "smc.core.http"
local request_log = require "smc.request_log"
local task = require "smc.core.task"
local timeline = require "smc.timeline"

local Wire = {}
Wire.__index = Wire

local M = {}

local FIELDS = { signed = "boolean", path = "string", method = "string", op = "string", status = "number" }
local TIMEOUT = 10

--- name: of the venue.  ca: the certificate of the one authority that servers are trusted by, in PEM; nil: those of the
-- system.
function M.new(name, ca)
  return setmetatable({ log = {}, name = name, ca = ca }, Wire)
end

--- Sends a request.  asked: { method, path, op, signed }, which it is remembered by; bearer: a secret handle.  Returns
-- the reply, or nil and an error.
function Wire:send(asked, url, headers, body, bearer)
  local entry = { method = asked.method, path = asked.path, op = asked.op, signed = asked.signed or false,
    at = task.now() }
  self.log[#self.log + 1] = entry
  local reply, err = http.request { method = asked.method, url = url, headers = headers, bearer = bearer, body = body,
    timeout = TIMEOUT, ca = self.ca }
  entry.elapsed = task.now() - entry.at
  if reply then
    entry.status = reply.status
  else
    entry.failed = err.class
  end
  timeline.request(self.name, entry.elapsed, entry.status)
  return reply, err
end

--- Whether a request of that op was sent since smc.now() was `since`.
function Wire:sent_since(op, since)
  for i = #self.log, 1, -1 do
    local entry = self.log[i]
    if entry.at < since then return false end
    if entry.op == op then return true end
  end
  return false
end

--- What was sent, oldest first; see smc/request_log.lua.
function Wire:requests(filters, level)
  return (request_log.matching("requests", self.log, FIELDS, filters, level + 1))
end

return M
