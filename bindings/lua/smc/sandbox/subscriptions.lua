--- Who listens to which topic, and when each topic sends.
-- A topic: { def, sessions } and one of `live`, it sends as things happen; `every`, at multiples of so many
-- milliseconds; `every` and `lazy`, at those after something changed (touch says so), or at idle_due if nothing did.
-- emit(topic, sb) makes what it sends by the clock, or nil.
local M = {}

local function index_of(list, value)
  for i, v in ipairs(list) do
    if v == value then return i end
  end
end
M.index_of = index_of

local function boundary(topic, now_ms)
  return (now_ms // topic.every + 1) * topic.every
end

--- Something changed that a lazy topic shows.
function M.touch(topic, now_ms)
  topic.due = topic.due or boundary(topic, now_ms)
end

--- Tells the topics what has just happened in the market.  A topic may have: lazy, the type of the events after which
-- it has something to send; on_level(topic, level); on_trades(topic, trades, sb) and on_best(topic, best), which return
-- a list of what to send.
function M.heard(sb, events)
  if #sb.topics == 0 then return end
  local now_ms, trades, moved = sb.market:time(), {}, {}
  for _, e in ipairs(events) do
    if e.type == "trade" then
      trades[e.symbol] = trades[e.symbol] or {}
      table.insert(trades[e.symbol], e)
    elseif e.type == "level" then
      moved[e.symbol] = true
    end
    for _, topic in ipairs(sb.topics) do
      if topic.def.symbol == e.symbol then
        if topic.lazy == e.type then M.touch(topic, now_ms) end
        if topic.on_level and e.type == "level" then topic:on_level(e) end
      end
    end
  end
  for _, topic in ipairs(sb.topics) do
    local symbol, out = topic.def.symbol, {}
    if topic.on_trades and trades[symbol] then out = topic:on_trades(trades[symbol], sb) end
    if topic.on_best and moved[symbol] then out = topic:on_best(sb.market:best(symbol)) end
    for _, event in ipairs(out) do sb:send(topic, event) end
  end
end

--- Sends what is due by the clock.
function M.tick(sb, wall_ms)
  for _, topic in ipairs(sb.topics) do
    local due = topic.due or topic.idle_due
    if topic.every and due and due <= wall_ms then
      topic.due = not topic.lazy and boundary(topic, wall_ms) or nil
      local event = topic:emit(sb)
      if event then sb:send(topic, event) end
    end
  end
end

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

--- When the topics next want to be woken, in wall milliseconds; nil when nobody listens.
function M.next_due(sb)
  local due
  for _, topic in ipairs(sb.topics) do
    local at = topic.due
    if topic.live or topic.lazy and not at then at = earlier(sb.market:next_ms(), topic.idle_due) end
    due = earlier(due, at)
  end
  return due
end

local function want_events(sb, symbol)
  if not symbol then return end -- of all symbols, and by the clock
  for _, topic in ipairs(sb.topics) do
    if topic.def.symbol == symbol then return sb.market:want("all", symbol) end
  end
  sb.market:want("orders", symbol)
end

--- make(sb, name): a new topic, or nil for a name that the venue has no data for; such a name is kept, and silent.
local function join(sb, session, name, make)
  local topic = sb.topic_of[name]
  if not topic then
    topic = make(sb, name)
    if not topic then return end
    sb:settle() -- what happened before does not belong to the new topic
    topic.sessions = {}
    topic.due = topic.every and not topic.lazy and boundary(topic, sb.market:time()) or nil
    sb.topic_of[name] = topic
    sb.topics[#sb.topics + 1] = topic
    want_events(sb, topic.def.symbol)
  end
  topic.sessions[#topic.sessions + 1] = session
end

local function leave(sb, session, name)
  local topic = sb.topic_of[name]
  if not topic then return end
  table.remove(topic.sessions, index_of(topic.sessions, session))
  if #topic.sessions > 0 then return end
  sb.topic_of[name] = nil
  table.remove(sb.topics, index_of(sb.topics, topic))
  want_events(sb, topic.def.symbol)
end

--- Adds names to session.names; those that are there already stay as they are.
function M.subscribe(sb, session, names, make)
  for _, name in ipairs(names) do
    if not index_of(session.names, name) then
      session.names[#session.names + 1] = name
      join(sb, session, name, make)
    end
  end
  sb:arm()
end

function M.unsubscribe(sb, session, names)
  for _, name in ipairs(names) do
    local at = index_of(session.names, name)
    if at then
      table.remove(session.names, at)
      leave(sb, session, name)
    end
  end
  sb:arm()
end

return M
