--- Batches: several orders in one call, each judged by itself.  The answer is a success even where all of them failed.
local json = require "smc.json"
local orders = require "smc.sandbox.bybit.orders"
local params = require "smc.sandbox.bybit.params"
local reached = require "smc.sandbox.reached"
local refusal = require "smc.sandbox.bybit.refusal"

local M = {}

local MOST = { spot = 10, linear = 20, inverse = 20, option = 20 }

--- One order of a batch, with the category of all.  values: its parameters; nil, no when they could not be read.
local function one(sb, call, handle, values, no)
  if not call.admit() then return nil, refusal.too_many() end
  if not values then return nil, no end
  values.category = call.category
  local each = setmetatable({ values = values }, { __index = call })
  local ok
  ok, no = params.take(sb, each, { symbol = "order" })
  if not ok then return nil, no end
  return handle(sb, each)
end

--- What is told of one: where it failed, what it was called.  created: whether it tells since when the order is there.
local function row(sb, call, values, entry, created)
  local at = created and (entry and tostring(sb:now()) or "") or nil
  return json.object("category", call.category, "symbol", values.symbol or "", "orderId",
    entry and entry.id or values.orderId or "", "orderLinkId", entry and entry.link or values.orderLinkId or "",
    "createAt", at)
end

local function batch(handle, created)
  return function(sb, call)
    local list = call.values.request
    if type(list) ~= "table" or #list == 0 then return nil, refusal.params "request is required" end
    if #list > MOST[call.category] then
      return nil, refusal.params(("the number of orders exceeds the limit of %d"):format(MOST[call.category]))
    end
    local rows, codes = {}, {}
    for i, object in ipairs(list) do
      local values, bad = params.from_object(object)
      local entry, no = one(sb, call, handle, values, bad)
      if no then reached.refused("bybit", no) end
      rows[i] = row(sb, call, values or {}, entry, created)
      codes[i] = json.object("code", no and no.code or 0, "msg", no and no.msg or "OK")
    end
    call.ext = json.object("list", json.array(codes))
    return json.object("list", json.array(rows))
  end
end

M.routes = {}
for _, name in ipairs { "create", "amend", "cancel" } do
  M.routes[#M.routes + 1] = { method = "POST", path = "/v5/order/" .. name .. "-batch", private = true, trade = true,
    batch = true, limit = { spot = 20, linear = 10, option = 10 }, category = true,
    handle = batch(orders[name], name == "create") }
end

return M
