---@meta smc.sandbox

---@class smc.SandboxOptions
---@field tls? boolean|{ fault: "expired"|"wrong_host"|"unknown_ca" }  https and wss, by an authority made for the
---run; its clients trust that one alone.  fault: what is wrong with the certificate
---@field assume? table<string, any>  see lua/smc/sandbox/<name>/assumptions.lua
---@field key? string  the account's API key, 1 to 128 letters, digits, - or _; default: drawn by the seed
---@field token? string  oanda: the account's token, 8 to 128 letters, digits, - or _; default: drawn by the seed
---@field secret? string  its secret, 8 to 128 printable characters; default: drawn by the seed

---A simulated venue: a server on loopback that speaks the venue's own protocol over a live market.
---@class smc.Sandbox
---@field name string
---@field url string  origin of its REST interface
---@field ws_url string  see smc.Venue
---@field ws_api_url string
---@field origin string
---@field ca string?  the certificate of its authority, in PEM; nil without TLS
---@field key string
---@field secret string
---@field token string  oanda: its bearer token, in place of key and secret
---@field account string  oanda: the id of the account
local Sandbox = {}

---@class smc.SeenRequest
---@field method string  "WS" for a request over the WebSocket API
---@field path string  its method's name then
---@field query string?
---@field body string
---@field signed boolean
---@field websocket boolean?  a handshake
---@field status integer?  of the answer
---@field fault string?  the venue fault that it met
---@field at number  smc.now() when it arrived

---@class smc.SeenFilters
---@field signed? boolean
---@field path? string
---@field method? string
---@field websocket? boolean
---@field status? integer
---@field fault? string
---@field after? number  smc.now() seconds
---@field before? number

---@class smc.OrderFilters
---@field client_id? string  also one that a cancel replaced
---@field side? "buy"|"sell"
---@field status? string  the venue's in lower case, or "open"
---@field symbol? string

---@class smc.SandboxKey
---@field kind "hmac"|"rsa"|"ed25519"  bybit has no ed25519
---@field secret? string  of an HMAC key
---@field public? string  PEM, of the others
---@field trade? boolean  false: the key may look only

---Every request that arrived, oldest first.  Raises: an unknown filter.  Where: scenario, hook.
---@param filters? smc.SeenFilters
---@return smc.SeenRequest[]
---@source ../lua/smc/sandbox.lua
function Sandbox:requests(filters) end

---Orders that the matching engine accepted, of all accounts, oldest first:
---id client_id original_client_id symbol side type time_in_force price qty filled quote status.
---Raises: an unknown filter.  Where: scenario, hook.
---@param filters? smc.OrderFilters
---@return table[]
---@source ../lua/smc/sandbox/box.lua
function Sandbox:orders(filters) end

---The book as the venue has it now.  Where: scenario, hook.
---@param symbol string
---@param depth? integer  nil: all levels
---@return smc.Book
---@source ../lua/smc/sandbox/box.lua
function Sandbox:book(symbol, depth) end

---@class smc.SandboxLimits
---@field used integer  request weight (bybit: requests) since the sandbox was opened, without what was refused
---@field allowed integer  the limit, times the windows that have begun since
---@field violations integer  requests refused for a limit or a ban
---@field window integer  weight used in the running window
---@field limit integer
---@field per integer  seconds of a window
---@field banned_until integer?  ms since the Unix epoch
---@field each table<string, { used: integer, limit: integer, per: integer }>  the running windows by the names of the
---client's budgets: binance request_weight, raw_requests and orders_10s of the first account; bybit requests, and the
---endpoints that were used, as "order/create spot"; oanda requests

---Where: scenario, hook.
---@return smc.SandboxLimits
---@source ../lua/smc/sandbox/box.lua
function Sandbox:limits() end

---@class smc.SandboxLimit
---@field request_weight integer?
---@field raw_requests integer?
---@field orders integer?
---@field requests integer?
---@field path string?
---@field per integer  seconds

---Changes a limit; the counts of its windows start anew.  Where: scenario, hook.
---Binance: request_weight, raw_requests or orders, and seconds.  Bybit: requests of an address and seconds, or requests
---of an account to an endpoint (path) in one second.
---@param limit smc.SandboxLimit
---@source ../lua/smc/sandbox/binance/face.lua
function Sandbox:limit(limit) end

---From now on the venue's clock is so many seconds ahead of the true one.  Where: scenario, hook.
---@param seconds number  negative: behind
---@source ../lua/smc/sandbox/box.lua
function Sandbox:skew(seconds) end

---Lets the market catch up with the clock, as every request does.  Where: scenario, hook.
---@source ../lua/smc/sandbox/box.lua
function Sandbox:advance() end

---Moves the price of a symbol at once: resting orders that the move passes are filled.  Where: scenario, hook.
---@param symbol string
---@param change { by?: string, to?: string }  relative ("-0.03") or absolute ("58000")
---@source ../lua/smc/sandbox/box.lua
function Sandbox:move(symbol, change) end

---The symbol stops trading: its price stands still, orders are refused (class `market_closed`), cancels work.  oanda:
---market orders are cancelled with MARKET_HALTED, pending orders may still be made.  Where: scenario, hook.
---@param symbol string
---@source ../lua/smc/sandbox/box.lua
function Sandbox:halt(symbol) end

---It trades again.  Where: scenario, hook.
---@param symbol string
---@source ../lua/smc/sandbox/box.lua
function Sandbox:resume(symbol) end

---Somebody trades with one order that rests in the book, at its price, whatever comes before it: by client_id, or by id
---(as in orders) and symbol; qty of it, or all that is left.  Not oanda.  Raises: no such order is open, a wrong qty.
---Where: scenario, hook.
---@param order { client_id?: string, id?: integer, symbol?: string, qty?: string }
---@source ../lua/smc/sandbox/box.lua
function Sandbox:fill(order) end

---Begins anew: market, accounts, limits and clock as when it was opened; faults and connections end.  Its address, its
---first key and the log of requests stay.  Where: scenario, hook.
---@return true? ok
---@return smc.Error? err  it was `down`, and its port was taken meanwhile
---@source ../lua/smc/sandbox/box.lua
function Sandbox:reset() end

---@class smc.VenueFault  which requests: all that fit on, path and method, until healed or `times` of them were met
---@field venue string  its name: `status` answers with an HTTP status and the venue's own error body; `slow` answers
---late; `ack_lost` does what was asked, and the connection dies before the answer; `reset` drops the connection;
---`silent` never answers; `truncated` ends the connection in the middle of the body; `not_json` answers with a page;
---`stale` repeats the first answer to each GET; `down` refuses connections and drops those that are open; `mute`
---answers nothing at all
---@field on? string  a call of the client, as in requests{ op = .. }: its HTTP requests, or the handshake of a stream
---@field path? string
---@field method? string
---@field times? integer  so many requests; default: until healed
---@field status? integer  of `status` (default 503) and `not_json` (default 200)
---@field code? any  of `status`: the venue's code in the body
---@field message? string  of `status`: the venue's text in the body
---@field retry_after? number  of `status`: seconds, as a Retry-After header
---@field carried_out? boolean  of `status`, `silent`, `not_json`: the venue does first what was asked
---@field seconds? number  of `slow`: how late; needed
---@field bytes? integer  of `truncated`: how much of the body is sent; default: half
---@field body? string  of `not_json`

---From now on the venue commits the fault; of several that fit, the oldest.  `on`, `path`, `method` and `times` are not
---for `down` and `mute`.  Raises: an unknown name or parameter, named.  Where: scenario, hook.
---@param fault smc.VenueFault
---@source ../lua/smc/sandbox/faults.lua
function Sandbox:fault(fault) end

---Ends all faults, or those of one name.  Where: scenario, hook.
---@param name? string
---@return true? ok
---@return smc.Error? err  `down` cannot end: the port was taken meanwhile
---@source ../lua/smc/sandbox/door.lua
function Sandbox:heal(name) end

---The faults in force, oldest first: what was given (`times`: so many are left), and how often each was `committed`.
---Where: scenario, hook.
---@return table[]
---@source ../lua/smc/sandbox/door.lua
function Sandbox:faults() end

---The connections that stay open: kind ("market", "api"; bybit's "market", "private", "trade"; oanda's "prices",
---"transactions"), path,
---pings (binance's own, or those of bybit's clients), pongs, and streams or subscriptions.
---Where: scenario, hook.
---@return table[]
---@source ../lua/smc/sandbox/box.lua
function Sandbox:streams() end

---Ends every stream at once, WebSockets without a Close frame.  Where: scenario, hook.
---@source ../lua/smc/sandbox/box.lua
function Sandbox:drop_streams() end

---true: nothing more arrives over the streams that are open now, and none of them ends.  false: what was held back
---arrives, and they go on.  Streams that are opened meanwhile work.  Where: scenario, hook.
---@param on boolean
---@source ../lua/smc/sandbox/box.lua
function Sandbox:stall_streams(on) end

---Binance only: tells every WebSocket connection that the venue is about to end it.  Where: scenario, hook.
---@source ../lua/smc/sandbox/binance/face.lua
function Sandbox:announce_shutdown() end

---Registers another API key of the same account.  Where: scenario, hook.
---@param key smc.SandboxKey
---@return string api_key
---@source ../lua/smc/sandbox/box.lua
function Sandbox:add_key(key) end

---The key stops working at once.  Where: scenario, hook.
---@param api_key string
---@source ../lua/smc/sandbox/box.lua
function Sandbox:remove_key(api_key) end
