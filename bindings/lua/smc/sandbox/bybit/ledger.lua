--- The venue's own record of every order that it acknowledged: ids, links, fees, and the orders that the matching
-- engine turned away after the acknowledgement.
local decimal = require "smc.decimal"

local M = {}
local Ledger = {}
Ledger.__index = Ledger

local FIRST_ID = 1900000000000000000 -- the venue's spot ids have 19 digits
local ID_STEP = 256

function M.new()
  return setmetatable({ count = 0, list = {}, by_id = {}, by_link = {}, by_engine = {} }, Ledger)
end

local function link_key(account, category, link) return account .. " " .. category .. " " .. link end

local function engine_key(symbol, id) return symbol .. " " .. id end

--- The ids of the order to come in an instrument.  A spot order without a link of its own gets one from the venue: the
-- next number; one of contracts has none.
function Ledger:next_ids(def, link)
  local n = self.count + 1
  if def.contract then return ("%08x-0000-4000-8000-%012x"):format(n, n * ID_STEP), link or "" end
  local id = FIRST_ID + n * ID_STEP
  return tostring(id), link or tostring(id + 1)
end

--- entry: { id, link, account, category, symbol, idx, order | engine_id, post_only, market_unit, smp }, idx being 0 or
-- the positionIdx, order one that the engine never took; { last, reduce_only, close_on_trigger, stop_type,
-- trigger_by, take_profit, stop_loss, tp_by, sl_by, tpsl_mode, tp_limit, sl_limit, exec_type, closed }; and of what
-- another order or a position brought its kind, TakeProfit, StopLoss or TrailingStop, and pair, the entry that came
-- together with it.
function Ledger:add(entry)
  self.count = self.count + 1
  entry.n, entry.fee = self.count, "0"
  self.list[#self.list + 1] = entry
  self.by_id[entry.id] = entry
  if entry.link ~= "" then self.by_link[link_key(entry.account, entry.category, entry.link)] = entry end
  if entry.engine_id then self.by_engine[engine_key(entry.symbol, entry.engine_id)] = entry end
  if self.most and #self.list > 2 * self.most then self:forget() end
  return entry
end

--- From now on the newest `most` are remembered, twice as many at most, and those that still live(entry).
function Ledger:keep(most, lives) self.most, self.lives = most, lives end

function Ledger:forget()
  local kept, newest = {}, self.count - self.most
  for _, entry in ipairs(self.list) do
    if entry.n > newest or self.lives(entry) then
      kept[#kept + 1] = entry
    else
      local link = link_key(entry.account, entry.category, entry.link)
      self.by_id[entry.id] = nil
      if self.by_link[link] == entry then self.by_link[link] = nil end
      if entry.engine_id then self.by_engine[engine_key(entry.symbol, entry.engine_id)] = nil end
    end
  end
  self.list = kept
end

function Ledger:of_engine(symbol, id)
  return self.by_engine[engine_key(symbol, id)]
end

--- The entry of an order that the engine made itself, to close a position, idx, that could not be held.
function Ledger:adopt(def, order, idx)
  local id, link = self:next_ids(def)
  return self:add { id = id, link = link, account = order.account, category = def.category, symbol = def.symbol,
    idx = idx, engine_id = order.id, smp = "None", exec_type = "BustTrade", reduce_only = true }
end

--- The order of an account and category by id, else by link; nil if there is none.  owner: { account, category }.
function Ledger:find(owner, id, link)
  local entry
  if id then entry = self.by_id[id] else entry = self.by_link[link_key(owner.account, owner.category, link)] end
  return entry and entry.account == owner.account and entry.category == owner.category and entry or nil
end

function Ledger:charge(entry, fee)
  entry.fee = decimal.add(entry.fee, fee)
end

--- What orderFilter calls it: "Order", "StopOrder", and of category spot its TP/SL orders by their stopOrderType.
function M.kind(entry)
  if entry.category == "spot" and entry.stop_type ~= "Stop" then return entry.stop_type or "Order" end
  return entry.stop_type and "StopOrder" or "Order"
end

--- The order behind an entry, as the engine has it now; nil when the engine has forgotten it.
function M.order_of(sb, entry)
  return entry.order or (sb.market:order { account = entry.account, symbol = entry.symbol, id = entry.engine_id })
end

return M
