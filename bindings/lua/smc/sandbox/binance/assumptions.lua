--- What Binance's documents leave open, decided here by name.
-- `smc.sandbox("binance", { assume = { ban_after = 3 } })` changes one of them.
return {
  -- Requests sent while the weight is used up, before the address is banned.  The venue publishes no number.
  ban_after = 10,
  -- Seconds of the first ban; each further one lasts twice as long, up to ban_longest.
  ban_first = 120,
  ban_longest = 259200,
  -- An unsigned call to a signed route misses 'signature' before any parameter of the route itself.
  security_parameters_first = true,
  -- The clock is judged before the key is looked up, and the key before the signature.
  clock_before_key = true,
  -- An order that the matching engine refused counts as an order placed.
  count_rejected_orders = false,
  -- What the first fill of a resting order takes off the unfilled order count.  The FAQ shows 5.
  maker_fill_credit = 5,
  taker_fill_credit = 1,
  -- GET order finds an order by a client id that a cancel has replaced.
  former_client_ids = true,
  -- A WebSocket API signature over percent-encoded values is accepted beside the documented raw form.
  encoded_ws_payload = true,
  -- New WebSocket connections of an address are counted: 300 within five minutes.
  limit_connections = true,
  -- Text messages and pongs a second on a market stream connection before it is dropped.
  messages_per_second = 5,
  -- An order whose stop price was reached is reported as NEW once more, now working, before what it does.
  report_triggers = true,
  -- Commission, in basis points.  Testnet accounts have none unless they opt in.
  commission_bps = 0,
}
