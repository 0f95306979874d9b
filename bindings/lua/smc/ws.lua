--- WebSocket connections below venues: messages as they are.  Only the venues' testnets and loopback can be reached.

local core = require "smc.core.ws"
local world = require "smc.world"

local M = {}

--- { name = value }, sorted by name so that runs are alike, or a list of { name, value } as it is.
local function header_list(headers)
  if type(headers) ~= "table" or headers[1] ~= nil then return headers end
  local list = {}
  for name, value in pairs(headers) do list[#list + 1] = { name, value } end
  table.sort(list, function(a, b) return tostring(a[1]) < tostring(b[1]) end)
  return list
end

--- options: headers, timeout = 10 (seconds), protocol, deflate = false, max_queue = 1000 (messages not yet read), ca.
-- Returns the connection, or nil and an error.
function M.connect(url, options)
  if type(url) ~= "string" then error(("url must be a string, not a %s"):format(type(url)), 2) end
  if options ~= nil and type(options) ~= "table" then
    error(("options must be a table, not a %s"):format(type(options)), 2)
  end
  local asked = {}
  for key, value in pairs(options or {}) do asked[key] = value end
  asked.headers = header_list(asked.headers)
  asked.ca = asked.ca or world.ca_of(url)
  -- The core knows nothing of the scenario's lines: what it raises is raised again where the scenario called.
  local ok, conn, err = pcall(core.connect, url, asked)
  if not ok then error(conn, type(conn) == "string" and 2 or 0) end
  return conn, err
end

return M
