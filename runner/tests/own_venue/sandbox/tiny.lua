-- A venue of one's own, the server half: three routes over the matching engine.
local smc = require "smc"

local routes = {}

routes["GET /time"] = { handle = function(sb) return { now = sb:now() } end }

routes["GET /balances"] = { signed = true, handle = function(sb, call)
  local out = {}
  for _, b in ipairs(sb.market:balances(call.account)) do out[b.asset] = { free = b.free, locked = b.locked } end
  return out
end }

routes["POST /orders"] = { signed = true, handle = function(sb, call)
  local order, reason = sb.market:place { account = call.account, symbol = sb.by_name[call.body.symbol].symbol,
    side = call.body.side, type = "market", qty = call.body.qty }
  if not order then
    return nil, { status = 400, code = reason == "insufficient_funds" and "poor" or "refused", message = reason }
  end
  return { id = tostring(order.id), status = order.status, filled = order.filled, filled_quote = order.filled_quote }
end }

return smc.dialect.sandbox {
  name = "tiny",
  symbols = { { name = "BTC/USD", base = "BTC", quote = "USD", tick = "0.01", step = "0.001", start = "60000" } },
  funds = { { "USD", "100000" } },
  routes = routes,
  identify = function(sb, call)
    local key = sb.keys[call.header "X-Key"]
    local bytes = call.method .. call.path .. (call.method == "GET" and call.raw_query or call.raw_body)
    if key and smc.sign.verify(key.kind, key.material, bytes, call.header "X-Sign") then return key end
    return nil, { status = 401, code = "who", message = "key or signature is wrong" }
  end,
  refuse = function(no) return { code = no.code, message = no.message } end,
}
