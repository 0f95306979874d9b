-- The HTTP client as scenarios have it, against a listener of this process.
local smc = require "smc"
local core = require "smc.core.http"
local core_task = require "smc.core.task"
local listener = require "smc.core.server"

local server, seen, answer

--- A server whose answers `answer` gives; what it was asked is in `seen`.
local function url(target) return server:origin() .. target end

before_each(function()
  seen = {}
  answer = function(ex) ex:reply(200, {}, "ok") end
  server = assert(listener.listen { on_request = function(ex)
    seen[#seen + 1] = { method = ex.method, target = ex.target, body = ex.body, headers = ex.raw_headers }
    answer(ex)
  end })
end)

after_each(function() server:close() end)

describe("smc.http", function()
  it("gives status, headers, body and time of a reply", function()
    answer = function(ex)
      ex:reply(418, { { "X-Weight", "25" }, { "x-list", "a" }, { "X-List", "b" } }, "short and stout")
    end

    local reply = assert(smc.http.get(url "/tea?pot=%2B+1"))

    assert.equal(418, reply.status)
    assert.equal("short and stout", reply.body)
    assert.equal("25", reply.headers["x-weight"])
    assert.equal("a, b", reply.headers["x-list"])
    assert.equal("number", type(reply.elapsed))
    assert.is_false(reply.reused)
    local raw = {}
    for _, pair in ipairs(reply.raw_headers) do raw[#raw + 1] = pair[1] .. "=" .. pair[2] end
    assert.is_truthy(table.concat(raw, "&"):find("X-Weight=25&x-list=a&X-List=b", 1, true))
    assert.equal("/tea?pot=%2B+1", seen[1].target)
  end)

  it("has a word for each method, and bodies with any bytes", function()
    local body = "a\0b\r\n\xff"

    assert(smc.http.get(url "/"))
    assert(smc.http.post(url "/", body))
    assert(smc.http.put(url "/", body))
    assert(smc.http.patch(url "/", body))
    assert(smc.http.delete(url "/"))
    assert(smc.http.request { method = "PURGE", url = url "/" })
    assert(smc.http.request { url = url "/" })

    local got = {}
    for i, request in ipairs(seen) do got[i] = request.method .. #request.body end
    assert.same({ "GET0", "POST6", "PUT6", "PATCH6", "DELETE0", "PURGE0", "GET0" }, got)
    assert.equal(body, seen[2].body)
  end)

  it("sends headers of a map by name, and of a list as they come", function()
    assert(smc.http.get(url "/", { headers = { ["x-b"] = "2", ["X-A"] = "1", ["x-c"] = "" } }))
    assert(smc.http.get(url "/", { headers = { { "x-b", "2" }, { "X-A", "1" }, { "x-b", "3" } } }))

    local function ours(request)
      local list = {}
      for _, pair in ipairs(request.headers) do
        if pair[1]:lower():match("^x%-") then list[#list + 1] = pair[1] .. "=" .. pair[2] end
      end
      return table.concat(list, " ")
    end
    assert.equal("X-A=1 x-b=2 x-c=", ours(seen[1]))
    assert.equal("x-b=2 X-A=1 x-b=3", ours(seen[2]))
  end)

  it("sends a bearer token that nobody can read, in a reply neither", function()
    local token = smc.secret.from "t0ken-of-practice"
    answer = function(ex) ex:reply(401, {}, "no: " .. ex:header "authorization") end

    local reply = assert(smc.http.post(url "/orders", "{}", { bearer = token, headers = { ["x-a"] = "1" } }))
    local stream <close> = assert(smc.http.stream { url = url "/prices", bearer = token })

    assert.equal("no: Bearer t0ken-of-practice", reply.body)
    assert.equal(401, stream.status)
    assert.truthy(core_task.transcript():find("no: Bearer ***", 1, true), core_task.transcript())
    assert.falsy(core_task.transcript():find "t0ken")
    for _, text in ipairs { "t0ken-of-practice", 7, true } do
      local ok, err = pcall(function() return smc.http.get(url "/", { bearer = text }), nil end)
      assert.is_false(ok)
      assert.matches("test_http.lua:%d+: option 'bearer' must be a secret handle", err)
    end
  end)

  it("uses a kept connection again", function()
    assert(smc.http.get(url "/"))
    assert.is_true(assert(smc.http.get(url "/")).reused)
    assert.equal(1, core.open_sockets())

    core.idle_close()

    assert.equal(0, core.open_sockets())
    assert.is_false(assert(smc.http.get(url "/")).reused)
  end)

  it("runs requests side by side", function()
    local held = {}
    answer = function(ex)
      held[#held + 1] = ex
      if #held == 20 then
        for _, other in ipairs(held) do other:reply(200, {}, other.path) end
      end
    end

    local replies = smc.all(20, function(i) return assert(smc.http.get(url("/" .. i))) end)

    for i, reply in ipairs(replies) do assert.equal("/" .. i, reply.body) end
  end)

  it("gives up at its timeout and says that the request was sent", function()
    answer = function() end
    local start = smc.now()

    local reply, err = smc.http.get(url "/", { timeout = 2.5 })

    assert.is_nil(reply)
    assert.equal("timeout", err.class)
    assert.is_true(err.sent)
    assert.is_true(smc.now() - start >= 2.499 and smc.now() - start < 3)
    assert.equal(0, core.open_sockets())
  end)

  it("tells a lost answer from a request that was never sent", function()
    answer = function(ex) ex:close() end
    local _, lost = smc.http.post(url "/order", "x")
    local origin = server:origin()
    server:close()
    local _, unsent = smc.http.post(origin .. "/order", "x")

    assert.equal("network", lost.class)
    assert.equal("reset", lost.code)
    assert.is_true(lost.sent)
    assert.equal("network", unsent.class)
    assert.equal("connect", unsent.code)
    assert.is_false(unsent.sent)
    assert.equal(1, #seen)
  end)

  it("reaches no other host", function()
    for _, bad in ipairs { "https://api.binance.com/", "http://localhost@api.binance.com/",
      "http://testnet.binance.vision/", "http://127.0.0.2/", "http://LOCALHOST/" } do
      local reply, err = smc.http.get(bad)
      assert.is_nil(reply)
      assert.equal("invalid_request", err.class)
      assert.equal("host_refused", err.code)
      assert.is_false(err.sent)
    end
  end)

  it("does not follow a redirect", function()
    answer = function(ex) ex:reply(302, { { "Location", "https://api.binance.com/" } }, "") end

    assert.equal(302, assert(smc.http.get(url "/")).status)
    assert.equal(1, #seen)
  end)

  it("refuses a body beyond its limit", function()
    answer = function(ex) ex:reply(200, {}, ("x"):rep(1000)) end

    assert.equal(1000, #assert(smc.http.get(url "/", { max_body = 1000 })).body)
    local _, err = smc.http.get(url "/", { max_body = 999 })
    assert.equal("too_big", err.code)
  end)

  it("is cancelled with its task", function()
    answer = function() end
    local task = smc.spawn(smc.http.get, url "/")
    smc.sleep(1)

    task:cancel()

    assert.equal(1, #seen)
    assert.equal(0, core.open_sockets())
  end)

  it("raises wrong use at the caller's line", function()
    local function check(text, fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
      assert.is_truthy(tostring(err):find("test_http.lua:%d+: "), tostring(err))
    end

    check("url must be a string", function() smc.http.get(nil) end)
    check("unknown option 'tiemout'", function() smc.http.get(url "/", { tiemout = 1 }) end)
    check("unknown option 'verb'", function() smc.http.request { url = url "/", verb = "GET" } end)
    check("option 'timeout' must be", function() smc.http.get(url "/", { timeout = -1 }) end)
    check("option 'max_body' must be", function() smc.http.get(url "/", { max_body = 0.5 }) end)
    check("option 'body' must be a string", function() smc.http.post(url "/", {}) end)
    check("header x must be a string", function() smc.http.get(url "/", { headers = { x = 1 } }) end)
    check("list of {name, value}", function() smc.http.get(url "/", { headers = { { "x" } } }) end)
    check("without NUL", function() smc.http.get(url "/\0") end)
    check("own coroutine", coroutine.wrap(function() smc.http.get("http://127.0.0.1:1/") end))
    assert.equal(0, #seen)
  end)

  it("reports a header that could forge a request", function()
    local _, err = smc.http.get(url "/", { headers = { x = "1\r\nHost: evil" } })

    assert.equal("invalid_request", err.class)
    assert.equal(0, #seen)
  end)
end)

describe("smc.http.stream", function()
  local function slowly(pieces)
    answer = function(ex)
      ex:start(200, { { "X-Kind", "prices" } })
      smc.spawn(function()
        for _, piece in ipairs(pieces) do
          smc.sleep(1)
          ex:write(piece)
        end
        ex:finish()
      end)
    end
  end

  it("gives the head, then each piece as it comes, then nil; and is closed", function()
    slowly { "one", "two" }
    local start = smc.now()

    local s = assert(smc.http.stream { url = url "/prices" })
    assert.equal(200, s.status)
    assert.equal("prices", s.headers["x-kind"])
    assert.equal("one", s:recv())
    assert.equal("two", s:recv())
    local chunk, err = s:recv()

    assert.is_nil(chunk)
    assert.is_nil(err)
    assert.is_nil(s:recv())
    assert.near(2, smc.now() - start, 0.5)
  end)

  it("keeps what arrives before it is read", function()
    slowly { "a", "b", "c" }
    local s <close> = assert(smc.http.stream { url = url "/" })

    smc.sleep(4)

    assert.equal("abc", s:recv())
    assert.is_nil(s:recv())
  end)

  it("outlives its timeout, which is for the head; recv has its own", function()
    slowly { "late" }
    local s <close> = assert(smc.http.stream { url = url "/", timeout = 0.5 })

    local _, err = s:recv(0.1)
    assert.equal("timeout", err.class)
    assert.equal("late", s:recv(5))
  end)

  it("tells a broken stream from an ended one", function()
    answer = function(ex)
      ex:start(200)
      ex:write("half")
      ex:close()
    end
    local s <close> = assert(smc.http.stream { url = url "/" })

    assert.equal("half", s:recv())
    local chunk, err = s:recv()

    assert.is_nil(chunk)
    assert.equal("reset", err.code)
    assert.is_true(err.sent)
  end)

  it("fails when there is no head", function()
    answer = function(ex) ex:close() end
    local s, err = smc.http.stream { url = url "/" }
    assert.is_nil(s)
    assert.equal("reset", err.code)
    assert.is_true(err.sent)

    answer = function() end
    s, err = smc.http.stream { url = url "/", timeout = 1 }
    assert.is_nil(s)
    assert.equal("timeout", err.class)

    s, err = smc.http.stream { url = "https://api.binance.com/" }
    assert.is_nil(s)
    assert.equal("host_refused", err.code)
  end)

  it("ends a waiting reader when it is closed", function()
    answer = function(ex) ex:start(200) end
    local s = assert(smc.http.stream { url = url "/" })
    local reader = smc.spawn(function() return s:recv(1000) end)
    smc.sleep(1)
    assert.has_error(function() s:recv() end)

    s:close()

    local chunk, err = reader:join()
    assert.is_nil(chunk)
    assert.equal("cancelled", err.class)
    assert.equal(0, core.open_sockets())
  end)

  it("goes with its task while it waits for the head", function()
    answer = function() end
    local task = smc.spawn(function() smc.http.stream { url = url "/" } end)
    smc.sleep(1)

    task:cancel()

    assert.equal(1, #seen)
    assert.equal(0, core.open_sockets())
  end)
end)
