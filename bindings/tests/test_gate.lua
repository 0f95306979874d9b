-- smc.core.gate: where tasks wait for one another.
local smc = require "smc"
local gates = require "smc.core.gate"

describe("a gate", function()
  it("lets those go on who wait, in the order in which they came", function()
    local gate, order = gates.new(), {}
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = smc.spawn(function()
        assert.is_true(gate:wait())
        order[#order + 1] = i
      end)
    end
    smc.sleep(1)
    assert.same({}, order)
    gate:open()
    for _, task in ipairs(tasks) do task:join() end
    assert.same({ 1, 2, 3 }, order)
  end)

  it("makes those wait who come after it was opened", function()
    local gate = gates.new()
    gate:open()
    local began = smc.now()
    local ok, err = gate:wait(2)
    assert.is_nil(ok)
    assert.same({ "timeout", 2.0 }, { err.class, smc.now() - began })
  end)

  it("forgets whoever stops waiting, first, last or in between", function()
    for gone = 1, 3 do
      local gate, order, tasks = gates.new(), {}, {}
      for i = 1, 3 do
        tasks[i] = smc.spawn(function()
          gate:wait()
          order[#order + 1] = i
        end)
      end
      smc.sleep(0)
      tasks[gone]:cancel()
      tasks[4] = smc.spawn(function()
        gate:wait()
        order[#order + 1] = 4
      end)
      smc.sleep(0)
      gate:open()
      smc.sleep(0)
      local left = { 1, 2, 3, 4 }
      table.remove(left, gone)
      assert.same(left, order)
    end
  end)
end)
