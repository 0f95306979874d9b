--- What scenarios hold of an OANDA sandbox, beyond what all sandboxes share.
local boxes = require "smc.sandbox.box"
local rest = require "smc.sandbox.oanda.rest"
local venue = require "smc.sandbox.oanda"

local M = { options = { assume = true, token = true, account = true },
  guide = require "smc.sandbox.oanda.guide",
  door = require "smc.sandbox.oanda.door" }

local Box = boxes.class("oanda", { bearer = true })

--- A new limit of an address: { requests = n, per = seconds }.
function Box:limit(given)
  given = boxes.check_keys("sandbox:limit", given, { requests = true, per = true })
  local n, per = given.requests, given.per
  if math.type(n) ~= "integer" or n < 0 or math.type(per) ~= "integer" or per < 1 then
    error("sandbox:limit: requests, a count, and per, a whole number of seconds, expected", 2)
  end
  boxes.venue(self).limits:change(n, per)
end

--- The instrument stops trading: prices stand still, market orders are cancelled with MARKET_HALTED.
function Box:halt(symbol)
  local sb, def = boxes.def_of(self, symbol, "sandbox:halt")
  sb:halt(def, true)
end

function Box:resume(symbol)
  local sb, def = boxes.def_of(self, symbol, "sandbox:resume")
  sb:halt(def, false)
end

function M.new(seed, options, record)
  local token = options.token
  if token ~= nil and (type(token) ~= "string" or not token:find "^[%w_-]+$" or #token < 8 or #token > 128) then
    error("sandbox oanda: token must be 8 to 128 letters, digits, - or _", 5)
  end
  local account = options.account
  if account ~= nil and (type(account) ~= "string" or not account:find "^%d[%d-]*$" or #account > 64) then
    error("sandbox oanda: account must be digits and dashes, as in 101-004-1234567-001", 5)
  end
  local box, serve, close = boxes.new(Box, venue, seed, options, record)
  box.token, box.account = box.key, boxes.venue(box).account_id
  box.key, box.secret = nil, nil
  return box, serve, close -- not a tail call: an unknown assumption is blamed on the caller's line
end

--- What metrics call the path of a request: as many words as the venue has routes, whatever clients send.
function M.template(entry) return rest.template(entry.path) end

--- Fills in where things are, once the server listens: REST and streams share an origin.
function M.urls(box)
  box.url, box.ws_url = box.origin, box.origin
end

return M
