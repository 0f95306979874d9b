--- The two ways in which every stream of a venue ends.  Its connection is in `conn`, if it has one at the moment;
-- `beat` is the timer of its pings.

local errors = require "smc.error"

--- Adds close and __close to a class of streams.
return function(Stream)
  local function over(self)
    self.closed, self.failed = true, errors.new { class = "cancelled", code = "closed", op = "stream",
      message = "the stream is closed" }
    if self.beat then self.beat:cancel() end
    self.beat = nil
    if self.watch then self.guard.health:unwatch(self.watch) end
    self.watch = nil
  end

  --- Closes with code 1000.  Returns the code that the venue answered with.
  function Stream:close()
    if self.closed then return nil end
    over(self)
    return self.conn and self.conn:close(1000, "")
  end

  --- Drops the connection without waiting.
  function Stream:__close()
    over(self)
    local _ <close> = self.conn
  end
end
