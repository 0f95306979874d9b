--- How programs of others find a Bybit sandbox: what `smcrun serve` prints.  See serve/places.lua.
return {
  offset = 2,
  examples = { limit = '{"path": "/v5/order/create", "requests": 5, "per": 1}' },
  assume = { limit_connections = false }, -- all programs of a machine have one address
  keep = { orders = 20000, trades = 100000 }, -- the trades of a quiet day, and more
  takes = { "key", "secret" },
  places = {
    { "rest", "REST", "$http" },
    { "ws", "WebSockets", "$ws" },
    { "key", "key", "$key" },
    { "secret", "secret", "$secret" },
  },
  clients = {
    { "ccxt", [[
const bybit = new ccxt.pro.bybit({ apiKey: key, secret })
bybit.setSandboxMode(true)
for (const k of Object.keys(bybit.urls.api))
  if (k !== 'ws') bybit.urls.api[k] = '$http'
bybit.urls.api.ws = JSON.parse(JSON.stringify(bybit.urls.api.ws)
  .replace(/wss:\/\/[^/"]+/g, '$ws'))
await bybit.loadHttpProxyAgent()   // else ccxt refuses ws:// without TLS]] },
    { "bybit-api", [[
new RestClientV5({ key, secret, baseUrl: '$http' })
new WebsocketClient({ key, secret, market: 'v5',
  wsUrl: '$ws/v5/public/spot' })   // one for each path: also /v5/public/linear, /v5/private]] },
  },
}
