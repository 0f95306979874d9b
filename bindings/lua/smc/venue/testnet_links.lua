--- Link faults on a testnet: its clients are led through relays of this process from the first one on.  What can't be
-- had there ends the spec as skipped: faults that have to look into what is sealed, and certificates.
local links = require "smc.sandbox.links"
local link_faults = require "smc.sandbox.link_faults"
local server = require "smc.core.server"
local spec = require "smc.spec"
local task = require "smc.core.task"

local M = {}

local opened = setmetatable({}, { __mode = "k" }) -- by world, by name of a venue: its links

local PORTS = { http = 80, ws = 80, https = 443, wss = 443 }

--- Each host and port of these addresses, once.
local function places_of(urls)
  local out, seen = {}, {}
  for _, url in pairs(urls) do
    local scheme, host, port = url:match "^(%a+)://([^/:]+):?(%d*)"
    port = tonumber(port) or PORTS[scheme]
    if not seen[host .. ":" .. port] then
      seen[host .. ":" .. port] = true
      out[#out + 1] = { host, port }
    end
  end
  return out
end

--- What links see of a door: one that looks into nothing.
local function door_of(relay, name)
  return { name = name, ops = setmetatable({}, { __index = function() return {} end }), server = relay,
    is_down = function() return false end }
end

--- The links of a venue of the testnet, which all clients of it in a spec share.  Made at the first need.
function M.of(w, name, urls)
  opened[w] = opened[w] or {}
  local its = opened[w][name]
  if its then return its end
  local relay = assert(task.as_world(server.relay, places_of(urls), w.seed))
  its = links.new(door_of(relay, name))
  opened[w][name] = its
  w.on_close(function()
    its:close()
    relay:close()
  end)
  return its
end

--- The links, if any were made.
function M.known(w, name) return opened[w] and opened[w][name] end

local CHOOSING = { "on", "path", "method" }

--- Ends the spec as skipped when a testnet can't have it.
function M.check(given)
  local fault = type(given.link) == "string" and link_faults.table[given.link]
  if not fault then return end
  if fault.needs_tls then spec.skip(given.link .. ": a testnet's certificates are its own") end
  if fault.aimed then spec.skip(given.link .. ": on a testnet nobody can see where a body is") end
  for _, key in ipairs(CHOOSING) do
    if given[key] ~= nil then spec.skip(key .. ": on a testnet nobody can see what a request asks for") end
  end
end

return M
