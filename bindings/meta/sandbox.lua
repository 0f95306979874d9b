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
---@field fault? string  the name of a venue fault that requests can meet
---@field after? number  smc.now() seconds
---@field before? number

---@class smc.OrderFilters
---@field client_id? string  also one that a cancel replaced
---@field side? "buy"|"sell"
---@field status? string  the venue's in lower case, or "open"
---@field symbol? string

---@class smc.SandboxKey
---@field kind "hmac"|"rsa"|"ed25519"|"bearer"  bybit has no ed25519; oanda has bearer alone, and nothing beside it
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
---Raises: an unknown filter, side, status or symbol.  Where: scenario, hook.
---@param filters? smc.OrderFilters
---@return table[]
---@source ../lua/smc/sandbox/box.lua
function Sandbox:orders(filters) end

---@class smc.HeldPosition
---@field symbol string
---@field side "long"|"short"
---@field qty string  above zero
---@field entry string
---@field unrealized string

---What the account holds of contracts, or of instruments (oanda), read at the venue itself; none of spot venues.
---Where: scenario, hook.
---@return smc.HeldPosition[]
---@source ../lua/smc/sandbox/box.lua
function Sandbox:positions() end

---The account owns these amounts from now on, and nothing else; of oanda, its balance.  Raises: an unknown asset, an
---amount that is no decimal string, an order that holds something.  Where: scenario, hook.
---@param funds table<string, string>  by asset
---@source ../lua/smc/sandbox/box.lua
function Sandbox:fund(funds) end

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

---@alias smc.VenueFaultName
---| "status"  # answers with an HTTP status and the venue's own error body; also called `http`
---| "http"  # the same
---| "storm"  # answers with 500, 502, 503 or 504
---| "slow"  # does what was asked, and answers later
---| "ack_lost"  # does what was asked; the connection dies before the answer
---| "ack_twice"  # does what was asked, once, and says so twice
---| "early_fill"  # fills the order that was just placed, and acknowledges it later
---| "partial_fill"  # fills a part of it, tells so, and the account's streams are silent from then on
---| "reset"  # drops the connection in place of an answer
---| "silent"  # never answers
---| "truncated"  # the connection ends in the middle of the answer
---| "not_json"  # answers with a page
---| "wrong_type"  # answers with JSON of other types than promised
---| "content_length"  # the answer is longer or shorter than it says
---| "gzip"  # the answer is a damaged gzip stream
---| "stale"  # repeats the first answer to each GET, and market streams tell no news
---| "duplicate"  # tells each event twice
---| "out_of_order"  # holds an event back until others were told
---| "lost"  # does not tell an event
---| "stall"  # a stream goes silent and does not end
---| "no_heartbeat"  # sends no pings and heartbeats, and answers none
---| "bad_frame"  # sends a damaged frame
---| "close"  # ends a stream
---| "rate_limit"  # the limit is used up
---| "ban"  # the address is shut out
---| "skew"  # the clock is wrong
---| "halt"  # a symbol, or all, do not trade
---| "maintenance"  # takes leave of its streams, and refuses requests
---| "down"  # refuses connections and drops those that are open
---| "mute"  # answers nothing at all

---@class smc.VenueFault  which requests or frames: all that fit on, path and method, until healed or `times` were met.
---`smcrun --list-faults` prints each with its parameters; so does lua/smc/sandbox/README.md
---@field venue smc.VenueFaultName
---@field on? string  a call of the client, as in requests{ op = .. }: its requests, over HTTP and inside a WebSocket;
---or "stream", "user_stream": the handshake and what is told over it
---@field path? string
---@field method? string  "WS": a request inside a WebSocket
---@field times? integer  so many requests or frames (stall, no_heartbeat: streams); default: until healed
---@field count? integer  the same as times
---@field probability? number  0..1, by the seed; default 1
---@field after? number  seconds before it begins
---@field for_? number  seconds that it lasts; `for` is understood, too
---@field status? integer  of `status` (default 503) and `not_json` (default 200)
---@field code? any  of `status`: the venue's code in the body; of `close`: of the Close frame, default 1001
---@field message? string  of `status`: the venue's text in the body
---@field retry_after? number  of `status`: seconds, as a Retry-After header
---@field carried_out? boolean  of `status`, `storm`, `silent`, `not_json`: the venue does first what was asked
---@field seconds? number  of `slow` (needed) and `early_fill`: how late the answer is; of `skew` (needed): how far
---ahead the clock is; of `rate_limit` and `ban`: how long they last; of `maintenance`: how long it is announced to last
---@field bytes? integer  of `truncated`: how much of the body is sent; default: half
---@field body? string  of `not_json`
---@field share? number  of `partial_fill`: 0.01..0.99, default 0.5
---@field kind? string  of `wrong_type` and `bad_frame`
---@field damage? "none"|"crc"|"cut"|"block"|"plain"  of `gzip`
---@field by? integer  of `content_length`: added to the true length; of `out_of_order`: how many overtake
---@field reason? string  of `close`
---@field symbol? string  of `halt`; default: all

---@alias smc.LinkFaultName
---| "latency"  # bytes arrive `latency` +- `jitter` seconds later, in order
---| "bandwidth"  # at most `rate` kilobytes (of 1000 bytes) a second pass
---| "slow_close"  # the end of a connection arrives `delay` seconds later
---| "timeout"  # bytes vanish; closed after `timeout` seconds (0: when it is healed)
---| "reset_peer"  # the next bytes vanish, and `timeout` seconds later the connection is reset
---| "slicer"  # pieces of `average_size` +- `size_variation` bytes, `delay` seconds apart
---| "limit_data"  # exactly `bytes` pass, then the connection is closed
---| "blackhole"  # nothing passes; what was held back goes its way when it is healed
---| "corrupt"  # behind the first `skip` bytes a share, `rate`, arrives as other bytes
---| "close_mid_body"  # closed in the middle of the body of the next answer, or of the next frame
---| "half_open"  # the venue's end is gone, the client's is not; reset when it is healed
---| "down"  # connections are refused, those that are open are reset
---| "dns"  # the venue's name has no address; not with serve
---| "tls_expired"  # the venue's certificate has expired; only with TLS, as the next two
---| "tls_wrong_host"  # it is for another host
---| "tls_unknown_ca"  # it is from an authority that nobody trusts

---@class smc.LinkFault  what befalls the bytes between client and venue, below TLS; the first seven, and down, are
---Toxiproxy's.  `smcrun --list-faults` prints each
---@field link smc.LinkFaultName
---@field stream? "upstream"|"downstream"|"both"  the direction; default downstream, both of `blackhole`, `half_open`
---@field toxicity? number  0..1: the probability that a connection is hit, by the seed; default 1
---@field count? integer  so many connections are hit at most; with on, path or method: requests
---@field on? string  only answers to this call of the client; "stream", "user_stream": frames of streams it opened
---@field path? string  only answers to requests of this path
---@field method? string  only answers to requests of this method
---@field after? number  seconds before it begins
---@field for_? number  seconds that it lasts; `for` is understood, too
---@field latency? number  seconds
---@field jitter? number  seconds
---@field rate? number  of `bandwidth`: kilobytes a second; of `corrupt`: 0..1, default 0.1
---@field delay? number  seconds
---@field timeout? number  seconds
---@field average_size? integer  default 64
---@field size_variation? integer
---@field bytes? integer
---@field skip? integer

---A link fault meets the connections that are open, and those to come.  `on`, `path` and `method` choose by requests:
---the answer to each that fits is hit, and what comes after it on the same connection is not.  They, `stream`,
---`toxicity` and `count` are not for those that befall the whole venue: down, dns, tls_*.  A venue fault:
---From now on, or from `after` on, the venue commits the fault; of several that fit, the oldest.  `on`, `path`,
---`method`, `times` and `probability` are not for those that are a state of the whole venue: rate_limit, ban, skew,
---halt, maintenance, down, mute.  Raises: an unknown name or parameter, named.  Where: scenario, hook.
---@param fault smc.VenueFault|smc.LinkFault
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

---Registers another API key of the same account.  Raises: a kind that the venue does not have, no material.
---Where: scenario, hook.
---@param key smc.SandboxKey
---@return string api_key  oanda: the token
---@source ../lua/smc/sandbox/box.lua
function Sandbox:add_key(key) end

---The key stops working at once.  Raises: no such key.  Where: scenario, hook.
---@param api_key string  oanda: the token
---@source ../lua/smc/sandbox/box.lua
function Sandbox:remove_key(api_key) end
