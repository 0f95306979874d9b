-- What the oanda sandbox says in passing: how it names trades and prices, and what requests may hold beside the point.
local fake = require "oanda_fake"
local json = require "smc.json"
local shapes = require "oanda_shapes"

local sb

local function get(target) return fake.get(sb, target) end
local function put(target, body) return fake.ask(sb, "PUT", target, body) end

local function post(given)
  local o = { instrument = "EUR_USD", units = "10000" }
  for name, value in pairs(given) do o[name] = value end
  return fake.ask(sb, "POST", "orders", { order = o })
end

--- Opens a trade; returns its id.
local function open(given)
  given = given or {}
  given.type = "MARKET"
  return post(given).orderFillTransaction.tradeOpened.tradeID
end

local function last() return json.decode(sb.log.list[#sb.log.list].text) end

local function move(to)
  sb.market:move("EUR_USD", { to = to })
  sb:settle()
end

local function still()
  sb = fake.venue()
  for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, true) end
end

describe("an order of oanda", function()
  before_each(still)

  -- Of each type what it needs, and some of what it has not.
  local FREE = " takeProfitOnFill tradeClientExtensions positionFill instrument units"
  local OF_TRADE = " tradeID clientTradeID"
  local TYPES = { MARKET = { "", "price distance gtdTime triggerCondition guaranteed" .. OF_TRADE },
    LIMIT = { "price", "distance priceBound guaranteed" .. OF_TRADE },
    STOP = { "price", "distance guaranteed" .. OF_TRADE },
    TAKE_PROFIT = { "tradeID price", "distance priceBound guaranteed" .. FREE },
    STOP_LOSS = { "tradeID price", "priceBound" .. FREE },
    TRAILING_STOP_LOSS = { "tradeID distance", "price priceBound guaranteed" .. FREE } }

  it("takes what its type has, and ignores the rest", function()
    local trade = open()
    local values = { tradeID = trade, price = "1.3", distance = "0.01" }
    for kind, names in pairs(TYPES) do
      local given = { type = kind }
      for name in names[2]:gmatch "%w+" do given[name] = "?" end -- cannot be read
      for name in names[1]:gmatch "%w+" do given[name] = values[name] end
      if kind == "STOP_LOSS" then given.price = "1.0" end
      local made = post(given).orderCreateTransaction
      shapes.check(made)
      assert.equal(kind .. "_ORDER", made.type)
    end
    assert.is_nil(post({ type = "LIMIT", price = "1.0", trailingStopLossOnFill = { price = "1", distance = "0.01" } })
      .orderCreateTransaction.trailingStopLossOnFill.price)
  end)

  it("that closes a trade closes all of it, whatever units it names", function()
    local trade = open()
    post { type = "TAKE_PROFIT", tradeID = trade, price = "1.09", units = "1", positionFill = "OPEN_ONLY" }
    move "1.0902"
    assert.same({ "-10000", "0" }, { last().units, get("trades/" .. trade).trade.currentUnits })
  end)

  it("of another type replaces nothing, and says so in the words of its own", function()
    local id = post({ type = "LIMIT", price = "1.07" }).orderCreateTransaction.id
    for kind, reason in pairs { MARKET = "CLIENT_ORDER", STOP = "REPLACEMENT" } do
      local answer = put("orders/" .. id, { order = { type = kind, instrument = "EUR_USD", units = "1", price = "1" } })
      local tx = answer.orderRejectTransaction
      shapes.check(tx)
      assert.same({ reason, "REPLACING_ORDER_INVALID", kind ~= "MARKET" and id or nil },
        { tx.reason, tx.rejectReason, tx.intendedReplacesOrderID })
    end
  end)

  it("that is rejected for its price shows the price that was given", function()
    local tx = post({ type = "LIMIT", price = "1.05574999999999", takeProfitOnFill = { price = "1.1000001" } })
      .orderRejectTransaction
    assert.same({ "PRICE_PRECISION_EXCEEDED", "1.05574999999999", "1.1000001" },
      { tx.rejectReason, tx.price, tx.takeProfitOnFill.price })
    assert.equal("1.07000", post({ type = "LIMIT", price = "1.07", units = "0" }).orderRejectTransaction.price)
  end)

  it("that closes a trade has no client extensions for another", function()
    open { takeProfitOnFill = { price = "1.2" } }
    local id = last().id
    local answer, ex = put("orders/" .. id .. "/clientExtensions", { tradeClientExtensions = { id = "t" } })
    assert.same({ 400, "TRADE_ON_FILL_CLIENT_EXTENSIONS_NOT_SUPPORTED" }, { ex.status, answer.errorCode })
    ex = select(2, put("orders/" .. id .. "/clientExtensions", { clientExtensions = { id = "o" } }))
    assert.equal(200, ex.status)
  end)
end)

describe("what should follow a fill of oanda", function()
  before_each(still)

  local DETAILS = { takeProfitOnFill = { price = "1.2" }, stopLossOnFill = { price = "1.0" },
    trailingStopLossOnFill = { distance = "0.01" } }

  --- An order below the price, with what should follow.
  local function waiting(name, more)
    local details = {}
    for _, given in ipairs { DETAILS[name], more } do
      for key, value in pairs(given) do details[key] = value end
    end
    return post { type = "LIMIT", price = "1.07", [name] = details }
  end

  it("has names of its own", function()
    local answer = post { type = "LIMIT", price = "1.07", takeProfitOnFill = { price = "1.2",
      clientExtensions = { id = "same" } }, stopLossOnFill = { price = "1.0", clientExtensions = { id = "same" } } }
    assert.equal("ORDERS_ON_FILL_DUPLICATE_CLIENT_ORDER_IDS", answer.errorCode)
    post { type = "LIMIT", price = "1.07", clientExtensions = { id = "x" }, takeProfitOnFill = { price = "1.2" },
      stopLossOnFill = { price = "1.0", clientExtensions = { id = "x" } } } -- which is free once that is filled
    move "1.069"
    assert.equal("STOP_LOSS_ORDER", last().type)
  end)

  for name, kind in pairs { takeProfitOnFill = "TAKE_PROFIT", stopLossOnFill = "STOP_LOSS",
    trailingStopLossOnFill = "TRAILING_STOP_LOSS" } do
    it("ends its order when it comes too late: " .. kind, function()
      local id = waiting(name, { clientExtensions = { id = "taken" } }).orderCreateTransaction.id
      post { type = "LIMIT", price = "1.0", clientExtensions = { id = "taken" } }
      move "1.069"
      assert.same({ "ORDER_CANCEL", id, kind .. "_ON_FILL_CLIENT_ORDER_ID_ALREADY_EXISTS" },
        { last().type, last().orderID, last().reason })
      move "1.08"
      id = waiting(name, { timeInForce = "GTD", gtdTime = "2026-01-05T01:00:00Z" }).orderCreateTransaction.id
      fake.jump(sb, 3600)
      move "1.069"
      assert.same({ "ORDER_CANCEL", id, kind .. "_ON_FILL_GTD_TIMESTAMP_IN_PAST" },
        { last().type, last().orderID, last().reason })
    end)
  end
end)

describe("a trade of oanda with its client's name", function()
  before_each(still)

  it("is named by both wherever it is named", function()
    local trade = open { tradeClientExtensions = { id = "mine" } }
    local function names(tx) return tx.tradeID .. " " .. tx.clientTradeID end
    local both = trade .. " mine"
    assert.equal(both, names(post({ type = "STOP_LOSS", tradeID = trade, price = "1" }).orderCreateTransaction))
    assert.equal(both, names(put("trades/@mine/orders", { takeProfit = { price = "1.2" } }).takeProfitOrderTransaction))
    assert.equal(both, names(get("trades/" .. trade).trade.takeProfitOrder))
    assert.equal(both, names(put("trades/@mine/close", { units = "1" }).orderCreateTransaction.tradeClose))
    assert.equal(both, names(put("trades/" .. trade .. "/close", { units = "1" }).orderCreateTransaction.tradeClose))
    local answer = put("trades/@mine/clientExtensions", { clientExtensions = { id = "ours" } })
    assert.equal(both, names(answer.tradeClientExtensionsModifyTransaction))
  end)

  it("is named as it was asked for when there is none", function()
    local function missed(name, body, part)
      local tx = put(name, body)[part .. "RejectTransaction"]
      assert.equal("TRADE_DOESNT_EXIST", tx.rejectReason)
      tx = tx.tradeClose or tx
      return { tx.tradeID, tx.clientTradeID }
    end
    for text, expected in pairs { ["@nobody"] = { nil, "nobody" }, ["999"] = { "999" } } do
      assert.same(expected, missed("trades/" .. text .. "/close", {}, "order"))
      assert.same(expected, missed("trades/" .. text .. "/orders", { stopLoss = { price = "1" } }, "stopLossOrder"))
      assert.same(expected, missed("trades/" .. text .. "/clientExtensions", { clientExtensions = { tag = "t" } },
        "tradeClientExtensionsModify"))
    end
  end)
end)

describe("an oanda account", function()
  before_each(still)

  it("pays the spread of a fill as its parts say", function()
    open { units = "2" }
    open { units = "2" }
    local fill = post({ type = "MARKET", units = "-4" }).orderFillTransaction
    local parts = fill.tradesClosed -- 0.00008 a unit
    assert.same({ "0.0002", "0.0002", "0.0004" }, { parts[1].halfSpreadCost, parts[2].halfSpreadCost,
      fill.halfSpreadCost })
  end)

  it("tells when it was traded last", function()
    assert.is_nil(get("summary").account.lastOrderFillTimestamp)
    post { type = "LIMIT", price = "1.07" }
    assert.is_nil(get("summary").account.lastOrderFillTimestamp)
    open()
    fake.jump(sb, 60)
    assert.equal(last().time, get("summary").account.lastOrderFillTimestamp)
    assert.equal(last().time, get("").account.lastOrderFillTimestamp)
  end)

  it("is out of its margin call once it holds nothing", function()
    local trade = open { units = "4400000" }
    move "1.07"
    assert.is_string(get("summary").account.marginCallEnterTime)
    put("trades/" .. trade .. "/close")
    assert.equal("MARGIN_CALL_EXIT", last().type)
    assert.is_nil(get("summary").account.marginCallEnterTime)
  end)

  it("cannot have a margin rate above one, and hears of what it would do first", function()
    local function code(rate) return (fake.ask(sb, "PATCH", "configuration", { marginRate = rate })).errorCode end
    assert.equal("MARGIN_RATE_INVALID", code "2")
    open()
    assert.equal("MARGIN_RATE_WOULD_TRIGGER_CLOSEOUT", code "10000000000000")
  end)

  it("asks for candles of so many units", function()
    local path = "instruments/EUR_USD/candles?count=1&units="
    for _, units in ipairs { "0", "-5", "many" } do
      local answer, ex = get(path .. units)
      assert.same({ 400, "Invalid value specified for 'units'" }, { ex.status, answer.errorMessage })
    end
    assert.same({ 200, 200 }, { select(2, get(path .. "100")).status, select(2, get(path)).status })
  end)
end)
