-- Whom a risk guard tells, what, and how often.  Nobody waits for a mail server while a position burns; and somebody
-- who is told ten times reads none of it.
local accounts = require "lib.accounts"
local smc = require "smc"

describe("an alert of a risk guard #circuit-breaker #bybit", function()
  local venues, inbox

  before_each(function()
    venues = accounts.open { "bybit" }
    inbox = smc.webhook()
  end)

  local function guarded(options)
    local given = { alert = inbox, check_every = 600 }
    for name, value in pairs(options or {}) do given[name] = value end
    return accounts.guard(venues, given)
  end

  local function crash() accounts.crash(venues[1]) end

  local function has_closed(guard)
    eventually(function() assert.is_false(guard.is_closing) end, { within = 30, every = 0.01 })
    return guard:history()[1].closing
  end

  it("says what was passed, what was seen, what the limits are, and that it is genuine", function()
    local guard = guarded { max_exposure = "10000000" }
    crash()
    assert(guard:check())

    eventually(function() assert.equal(1, #inbox:messages()) end)

    local message = inbox:messages()[1]
    assert.is_true(message.valid_signature)
    assert.same({ "risk.open", message.id }, { message.kind, message.event.id })
    assert.same({ "drawdown" }, { table.unpack(message.event.causes) })
    assert.is_true(tonumber(message.event.seen.drawdown) > 0.02)
    assert.same({ "0.02", "10000000" }, { message.event.limits.max_drawdown, message.event.limits.max_exposure })
    assert.equal(guard:history()[1].time, message.event.time)
    has_closed(guard)
  end)

  it("keeps no position open while nobody takes it #virtual-time", function()
    inbox:fail { status = 500, count = 4 }
    local guard = guarded()
    crash()
    assert(guard:check())

    local closing = has_closed(guard)

    assert.is_true(closing.elapsed < 1, closing.elapsed)
    accounts.assert_flat(venues)
    assert.is_false(guard:alerts()[1].delivered)
    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 30 })
    assert.same({ 5, true }, { guard:alerts()[1].attempts, guard:alerts()[1].delivered })
  end)

  it("is sent again after a lost connection, further apart each time, with the same id #virtual-time", function()
    inbox:fail { reset = true, count = 3 }
    local guard = guarded()
    crash()
    assert(guard:check())
    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 30 })

    local sent = inbox:attempts { id = inbox:messages()[1].id }
    assert.equal(4, #sent)
    local before = 0
    for i = 2, #sent do
      local gap = sent[i].at - sent[i - 1].at
      assert.is_true(gap > before, ("%g after %g"):format(gap, before))
      before = gap
    end
    has_closed(guard)
  end)

  it("is signed over its time and its body, with the secret of its receiver, and is good for a while #virtual-time",
    function()
      local SECRET = "shared with the receiver"
      inbox = smc.webhook { secret = SECRET, replay_window = 20 }
      local guard = guarded()
      crash()
      assert(guard:check())
      eventually(function() assert.equal(1, #inbox:messages { valid_signature = true }) end)
      has_closed(guard)

      local message = inbox:messages()[1]
      local stamp = message.headers["x-smcrun-timestamp"]
      local signature = message.headers["x-smcrun-signature"]:match "^sha256=(%x+)$"
      assert.is_true(smc.sign.verify("hmac", SECRET, stamp .. "." .. message.body, signature))
      assert.near(smc.wall() / 1000, tonumber(stamp), 2)

      local function repeated(body)
        assert(smc.http.post(inbox.url, body, { headers = { ["X-Smcrun-Id"] = message.id,
          ["X-Smcrun-Timestamp"] = stamp, ["X-Smcrun-Signature"] = message.headers["x-smcrun-signature"] } }))
        local all = inbox:messages()
        return { all[#all].valid_signature, all[#all].refused, all[#all].duplicate }
      end
      assert.same({ true, nil, true }, repeated(message.body))
      assert.same({ false, "another signature", true }, repeated(message.body .. " "))
      smc.sleep(22)
      assert.same({ false, "too old", true }, repeated(message.body))
    end)

  it("is not genuine when it is signed with another secret", function()
    local guard = guarded { alert = { url = inbox.url, secret = "nobody has agreed on this" } }
    crash()
    assert(guard:check())
    eventually(function() assert.equal(1, #inbox:messages()) end)
    assert.same({ false, "another signature" }, { inbox:messages()[1].valid_signature, inbox:messages()[1].refused })
    has_closed(guard)
  end)

  it("is sent again when its receiver wants it #virtual-time", function()
    inbox:fail { status = 503, count = 1, retry_after = 12 }
    local guard = guarded()
    crash()
    assert(guard:check())
    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 20 })
    local sent = inbox:attempts()
    assert.near(12, sent[2].at - sent[1].at, 0.1)
    has_closed(guard)
  end)

  it("is not repeated to who refuses it #virtual-time", function()
    inbox:fail { status = 400 }
    local guard = guarded()
    crash()
    assert(guard:check())
    eventually(function() assert.equal(400, (guard:alerts()[1] or {}).said) end)
    smc.sleep(10)
    assert.same({ 1, false, 1 }, { guard:alerts()[1].attempts, guard:alerts()[1].delivered, #inbox:attempts() })
    has_closed(guard)
  end)

  it("is one among no more than were agreed on: the rest are summed up #virtual-time", function()
    local guard = guarded { trial = 60, alert = { url = inbox.url, limit = 1, per = 20 } }
    for i = 1, 3 do
      assert.is_true(guard:stop("drill " .. i))
      has_closed(guard)
      assert(guard:reset())
    end
    eventually(function() assert.equal(2, #inbox:messages()) end, { within = 30, every = 1 })
    local kinds = {}
    for i, message in ipairs(inbox:messages()) do kinds[i] = message.kind end
    assert.same({ "risk.stopped", "alerts.summary" }, kinds)
    assert.equal(2, inbox:messages()[2].event.count)
    assert.is_true(inbox:messages()[2].at - inbox:messages()[1].at >= 20)
  end)
end)
