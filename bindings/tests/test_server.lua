-- The listener that sandboxes are made of, met by our own clients.
local smc = require "smc"
local listener = require "smc.core.server"

local server, answer, sockets

local function url(target) return server:origin() .. target end
local function ws_url(target) return (server:origin():gsub("^http", "ws")) .. target end

local function listen(options)
  options.on_request = function(ex) answer(ex) end
  server = assert(listener.listen(options))
end

before_each(function()
  sockets = {}
  listen {}
end)

after_each(function() server:close() end)

describe("a listener", function()
  it("knows where it is, and refuses what it does not know", function()
    local function error_of(options)
      local ok, err = pcall(listener.listen, options)
      assert.is_false(ok)
      return tostring(err)
    end
    local function f() end

    assert.equal("http://127.0.0.1:" .. server:port(), server:origin())
    assert.is_truthy(error_of({ on_request = f, prot = 1 }):find("unknown option 'prot'", 1, true))
    assert.is_truthy(error_of({}):find("on_request must be a function", 1, true))
    assert.is_truthy(error_of({ on_request = f, max_body = 0 }):find("max_body must be a positive integer", 1, true))
    assert.is_truthy(error_of({ on_request = f, port = 65536 }):find("at most 65535", 1, true))
    assert.is_truthy(error_of({ on_request = f, deflate = 1 }):find("deflate must be", 1, true))
  end)

  it("gives nil and an error for a port that is taken", function()
    local second, err = listener.listen { port = server:port(), on_request = function() end }

    assert.is_nil(second)
    assert.equal("system", err.code)
  end)

  it("counts its connections, and drops them", function()
    answer = function(ex) ex:reply(200, nil, tostring(ex.connection)) end
    assert.equal("1", assert(smc.http.get(url "/")).body)
    assert.equal("1", assert(smc.http.get(url "/")).body)
    assert.equal(1, server:connections())

    server:drop()

    assert.equal(0, server:connections())
    assert.equal("2", assert(smc.http.get(url "/")).body)
  end)

  it("can be mute, and goes on afterwards", function()
    answer = function(ex) ex:reply(200) end
    server:mute(true)

    local reply, err = smc.http.get(url "/", { timeout = 3 })

    assert.is_nil(reply)
    assert.equal("timeout", err.class)
    server:mute(false)
    assert.equal(200, assert(smc.http.get(url "/")).status)
  end)

  it("can refuse connections, and come back where it was", function()
    local port = server:port()
    answer = function(ex) ex:reply(200) end
    assert(server:refuse(true))

    local reply, err = smc.http.get(url "/")

    assert.is_nil(reply)
    assert.equal("connect", err.code)
    assert(server:refuse(false))
    assert.equal(port, server:port())
    assert.equal(200, assert(smc.http.get(url "/")).status)
  end)

  it("is of no use once closed, and calls nobody any more", function()
    local calls = 0
    answer = function()
      calls = calls + 1
      server:close()
    end

    local reply, err = smc.http.get(url "/")

    assert.is_nil(reply)
    assert.equal("network", err.class)
    assert.equal(1, calls)
    assert.equal(0, server:connections())
    assert.is_truthy(tostring(server):find("closed", 1, true))
    assert.has_error(function() server:mute(true) end, "the server is closed")
    server:close()
  end)
end)

describe("an exchange", function()
  it("shows the request byte for byte", function()
    local seen
    answer = function(ex) seen = ex end

    local headers = { { "X-Key", "1" }, { "x-key", "2" } }
    local asking = smc.spawn(function()
      return smc.http.post(url "/a/../b%2f?x=%2B+1&&x=2?", "a\0\xff", { headers = headers })
    end)
    eventually(function() assert.is_truthy(seen) end)
    collectgarbage()

    assert.equal("POST", seen.method)
    assert.equal("/a/../b%2f?x=%2B+1&&x=2?", seen.target)
    assert.equal("/a/../b%2f", seen.path)
    assert.equal("x=%2B+1&&x=2?", seen.query)
    assert.equal("a\0\xff", seen.body)
    assert.equal("1", seen:header "X-KEY")
    assert.is_nil(seen:header "x-none")
    assert.equal("1", seen.headers["x-key"])
    assert.equal("3", seen.headers["content-length"])
    local raw = {}
    for _, pair in ipairs(seen.raw_headers) do raw[#raw + 1] = pair[1] .. "=" .. pair[2] end
    assert.is_truthy(table.concat(raw, "&"):find("X-Key=1&x-key=2", 1, true))
    assert.equal(seen.headers, seen.headers) -- made once
    assert.is_false(seen.is_websocket)
    assert.is_true(seen.alive)
    assert.has_error(function() return seen.metod end)
    assert(seen:reply(200))
    assert.equal(200, asking:join().status)
    assert.is_false(seen.alive)
  end)

  it("takes numbers as values of headers", function()
    answer = function(ex)
      local headers = { { "X-Count", 0 }, { "X-Most", math.maxinteger }, { "X-Below", -7 }, { "X-Text", "9" } }
      for i = 1, 20 do headers[#headers + 1] = { "X-" .. i, i } end
      ex:reply(200, ex.query == "few" and { table.unpack(headers, 1, 4) } or headers)
    end

    for _, how in ipairs { "few", "many" } do
      local got = assert(smc.http.get(url("/?" .. how))).headers
      assert.same({ "0", "9223372036854775807", "-7", "9", how == "many" and "20" or nil },
        { got["x-count"], got["x-most"], got["x-below"], got["x-text"], got["x-20"] })
    end
  end)

  it("is over when it was answered and its handler has ended", function()
    local seen
    answer = function(ex)
      seen = ex
      ex:reply(200)
      assert.equal("/", ex.path)
    end

    assert.equal(200, assert(smc.http.get(url "/")).status)

    assert.is_false(seen.alive)
    assert.equal("/", seen.path) -- it was asked for in time
    assert.has_error(function() return seen.method end)
    assert.has_error(function() return seen:header "host" end)
    for _, late in ipairs { "reply", "start", "write", "finish", "raw", "close", "reset" } do
      local ok, err = seen[late](seen, (late == "write" or late == "raw") and "x" or 200)
      assert.is_nil(ok)
      assert.equal("network", err.class)
    end
  end)

  it("has an empty query when there is none", function()
    local query
    answer = function(ex)
      query = ex.query
      ex:reply(200, nil, ex.path)
    end

    assert.equal("/p", assert(smc.http.get(url "/p")).body)
    assert.equal("", query)
  end)

  it("adds no header of its own but the length", function()
    answer = function(ex) ex:reply(429, { { "Retry-After", 7 } }, "slow down") end

    local reply = assert(smc.http.get(url "/"))

    assert.same({ { "Retry-After", "7" }, { "Content-Length", "9" } }, reply.raw_headers)
  end)

  it("is one of many that come at once", function()
    answer = function(ex) ex:reply(200, nil, ex.query) end
    local tasks = {}

    for i = 1, 200 do
      tasks[i] = smc.spawn(function() return assert(smc.http.get(url("/?" .. i))).body end)
    end

    for i = 1, 200 do assert.equal(tostring(i), tasks[i]:join()) end
  end)

  it("can be answered later", function()
    answer = function(ex)
      smc.spawn(function()
        smc.sleep(2)
        ex:reply(200, nil, "late")
      end)
    end
    local start = smc.now()

    assert.equal("late", assert(smc.http.get(url "/")).body)
    assert.near(2, smc.now() - start, 0.5)
  end)

  it("is no longer alive when its client gave up", function()
    local held
    answer = function(ex) held = ex end

    assert.is_nil((smc.http.get(url "/", { timeout = 1 })))

    eventually(function() assert.is_false(held.alive) end)
    local ok, err = held:reply(200)
    assert.is_nil(ok)
    assert.equal("closed", err.code)
  end)

  it("can be answered in pieces", function()
    answer = function(ex)
      ex:start(200, { { "Content-Type", "text/plain" } })
      smc.spawn(function()
        for i = 1, 3 do
          smc.sleep(1)
          ex:write(("tick %d\n"):format(i))
        end
        ex:finish()
      end)
    end

    local stream = assert(smc.http.stream { url = url "/" })

    assert.equal("chunked", stream.headers["transfer-encoding"])
    for i = 1, 3 do assert.equal(("tick %d\n"):format(i), stream:recv()) end
    assert.same({ nil, nil }, { stream:recv() })
  end)

  it("raises for what may not be sent", function()
    local errors = {}
    local function try(f, ...)
      local ok, err = pcall(f, ...)
      errors[#errors + 1] = not ok and err or nil
    end
    answer = function(ex)
      try(ex.reply, ex, 99)
      try(ex.reply, ex, 200, { { "A", "b\r\nC: d" } })
      try(ex.reply, ex, 200, { "A: b" })
      try(ex.write, ex, "early")
      try(ex.finish, ex)
      try(ex.upgrade, ex, {})
      ex:reply(200)
    end

    assert.equal(200, assert(smc.http.get(url "/")).status)
    assert.equal(6, #errors)
  end)

  it("can break the wire", function()
    local cases = {
      raw = { function(ex) ex:raw "HTTP/1.1 abc\r\n\r\n" ex:close() end, "protocol" },
      partial = { function(ex)
        ex:start(200, { { "Content-Length", "10" } })
        ex:write "half"
        ex:close()
      end, "network" },
      reset = { function(ex) ex:reset() end, "network" },
    }
    for name, case in pairs(cases) do
      answer = case[1]
      local reply, err = smc.http.get(url "/")
      assert.is_nil(reply, name)
      assert.equal(case[2], err.class, name)
    end
  end)
end)

describe("a sock", function()
  local log

  local function note(...) log[#log + 1] = table.concat({ ... }, " ") end

  before_each(function()
    log = {}
    answer = function(ex)
      sockets[#sockets + 1] = assert(ex:upgrade {
        headers = { { "X-Path", ex.target } },
        on_message = function(sock, data, binary)
          note(binary and "binary" or "text", data)
          sock:send(data, binary)
        end,
        on_ping = function(_, payload) note("ping", payload) end,
        on_pong = function(_, payload) note("pong", payload) end,
        on_close = function(sock, code, reason, clean)
          note("close", code, reason, tostring(clean), tostring(sock.open))
        end,
      })
    end
  end)

  it("carries text and binary messages", function()
    local c <close> = assert(smc.ws.connect(ws_url "/ws"))

    c:send "h\u{e9}llo"
    c:send("\0\xff", { binary = true })

    assert.same({ data = "h\u{e9}llo", binary = false }, c:recv())
    assert.same({ data = "\0\xff", binary = true }, c:recv())
    assert.same({ "text h\u{e9}llo", "binary \0\xff" }, log)
    assert.is_true(sockets[1].open)
  end)

  it("handles a burst in order", function()
    local c <close> = assert(smc.ws.connect(ws_url "/ws"))

    for i = 1, 500 do c:send(tostring(i)) end

    for i = 1, 500 do assert.equal(tostring(i), assert(c:recv()).data) end
    assert.equal("text 500", log[500])
  end)

  it("answers pings unless told otherwise, and pings itself", function()
    local c <close> = assert(smc.ws.connect(ws_url "/ws"))
    assert(c:ping "one")

    sockets[1]:auto_pong(false)
    local seconds, err = c:ping("two", 1)
    sockets[1]:ping "three"

    assert.is_nil(seconds)
    assert.equal("timeout", err.class)
    eventually(function() assert.same({ "ping one", "ping two", "pong three" }, log) end)
  end)

  it("hears how the client closed", function()
    local c = assert(smc.ws.connect(ws_url "/ws"))

    assert.equal(4001, c:close(4001, "enough"))

    eventually(function() assert.same({ "close 4001 enough true false" }, log) end)
    eventually(function() assert.equal(0, server:connections()) end)
    local ok, err = sockets[1]:send "x"
    assert.is_nil(ok)
    assert.equal("closed", err.code)
  end)

  it("closes with a code and a reason", function()
    local c = assert(smc.ws.connect(ws_url "/ws"))

    assert(sockets[1]:close(1008, "Pong timeout"))
    local message, err = c:recv()

    assert.is_nil(message)
    assert.equal(1008, err.close_code)
    assert.equal("Pong timeout", err.reason)
    eventually(function() assert.same({ "close 1008 Pong timeout true false" }, log) end)
    assert.has_error(function() sockets[1]:close(5000) end)
  end)

  it("can vanish: by a reset, without a Close frame, in the middle of a frame", function()
    local ways = {
      function(sock) sock:reset() end,
      function(sock) sock:drop() end,
      function(sock)
        sock:raw "\x81\x7dhalf"
        sock:drop()
      end,
    }
    for i, way in ipairs(ways) do
      local c = assert(smc.ws.connect(ws_url "/ws"))
      way(sockets[i])
      assert.is_false(sockets[i].open)
      local message, err = c:recv()
      assert.is_nil(message)
      assert.equal(1006, err.close_code)
      eventually(function() assert.equal(i, #log) end)
      assert.equal("close 1006  false false", log[i])
    end
  end)

  it("speaks permessage-deflate when the listener does", function()
    for _, deflate in ipairs { true, "no_context" } do
      server:close()
      listen { deflate = deflate }
      local c <close> = assert(smc.ws.connect(ws_url "/ws", { deflate = true }))
      for i = 1, 3 do
        local text = ("to be or not to be %d "):format(i):rep(100)
        c:send(text)
        assert.equal(text, assert(c:recv()).data)
      end
    end
  end)

  it("goes with its listener, and its handlers hear nothing of it", function()
    local c = assert(smc.ws.connect(ws_url "/ws"))
    c:send "unheard"

    server:close()
    local message, err = c:recv()

    assert.is_nil(message)
    assert.equal("network", err.class)
    assert.is_false(sockets[1].open)
    assert.same({}, log)
  end)
end)
