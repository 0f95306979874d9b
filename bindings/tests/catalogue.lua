-- Every entry of a sandbox's catalogue is reached by a test, and nothing is answered that the catalogue does not have.
-- The tests of each venue are run once more here, all in one state, and then it is asked what they have reached.
local catalogue = require "smc.sandbox.catalogue"
local reached = require "smc.sandbox.reached"

local TESTS = {
  binance = { "amend", "auth", "client", "combinations", "limits", "lists", "orders", "refusals", "replace", "rest",
    "stops", "streams", "tickers", "ws_api" },
  oanda = { "client", "details", "orders", "rest", "streams", "trades" },
  bybit = { "answers", "attached", "auth", "client", "hedge", "linear", "orders", "refusals", "rest", "stops",
    "streams", "trade" },
}

local PAGE = "bindings/lua/smc/sandbox/README.md"
local START = "<!-- what follows is written by the target `catalogue` -->\n"

local function names_of(section)
  local names = {}
  for _, row in ipairs(section.rows) do names[row.name] = true end
  return names
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

for _, venue in ipairs(catalogue.venues) do
  describe(venue, function()
    for _, part in ipairs(TESTS[venue]) do
      describe(part, function() require(("test_%s_%s"):format(venue, part)) end)
    end

    for _, section in ipairs(catalogue.sections(venue)) do
      it("has a test for each of its " .. section.title, function()
        local listed, missed = names_of(section), {}
        for name in pairs(listed) do
          if not reached.of(venue, section.kind)[name] then missed[name] = true end
        end
        assert.is_not_nil(next(listed))
        assert.same({}, sorted(missed))
      end)
    end

    it("answers with nothing that is not listed", function()
      local listed = {}
      for _, section in ipairs(catalogue.sections(venue)) do
        listed[section.kind] = listed[section.kind] or {}
        for name in pairs(names_of(section)) do listed[section.kind][name] = true end
      end
      for kind, names in pairs(listed) do
        local strange = {}
        for name in pairs(reached.of(venue, kind)) do
          if not names[name] then strange[name] = true end
        end
        assert.same({}, sorted(strange), kind)
      end
    end)
  end)
end

describe("the page of the sandboxes", function()
  it("says what the tables say", function()
    local file = assert(io.open(PAGE, "rb"))
    local page = file:read "a"
    file:close()
    local at = page:find(START, 1, true)
    assert.is_not_nil(at)
    assert.equal(catalogue.markdown(), page:sub(at + #START + 1),
      "the tables have changed: cmake --build build/dev --target catalogue")
  end)
end)
