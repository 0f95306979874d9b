--- HTTP below venues: one request, one reply, the bytes as they are.
-- Only the venues' testnets and loopback can be reached.

local core = require "smc.core.http"
local task = require "smc.core.task"
local lists = require "smc.list"
local timeline = require "smc.timeline"
local world = require "smc.world"

local M = {}

local OPTIONS = { headers = true, bearer = true, timeout = true, max_body = true, ca = true }

-- `level` is, in each function below, the level of the scenario's frame as error() there counts it.

local function check_type(what, value, want, level)
  if type(value) ~= want then error(("%s must be a %s, not a %s"):format(what, want, type(value)), level) end
end

--- {name = value} or a list of {name, value}, as a list; a map is sorted by name, so that runs are alike.
local function header_list(headers, level)
  if headers == nil or headers[1] ~= nil then return headers end
  local list = {}
  for name, value in pairs(headers) do
    check_type("a header's name", name, "string", level + 1)
    check_type("header " .. name, value, "string", level + 1)
    list[#list + 1] = { name, value }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

--- The core knows nothing of the scenario's lines: what it raises is raised again where the scenario called.
local function call(fn, asked, level)
  check_type("url", asked.url, "string", level + 1)
  if asked.headers ~= nil then check_type("headers", asked.headers, "table", level + 1) end
  local copy = {}
  for key, value in pairs(asked) do copy[key] = value end
  copy.headers = header_list(asked.headers, level + 1)
  copy.ca = copy.ca or world.ca_of(asked.url)
  local ok, reply, err = pcall(fn, copy, true)
  if not ok then error(reply, type(reply) == "string" and level or 0) end
  return reply, err
end

local function send(asked, level)
  local began = task.now()
  local reply, err = call(core.request, asked, level + 1)
  timeline.request("http", task.now() - began, reply and reply.status)
  return reply, err
end

local function merge(method, url, body, options, level)
  local asked = { method = method, url = url, body = body }
  if options == nil then return asked end
  check_type("options", options, "table", level + 1)
  for key, value in pairs(options) do
    if not OPTIONS[key] then error(lists.unknown("option", key, OPTIONS), level) end
    asked[key] = value
  end
  return asked
end

--- asked: { method = "GET", url =, headers =, bearer =, body =, timeout = 30, max_body =, ca = }.
-- Returns the reply, or nil and an error.
function M.request(asked)
  check_type("the request", asked, "table", 3)
  local reply, err = send(asked, 3)
  return reply, err -- not a tail call: it would take this frame away, and the levels with it
end

function M.get(url, options)
  local reply, err = send(merge("GET", url, nil, options, 3), 3)
  return reply, err
end

function M.delete(url, options)
  local reply, err = send(merge("DELETE", url, nil, options, 3), 3)
  return reply, err
end

function M.post(url, body, options)
  local reply, err = send(merge("POST", url, body, options, 3), 3)
  return reply, err
end

function M.put(url, body, options)
  local reply, err = send(merge("PUT", url, body, options, 3), 3)
  return reply, err
end

function M.patch(url, body, options)
  local reply, err = send(merge("PATCH", url, body, options, 3), 3)
  return reply, err
end

--- The same table as request; returns when the head has arrived: s.status, s.headers, s:recv(timeout), s:close().
function M.stream(asked)
  check_type("the request", asked, "table", 3)
  local stream, err = call(core.stream, asked, 3)
  return stream, err
end

return M
