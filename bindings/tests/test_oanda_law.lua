-- Laws of an oanda account under random orders and prices: its log tells everything, so whoever replays the log knows
-- the account; and whoever applies the changes to an old picture of it has the new one.  All of it looks as the venue
-- describes it.
local decimal = require "smc.decimal"
local fake = require "oanda_fake"
local json = require "smc.json"
local rng = require "smc.core.rng"
local shapes = require "oanda_shapes"
local smc = require "smc"

local STEPS, SEEDS = 150, 3
local INSTRUMENTS = { "EUR_USD", "USD_JPY", "EUR_GBP" }
local DEPENDENT = { TAKE_PROFIT_ORDER = true, STOP_LOSS_ORDER = true, TRAILING_STOP_LOSS_ORDER = true }

-- ---- what happens ------------------------------------------------------------------

local function pick(random, list) return list[random:int(1, #list)] end

local function near(sb, random, symbol)
  local share = decimal.div(tostring(random:int(-60, 60)), "10000", 4)
  local def = sb.by_symbol[symbol]
  return decimal.round(decimal.mul(sb.market:mid(symbol), decimal.add("1", share), 12), def.places)
end

local function distance(sb, random, symbol)
  return decimal.mul(sb.by_symbol[symbol].tick, tostring(random:int(50, 400)))
end

local function new_order(sb, random)
  local symbol = pick(random, INSTRUMENTS)
  local kind = pick(random, { "MARKET", "MARKET", "LIMIT", "STOP", "MARKET_IF_TOUCHED" })
  local order = { type = kind, instrument = symbol, units = random:int(1, 40000) * pick(random, { 1, -1 }),
    positionFill = pick(random, { "DEFAULT", "DEFAULT", "REDUCE_ONLY", "OPEN_ONLY", "REDUCE_FIRST" }),
    timeInForce = kind == "MARKET" and pick(random, { "FOK", "IOC" }) or nil,
    price = kind ~= "MARKET" and near(sb, random, symbol) or nil }
  if random:int(1, 3) == 1 then order.stopLossOnFill = { distance = distance(sb, random, symbol) } end
  if random:int(1, 3) == 1 then order.takeProfitOnFill = { price = near(sb, random, symbol) } end
  if random:int(1, 4) == 1 then order.trailingStopLossOnFill = { distance = distance(sb, random, symbol) } end
  if random:int(1, 6) == 1 then order.tradeClientExtensions = { id = "t" .. random:int(1, 5) } end
  return order
end

local function place(sb, random) fake.ask(sb, "POST", "orders", { order = new_order(sb, random) }) end

--- Everything that some type has: each takes what is its own.
local function with_everything(sb, random, order)
  local trade = sb.open_trades[1] and pick(random, sb.open_trades)
  local symbol = trade and trade.def.symbol or pick(random, INSTRUMENTS)
  local all = new_order(sb, random)
  all.type = order and order.type or pick(random, { "MARKET", "LIMIT", "STOP", "MARKET_IF_TOUCHED", "TAKE_PROFIT",
    "STOP_LOSS", "TRAILING_STOP_LOSS" })
  if all.type == "TRAILING_STOP_LOSS" then all.distance = distance(sb, random, symbol) end
  all.timeInForce, all.triggerCondition, all.gtdTime = nil, "MID", "2030-01-01T00:00:00Z"
  all.instrument, all.price, all.tradeID = symbol, near(sb, random, symbol), trade and trade.id or "1"
  return { order = all }
end

local ACTIONS = {
  place, place, place, place,
  function(sb, random) fake.ask(sb, "POST", "orders", with_everything(sb, random)) end,
  function(sb, random)
    local order = sb.pending[1] and pick(random, sb.pending)
    local same = random:int(1, 4) > 1
    if order then fake.ask(sb, "PUT", "orders/" .. order.id, with_everything(sb, random, same and order or nil)) end
  end,
  function(sb, random)
    local symbol = pick(random, INSTRUMENTS)
    sb.market:move(symbol, { by = decimal.div(tostring(random:int(-50, 50)), "10000", 4) })
    sb:settle()
  end,
  function(sb, random) fake.jump(sb, random:int(1, sb.still and 20000 or 20)) end,
  function(sb, random)
    local order = sb.pending[1] and random:int(1, 10) > 1 and pick(random, sb.pending) or { id = "1" }
    fake.ask(sb, "PUT", "orders/" .. order.id .. "/cancel")
  end,
  function(sb, random)
    local trade = pick(random, sb.open_trades[1] and sb.open_trades or { { id = "1" } })
    fake.ask(sb, "PUT", "trades/" .. trade.id .. "/close", random:int(1, 2) == 1 and { units = 1 } or nil)
  end,
  function(sb, random)
    local trade = sb.open_trades[1] and pick(random, sb.open_trades)
    if not trade then return end
    local symbol = trade.def.symbol
    local far = random:int(1, 2) == 1
    local stop = far and { distance = distance(sb, random, symbol) } or { price = near(sb, random, symbol) }
    fake.ask(sb, "PUT", "trades/" .. trade.id .. "/orders", { stopLoss = stop,
      takeProfit = random:int(1, 2) == 1 and json.null or nil })
  end,
  function(sb, random)
    fake.ask(sb, "PUT", "positions/" .. pick(random, INSTRUMENTS) .. "/close", {})
  end,
}

-- ---- the model: an account that reads the log ----------------------------------------

local function new_model() return { n = 0, balance = "0", orders = {}, trades = {}, kinds = {} } end

local function change(model, part, sign_kept)
  local left = decimal.add(model.trades[part.tradeID], part.units)
  assert(not sign_kept == (left == "0"), "trade " .. part.tradeID .. " has " .. left .. " left")
  model.trades[part.tradeID] = left ~= "0" and left or nil
end

local function filled(model, tx)
  assert.is_table(model.orders[tx.orderID])
  model.orders[tx.orderID] = nil
  local pl, units, spread = "0", "0", "0"
  local function count(part)
    pl, units = decimal.add(pl, part.realizedPL or "0"), decimal.add(units, part.units)
    spread = decimal.add(spread, part.halfSpreadCost)
  end
  for _, part in ipairs(tx.tradesClosed or {}) do
    change(model, part)
    count(part)
  end
  if tx.tradeReduced then
    change(model, tx.tradeReduced, true)
    count(tx.tradeReduced)
  end
  if tx.tradeOpened then
    assert.equal(tx.id, tx.tradeOpened.tradeID)
    model.trades[tx.id] = tx.tradeOpened.units
    count(tx.tradeOpened)
  end
  model.balance = decimal.sub(decimal.add(model.balance, pl), tx.commission)
  assert.same({ decimal.format(pl, 4), decimal.format(model.balance, 4), units, decimal.format(spread, 4) },
    { tx.pl, tx.accountBalance, tx.units, tx.halfSpreadCost })
end

local function read(model, tx)
  local kind = tx.type
  shapes.check(tx)
  model.n = model.n + 1
  assert.equal(tostring(model.n), tx.id)
  if model.n > 1 and tx.requestID == model.last.requestID then
    assert.same({ model.last.batchID, model.last.time }, { tx.batchID, tx.time })
  else
    assert.equal(tx.id, tx.batchID)
    assert(model.n == 1 or tx.time >= model.last.time, "time runs back")
  end
  model.last, model.kinds[kind] = tx, true
  if kind == "TRANSFER_FUNDS" then
    model.balance = decimal.add(model.balance, tx.amount)
  elseif kind == "ORDER_FILL" then
    filled(model, tx)
  elseif kind == "ORDER_CANCEL" then
    assert.is_table(model.orders[tx.orderID])
    model.orders[tx.orderID] = nil
  elseif kind == "DAILY_FINANCING" then
    model.balance = decimal.add(model.balance, tx.financing)
    assert.equal(decimal.format(model.balance, 4), tx.accountBalance)
  elseif kind:find "_ORDER$" then
    model.orders[tx.id] = tx
  end
end

local function catch_up(sb, model)
  for n = model.n + 1, #sb.log.list do read(model, json.decode(sb.log.list[n].text)) end
end

-- ---- what is compared --------------------------------------------------------------

local function ids_of(list, value)
  local out = {}
  for _, entry in ipairs(list) do out[entry.id] = value and entry[value] or true end
  return out
end

local function names_of(map)
  local out = {}
  for id in pairs(map) do out[id] = true end
  return out
end

local function check_account(sb, model)
  local account = fake.get(sb, "").account
  shapes.check(account, "Account")
  for _, trade in ipairs(fake.get(sb, "trades?state=ALL&count=5").trades) do shapes.check(trade, "Trade") end
  assert.same(names_of(model.orders), ids_of(account.orders))
  assert.same(model.trades, ids_of(account.trades, "currentUnits"))
  assert.equal(decimal.format(model.balance, 4), account.balance)
  assert.equal(account.NAV, decimal.format(decimal.add(account.balance, account.unrealizedPL), 4))
  for _, p in ipairs(account.positions) do
    local units = "0"
    for _, trade in ipairs(account.trades) do
      if trade.instrument == p.instrument then units = decimal.add(units, trade.currentUnits) end
    end
    assert.equal(units, decimal.add(p.long.units, p.short.units))
    assert(p.long.units == "0" or p.short.units == "0", "both sides of a netting account are held")
  end
  for _, order in pairs(model.orders) do
    assert(not DEPENDENT[order.type] or model.trades[order.tradeID], "an order has outlived its trade")
  end
  return account
end

--- What of a position no price changes.
local function booked(p)
  local sides = {}
  for _, side in ipairs { p.long, p.short } do
    sides[#sides + 1] = table.concat({ side.units, side.averagePrice or "", side.pl, side.financing }, " ")
  end
  return table.concat({ p.pl, p.financing, p.commission, table.unpack(sides) }, " ")
end

--- An old picture of the account, with the changes since, against a new one.
local function check_changes(sb, old, new)
  local answer = fake.get(sb, "changes?sinceTransactionID=" .. old.lastTransactionID)
  local changes = answer.changes
  shapes.check(changes, "AccountChanges")
  shapes.check(answer.state, "AccountChangesState")
  local orders, trades, positions = ids_of(old.orders), ids_of(old.trades, "realizedPL"), {}
  for _, o in ipairs(changes.ordersCreated) do orders[o.id] = true end
  for _, name in ipairs { "ordersCancelled", "ordersFilled" } do
    for _, o in ipairs(changes[name]) do orders[o.id] = nil end
  end
  for _, name in ipairs { "tradesOpened", "tradesReduced" } do
    for _, t in ipairs(changes[name]) do trades[t.id] = t.realizedPL end
  end
  for _, t in ipairs(changes.tradesClosed) do trades[t.id] = nil end
  assert.same(ids_of(new.orders), orders)
  assert.same(ids_of(new.trades, "realizedPL"), trades)
  for _, list in ipairs { old.positions, changes.positions } do
    for _, p in ipairs(list) do positions[p.instrument] = booked(p) end
  end
  for _, p in ipairs(new.positions) do assert.equal(booked(p), positions[p.instrument]) end
end

local MET = { "ORDER_FILL", "ORDER_CANCEL", "TAKE_PROFIT_ORDER", "STOP_LOSS_ORDER", "TRAILING_STOP_LOSS_ORDER",
  "LIMIT_ORDER", "STOP_ORDER", "MARKET_IF_TOUCHED_ORDER", "ORDER_CANCEL_REJECT" }

describe("the laws of an oanda account", function()
  for seed = 1, SEEDS do
    it("hold, seed " .. seed, function()
      local sb, model, random = fake.venue { commission_bps = seed % 2 }, new_model(), rng.new(seed, "law")
      sb.still = seed > 1 -- prices that move by themselves in the first, and only when told to in the others
      for _, def in ipairs(sb.symbols) do sb.market:freeze(def.symbol, sb.still) end
      local old
      for step = 1, STEPS do
        sb.limits:change(1000, 1)
        pick(random, ACTIONS)(sb, random)
        catch_up(sb, model)
        local account = check_account(sb, model)
        if old then check_changes(sb, old, account) end
        if not old or step % 10 == 0 then old = account end
        smc.sleep(0) -- so that the watch over endless loops begins anew
      end
      for _, kind in ipairs(MET) do assert.is_true(model.kinds[kind], kind) end
      assert.equal(sb.still, model.kinds.DAILY_FINANCING or false)
    end)
  end
end)
