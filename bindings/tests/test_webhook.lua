-- smc.webhook, the receiver, and the sender that alerts go through.
local json = require "smc.json"
local sender = require "smc.webhook.sender"
local signature = require "smc.webhook.signature"
local sign = require "smc.core.sign"
local smc = require "smc"

local SECRET = "an old song"

local inbox, log
before_each(function()
  inbox = smc.webhook { secret = SECRET }
  log = {}
end)

local function new(options)
  local given = { url = inbox.url, secret = inbox.secret, seed = 7, limit = 5, per = 60, attempts = 6,
    log = function(line) log[#log + 1] = line end }
  for name, value in pairs(options or {}) do given[name] = value end
  return sender.new(given)
end

local function event(id, kind) return { id = id, kind = kind or "test", time = smc.wall() } end

local function arrives(n)
  eventually(function() assert.equal(n, #inbox:messages()) end, { within = 600 })
end

--- What somebody posts, signed by a secret over whatever is claimed.
local function post(fields)
  local timestamp = tostring(fields.timestamp or smc.wall() // 1000)
  local key = assert(sign.key("hmac", fields.secret or SECRET))
  local mac = assert(key:sign((fields.signed_timestamp or timestamp) .. "." .. (fields.signed_body or fields.body)))
  return assert(smc.http.post(inbox.url, fields.body, { headers = { ["X-Smcrun-Id"] = fields.id,
    ["X-Smcrun-Timestamp"] = timestamp, ["X-Smcrun-Signature"] = fields.signature or "sha256=" .. mac } }))
end

local function says(text, fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("test_webhook.lua:%d+: ", err)
  assert.matches(text, err, 1, true)
end

describe("an inbox", function()
  it("takes what is posted, and tells its kind, its id and its body", function()
    assert.equal(204, post { id = "e1", body = '{"kind":"x","n":1}' }.status)
    local message = inbox:messages()[1]
    assert.same({ "e1", "x", 1, true, false }, { message.id, message.kind, message.event.n, message.valid_signature,
      message.duplicate })
    post { id = "e1", body = "not json" }
    local again = inbox:messages()[2]
    assert.same({ true, true }, { again.duplicate, again.valid_signature })
    assert.is_nil(again.event)
    assert.equal(1, #inbox:messages { duplicate = false })
  end)

  it("says of a signature why it does not hold", function()
    local now = smc.wall() // 1000
    local cases = {
      { "another signature", { id = "a", body = "{}", secret = "a new song" } },
      { "another signature", { id = "b", body = "{} ", signed_body = "{}" } },
      { "another signature", { id = "c", body = "{}", signed_timestamp = tostring(now - 1) } },
      { "too old", { id = "d", body = "{}", timestamp = now - 302 } },
      { "too old", { id = "e", body = "{}", timestamp = now + 302 } },
      { "no timestamp", { id = "f", body = "{}", timestamp = "yesterday" } },
      { "another scheme", { id = "g", body = "{}", signature = "md5=00" } },
    }
    for i, case in ipairs(cases) do
      post(case[2])
      local message = inbox:messages()[i]
      assert.same({ false, case[1] }, { message.valid_signature, message.refused })
    end
    assert(smc.http.post(inbox.url, "{}"))
    assert.equal("unsigned", inbox:messages()[#cases + 1].refused)
    post { id = "h", body = "{}", timestamp = now - 298 }
    assert.equal(1, #inbox:messages { valid_signature = true })
  end)

  it("fails as it is told to, so often as it is told to", function()
    inbox:fail { status = 503, count = 2, retry_after = 7 }
    local reply = post { id = "a", body = "{}" }
    assert.same({ 503, "7" }, { reply.status, reply.headers["retry-after"] })
    assert.equal(503, post({ id = "a", body = "{}" }).status)
    assert.equal(204, post({ id = "a", body = "{}" }).status)
    inbox:fail { reset = true }
    local none, err = smc.http.post(inbox.url, "{}")
    assert.same({ nil, "network" }, { none, err.class })
    inbox:heal()
    assert.equal(204, post({ id = "b", body = "{}" }).status)
    assert.same({ 2, 5 }, { #inbox:messages(), #inbox:attempts() })
    assert.equal(2, #inbox:attempts { status = 503 })
    assert.is_false(inbox:messages()[1].duplicate, "what was not taken in was not seen")
  end)

  it("is an address, and nothing else", function()
    assert.equal(405, assert(smc.http.get(inbox.url)).status)
    assert.equal(404, assert(smc.http.post((inbox.url:gsub("hook", "look")), "{}")).status)
    assert.equal(0, #inbox:attempts())
  end)

  it("closes, and shows its secret to nobody", function()
    local url
    do
      local other <close> = smc.webhook()
      url = other.url
      assert.equal("smc.secret: ***", tostring(other.secret))
    end
    local none, err = smc.http.post(url, "{}")
    assert.same({ nil, "connect" }, { none, err.code })
  end)

  it("blames wrong use on its caller", function()
    says("unknown option 'port'", function() smc.webhook { port = 1 } end)
    for _, wrong in ipairs { 5, {}, "", "abc" } do
      says("secret is a text of at least 4 bytes", function() smc.webhook { secret = wrong } end)
    end
    says("retry_after is from 0 to 1e9 seconds", function() inbox:fail { status = 503, retry_after = -1 } end)
    says("replay_window is a number of seconds", function() smc.webhook { replay_window = 0 } end)
    says("unknown filter 'colour'", function() inbox:messages { colour = 1 } end)
    says("unknown filter 'colour'", function() inbox:attempts { colour = 1 } end)
    says("valid_signature is a boolean, not a string", function() inbox:messages { valid_signature = "no" } end)
    says("either status or reset expected", function() inbox:fail {} end)
    says("either status or reset expected", function() inbox:fail { status = 500, reset = true } end)
    says("status is from 300 to 599", function() inbox:fail { status = 200 } end)
    says("count is 1 or more", function() inbox:fail { status = 500, count = 0 } end)
    says("unknown key 'times'", function() inbox:fail { status = 500, times = 1 } end)
    says("status must be a integer", function() inbox:fail { status = "500" } end)
  end)
end)

describe("the sender of alerts", function()
  it("delivers each event once, signed, in order", function()
    local s = new()
    for _, id in ipairs { "a", "b", "a", "c", "b" } do s:send(event(id)) end
    arrives(3)
    smc.sleep(30)
    local ids = {}
    for i, message in ipairs(inbox:messages { valid_signature = true }) do ids[i] = message.id .. message.event.id end
    assert.same({ "aa", "bb", "cc" }, ids)
    assert.is_false(s:send(event "a"))
  end)

  it("tries again while the receiver fails, longer apart each time, with a signature of its own each time", function()
    inbox:fail { status = 503, count = 3 }
    new():send(event "a")
    arrives(1)
    local attempts, waits = inbox:attempts(), {}
    for i = 2, #attempts do waits[i - 1] = attempts[i].at - attempts[i - 1].at end
    assert.equal(4, #attempts)
    for i, least in ipairs { 0.25, 0.5, 1 } do
      assert.is_true(waits[i] >= least and waits[i] < 2 * least + 0.5, ("wait %d: %g s"):format(i, waits[i]))
    end
    for _, attempt in ipairs(attempts) do
      assert.same({ "a", true }, { attempt.id, attempt.valid_signature })
    end
    assert.is_true(attempts[1].headers[signature.TIMESTAMP] < attempts[4].headers[signature.TIMESTAMP])
  end)

  it("waits as long as the receiver asks, and takes a lost connection for a failure", function()
    inbox:fail { status = 429, count = 1, retry_after = 20 }
    new():send(event "a")
    arrives(1)
    local attempts = inbox:attempts()
    assert.is_true(attempts[2].at - attempts[1].at >= 20)
    inbox:fail { reset = true, count = 1 }
    new():send(event "b")
    arrives(2)
  end)

  it("does not repeat what is refused, and gives up in the end", function()
    inbox:fail { status = 400 }
    local s = new { attempts = 3 }
    s:send(event "a")
    smc.sleep(20)
    assert.equal(1, #inbox:attempts())
    inbox:fail { status = 500 }
    s:send(event "b")
    smc.sleep(20)
    assert.equal(4, #inbox:attempts())
    assert.same({ { 1, false, 400 }, { 3, false, 500 } }, { { s.deliveries[1].attempts, s.deliveries[1].delivered,
      s.deliveries[1].said }, { s.deliveries[2].attempts, s.deliveries[2].delivered, s.deliveries[2].said } })
  end)

  it("sends no more than it may in a window, and sums up the rest", function()
    local s = new { limit = 2, per = 10 }
    local start = smc.now()
    for i = 1, 5 do s:send(event("e" .. i, "kind " .. i)) end
    arrives(2)
    smc.sleep(9)
    assert.equal(2, #inbox:messages())
    arrives(3)
    local summary = inbox:messages()[3]
    assert.is_true(summary.at - start >= 10)
    assert.same({ "alerts.summary", 3, true }, { summary.kind, summary.event.count, summary.valid_signature })
    local ids = {}
    for i, e in ipairs(summary.event.events) do ids[i] = e.id .. " " .. e.kind end
    assert.same({ "e3 kind 3", "e4 kind 4", "e5 kind 5" }, ids)
    s:send(event "e6") -- the second of the window that the summary began
    s:send(event "e7") -- one alone is sent as it is
    arrives(5)
    local kinds = {}
    for i, message in ipairs(inbox:messages()) do kinds[i] = message.kind end
    assert.same({ "kind 1", "kind 2", "alerts.summary", "test", "test" }, kinds)
  end)

  it("sums up what comes while it waits, too: nothing overtakes what is held back", function()
    local s = new { limit = 2, per = 10 }
    for i = 1, 3 do s:send(event("e" .. i)) end
    smc.sleep(5)
    for i = 4, 6 do s:send(event("e" .. i)) end
    arrives(3)
    local ids = {}
    for i, e in ipairs(inbox:messages()[3].event.events) do ids[i] = e.id end
    assert.same({ "e3", "e4", "e5", "e6" }, ids)
    smc.sleep(30)
    assert.equal(3, #inbox:messages())
  end)

  it("shows its secret in no line of its log", function()
    inbox:fail { status = 503, count = 1 }
    new():send(event "a")
    arrives(1)
    assert.equal(2, #log)
    assert.is_nil(table.concat(log, "\n"):find(SECRET, 1, true))
    assert.is_nil(json.encode(inbox:messages()[1].event):find(SECRET, 1, true))
  end)

  it("is no leak when it still tries", function()
    inbox:fail { status = 503 }
    new():send(event "a")
    eventually(function() assert.equal(1, #inbox:attempts()) end)
  end)
end)
