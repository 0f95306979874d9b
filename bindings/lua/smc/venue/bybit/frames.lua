--- Operations over Bybit's WebSockets: asked with a req_id, answered with the same; and the pings that it wants.
local errors = require "smc.venue.bybit.errors"
local json = require "smc.json"

local M = {}

local PING_SECONDS = 20

--- Gives a class of streams its pings and its operations.
function M.extend(class, op_name)
  class.ping_every = PING_SECONDS

  function class.broken(message) return errors.broken(op_name, message) end

  function class:ping() self.conn:send '{"op":"ping"}' end

  --- Sends an operation and waits for its answer.  code: of a refusal, whose frame has none.
  function class:operate(op, args, code)
    local id = tostring(self:next_id())
    return self:ask(json.object("req_id", id, "op", op, "args", json.array(args)), function(frame)
      if frame.success == nil or frame.req_id ~= id then return nil end
      if frame.success then return frame end
      return nil, errors.answered({ code = code or 10001, message = tostring(frame.ret_msg) }, op_name, false)
    end)
  end
end

return M
