--- What Bybit's documents leave open, decided here by name.
-- `smc.sandbox("bybit", { assume = { commission_bps = 0 } })` changes one of them.
return {
  -- HTTP status of retCode 10003.  Both 401 and 200 have been seen; the documents say 401.
  unknown_key_status = 401,
  -- HTTP status when the headers of a signed request are missing.
  missing_headers_status = 401,
  -- Seconds that an address stays shut out once it has exceeded its limit.  The venue says "at least ten minutes".
  ban_seconds = 600,
  -- Requests of an address within five seconds, whatever the endpoint.
  ip_limit = 600,
  -- Handshakes of an address within five minutes, if they are counted.
  connection_limit = 500,
  limit_connections = true,
  -- Whether the price of an order in contracts that is not on a tick is rounded down to one.  Else it is refused.
  truncate_price = false,
  -- Whether an order against the side that its positionIdx names in hedge mode (Sell with 1, Buy with 2) only reduces,
  -- also without reduceOnly.  Else it is refused without.  The documents ask for reduceOnly of whoever closes.
  hedge_reduces = true,
  -- Whether what a spot order brings, takeProfit and stopLoss, is placed with each of its fills.  Else once, when the
  -- order has ended: for all that it has traded.
  spot_stops_at_once = false,
  -- The stopOrderType of a takeProfit and a stopLoss of a spot order that come together.  They are two orders here, of
  -- which the one that is triggered cancels the other; one that comes alone is a tpslOrder.
  spot_pair_type = "BidirectionalTpslOrder",
  -- Commission of category spot in basis points: the default tier pays a tenth of a percent either way.
  commission_bps = 10,
}
