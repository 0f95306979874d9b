--- What faults do to an order that was just placed.
local boxes = require "smc.sandbox.box"
local decimal = require "smc.decimal"

local M = {}

local function key_of(order) return order.symbol .. " " .. order.id end

--- The orders that there are, as a set.
function M.known(box)
  local out = {}
  for _, order in ipairs(box:orders()) do out[key_of(order)] = true end
  return out
end

--- The newest open order that is not among those known; nil when nothing rests that was not there before.
function M.newest(box, known)
  local list = box:orders { status = "open" }
  for i = #list, 1, -1 do
    if not known[key_of(list[i])] then return list[i] end
  end
end

--- A price that an order is surely filled at: half a percent better than its own.
local function beyond(order, box)
  local tick = boxes.venue(box).by_name[order.symbol].tick
  return decimal.floor_to(decimal.mul(order.price, order.side == "buy" and "0.995" or "1.005"), tick)
end

--- Fills a share (0..1) of an order; of a venue whose orders only the price fills, the price goes there.
function M.fill(door, order, share)
  if not order then return end
  local box = door.box
  if door.its.filled_by_price then return box:move(order.symbol, { to = beyond(order, box) }) end
  local left = decimal.sub(order.qty, order.filled)
  local step = boxes.venue(box).by_name[order.symbol].step
  local qty = share < 1 and decimal.floor_to(decimal.mul(left, ("%.4f"):format(share)), step) or left
  if decimal.cmp(qty, "0") > 0 then box:fill { symbol = order.symbol, id = order.id, qty = qty } end
end

return M
