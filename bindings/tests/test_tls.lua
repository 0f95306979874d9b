-- TLS between our own clients and listeners of this process: whom they trust, and that everything else stays as it is.
local smc = require "smc"
local listener = require "smc.core.server"

local server, requests

local function ws_url(target) return (server:origin():gsub("^http", "ws")) .. target end

local function listen(options)
  options.on_request = function(ex)
    requests = requests + 1
    if ex.is_websocket then
      ex:upgrade { on_message = function(sock, data, binary) sock:send(data, binary) end }
    else
      ex:reply(200, nil, ex.method .. " " .. ex.target .. " " .. #ex.body)
    end
  end
  server = assert(listener.listen(options))
end

before_each(function() requests = 0 end)
after_each(function() server:close() end)

describe("a listener with TLS", function()
  it("names its origin and the certificate to trust", function()
    listen { tls = true }

    assert.equal("https://127.0.0.1:" .. server:port(), server:origin())
    assert.is_truthy(server:ca():find("^%-+BEGIN CERTIFICATE%-+\n.*\n%-+END CERTIFICATE%-+\n$"))
    assert.is_truthy(tostring(server):find(server:origin(), 1, true))
  end)

  it("is not there unless asked for", function()
    listen { tls = false }

    assert.equal("http://127.0.0.1:" .. server:port(), server:origin())
    assert.is_nil(server:ca())
    assert.equal(200, assert(smc.http.get(server:origin() .. "/")).status)
  end)

  it("refuses options that it does not know", function()
    listen {}
    local function error_of(tls)
      local ok, err = pcall(listener.listen, { tls = tls, on_request = function() end })
      assert.is_false(ok)
      return tostring(err)
    end

    assert.is_truthy(error_of(1):find("tls must be true, false or a table", 1, true))
    assert.is_truthy(error_of({ expird = true }):find("unknown option 'expird'", 1, true))
    assert.is_truthy(error_of({ expired = 1 }):find("tls.expired must be true or false", 1, true))
  end)

  it("answers requests, on one connection", function()
    listen { tls = true, max_body = 2000000 }
    local options = { ca = server:ca() }

    local first = assert(smc.http.get(server:origin() .. "/a?b=%2B", options))
    local second = assert(smc.http.post(server:origin() .. "/c", ("x"):rep(1 << 20), options))

    assert.equal("GET /a?b=%2B 0", first.body)
    assert.equal("POST /c 1048576", second.body)
    assert.is_false(first.reused)
    assert.is_true(second.reused)
  end)

  it("streams replies", function()
    listen { tls = true }

    local stream = assert(smc.http.stream { url = server:origin() .. "/s", ca = server:ca() })

    assert.equal("GET /s 0", stream:recv())
    assert.same({ nil, nil }, { stream:recv() })
  end)

  it("carries WebSocket messages of any size", function()
    listen { tls = true, deflate = true }
    for _, deflate in ipairs { false, true } do
      local c <close> = assert(smc.ws.connect(ws_url "/ws", { ca = server:ca(), deflate = deflate }))
      local big = ("to be or not to be "):rep(50000)
      assert(c:send "hello")
      assert(c:send(big, { binary = true }))
      assert.same({ data = "hello", binary = false }, c:recv())
      assert.same({ data = big, binary = true }, c:recv())
      assert.equal("number", type(c:ping()))
      assert.equal(1000, c:close())
    end
  end)

  it("can be mute and drop connections as any other", function()
    listen { tls = true }
    local options = { ca = server:ca(), timeout = 2 }
    server:mute(true)

    local reply, err = smc.http.get(server:origin() .. "/", options)

    assert.is_nil(reply)
    assert.equal("timeout", err.class)
    assert.is_false(err.sent)
    server:mute(false)
    assert.equal(200, assert(smc.http.get(server:origin() .. "/", options)).status)
    server:drop()
    assert.equal(200, assert(smc.http.get(server:origin() .. "/", options)).status)
  end)
end)

describe("a client", function()
  local faults = {
    { "an expired certificate", { expired = true }, "certificate has expired", "certificate has expired" },
    { "a certificate for another host", { wrong_host = true }, "no alternative certificate subject name matches",
      "IP address mismatch" },
    { "a certificate of a strange authority", { wrong_authority = true }, "unable to get local issuer certificate",
      "unable to get local issuer certificate" },
  }
  for _, fault in ipairs(faults) do
    it("refuses " .. fault[1] .. " and says why", function()
      listen { tls = fault[2] }

      local reply, err = smc.http.get(server:origin() .. "/", { ca = server:ca() })
      local conn, ws_err = smc.ws.connect(ws_url "/", { ca = server:ca() })

      assert.is_nil(reply)
      assert.equal("tls", err.code)
      assert.is_false(err.sent)
      assert.is_truthy(err.message:find(fault[3], 1, true), err.message)
      assert.is_nil(conn)
      assert.equal("tls", ws_err.code)
      assert.is_truthy(ws_err.message:find(fault[4], 1, true), ws_err.message)
      assert.equal(0, requests)
    end)
  end

  it("trusts nobody unless told to", function()
    listen { tls = true }

    local reply, err = smc.http.get(server:origin() .. "/")
    local conn, ws_err = smc.ws.connect(ws_url "/")

    assert.is_nil(reply)
    assert.equal("tls", err.code)
    assert.is_nil(conn)
    assert.equal("tls", ws_err.code)
    assert.equal(0, requests)
  end)

  it("learns that only one side speaks TLS", function()
    listen { tls = true }
    local ca = server:ca()
    local reply, err = smc.http.get((server:origin():gsub("https", "http")) .. "/")
    assert.is_nil(reply)
    assert.equal("reset", err.code)
    server:close()

    listen {}
    reply, err = smc.http.get((server:origin():gsub("http", "https")) .. "/", { ca = ca })
    assert.is_nil(reply)
    assert.equal("tls", err.code)
    assert.is_truthy(err.message:find("wrong version number", 1, true), err.message)
  end)

  it("does not take anything for a certificate", function()
    listen { tls = true }

    local reply, err = smc.http.get(server:origin() .. "/", { ca = "nothing" })
    local conn, ws_err = smc.ws.connect(ws_url "/", { ca = "nothing" })

    assert.is_nil(reply)
    assert.equal("tls", err.code)
    assert.is_nil(conn)
    assert.equal("invalid_argument", ws_err.code)
    assert.has_error(function() return smc.http.get(server:origin() .. "/", { ca = 1 }) end)
    assert.has_error(function() return smc.ws.connect(ws_url "/", { ca = 1 }) end)
  end)
end)
