--- What stands before the orders of a guarded venue: while the guard is open only those that reduce pass.
-- It is a method of that one venue object, in front of its class; nothing else of the venue knows of it.
local guard = require "smc.venue.guard"

local M = {}

local passes = setmetatable({}, { __mode = "k" }) -- coroutines that close positions for a guard

--- fn, with the gates open for it: what the guard itself places is placed, and before anything else.
function M.passing(fn)
  return function(...)
    passes[coroutine.running()] = true
    guard.hurry()
    return fn(...)
  end
end

--- allows(given, op) -> true, or nil and an error.
function M.install(venue, allows)
  for _, op in ipairs { "place", "amend" } do
    local original = venue[op]
    venue[op] = function(self, given)
      if not passes[coroutine.running()] then
        local ok, no = allows(given, op)
        if not ok then
          no.venue = self.name
          return nil, no
        end
      end
      return original(self, given) -- a tail call: wrong use is blamed on its caller
    end
  end
end

return M
