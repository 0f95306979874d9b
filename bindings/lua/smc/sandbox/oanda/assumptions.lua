--- Where the venue's behaviour is not known, or differs from division to division, this is what the sandbox does; a
-- scenario may choose otherwise: smc.sandbox("oanda", { assume = { name = value } }).
return {
  requests_per_second = 120,      -- REST requests of an address, in any second
  connections_per_second = false, -- a number: new connections beyond it are reset; unmodified clients open one a call
  streams = 20,                   -- of an address, both kinds together; one more is refused with 429
  ban_seconds = 60,               -- that an address is shut out, once it is: no such thing is documented
  retry_after = false,            -- seconds that a 429 names, or no such header
  parameter_error_code = true,    -- whether layer 1 refusals carry an errorCode (builds of 2016 had none)
  fx_week = false,                -- true: the market closes from Friday to Sunday, 17:00 in New York
  financing = true,               -- daily, at 17:00 in New York, of trades that are open then
  conversion_markup = "0.005",    -- of each conversion into the home currency, against the client
  units_available = false,        -- whether prices carry unitsAvailable without being asked to
  commission_bps = 0,             -- of every fill, in basis points of its value
  read_lag = 0,                   -- seconds in which a new order or trade is not yet found by its id
  pending_orders = 1000,          -- that one account may have
  open_against = "FIFO_VIOLATION", -- why an OPEN_ONLY order ends while the other side is held, on a netting account
  reduce_nothing = "POSITION_CLOSEOUT_FAILED", -- why a REDUCE_ONLY order ends that finds nothing to reduce
}
