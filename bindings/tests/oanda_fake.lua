--- An OANDA sandbox without sockets.
local exchange = require "fake_exchange"
local json = require "smc.json"
local venue = require "smc.sandbox.oanda"

local M = {}

--- A fresh venue.  assume: assumptions that differ.
function M.venue(assume) return exchange.venue(venue, assume) end

--- From now on the venue's clock is so many seconds ahead, further than a spec may sleep.
function M.jump(sb, seconds)
  local clock = sb.market_clock
  sb.market_clock = function() return clock() + math.floor(seconds * 1000) end
  sb:settle()
end

--- Sends a request; target below /v3/accounts/<the account>, or below /v3 when it begins with a slash.  body: a table,
-- a text, or nil.  Returns the decoded answer and the exchange.
function M.ask(sb, method, target, body, headers)
  headers = headers or {}
  headers.authorization = headers.authorization or "Bearer " .. sb.key
  headers.host = headers.host or "127.0.0.1:8080"
  local path = target:sub(1, 1) == "/" and "/v3" .. target or "/v3/accounts/" .. sb.account_id .. "/" .. target
  if type(body) == "table" then body = json.encode(body) end
  local ex = exchange.ask(sb, method, (path:gsub("/$", "")), headers, body)
  return not ex.pieces and json.decode(ex.answer) or nil, ex
end

function M.get(sb, target, headers) return M.ask(sb, "GET", target, nil, headers) end

--- What a stream was sent since the last look, decoded.
function M.lines(ex)
  local out = {}
  for i, piece in ipairs(ex.pieces) do
    assert(piece:match "^{[^\n]*}\n$", "a chunk is not one whole line: " .. piece)
    out[i] = json.decode(piece)
  end
  ex.pieces = {}
  return out
end

return M
