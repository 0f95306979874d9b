--- Faults that are a state of the whole venue.  See sandbox/faults.lua.
--   begin     begin(door, p) -> a function that ends it, or nothing
--   needs     what a venue must have for it: a field of the sandbox
--   switch    in place of begin, for what happens to all connections: switch(server, on) -> true or nil, err

local M = {}

local function ms(seconds) return seconds and math.floor(seconds * 1000 + 0.5) end

M.rate_limit = {
  doc = "the client's limit is used up: its requests are refused as if it had gone beyond",
  params = { seconds = { "number", "for how long; default: as the venue's window goes", unit = "s", least = 0.001 } },
  needs = "limits",
  class = { read = "rate_limit", order = "rate_limit", stream = "rate_limit", bybit = { stream = "-" } },
  recovers = "by itself when the window ends; binance: who goes on asking meanwhile is banned",
  begin = function(door, p)
    local sb = door.venue()
    sb.limits:use_up(ms(p.seconds), sb:now())
    return function() sb.limits:forgive() end
  end,
}

M.ban = {
  doc = "the client's address is shut out, as if it had ignored the limits",
  params = { seconds = { "number", "for how long; default: binance 120, twice as long each time; bybit 600; oanda 60",
    unit = "s", least = 0.001 } },
  needs = "limits",
  class = { read = "ip_ban", order = "ip_ban", stream = "ip_ban" },
  recovers = "by itself when the ban ends",
  begin = function(door, p)
    local sb = door.venue()
    sb.limits:ban(ms(p.seconds), sb:now())
    return function() sb.limits:forgive() end
  end,
}

M.skew = {
  doc = "the venue's clock is wrong",
  params = { seconds = { "number", "that it is ahead; negative: behind", unit = "s", needed = true, least = -1e9,
    most = 1e9 } },
  class = { read = "clock_skew", order = "clock_skew", stream = "-", oanda = { read = "-", order = "-" } },
  recovers = "venue:sync() measures it, and signs by it from then on; so does the log-on of an account's stream",
  begin = function(door, p)
    local sb = door.venue()
    local before = sb.skew_ms
    sb.skew_ms = ms(p.seconds)
    return function() sb.skew_ms = before end
  end,
}

M.halt = {
  doc = "a symbol stops trading: its price stands still, orders are refused, cancels work",
  params = { symbol = { "string", "as in \"BTC/USDT\"; default: all" } },
  check = function(values, _, _, venue)
    local symbol = values.symbol
    return symbol and not venue.by_name[symbol] and ("no symbol is called '%s'"):format(symbol) or nil
  end,
  class = { order = "market_closed", oanda = { order = "-" } },
  recovers = "when it trades again; oanda: a market order is refused, a resting one waits",
  begin = function(door, p)
    local names = { p.symbol }
    if not p.symbol then
      for i, def in ipairs(door.venue().symbols) do names[i] = def.name end
    end
    for _, name in ipairs(names) do door.box:halt(name) end
    return function()
      for _, name in ipairs(names) do door.box:resume(name) end
    end
  end,
}

M.maintenance = {
  doc = "the venue is being worked on: it takes leave of its streams, and refuses requests and new streams",
  params = { seconds = { "number", "that are announced, where the venue has a place for it", unit = "s", default = 600,
    least = 1 } },
  class = { read = "server", order = "server", stream = "server",
    bybit = { order = "unknown_outcome" }, oanda = { order = "unknown_outcome" } },
  recovers = "when it is over: the next call, and streams are made anew by themselves",
  begin = function(door, p)
    local sb = door.venue()
    sb.maintenance = { begin_ms = sb:now(), end_ms = sb:now() + ms(p.seconds) }
    for _, session in ipairs(sb:every_session()) do door.its.farewell(session, sb:now()) end
    return function() sb.maintenance = nil end
  end,
  commit = function(visit)
    if visit:announced() then return visit:serve(visit.ex) end
    local status, code, message = table.unpack(visit.door.its.maintenance or { 503 })
    if visit.door:is_stream(visit.ex) then status = 503 end
    visit:record(status)
    visit.ex:reply(status, visit:error_answer { status = status, code = code, message = message })
  end,
}

M.down = {
  params = {},
  doc = "refuses connections and drops those that are open",
  class = { read = "network", order = "network", stream = "network" },
  recovers = "when it is healed: the next call, and streams are made anew by themselves",
  switch = function(server, on)
    local ok, err = server:refuse(on)
    if ok and on then server:drop() end
    return ok, err
  end,
}

M.mute = {
  params = {},
  doc = "accepts and reads, but answers nothing until it is healed; what was held back goes its way then",
  class = { read = "timeout", order = "unknown_outcome", stream = "timeout" },
  recovers = "when it is healed: the next call, and streams are made anew by themselves",
  switch = function(server, on)
    server:mute(on)
    return true
  end,
}

-- ---- data that stands still --------------------------------------------------------------------

M.stale = {
  doc = "answers each GET as it did the first time since the fault began, and market streams tell no news; the rest as "
    .. "always",
  params = {},
  frames = { event = true }, frames_of = "stream",
  class = { read = "-", stream = "-" },
  recovers = "no error is seen: the times in the answers stand still, too",
  commit = function(visit) visit:repeat_first() end,
  frame = function() end,
}

return M
