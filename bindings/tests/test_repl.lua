-- The prompt of `smcrun repl`: how values look, what Tab offers, and what becomes of lines.
local smc = require "smc"
local complete = require "smc.repl.complete"
local show = require "smc.repl.show"

describe("a value at the prompt", function()
  local function shown(wanted, value) assert.equal(wanted, show.value(value)) end

  it("is itself when it is plain", function()
    shown("nil", nil)
    shown("2.5", 2.5)
    shown("a \"text\"", 'a "text"')
    shown("<function>", print)
  end)

  it("is a table with its list first and its names in order", function()
    shown("{}", {})
    shown('{ 1, "two", [10] = 5, a = true, b = { c = "line\\nbreak" } }',
      { 1, "two", b = { c = "line\nbreak" }, a = true, [10] = 5 })
    shown('{ ["not a name"] = <function> }', { ["not a name"] = print })
  end)

  it("takes as many lines as it wants", function()
    local long = ("x"):rep(60)
    shown(('{\n  a = "%s",\n  b = "%s",\n  c = { 1, 2 }\n}'):format(long, long), { a = long, b = long, c = { 1, 2 } })
  end)

  it("ends, however deep, wide or round it is", function()
    local round = {}
    round.me = round
    shown("{ me = {...} }", round)
    shown("{ { { { { {...} } } } } }", { { { { { {} } } } } })
    local wide = {}
    for i = 1, 50 do wide[i] = i end
    assert.is_truthy(show.value(wide):find("... 10 more", 1, true))
    assert.is_truthy(#show.value { ("x"):rep(1000) } < 500)
  end)

  it("speaks for itself when it can, and is named when it fails to", function()
    local err = select(2, smc.venue("binance"):order { symbol = "BTC/USDT", id = "1" })
    assert.equal(tostring(err), show.value(err))
    shown("<table whose __tostring fails>", setmetatable({}, { __tostring = function() error "no" end }))
  end)

  it("stands beside others, or below them", function()
    assert.equal("1\tnil\tx", show.values { 1, nil, "x", n = 3 })
    assert.equal("a\nb\n2", show.values { "a\nb", 2, n = 2 })
  end)
end)

describe("completion", function()
  local env
  before_each(function() env = setmetatable({ binance = smc.venue "binance", smc = smc }, { __index = _G }) end)

  local function offers(before, insert, ...)
    local got, names = complete.at(env, before)
    assert.equal(insert, got)
    assert.same({ ... }, names)
  end

  it("finishes a global, its own or the library's", function()
    offers("bin", "ance", "binance")
    offers("x = tos", "tring", "tostring")
    offers("whi", "le", "while")
    offers("nosuch", "")
  end)

  it("goes as far as all candidates agree", function()
    offers("string.re", "", "rep", "reverse")
    offers("string.r", "e", "rep", "reverse")
    offers("smc.sl", "eep", "sleep")
  end)

  it("sees what is found through metatables", function()
    offers("binance:pla", "ce", "place") -- a class with a function as __index
    offers("return binance:cancel_", "all", "cancel_all")
    offers("binance.sandbox:hal", "t", "halt")
    offers("smc.fail", "over", "failover") -- what is loaded when it is asked for
    offers("binance.breaker.sta", "te", "state")
  end)

  it("offers functions behind a colon, and anything behind a dot", function()
    offers("binance.ur", "l", "url")
    offers("binance:ur", "")
  end)

  it("looks into nothing that would have to be called", function()
    env.danger = setmetatable({}, { __index = function() error "looked" end })
    offers("danger.x.y", "")
    offers("f().string.re", "")
    offers("nothing.re", "")
    offers('("x"):re', "")
    offers("", "", table.unpack(select(2, complete.at(env, ""))))
  end)

  it("survives a chain of metatables without an end", function()
    local a, b = {}, {}
    setmetatable(a, { __index = b })
    setmetatable(b, { __index = a })
    env.a = a
    offers("a.x", "")
  end)
end)
