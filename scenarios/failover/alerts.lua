-- Whom a failover group tells, and what.  Who is told of every step can sleep; who is told twice of one reads no more.
local smc = require "smc"

describe("an alert of a failover group #failover #binance #bybit", function()
  local binance, bybit, inbox

  before_each(function()
    binance, bybit, inbox = smc.venue "binance", smc.venue "bybit", smc.webhook()
  end)

  local function group_of(options)
    local given = { binance, bybit, check_every = 0.5, check_timeout = 30, recover = { score = 0, ["for"] = 1 },
      alert = inbox }
    for name, value in pairs(options or {}) do given[name] = value end
    return smc.failover(given)
  end

  local function kinds_of(messages)
    local kinds = {}
    for i, message in ipairs(messages) do kinds[i] = message.kind end
    return kinds
  end

  it("says from where, to where and why, and that it is genuine", function()
    local group = group_of()
    binance:fault { venue = "down" }

    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 20 })

    local message, step = inbox:messages()[1], group:history()[1]
    assert.same({ "failover.switched", true, message.id }, { message.kind, message.valid_signature, message.event.id })
    assert.same({ "binance", "bybit", "connection", step.time },
      { message.event.from, message.event.to, message.event.cause, message.event.time })
    assert.equal(tostring(step.error), message.event.error)
    assert.equal(bybit, group.active)
  end)

  it("says once that nobody is up, however many ask, and once that somebody is", function()
    local group = group_of()
    binance:fault { venue = "down" }
    bybit:fault { venue = "down" }
    for _ = 1, 5 do assert.equal("no_venue", select(2, group:account()).class) end
    bybit:heal()
    eventually(function() assert.equal(1, #inbox:messages { kind = "failover.recovered" }) end, { within = 20 })

    assert(group:account())

    assert.same({ "failover.failed", "failover.no_venue", "failover.recovered" }, kinds_of(inbox:messages()))
    local failed, none, back = table.unpack(inbox:messages())
    assert.same({ "bybit", nil, "bybit" }, { failed.event.to, none.event.to, back.event.to })
    assert.matches("bybit", failed.event.reason, 1, true)
  end)

  it("keeps nobody waiting whose receiver is away, and comes once it is back #virtual-time", function()
    local group = group_of()
    inbox:fail { status = 503, count = 3 }
    binance:fault { venue = "down" }

    assert(group:account())

    assert.equal(bybit, group.active)
    assert.same({ 0, false }, { #inbox:messages(), (group:alerts()[1] or {}).delivered or false })
    eventually(function() assert.equal(1, #inbox:messages()) end, { within = 30 })
    local id = inbox:messages()[1].id
    assert.same({ 4, true }, { group:alerts()[1].attempts, group:alerts()[1].delivered })
    assert.equal(4, #inbox:attempts { id = id })
  end)

  it("tells of what was done by hand as well", function()
    local group = group_of()

    assert(group:switch(bybit))

    eventually(function() assert.same({ "failover.switched" }, kinds_of(inbox:messages())) end)
    assert.equal("manual", inbox:messages()[1].event.cause)
    assert(group:account())
  end)
end)
