-- What a sandbox remembers of its requests says the same as a list of tables would.
local arrivals = require "smc.core.arrivals"
local rng = require "smc.core.rng"

--- A list of tables, the last `keep` of which are there.
local function model(keep, clip)
  local list, m = {}, { first = 1, last = 0 }
  function m.add(method, path, query, body, signed, websocket, status, fault)
    local entry = { method = method, path = path, query = query, body = body }
    local size = #method + #path + #(query or "") + #(body or "")
    for name, text in pairs(entry) do
      if clip and size > clip then entry[name] = text:sub(1, clip) end
    end
    entry.signed, entry.websocket, entry.status, entry.fault = signed, websocket, status, fault
    m.last = m.last + 1
    list[m.last] = entry
    if keep and m.last - m.first == keep then m.first = m.first + 1 end
    return m.last
  end
  function m.note(id, status, fault)
    local entry = m.get(id)
    if entry then entry.status, entry.fault = status or entry.status, fault or entry.fault end
  end
  function m.get(id) return id >= m.first and list[id] or nil end
  return m
end

local function any_text(r, most) return r:alnum(r:int(0, most)) end

local function pick(r, list) return list[r:int(1, list.n)] end

local STATUS, FAULT = table.pack(nil, 200, 429), table.pack(nil, nil, "ack_lost")

local function any_request(r, most)
  return pick(r, table.pack("GET", "POST", "WS")), "/" .. any_text(r, r:int(1, 3) == 1 and most or 0),
    pick(r, table.pack(nil, "", any_text(r, most))), pick(r, table.pack(nil, "", any_text(r, most))),
    r:int(1, 2) == 1, pick(r, table.pack(nil, true, false)), pick(r, STATUS), pick(r, FAULT)
end

local function same(a, b)
  for i = 1, 4 do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function check(m, log, id)
  local entry = log[id]
  if entry then
    assert.equal("number", type(entry.at))
    local function outline(of) return table.pack(of.method, of.path, of.websocket or false, of.status) end
    local last = math.min(id + 4, m.last)
    local told = table.pack(log:outline(id, last))
    assert.same(outline(entry), { n = 4, table.unpack(told, 1, 4) })
    local other = id + 1
    while other <= last and same(outline(entry), outline(m.get(other))) do other = other + 1 end
    assert.equal(other, told[5])
    entry.at = nil
  else
    assert.is_nil((log:outline(id, m.last)))
  end
  assert.same(m.get(id), entry)
end

describe("the log of a sandbox", function()
  for _, case in ipairs { { nil, nil, "all" }, { 1, 20, "the last" }, { 7, 40, "the last seven" },
    { 200, 100, "the last two hundred" } } do
    it("remembers " .. case[3], function()
      local r, m, log = rng.new(case[1] or 0, "arrivals"), model(case[1], case[2]), arrivals.new(case[1], case[2])
      for i = 1, 500 do
        local request = table.pack(any_request(r, r:int(1, 10) == 1 and 60 or 12))
        assert.equal(m.add(table.unpack(request, 1, 8)), log:add(table.unpack(request, 1, 8)))
        local noted, status, fault = r:int(math.max(1, i - 10), i + 1), pick(r, STATUS), pick(r, FAULT)
        m.note(noted, status, fault)
        log:note(noted, status, fault)
        assert.same({ m.first, m.last }, { log.first, log.last })
        check(m, log, r:int(-1, i + 1))
        check(m, log, i)
      end
      for id = m.first, m.last do check(m, log, id) end
    end)
  end

  it("is empty at first, and holds any bytes", function()
    local log = arrivals.new()
    assert.same({ 1, 0 }, { log.first, log.last })
    assert.is_nil(log[0])
    assert.is_nil(log[1])
    log:add("GET", "/a\0b", "\xff", nil, true)
    assert.same({ "/a\0b", "\xff" }, { log[1].path, log[1].query })
  end)

  it("refuses what it cannot hold", function()
    local log = arrivals.new(2)
    for _, wrong in ipairs { { nil, "/" }, { "GET" }, { "GET", "/", {} }, { "GET", "/", "", "", true, false, "x" },
      { "GET", "/", "", "", true, false, 200, ("f"):rep(32) } } do
      assert.has_error(function() log:add(table.unpack(wrong, 1, 8)) end)
    end
    assert.equal(0, log.last)
    assert.has_error(function() arrivals.new(-1) end)
    assert.is_nil(log.no_such)
    log:add("GET", "/", nil, nil, false)
    assert.has_error(function() log:outline(1, 2) end)
  end)
end)
