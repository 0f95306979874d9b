--- What programs under test ask of a sandbox, and are told, in the transcript and the timeline of the spec: clients of
-- ours write down there what they send, a program does not.
local task = require "smc.core.task"
local timeline = require "smc.timeline"
local visit = require "smc.sandbox.visit"

local M = {}

--- ex, whose end is written down; name: of the venue.
local function watched(ex, name)
  local began, over = task.now(), false
  --- Of an answer that is cut off, or that is none, the first that becomes of it counts.
  local function ended(how, body, status)
    if over then return end
    over = true
    task.log(name, ("< %s %.0f ms"):format(how, (task.now() - began) * 1000))
    if body and #body > 0 then task.log(name, body) end
    timeline.request(name, task.now() - began, status)
  end
  local out = visit.stand_in(ex, function(status, headers, body)
    ended(tostring(status), body, status)
    return ex:reply(status, headers, body)
  end, true)
  function out.start(_, status, ...)
    ended(tostring(status), nil, status)
    return ex:start(status, ...)
  end
  function out.upgrade(_, ...)
    ended("101", nil, 101)
    return ex:upgrade(...)
  end
  function out.raw(_, bytes)
    ended(bytes:match "^[^\r\n]*", nil, tonumber(bytes:match "^HTTP/1%.1 (%d+)"))
    return ex:raw(bytes)
  end
  for how, name_of in next, { close = "connection closed without an answer", reset = "connection reset" } do
    out[how] = function()
      ended(name_of)
      return ex[how](ex)
    end
  end
  return out
end

--- enter(ex), what a door does with a request, with a witness who looks on once the world has programs.
function M.before(door, enter, w)
  local name = door.name
  function door.on_fault(fault)
    if w.programs then task.log(name, "fault: " .. fault) end
  end
  return function(ex)
    if not w.programs or ex.is_ours then return enter(ex) end
    task.log(name, ("> %s %s"):format(ex.method, ex.target))
    if #ex.body > 0 then task.log(name, ex.body) end
    return enter(watched(ex, name))
  end
end

return M
