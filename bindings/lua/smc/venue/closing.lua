--- The two ways in which every stream of a venue ends; its connection is in `conn`.

--- Adds close and __close to a class of streams.
return function(Stream)
  --- Closes with code 1000.  Returns the code that the venue answered with.
  function Stream:close()
    if self.closed then return nil end
    self.closed = true
    return self.conn:close(1000, "")
  end

  --- Drops the connection without waiting.
  function Stream:__close()
    self.closed = true
    local _ <close> = self.conn
  end
end
