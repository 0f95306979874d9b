--- How programs of others find a Binance sandbox: what `smcrun serve` prints.  See serve/places.lua.
return {
  offset = 0,
  examples = { limit = '{"request_weight": 1200, "per": 60}' },
  assume = { limit_connections = false }, -- all programs of a machine have one address
  keep = { orders = 20000, trades = 100000 }, -- the trades of a quiet day, and more
  takes = { "key", "secret" },
  places = {
    { "rest", "REST", "$http" },
    { "ws", "streams", "$ws" },
    { "ws_api", "WebSocket API", "$ws/ws-api/v3" },
    { "key", "key", "$key" },
    { "secret", "secret", "$secret" },
  },
  clients = {
    { "ccxt", [[
const binance = new ccxt.pro.binance({ apiKey: key, secret,
  options: { fetchCurrencies: false, fetchMarkets: { types: ['spot'] } } })
binance.setSandboxMode(true)
for (const k of ['public', 'private']) binance.urls.api[k] = '$http/api/v3'
binance.urls.api.ws.spot = '$ws/ws'
binance.urls.api.ws['ws-api'].spot = '$ws/ws-api/v3'
await binance.loadHttpProxyAgent()   // else ccxt refuses ws:// without TLS]] },
    { "@binance/connector", [[
new Spot(key, secret, { baseURL: '$http' })
new WebsocketStream({ wsURL: '$ws', callbacks })
new WebsocketAPI(key, secret, { wsURL: '$ws/ws-api/v3', callbacks })]] },
    { "@binance/spot", [[
new Spot({
  configurationRestAPI: { apiKey: key, apiSecret: secret,
    basePath: '$http' },
  configurationWebsocketStreams: { wsURL: '$ws' },
  configurationWebsocketAPI: { apiKey: key, apiSecret: secret,
    wsURL: '$ws/ws-api/v3' } })]] },
    { "binance", [[
new MainClient({ api_key: key, api_secret: secret,
  baseUrl: '$http', disableTimeSync: true })   // getServerTime would ask api.binance.com
new WebsocketClient({ wsUrl: '$ws' })
new WebsocketAPIClient({ api_key: key, api_secret: secret,
  wsUrl: '$ws', disableTimeSync: true })]] },
  },
}
