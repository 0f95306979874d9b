--- What an account can ask about itself.
local clock = require "smc.sandbox.oanda.clock"
local decimal = require "smc.decimal"
local instruments = require "smc.sandbox.oanda.instruments"
local json = require "smc.json"
local params = require "smc.sandbox.oanda.params"
local refusal = require "smc.sandbox.oanda.refusal"

local M = {}

local function listed(sb)
  return { "accounts", json.array { json.object("id", sb.account_id, "tags", json.array {}) } }
end

--- Name and value in turn: what a summary and the whole account have in common.
local function summary_fields(sb)
  local list = { "guaranteedStopLossOrderMode", "DISABLED", "hedgingEnabled", false, "id", sb.account_id,
    "createdTime", clock.rfc3339(sb.created_ms), "currency", instruments.home, "createdByUserID", sb.user_id,
    "alias", sb.alias, "marginRate", sb.margin_rate or "0.02", "lastTransactionID", sb.log:last() }
  return list
end

local function summary(sb)
  return { "account", json.object(table.unpack(summary_fields(sb))) }
end

local function tradeable(sb, call)
  local defs, no = params.instruments(sb, call.values)
  if defs == nil then return nil, no end
  local out = {}
  for i, def in ipairs(defs or sb.symbols) do out[i] = instruments.describe(def) end
  return { "instruments", json.array(out) }
end

-- ---- configuration -----------------------------------------------------------------

local ALIAS_MOST = 128

--- Why a configuration can't be, or nil.
local function wrong_configuration(sb, alias, rate)
  if alias == nil and rate == nil then return "CLIENT_CONFIGURE_DATA_MISSING" end
  if alias ~= nil and (type(alias) ~= "string" or alias == "" or #alias > ALIAS_MOST) then return "ALIAS_INVALID" end
  if rate == nil then return nil end
  local value = params.decimal(rate)
  if not value or decimal.le(value, "0") or decimal.lt("1", value) then return "MARGIN_RATE_INVALID" end
  return sb:check_margin_rate(value)
end

local function configure(sb, call)
  local alias, rate = call.body.alias, call.body.marginRate
  local wrong = wrong_configuration(sb, alias, rate)
  sb.log:begin(sb:now(), call.request_id)
  local shown = { "alias", type(alias) == "string" and alias or nil, "marginRate", rate and params.decimal(rate) }
  if wrong then
    local tx = sb.log:add("CLIENT_CONFIGURE_REJECT", shown[1], shown[2], shown[3], shown[4], "rejectReason", wrong)
    return nil, refusal.reject(wrong, { "clientConfigureRejectTransaction", tx.json })
  end
  sb.alias = alias or sb.alias
  if rate then sb:set_margin_rate(params.decimal(rate)) end
  return { "clientConfigureTransaction", sb.log:add("CLIENT_CONFIGURE", table.unpack(shown, 1, 4)).json }
end

M.routes = { { "PATCH", "configuration", configure },
  { "GET", "", summary }, { "GET", "summary", summary }, { "GET", "instruments", tradeable } }
M.public_routes = { { "GET", "accounts", listed, plain = true } }

return M
