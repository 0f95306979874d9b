--- Frames of a venue's own stream, as they come.
local smc = require "smc"

local M = {}

--- Frames until `wanted(frame)` is true for one, which is returned.
function M.next(socket, wanted)
  while true do
    local frame = assert(smc.json.decode(assert(socket:recv(15)).data))
    if wanted(frame) then return frame end
  end
end

return M
