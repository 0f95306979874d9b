-- Writes the tables of the sandboxes' page anew: the target `catalogue`.  A scenario may not write files: what it may
-- not have is still there, below.
local catalogue = require "smc.sandbox.catalogue"

local PAGE = "bindings/lua/smc/sandbox/README.md"
local START = "<!-- what follows is written by the target `catalogue` -->\n"

describe("the page of the sandboxes", function()
  it("is written", function()
    local open = debug.getregistry()._LOADED.io.open
    local file = assert(open(PAGE, "rb"))
    local page = file:read "a"
    file:close()
    local at = assert(page:find(START, 1, true))
    file = assert(open(PAGE, "wb"))
    assert.is_truthy(file:write(page:sub(1, at + #START), catalogue.markdown()))
    file:close()
  end)
end)
