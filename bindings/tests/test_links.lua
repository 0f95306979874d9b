-- Link faults: whom they hit, when, and what is refused.
local smc = require "smc"

local BUY = { symbol = "BTC/USDT", side = "buy", type = "market", qty = "0.01" }

describe("a link fault", function()
  local venue, sandbox
  before_each(function()
    venue = smc.venue("binance", { breaker = false, limiter = false })
    sandbox = venue.sandbox
  end)

  local function took(fn)
    local started = smc.now()
    fn()
    return smc.now() - started
  end

  it("delays answers, or questions, or both #virtual-time", function()
    for stream, seconds in pairs { upstream = 0.25, downstream = 0.25, both = 0.5 } do
      venue:fault { link = "latency", latency = 0.25, stream = stream }
      assert.equal(seconds, took(function() assert(venue:time()) end))
      assert(venue:heal())
    end
  end)

  it("meets connections that are open, in the middle of what they do #virtual-time", function()
    local started, answered = smc.now(), nil
    sandbox:fault { venue = "slow", seconds = 1, on = "time" }
    local task = smc.spawn(function()
      assert(venue:time())
      answered = smc.now()
    end)
    smc.sleep(0.5)
    venue:fault { link = "latency", latency = 3 }
    task:join()
    assert.equal(4, answered - started)
  end)

  it("resets a stream that is open, and the stream is made anew", function()
    local book <close> = assert(venue:stream { "ticker:BTC/USDT" })
    assert(book:recv())
    venue:fault { link = "reset_peer", on = "stream", count = 1 }
    local event
    repeat event = assert(book:recv(20)) until event.kind == "reconnected"
    assert(book:recv(20))
    assert.same({ { link = "reset_peer", on = "stream", count = 1, committed = 1 } }, sandbox:faults())
  end)

  it("is of one call, and leaves the connection alone after it #virtual-time", function()
    assert(venue:place(BUY))
    venue:fault { link = "latency", latency = 2, on = "ticker" }
    assert.equal(0, took(function() assert(venue:time()) end))
    assert.equal(2, took(function() assert(venue:ticker "BTC/USDT") end))
    assert.equal(0, took(function() assert(venue:time()) end))
    assert.equal(2, took(function() assert(venue:ticker "BTC/USDT") end))
    assert.equal(2, sandbox:faults()[1].committed)
  end)

  it("loses one acknowledgement, and not the order", function()
    assert(venue:place(BUY))
    venue:fault { link = "reset_peer", method = "POST", path = "/api/v3/order", count = 1 }
    local order, err = venue:place(BUY)
    assert.is_nil(order)
    assert.equal("unknown_outcome", err.class)
    assert.equal("filled", sandbox:orders({ client_id = err.client_id })[1].status)
    assert(venue:place(BUY))
  end)

  it("loses an order before it arrives", function()
    assert(venue:place(BUY))
    venue:fault { link = "reset_peer", stream = "upstream" }
    local order, err = venue:place(BUY)
    assert.is_nil(order)
    assert.equal("unknown_outcome", err.class)
    assert.equal(0, #sandbox:orders { client_id = err.client_id })
  end)

  it("hits a share of the requests, the same with the same seed", function()
    assert(venue:time())
    venue:fault { link = "reset_peer", on = "time", toxicity = 0.25 }
    local lost = 0
    for _ = 1, 200 do
      if not venue:time() then lost = lost + 1 end
    end
    assert.is_true(lost > 20 and lost < 80, lost) -- 50 are to be expected, with a standard deviation of 6.1
    assert.equal(lost, sandbox:faults()[1].committed)
  end)

  it("begins late, lasts a while, and is forgotten #virtual-time", function()
    assert(venue:time())
    venue:fault { link = "latency", latency = 1, after = 10, for_ = 20 }
    smc.sleep(9.5)
    assert.equal(0, took(function() assert(venue:time()) end))
    smc.sleep(1)
    assert.equal(1, took(function() assert(venue:time()) end))
    smc.sleep(18)
    assert.equal(0.5, took(function() assert(venue:time()) end)) -- what is under way goes at once when it ends
    assert.same({}, sandbox:faults())
    venue:fault { link = "down", after = 5, ["for"] = 5 }
    assert(venue:time())
    smc.sleep(6)
    assert.equal("connect", select(2, venue:time()).code)
    smc.sleep(5)
    assert(venue:time())
    assert.same({}, sandbox:faults())
  end)

  it("that was healed before it began never begins #virtual-time", function()
    venue:fault { link = "down", after = 5 }
    assert(venue:heal "down")
    smc.sleep(10)
    assert(venue:time())
  end)

  it("keeps the venue down as long as anybody does", function()
    local function is_down() return (select(2, venue:time()) or {}).code == "connect" end
    venue:fault { link = "down", for_ = 0.1 }
    venue:fault { link = "down" }
    smc.sleep(0.3)
    assert.is_true(is_down())
    venue:fault { venue = "down" }
    assert(venue:heal "down")
    assert.is_false(is_down())
    venue:fault { link = "down" }
    venue:fault { venue = "down", for_ = 0.1 }
    smc.sleep(0.3)
    assert.is_true(is_down())
    assert(venue:heal())
    assert.is_false(is_down())
    venue:fault { venue = "down" }
    venue:fault { link = "down", for_ = 0.1 }
    smc.sleep(0.3)
    assert.is_true(is_down())
    assert(venue:heal())
    assert.is_false(is_down())
  end)

  it("hides a name from new connections and ends the old ones", function()
    assert(venue:time())
    venue:fault { link = "dns" }
    local _, err = venue:time()
    assert.same({ "dns", "network" }, { err.code, err.class })
    local by_name = sandbox.origin:gsub("127.0.0.1", "localhost") .. "/api/v3/time"
    assert.equal("dns", select(2, smc.http.get(by_name)).code)
    assert(venue:heal "dns")
    assert(venue:time())
    assert(smc.http.get(by_name))
  end)

  it("acts below TLS, in the middle of a connection", function()
    venue = smc.venue("binance", { sandbox = smc.sandbox("binance", { tls = true }), breaker = false })
    local stream <close> = assert(venue:stream { "ticker:BTC/USDT" })
    assert(stream:recv())
    assert(venue:time())
    venue:fault { link = "slicer", average_size = 7, size_variation = 3, stream = "both" }
    assert(venue:account())
    for _ = 1, 3 do assert(stream:recv(20)) end
    venue:fault { link = "corrupt", rate = 1 }
    local _, err = venue:account()
    assert.equal("tls", err.code)
  end)

  it("changes certificates for connections to come, and back", function()
    venue = smc.venue("binance", { sandbox = smc.sandbox("binance", { tls = true }), breaker = false })
    for name, text in pairs { tls_expired = "expired", tls_wrong_host = "subject", tls_unknown_ca = "issuer" } do
      assert(venue:time())
      venue:fault { link = name }
      assert.equal("tls", select(2, venue:time()).code, name)
      local _, err = venue:time() -- the first one's text is of the connection that was kept, and is dead
      assert.is_truthy(err.message:find(text, 1, true), err.message)
      assert(venue:heal(name))
    end
    assert(venue:time())
  end)

  it("passes exactly the bytes that it is given", function()
    venue:fault { link = "limit_data", bytes = 40 }
    local reply, err = smc.http.get(sandbox.origin .. "/api/v3/time")
    assert.is_nil(reply)
    assert.is_truthy(err.message:find("inside the head of the reply", 1, true), err.message)
  end)

  it("is refused with what to give in its place", function()
    local function wrong(given, text)
      local ok, err = pcall(function() venue:fault(given) end)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find(text, 1, true), tostring(err))
      assert.is_truthy(tostring(err):find("test_links.lua", 1, true), tostring(err))
    end
    wrong({ link = "flood" }, "no link fault is called 'flood' (known: bandwidth, blackhole, close_mid_body,")
    wrong({ link = "latency", delay = 1 }, "unknown parameter 'delay' of 'latency' (it has: after, count, for, jitter,")
    wrong({ link = "latency" }, "latency does nothing without latency or jitter")
    wrong({ link = "latency", latency = 0, jitter = 0 }, "latency does nothing without latency or jitter")
    wrong({ link = "slow_close", count = 1 }, "slow_close does nothing without delay")
    wrong({ link = "latency", latency = -1 }, "latency must be a number of 0 or more")
    wrong({ link = "latency", latency = 0 / 0 }, "latency must be a number of 0 or more")
    wrong({ link = "bandwidth", rate = 1.5 }, "rate must be a whole number of 0 or more")
    wrong({ link = "corrupt", rate = 2 }, "rate must be a number from 0 to 1")
    wrong({ link = "latency", toxicity = 1.5 }, "toxicity must be a number from 0 to 1")
    wrong({ link = "latency", count = 0 }, "count must be a whole number of 1 or more")
    wrong({ link = "slicer", average_size = 5, size_variation = 5 }, "size_variation must be less than average_size")
    wrong({ link = "latency", stream = "sideways" }, "stream must be upstream, downstream or both")
    wrong({ link = "latency", on = "place", stream = "upstream" }, "before anybody knows what it asks for; leave on")
    wrong({ link = "latency", on = "plaice" }, "no call is named 'plaice' (on: account, amend, balances,")
    wrong({ link = "down", toxicity = 0.5 }, "down has no 'toxicity': it happens to all connections at once")
    wrong({ link = "down", path = "/" }, "down has no 'path': it happens to all connections at once")
    wrong({ link = "latency", for_ = 1, ["for"] = 2 }, "for and for_ are the same; give one of them")
    wrong({ link = "tls_expired" }, "speaks plaintext; open one with TLS: smc.sandbox(name, { tls = true })")
    local ok, err = pcall(function() venue:heal "flood" end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("no fault is called 'flood' (of venues: ack_lost,", 1, true), tostring(err))
    assert.is_truthy(tostring(err):find("of links: bandwidth, blackhole,", 1, true), tostring(err))
    assert.same({}, sandbox:faults())
  end)
end)

describe("the table of link faults", function()
  local faults = require "smc.sandbox.link_faults"

  it("documents each, and each of its parameters, in the form of the venue faults", function()
    assert.same({ "bandwidth", "blackhole", "close_mid_body", "corrupt", "dns", "down", "half_open", "latency",
      "limit_data", "reset_peer", "slicer", "slow_close", "timeout", "tls_expired", "tls_unknown_ca",
      "tls_wrong_host" }, faults.names())
    for name, fault in pairs(faults.table) do
      assert.equal("string", type(fault.doc), name)
      assert.equal("string", type(fault.recovers), name)
      assert.is_true((fault.toxic == nil) ~= (fault.switch == nil), name)
      for _, thing in ipairs { "read", "order", "stream", "connect" } do
        assert.is_truthy(fault.class[thing], name .. " " .. thing)
      end
      for param, p in pairs(fault.params) do assert.equal("string", type(p[2]), name .. "." .. param) end
    end
  end)
end)
