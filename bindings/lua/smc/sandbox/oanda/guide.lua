--- How programs of others find an OANDA sandbox: what `smcrun serve` prints.  See serve/places.lua.
return {
  offset = 3,
  examples = { limit = '{"requests": 120, "per": 1}', add_key = '{"kind": "bearer"}',
    move = '{"symbol": "EUR/USD", "by": "-0.01"}',
    fill = false, -- the price alone fills orders
    halt = '{"symbol": "EUR/USD"}', resume = '{"symbol": "EUR/USD"}' },
  assume = {},
  keep = { orders = 5000, trades = 100000 },
  takes = { "token", "account" },
  places = {
    { "rest", "REST", "$http" },
    { "stream", "streams", "$http" },
    { "token", "token", "$token" },
    { "account", "account", "$account" },
  },
  clients = {
    { "@oanda/v20", [[
const rest = new Context('$host', $port, $tls, 'app')   // require('@oanda/v20/context')
const streams = new Context('$host', $port, $tls, 'app')
for (const context of [rest, streams]) context.setToken(token)
globalThis.Price = streams.pricing.ClientPrice   // else pricing.stream fails at its first price]] },
  },
}
