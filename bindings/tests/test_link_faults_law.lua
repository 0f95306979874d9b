-- Link faults as the clients of venues meet them: every one, in what it does to a read, to an order, to a stream that
-- is open and to one that is to be opened.  Each cell ends in the class that the table of the faults says
-- (lua/smc/sandbox/link_faults.lua; `smcrun --list-faults`), gets over it, in time, leaves nothing open, and no order
-- is lost or doubled.  The page of the sandboxes shows the same table.
local cells = require "link_cells"
local faults = require "smc.sandbox.link_faults"
local smc = require "smc"
local traces = require "traces"

local WITHIN = faults.within
local BREAKER = 30.1 -- seconds that a breaker stays open which nobody has changed
local OPEN = 5       -- that ours does

local function where_of(name, fault, thing, cell)
  return ("%s %s %s: %s after %g s"):format(name, fault, thing, cell.message, cell.seconds)
end

--- At most one, also when it got to the venue as late as when the fault was healed; the client finds it by its id, if
-- it is there.
local function check_order(venue, id, cell, where)
  local orders = #venue.sandbox:orders { client_id = id }
  assert.is_true(orders <= 1, where)
  if cell.class == "-" then assert.equal(1, orders, where) end
  if cell.class ~= "-" and cell.class ~= "unknown_outcome" then assert.equal(0, orders, where) end
  eventually(function() -- oanda's client has looked for it so often that the breaker may have opened
    local found, err = venue:order { symbol = cells.symbol[venue.name], client_id = id }
    assert.equal(orders == 1 and id or "unknown_order", found and found.client_id or err.class)
  end, { within = BREAKER, every = BREAKER / 2 })
  traces.only_orders(venue, { [cells.FIRST] = 1, [id] = orders })
end

--- The next call is answered, and a stream tells something.
local function works_again(venue)
  local since = smc.now()
  assert(venue:account())
  assert.is_true(smc.now() - since <= WITHIN.healed, ("answered %g s after it was healed"):format(smc.now() - since))
  local stream <close> = assert(venue:stream { "ticker:" .. cells.symbol[venue.name] })
  assert(stream:recv(30))
end

--- What was never sent has cost nothing; what was stays paid for (buckets have filled meanwhile: of windows alone).
local function check_price(venue, cell, where)
  if cell.unsent then assert.is_true(cell.paid <= 0, where) end
  if not cell.unsent and venue.name == "binance" then assert.equal(1, cell.paid, where) end
end

local function meets(fault, name, thing)
  local cell, venue, mark = cells.meet(fault, name, thing)
  local where = where_of(name, fault, thing, cell)

  local promise = cells.promised(fault, name, thing)
  assert.is_true(cells.keeps(promise, cell.class), table.concat(promise, " or ") .. " was promised; " .. where)
  assert.is_true(cell.seconds <= ((WITHIN[name] or WITHIN)[thing] or WITHIN[thing]), where)
  if cell.paid then check_price(venue, cell, where) end
  assert(venue:heal(fault))
  assert.same({}, venue.sandbox:faults())
  works_again(venue)
  if cell.client_id then check_order(venue, cell.client_id, cell, where) end
  traces.nothing_since(mark)
end

--- A call that fails by it opens the breaker, and so does the probe; once it is healed the next probe closes it.
local function decides(fault, name)
  local cell, venue, mark = cells.meet(fault, name, "read", { size = 1, min_calls = 1, open = OPEN })
  assert.equal(cell.class == "-" and "closed" or "open", venue.breaker.state, where_of(name, fault, "read", cell))
  if cell.class ~= "-" then
    assert.equal("circuit_open", select(2, venue:account()).class)
    smc.sleep(OPEN)
    assert.equal(cell.class, select(2, venue:account()).class)
    assert.equal("open", venue.breaker.state)
    smc.sleep(OPEN)
  end
  assert(venue:heal(fault))
  works_again(venue)
  assert.equal("closed", venue.breaker.state)
  traces.nothing_since(mark)
end

for _, name in ipairs(cells.venues) do
  describe("a link fault of " .. name, function()
    for _, fault in ipairs(faults.names()) do
      for _, thing in ipairs(cells.things) do
        it(("%s, met by: %s"):format(fault, thing), function() meets(fault, name, thing) end)
      end
      it(fault .. ", met by: a read that decides about the breaker", function() decides(fault, name) end)
    end
  end)
end
