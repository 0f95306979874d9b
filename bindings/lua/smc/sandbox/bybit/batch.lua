--- Batches: several orders in one call, each judged by itself.  The answer is a success even where all of them failed.
local json = require "smc.json"
local orders = require "smc.sandbox.bybit.orders"
local params = require "smc.sandbox.bybit.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local MOST = { spot = 10, linear = 20, inverse = 20, option = 20 }

--- One order of a batch, with the category of all.
local function one(sb, call, handle, object)
  if not call.admit() then return nil, refusal.too_many() end
  local values, no = params.from_object(object)
  if not values then return nil, no end
  values.category = call.category
  local each = setmetatable({ values = values }, { __index = call })
  local ok
  ok, no = params.take(sb, each, { symbol = "order" })
  if not ok then return nil, no end
  return handle(sb, each)
end

local function batch(handle)
  return function(sb, call)
    local list = call.values.request
    if type(list) ~= "table" or #list == 0 then return nil, refusal.params "request is required" end
    if #list > MOST[call.category] then
      return nil, refusal.params(("the number of orders exceeds the limit of %d"):format(MOST[call.category]))
    end
    local rows, codes = {}, {}
    for i, object in ipairs(list) do
      local entry, no = one(sb, call, handle, object)
      if no then reached.refused("bybit", no) end
      rows[i] = json.object("category", call.category, "symbol", type(object) == "table" and object.symbol or "",
        "orderId", entry and entry.id or "", "orderLinkId", entry and entry.link or "",
        "createAt", entry and tostring(sb:now()) or "")
      codes[i] = json.object("code", no and no.code or 0, "msg", no and no.msg or "OK")
    end
    call.ext = json.object("list", json.array(codes))
    return json.object("list", json.array(rows))
  end
end

M.routes = {}
for _, name in ipairs { "create", "amend", "cancel" } do
  M.routes[#M.routes + 1] = { method = "POST", path = "/v5/order/" .. name .. "-batch", private = true, trade = true,
    batch = true, limit = { spot = 20, linear = 10, option = 10 }, category = true, handle = batch(orders[name]) }
end

return M
