-- The WebSocket client as scenarios have it, against a listener of this process.
local smc = require "smc"
local listener = require "smc.core.server"

local server, sock, request, heard, on_message

--- "/refuse" is refused, "/mute" is never answered; everything else becomes a WebSocket on which `on_message` runs.
local function url(target) return (server:origin():gsub("^http", "ws")) .. (target or "/") end

before_each(function()
  heard, sock = {}, nil
  on_message = function(s, data, binary) s:send(data, binary) end
  server = assert(listener.listen { on_request = function(ex)
    request = { target = ex.target, raw_headers = ex.raw_headers, headers = ex.headers }
    if ex.target == "/refuse" then return ex:reply(403, {}, "no") end
    if ex.target == "/mute" then return end
    sock = assert(ex:upgrade {
      on_message = function(...) on_message(...) end,
      on_ping = function(_, payload) heard[#heard + 1] = "ping " .. payload end,
      on_close = function(_, code, reason) heard[#heard + 1] = ("close %d %s"):format(code, reason) end,
    })
  end })
end)

after_each(function() server:close() end)

local function eventually_heard(what)
  eventually(function() assert.equal(what, heard[#heard]) end, { within = 5, every = 0.01 })
end

--- The virtual clock is exact; the real one comes after.
local function check_took(seconds, start)
  local took = smc.now() - start
  assert.is_true(took >= seconds and took < seconds + 0.2, tostring(took))
end

describe("smc.ws.connect", function()
  it("asks for what it was told to ask for", function()
    local c <close> = assert(smc.ws.connect(url "/ws/a%2Fb?x=%2B+1&&y", {
      headers = { ["X-B"] = "2", ["X-A"] = "1" }, protocol = "one", deflate = true, timeout = 3,
    }))

    assert.equal("/ws/a%2Fb?x=%2B+1&&y", request.target)
    local names = {}
    for _, pair in ipairs(request.raw_headers) do
      if pair[1]:match("^X%-") then names[#names + 1] = pair[1] .. "=" .. pair[2] end
    end
    assert.equal("X-A=1 X-B=2", table.concat(names, " "))
    assert.equal("one", request.headers["sec-websocket-protocol"])
    assert.is_truthy(request.headers["sec-websocket-extensions"]:find("permessage-deflate", 1, true))
    assert.equal("", c.protocol)
    assert.is_true(c.is_open)
    assert.is_nil(c.close_code)
  end)

  it("knows when it was spoken to last, by messages and by pongs, read or not", function()
    local c <close> = assert(smc.ws.connect(url()))
    local opened = smc.now()
    assert.equal(opened, c.heard)
    smc.sleep(2)
    assert.equal(opened, c.heard)
    assert(sock:send "unread")
    smc.sleep(3)
    assert.is_true(c.heard >= opened + 2 and c.heard < opened + 2.2, tostring(c.heard))
    local pong, err = c:ping(nil, 0) -- only sent
    assert.same({ nil, "timeout" }, { pong, err.class })
    smc.sleep(1)
    assert.is_true(c.heard >= opened + 5 and c.heard < opened + 5.2, tostring(c.heard))
  end)

  it("tells the status of a refused upgrade", function()
    local c, err = smc.ws.connect(url "/refuse")

    assert.is_nil(c)
    assert.equal("protocol", err.class)
    assert.equal(403, err.sys)
  end)

  it("gives up at its deadline", function()
    local start = smc.now()

    local c, err = smc.ws.connect(url "/mute", { timeout = 2.5 })

    assert.is_nil(c)
    assert.equal("timeout", err.class)
    check_took(2.5, start)
  end)

  it("reaches testnets and loopback only", function()
    local c, err = smc.ws.connect "wss://stream.binance.com:9443/ws"
    assert.is_nil(c)
    assert.equal("host_refused", err.code)
    server:close()
    c, err = smc.ws.connect(url "/")
    assert.is_nil(c)
    assert.equal("connect", err.code)
    assert.equal("network", err.class)
  end)

  it("raises at the caller's line when it is used wrongly", function()
    local function check(message, ...)
      local ok, err = pcall(function(...) return (smc.ws.connect(...)) end, ...)
      assert.is_false(ok)
      assert.is_truthy(err:find("test_ws.lua:", 1, true), err)
      assert.is_truthy(err:find(message, 1, true), err)
    end
    check("url must be a string", 1)
    check("NUL", url "/\0x")
    check("options must be a table", url "/", 1)
    check("unknown option 'color'", url "/", { color = 1 })
    check("option 'timeout'", url "/", { timeout = "x" })
    check("option 'protocol'", url "/", { protocol = 1 })
    check("option 'deflate'", url "/", { deflate = 1 })
    check("option 'max_queue'", url "/", { max_queue = 0 })
    check("option 'headers'", url "/", { headers = { { "a" } } })
    check("option 'headers'", url "/", { headers = { a = 1 } })
  end)

  it("is given up when its task ends", function()
    smc.timeout(1, function() return smc.ws.connect(url "/mute") end)

    eventually(function() assert.equal(0, server:connections()) end, { within = 1, every = 0.01 })
  end)
end)

describe("a WebSocket", function()
  local c

  before_each(function() c = assert(smc.ws.connect(url "/", { max_queue = 10 })) end)
  after_each(function() if c.is_open then c:close() end end)

  it("gives back what it is given", function()
    for _, data in ipairs { "text", "", ("x"):rep(100000) } do
      assert.is_true(c:send(data))
      assert.same({ data = data, binary = false }, c:recv(5))
    end
    assert.is_true(c:send("a\0\xff", { binary = true }))
    assert.same({ data = "a\0\xff", binary = true }, c:recv(5))
  end)

  it("says at the deadline that nothing came", function()
    local start = smc.now()

    local message, err = c:recv(1.5)

    assert.is_nil(message)
    assert.equal("timeout", err.class)
    check_took(1.5, start)
    assert.is_true(c:send("still works"))
    assert.equal("still works", c:recv(5).data)
  end)

  it("holds back a server that is read too slowly, and loses nothing", function()
    for i = 1, 1000 do assert(sock:send(tostring(i))) end
    smc.sleep(1)
    for i = 1, 1000 do assert.equal(tostring(i), c:recv(5).data) end
  end)

  it("makes a sender wait while the server does not read", function()
    local got = 0
    on_message = function(_, data) got = got + #data end
    local big = ("x"):rep(1000000)

    for _ = 1, 20 do assert.is_true(c:send(big)) end

    eventually(function() assert.equal(20 * #big, got) end, { within = 5, every = 0.01 })
  end)

  it("lets many senders wait for the same room, as often as it takes", function()
    local got, tasks = 0, {}
    on_message = function(_, data) got = got + #data end
    local big = ("x"):rep(3 << 20)

    for i = 1, 40 do tasks[i] = smc.spawn(function() return c:send(big, { binary = true }) end) end
    for i = 1, 40 do assert.is_true(tasks[i]:join()) end

    eventually(function() assert.equal(40 * #big, got) end, { within = 5, every = 0.01 })
  end)

  it("gives a sender its time once, however often there was room for others", function()
    assert(server:add_toxic { kind = "bandwidth", stream = "upstream", size = 1 << 20 })
    local tasks, start, late = {}, smc.now(), 0
    for i = 1, 8 do
      tasks[i] = smc.spawn(function()
        local sent, err = c:send(("x"):rep(3 << 20), { binary = true, timeout = 5 })
        return sent, err, smc.now() - start
      end)
    end
    for i = 1, 8 do
      local sent, err, took = tasks[i]:join()
      if not sent then
        assert.equal("timeout", err.class)
        assert.near(5, took, 0.01)
        late = late + 1
      end
    end
    assert.is_true(late >= 4, tostring(late))
    server:drop()
  end)

  it("measures the time to a pong with the same payload", function()
    assert.equal("number", type(assert(c:ping("abc", 5))))
    assert.equal("ping abc", heard[#heard])
    assert.equal("number", type(assert(c:ping())))
    sock:auto_pong(false)
    smc.spawn(function()
      smc.sleep(0.2)
      sock:pong("other")
      smc.sleep(0.3)
      sock:pong("mine")
    end)
    assert.is_near(0.5, assert(c:ping("mine", 5)), 0.2)

    local seconds, err = c:ping("nobody", 0.5)
    assert.is_nil(seconds)
    assert.equal("timeout", err.class)
    assert.has_error(function() c:ping(("x"):rep(126)) end)
  end)

  it("closes with a code and a reason, and says so again", function()
    assert.same({ 3001, "" }, { c:close(3001, "bye") })
    eventually_heard "close 3001 bye"
    assert.is_false(c.is_open)
    assert.equal(3001, c.close_code)
    assert.same({ 3001, "" }, { c:close() })

    local ok, err = c:send("x")
    assert.is_nil(ok)
    assert.equal("closed", err.code)
    assert.equal(3001, err.close_code)
    ok, err = c:ping()
    assert.is_nil(ok)
    assert.equal("closed", err.code)
  end)

  it("refuses to close with a code that may not be sent", function()
    assert.has_error(function() c:close(1005) end)
    assert.has_error(function() c:close(1000, ("x"):rep(124)) end)
    assert.has_error(function() c:close(17) end)
    assert.is_true(c.is_open)
  end)

  it("lets read what came before the server closed, then says how it closed", function()
    sock:send("one")
    sock:send("two")
    sock:close(1001, "going away")
    eventually(function() assert.is_false(c.is_open) end, { within = 5, every = 0.01 })

    assert.equal("one", c:recv().data)
    assert.equal("two", c:recv().data)
    for _ = 1, 2 do
      local message, err = c:recv()
      assert.is_nil(message)
      assert.equal("closed", err.code)
      assert.equal("network", err.class)
      assert.equal(1001, err.close_code)
      assert.equal("going away", err.reason)
    end
    assert.equal(1001, c.close_code)
  end)

  it("tells a waiting reader that the connection was reset", function()
    smc.spawn(function()
      smc.sleep(1)
      sock:reset()
    end)

    local message, err = c:recv(5)

    assert.is_nil(message)
    assert.equal("reset", err.code)
    assert.equal(1006, err.close_code)
    local code
    code, err = c:close()
    assert.is_nil(code)
    assert.equal("reset", err.code)
  end)

  it("serves several readers in their order", function()
    local got = {}
    local function reader(i)
      local data = c:recv(5).data
      got[#got + 1] = i .. data
    end
    local tasks = { smc.spawn(reader, 1), smc.spawn(reader, 2), smc.spawn(reader, 3) }
    smc.sleep(0.1)
    tasks[2]:cancel()
    sock:send("a")
    sock:send("b")
    tasks[1]:join()
    tasks[3]:join()
    assert.same({ "1a", "3b" }, got)
  end)

  it("is dropped at the end of its block", function()
    do
      local other <close> = assert(smc.ws.connect(url "/"))
      assert.is_true(other.is_open)
    end
    eventually_heard "close 1006 "
  end)

  it("outlives the collector while it is open", function()
    do local lost = assert(smc.ws.connect(url "/lost")) assert.is_true(lost.is_open) end
    collectgarbage()
    collectgarbage()
    assert.is_true(sock:send("nobody reads this"))
    smc.sleep(1)
    assert.is_true(sock.open)
    assert.equal(2, server:connections())
    sock:close(1000)
    eventually(function() assert.equal(1, server:connections()) end, { within = 5, every = 0.01 })
  end)

  it("has no other fields", function()
    assert.has_error(function() return c.colour end)
    assert.is_truthy(tostring(c):find("WebSocket ws://", 1, true))
    assert.has_error(function() c:send(1) end)
    assert.has_error(function() c:send("x", { bin = true }) end)
    assert.has_error(function() c:recv(-1) end)
  end)
end)
