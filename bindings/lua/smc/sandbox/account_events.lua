--- The events of the matching engine that concern accounts, one operation after the other.
local M = {}

--- handlers: order(event), transfer(event), and balances(list), for a run of balance events of one account: they stand
-- at the end of an operation, each asset once.
function M.each(events, handlers)
  local run = {}
  local function flush()
    if #run > 0 then handlers.balances(run) end
    run = {}
  end
  for _, e in ipairs(events) do
    if e.type == "balance" then
      if #run > 0 and run[1].account ~= e.account then flush() end
      for _, b in ipairs(run) do
        if b.asset == e.asset then
          flush()
          break
        end
      end
      run[#run + 1] = e
    elseif e.type == "order" or e.type == "transfer" then
      flush()
      handlers[e.type](e)
    end
  end
  flush()
end

return M
