--- What an account that goes on for days forgets: ended orders, closed trades and transactions, oldest first.  What
-- asks for them later meets ids that the venue does not know, or the part of a range that is left.
local M = {}

local TRANSACTIONS = 4 -- for each order that is remembered: what makes it, fills it and ends it, and some more

--- Of a list, oldest first: those that live, and the newest `most` of all.  drop(entry) is called with each other.
local function trim(list, most, lives, drop)
  local kept, newest = {}, #list - most
  for i, entry in ipairs(list) do
    if i > newest or lives(entry) then kept[#kept + 1] = entry else drop(entry) end
  end
  return kept
end

local function is_pending(order) return order.state == "PENDING" end
local function is_open(trade) return trade.state == "OPEN" end

--- From now on the newest `most` orders and trades are remembered, twice as many at most, and those that are not over.
function M.keep(sb, most)
  sb.most_kept = most
  sb.log:keep(TRANSACTIONS * most)
end

--- Forgets when there is enough to forget; to be called as the account goes on.
function M.look(sb)
  local most = sb.most_kept
  if not most then return end
  if #sb.order_list > 2 * most + #sb.pending then
    sb.order_list = trim(sb.order_list, most, is_pending, function(order) sb.orders[order.n] = nil end)
  end
  if #sb.trades > 2 * most + #sb.open_trades then
    sb.trades = trim(sb.trades, most, is_open, function(trade) sb.trade_by_id[trade.id] = nil end)
  end
end

return M
