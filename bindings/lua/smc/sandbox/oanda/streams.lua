--- The two streams: chunked answers that never end, a whole line in every chunk.
-- Each is a topic of its own (smc.sandbox.subscriptions): it sends at the ends of its windows of 250 ms, if a price of
-- its has changed, and a heartbeat every five seconds.
local clock = require "smc.sandbox.oanda.clock"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local limits = require "smc.sandbox.oanda.limits"
local refusal = require "smc.sandbox.oanda.refusal"
local subscriptions = require "smc.sandbox.subscriptions"

local M = {}

local WINDOW_MS, BEAT_MS = 250, 5000
local HEADERS = { { "Content-Type", "application/octet-stream" }, { "Access-Control-Allow-Origin", "*" } }

local function write(session, line)
  if session.unix then line = clock.as_unix(line) end
  if session.ex.alive then session.sock:write(line .. "\n") end
end

--- Forgets those whose connection is gone.
local function sweep(sb)
  for i = #sb.sessions, 1, -1 do
    local session = sb.sessions[i]
    if not session.ex.alive then
      table.remove(sb.sessions, i)
      table.remove(sb.topics, subscriptions.index_of(sb.topics, session))
    end
  end
end

--- Those that are open.
function M.open(sb)
  sweep(sb)
  return sb.sessions
end

local function heartbeat(sb, session)
  write(session, json.encode(json.object("type", "HEARTBEAT", "lastTransactionID",
    session.kind == "transactions" and sb.log:last() or nil, "time", clock.rfc3339(sb:now()))))
end

local function tell_price(sb, session, def)
  local seen, told = sb.prices[def.symbol], session.told[def.symbol]
  session.told[def.symbol] = seen
  if told and told.bid == seen.bid and told.ask == seen.ask and told.tradeable == seen.tradeable then return false end
  write(session, json.encode(sb:client_price(def)))
  return true
end

local function tell_prices(sb, session)
  local told = false
  for _, def in ipairs(session.defs or {}) do told = tell_price(sb, session, def) or told end
  if told and session.home then
    write(session, json.encode(json.object("homeConversions", sb:conversions(session.defs))))
  end
end

--- What a topic does when its time has come.
local function emit(session, sb)
  local now = sb.market:time()
  session.due = nil
  if not sb.keys[session.token] then session.ex:close() end -- its token was taken away
  tell_prices(sb, session)
  while session.idle_due <= now do
    heartbeat(sb, session)
    session.idle_due = session.idle_due + BEAT_MS
  end
  if not session.ex.alive then sweep(sb) end
end

--- A price has changed: its listeners hear of it at the end of their window.
function M.touch(sb)
  local now = sb.market:time()
  for _, session in ipairs(sb.sessions) do
    for _, def in ipairs(session.defs or {}) do
      if session.told[def.symbol] ~= sb.prices[def.symbol] and not session.due then
        session.due = now + WINDOW_MS - (now - session.opened) % WINDOW_MS -- a beat is at the end of a window too
      end
    end
  end
end

--- A transaction happened.
function M.logged(sb, tx)
  for _, session in ipairs(sb.sessions) do
    if session.kind == "transactions" then write(session, tx.text) end
  end
end

local function begin(sb, ex, session, call)
  if not limits.counted("streams", #M.open(sb) < sb.assume.streams) then return nil, refusal.too_many_streams() end
  session.ex, session.sock, session.path, session.unix = ex, ex, ex.path, call.unix
  session.token = call.token
  session.def, session.every, session.lazy, session.emit = {}, WINDOW_MS, true, emit
  session.opened = sb.market:time()
  session.idle_due = session.opened + BEAT_MS
  local headers = { table.unpack(HEADERS) }
  table.move({ { "RequestID", call.request_id }, { "Date", call.date } }, 1, 2, #headers + 1, headers)
  ex:start(200, headers)
  sb.sessions[#sb.sessions + 1], sb.topics[#sb.topics + 1] = session, session
  sb:arm()
  return session
end

function M.transactions(sb, call)
  return begin(sb, call.ex, { kind = "transactions" }, call)
end

function M.prices(sb, call)
  local defs, no = params.instruments(sb, call.values)
  if defs == false then return nil, refusal.missing "instruments" end
  local snapshot, home
  if defs then snapshot, no = params.truth(call.values, "snapshot", true) end
  if snapshot ~= nil then home, no = params.truth(call.values, "includeHomeConversions", false) end
  if home == nil then return nil, no end
  local session
  session, no = begin(sb, call.ex, { kind = "prices", defs = defs, home = home, told = {} }, call)
  if not session then return nil, no end
  for _, def in ipairs(defs) do
    if not snapshot then session.told[def.symbol] = sb.prices[def.symbol] end
  end
  tell_prices(sb, session)
  return session
end

return M
