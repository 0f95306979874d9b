-- Link faults as the clients of venues meet them: every one, in what it does to a read, to an order, to a stream that
-- is open and to one that is to be opened.
local cells = require "link_cells"
local faults = require "smc.sandbox.link_faults"
local io = debug.getregistry()._LOADED.io

local ROUNDS = 3

--- Descriptors of this process.
local function open_files()
  local pipe = assert(io.popen("ls /proc/$PPID/fd | wc -l"))
  local n = tonumber(pipe:read "a")
  pipe:close()
  return n
end

--- All connections but one new one are gone.
local function fresh(venue)
  assert(venue.sandbox:reset())
  assert(venue:account())
end

local function check_orders(cell, where)
  if not cell.orders then return end
  assert.is_true(cell.orders <= 1, where)
  if cell.class == "-" then assert.equal(1, cell.orders, where) end
  if cell.class == "network" then assert.equal(0, cell.orders, where) end
end

for _, name in ipairs(cells.venues) do
  describe("a link fault of " .. name, function()
    for _, fault in ipairs(faults.names()) do
      for _, thing in ipairs(cells.things) do
        it(("%s, met by: %s"):format(fault, thing), function()
          local cell, venue = cells.meet(fault, name, thing)
          local where = ("%s %s %s: %s after %g s"):format(name, fault, thing, cell.message, cell.seconds)

          local promise = cells.promised(fault, name, thing)
          assert.is_true(cells.keeps(promise, cell.class), table.concat(promise, " or ") .. " was promised; " .. where)
          assert.is_true(cell.seconds <= cells.deadline, where)
          check_orders(cell, where)

          assert(venue:heal(fault))
          assert.same({}, venue.sandbox:faults())
          assert(venue:account())
          local stream <close> = assert(venue:stream { "ticker:" .. cells.symbol[name] })
          assert(stream:recv(30))
        end)
      end

      it(fault .. " leaves no descriptor behind", function()
        local _, venue = cells.meet(fault, name, "read")
        assert(venue:heal())
        fresh(venue)
        local before = open_files()
        for _ = 1, ROUNDS do
          local given = { link = fault }
          for key, value in pairs(cells.given[fault] or {}) do given[key] = value end
          venue:fault(given)
          venue:ping()
          assert(venue:heal())
        end
        fresh(venue)
        local after = open_files()
        -- The client may keep one dead connection until it looks at it; one a round would be a leak.
        assert.is_true(after < before + ROUNDS, ("%d before, %d after"):format(before, after))
      end)
    end
  end)
end
