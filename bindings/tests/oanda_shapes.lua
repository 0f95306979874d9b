-- What the venue's own description says that its records look like: openapi 3.0.25, definitions, and the fields that
-- came later.  A field with a question mark may be missing; one that is not named here must not be there.
local M = {}

local BASE = "id accountID userID batchID requestID time type "
local FOLLOW = "clientExtensions? takeProfitOnFill? stopLossOnFill? trailingStopLossOnFill? tradeClientExtensions? "
local WAITS = "timeInForce gtdTime? triggerCondition "
local ENTRY = "instrument units price " .. WAITS .. "partialFill positionFill " .. FOLLOW
local REPLACES = "replacesOrderID? cancellingTransactionID? "
local DEPENDENT = "tradeID clientTradeID? " .. WAITS .. "triggerMode clientExtensions? "
local SPECIAL = "tradeClose? longPositionCloseout? shortPositionCloseout? marginCloseout? "
local MARKET = "instrument units timeInForce priceBound? positionFill " .. SPECIAL .. FOLLOW
local ENDED = "fillingTransactionID? filledTime? tradeOpenedID? tradeReducedID? tradeClosedIDs? "
  .. "cancellingTransactionID? cancelledTime? "
local REPLACED = "replacesOrderID? replacedByOrderID? "
local COST = "guaranteedExecutionFee quoteGuaranteedExecutionFee halfSpreadCost "
local STATE = "unrealizedPL NAV marginUsed marginAvailable positionValue marginCloseoutUnrealizedPL marginCloseoutNAV "
  .. "marginCloseoutMarginUsed marginCloseoutPercent marginCloseoutPositionValue withdrawalLimit marginCallMarginUsed "
  .. "marginCallPercent "
local TRADE = "id instrument price openTime state initialUnits initialMarginRequired currentUnits realizedPL "
  .. "unrealizedPL? marginUsed? averageClosePrice? closingTransactionIDs? financing dividendAdjustment closeTime? "
  .. "clientExtensions? "
local SUMS = "pl resettablePL unrealizedPL financing dividendAdjustment guaranteedExecutionFees "
local SUMMARY = "id alias? currency balance createdByUserID createdTime guaranteedStopLossOrderMode pl resettablePL "
  .. "resettablePLTime financing commission guaranteedExecutionFees dividendAdjustment marginRate? "
  .. "marginCallEnterTime? marginCallExtensionCount? openTradeCount openPositionCount pendingOrderCount hedgingEnabled "
  .. "lastOrderFillTimestamp? lastTransactionID " .. STATE

--- Of orders that wait: the fields of each type.
local WAITING = {
  LIMIT = ENTRY, STOP = ENTRY .. "priceBound? ", MARKET_IF_TOUCHED = ENTRY .. "priceBound? ",
  TAKE_PROFIT = DEPENDENT .. "price ", STOP_LOSS = DEPENDENT .. "price distance? ",
  TRAILING_STOP_LOSS = DEPENDENT .. "distance ",
}

local SHAPES = {
  MARKET_ORDER = BASE .. MARKET .. "reason ",
  ORDER_FILL = BASE .. COST .. "orderID clientOrderID? instrument units requestedUnits price fullVWAP fullPrice reason "
    .. "pl quotePL financing baseFinancing commission accountBalance gainQuoteHomeConversionFactor "
    .. "lossQuoteHomeConversionFactor homeConversionFactors tradeOpened? tradesClosed? tradeReduced? ",
  ORDER_CANCEL = BASE .. "orderID clientOrderID? reason replacedByOrderID? closedTradeID? tradeCloseTransactionID? ",
  ORDER_CANCEL_REJECT = BASE .. "orderID? clientOrderID? rejectReason ",
  ORDER_CLIENT_EXTENSIONS_MODIFY = BASE .. "orderID clientOrderID? clientExtensionsModify? "
    .. "tradeClientExtensionsModify? ",
  TRADE_CLIENT_EXTENSIONS_MODIFY = BASE .. "tradeID clientTradeID? tradeClientExtensionsModify ",
  CREATE = BASE .. "divisionID siteID accountUserID accountNumber homeCurrency ",
  TRANSFER_FUNDS = BASE .. "amount fundingReason accountBalance ",
  CLIENT_CONFIGURE = BASE .. "alias? marginRate? ",
  MARGIN_CALL_ENTER = BASE, MARGIN_CALL_EXIT = BASE,
  DAILY_FINANCING = BASE .. "financing accountBalance accountFinancingMode positionFinancings ",
  MARKET = "id createTime state type " .. MARKET .. ENDED,
  Trade = TRADE .. "takeProfitOrder? stopLossOrder? trailingStopLossOrder? ",
  TradeSummary = TRADE .. "takeProfitOrderID? stopLossOrderID? trailingStopLossOrderID? ",
  Position = "instrument commission marginUsed? long short " .. SUMS,
  PositionSide = "units averagePrice? tradeIDs? " .. SUMS,
  AccountSummary = SUMMARY, Account = SUMMARY .. "trades positions orders ",
  AccountChanges = "ordersCreated ordersCancelled ordersFilled ordersTriggered tradesOpened tradesReduced tradesClosed "
    .. "positions transactions ",
  AccountChangesState = STATE .. "orders trades positions ",
  OrderState = "id trailingStopValue? triggerDistance? isTriggerDistanceExact? ",
  TradeState = "id unrealizedPL marginUsed ",
  PositionState = "instrument netUnrealizedPL longUnrealizedPL shortUnrealizedPL marginUsed ",
  Extensions = "id? tag? comment? ", TradeClose = "tradeID? clientTradeID? units ", Closeout = "instrument units ",
  MarginCloseout = "reason ", PositionFinancing = "instrument financing openTradeFinancings ",
  TradeFinancing = "tradeID financing ", Factor = "factor ",
  Factors = "gainQuoteHome? lossQuoteHome? gainBaseHome? lossBaseHome? ",
  TakeProfitDetails = "price? distance? timeInForce gtdTime? clientExtensions? triggerMode ",
  StopLossDetails = "price? distance? timeInForce gtdTime? clientExtensions? triggerMode ",
  TrailingDetails = "distance? timeInForce gtdTime? clientExtensions? triggerMode ",
  TradeOpen = COST .. "tradeID units price clientExtensions? initialMarginRequired ",
  TradeReduce = COST .. "tradeID clientTradeID? units price realizedPL financing ",
  FullPrice = "closeoutBid? closeoutAsk? timestamp bids asks ", Bucket = "price liquidity ",
}

for kind, fields in pairs(WAITING) do
  local dependent = fields:find "tradeID" ~= nil
  local more = kind == "MARKET_IF_TOUCHED" and "initialMarketPrice " or kind == "TRAILING_STOP_LOSS"
    and "trailingStopValue? " or ""
  SHAPES[kind] = "id createTime state type " .. fields .. more .. ENDED .. REPLACED
  SHAPES[kind .. "_ORDER"] = BASE .. fields .. "reason " .. REPLACES .. (dependent and "orderFillTransactionID? " or "")
  -- What is rejected may be so for want of any of them.
  SHAPES[kind .. "_ORDER_REJECT"] = BASE .. fields:gsub("(%a) ", "%1? ") .. "reason intendedReplacesOrderID? "
    .. "rejectReason " .. (kind == "STOP_LOSS" and "guaranteed? " or "")
end
SHAPES.MARKET_ORDER_REJECT = BASE .. MARKET:gsub("(%a) ", "%1? ") .. "reason rejectReason "
for _, kind in ipairs { "ORDER_CLIENT_EXTENSIONS_MODIFY", "TRADE_CLIENT_EXTENSIONS_MODIFY", "CLIENT_CONFIGURE" } do
  SHAPES[kind .. "_REJECT"] = BASE .. SHAPES[kind]:sub(#BASE + 1):gsub("(%a) ", "%1? ") .. "rejectReason "
end

-- What a field holds that is no plain value; lists have [] behind; "*": the shape of its type.
local HOLDS = {
  clientExtensions = "Extensions", tradeClientExtensions = "Extensions", clientExtensionsModify = "Extensions",
  tradeClientExtensionsModify = "Extensions", tradeClose = "TradeClose", longPositionCloseout = "Closeout",
  shortPositionCloseout = "Closeout", marginCloseout = "MarginCloseout", takeProfitOnFill = "TakeProfitDetails",
  stopLossOnFill = "StopLossDetails", trailingStopLossOnFill = "TrailingDetails", tradeOpened = "TradeOpen",
  tradeReduced = "TradeReduce", tradesClosed = "TradeReduce[]", fullPrice = "FullPrice", bids = "Bucket[]",
  asks = "Bucket[]", homeConversionFactors = "Factors", gainQuoteHome = "Factor", lossQuoteHome = "Factor",
  gainBaseHome = "Factor", lossBaseHome = "Factor", positionFinancings = "PositionFinancing[]",
  openTradeFinancings = "TradeFinancing[]", takeProfitOrder = "*", stopLossOrder = "*", trailingStopLossOrder = "*",
  long = "PositionSide", short = "PositionSide", orders = "*[]", trades = "TradeSummary[]", positions = "Position[]",
  ordersCreated = "*[]", ordersCancelled = "*[]", ordersFilled = "*[]", ordersTriggered = "*[]", transactions = "*[]",
  tradesOpened = "TradeSummary[]", tradesReduced = "TradeSummary[]",
}
local HELD = { -- where the same name holds something else
  AccountChanges = { tradesClosed = "TradeSummary[]" },
  AccountChangesState = { orders = "OrderState[]", trades = "TradeState[]", positions = "PositionState[]" },
}

--- What a field of this type may say.
local WORDS_OF = {
  reason = {
    MARKET_ORDER = "CLIENT_ORDER TRADE_CLOSE POSITION_CLOSEOUT MARGIN_CLOSEOUT", MarginCloseout =
      "MARGIN_CHECK_VIOLATION", ORDER_FILL = [[LIMIT_ORDER STOP_ORDER MARKET_IF_TOUCHED_ORDER TAKE_PROFIT_ORDER
      STOP_LOSS_ORDER TRAILING_STOP_LOSS_ORDER MARKET_ORDER MARKET_ORDER_TRADE_CLOSE MARKET_ORDER_POSITION_CLOSEOUT
      MARKET_ORDER_MARGIN_CLOSEOUT]] },
  state = { Trade = "OPEN CLOSED", TradeSummary = "OPEN CLOSED" },
}
for kind, list in pairs(WAITING) do
  WORDS_OF.reason[kind .. "_ORDER"] = "CLIENT_ORDER REPLACEMENT" .. (list:find "tradeID" and " ON_FILL" or "")
  WORDS_OF.state[kind] = "PENDING FILLED CANCELLED"
end

local WHOLE = "^%-?%d+$"
local ORDINALS = { userID = true, divisionID = true, siteID = true, accountUserID = true, accountNumber = true,
  createdByUserID = true, marginCallExtensionCount = true, openTradeCount = true, openPositionCount = true,
  pendingOrderCount = true }
local WORDS = { type = true, instrument = true, accountID = true, requestID = true, reason = true, rejectReason = true,
  timeInForce = true, positionFill = true, triggerCondition = true, triggerMode = true, partialFill = true,
  state = true, homeCurrency = true, currency = true, fundingReason = true, accountFinancingMode = true, alias = true,
  guaranteedStopLossOrderMode = true, clientOrderID = true, clientTradeID = true, tag = true, comment = true }
local FLAGS = { hedgingEnabled = true, guaranteed = true, isTriggerDistanceExact = true }

--- Whether a plain value is written as the venue writes it.
local function is_plain(shape, name, value)
  if ORDINALS[name] then return math.type(value) == "integer" end
  if FLAGS[name] then return type(value) == "boolean" end
  if type(value) == "table" then
    for _, id in ipairs(value) do
      if not tostring(id):find(WHOLE) then return false end
    end
    return name:find "IDs$" ~= nil and #value > 0
  end
  if type(value) ~= "string" then return false end
  local words = WORDS_OF[name] and WORDS_OF[name][shape:gsub("_REJECT$", "")]
  if words then return (" " .. words:gsub("%s+", " ") .. " "):find(" " .. value .. " ", 1, true) ~= nil end
  if WORDS[name] or shape == "Extensions" or name == "id" and shape:find "^Account" then return value ~= "" end
  if name == "resettablePLTime" and value == "0" then return true end
  if name:find "[tT]ime$" or name:find "[tT]imestamp$" then
    return value:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%d%d%d%dZ$" ~= nil
  end
  if name:find "ID$" or name == "id" then return value:find "^[1-9]%d*$" ~= nil end
  return value == "ALL" and name == "units" or value:find "^%-?%d+%.?%d*$" ~= nil and not value:find "^%-0%.?0*$"
end

local fields = {} -- shape -> { list of names that must be there, set of names }
for shape, text in pairs(SHAPES) do
  local needed, known = {}, {}
  for name, mark in text:gmatch "(%w+)(%??)" do
    known[name] = true
    if mark == "" then needed[#needed + 1] = name end
  end
  fields[shape] = { needed, known }
end

--- Raises when a record is not of the shape; nil: of that of its type.
function M.check(record, shape)
  shape = shape and shape ~= "*" and shape or record.type
  local spec = assert(fields[shape], "no shape " .. tostring(shape))
  for _, name in ipairs(spec[1]) do assert(record[name] ~= nil, shape .. " has no " .. name) end
  for name, value in pairs(record) do
    assert(spec[2][name], shape .. " must not have " .. name)
    local held = HELD[shape] and HELD[shape][name] or HOLDS[name]
    local one = held and held:match "^(.*)%[%]$"
    for _, entry in ipairs(one and value or held and { value } or {}) do M.check(entry, one or held) end
    assert(held or is_plain(shape, name, value), ("%s.%s is %s"):format(shape, name, tostring(value)))
  end
end

return M
