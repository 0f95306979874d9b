---@meta smc.venue

---@class smc.VenueOptions
---@field key? string  another API key than the target's; oanda: another account, by its id
---@field secret? string|smc.Secret  its secret: the text of an HMAC secret, or a private key as PEM (Ed25519, RSA);
---oanda: the token
---@field recv_window? integer  milliseconds that a signed request may be old; the venue's default is 5000; not oanda
---@field sandbox? smc.Sandbox  talk to this one instead of the one that all venues of the spec share
---@field breaker? boolean|smc.BreakerOptions|smc.Breaker  default true: its options, with ip_ban among what counts
---@field limiter? boolean|table<string, smc.BudgetOptions>|smc.Limiter  default true: the venue's published limits,
---shared by all clients of its address in a spec, and on a testnet by all of this user on this machine; a table changes
---some of those budgets, for this client alone; false: requests wait for nothing but the end of a refusal
---@field health? smc.HealthOptions|smc.Health
---@field retry? boolean|smc.RetryOptions|smc.Retry  default false: an error is returned as it came
---@field priority? "critical"|"high"|"normal"|"low"  of its requests at the limiter; default "normal"
---@field wait? number  seconds that a request may wait for the limiter and for the end of a refusal; default: as long
---as it takes.  Beyond that: an error of class rate_limit, code "not_sent"
---@field obey_limits? boolean  default true: after 429, 418 or a ban nothing is sent before its end

---An order in the words that all venues share.  Decimals are strings without needless zeros.
---@class smc.Order
---@field id string  the venue's
---@field client_id string  ours; stays when a cancel has replaced it
---@field symbol string  "BTC/USDT"
---@field side "buy"|"sell"
---@field type "limit"|"market"|"limit_maker"|"stop"|"stop_limit"|"take_profit"|"take_profit_limit"
---@field time_in_force "gtc"|"ioc"|"fok"  of orders that were made elsewhere also the venue's own words
---@field status "open"|"partially_filled"|"filled"|"canceled"|"rejected"|"expired"
---@field trigger_price string?  of an order that waits, or waited, for a price
---@field reduce_only boolean?  it only makes a position smaller
---@field qty string
---@field price string?  nil for a market order
---@field filled string
---@field filled_quote string?  nil: the venue does not know any more
---@field average string?  price of what was filled
---@field time integer  ms since the Unix epoch
---@field updated integer
---@field reason string?  why it expired or was rejected, in the venue's words
---@field venue string?  the member of a failover group that holds it
---@field raw table  the venue's own record

---@class smc.Fill
---@field id string
---@field order_id string
---@field symbol string
---@field side "buy"|"sell"
---@field price string
---@field qty string
---@field quote string
---@field fee string
---@field fee_asset string
---@field time integer
---@field maker boolean  oanda: never
---@field realized string?  oanda: profit of what the fill closed, in the account's currency

---@class smc.Book
---@field symbol string
---@field id integer  grows with every change; oanda: the time of the price in nanoseconds
---@field bids [string, string][]  price and quantity, best first
---@field asks [string, string][]

---@class smc.Instrument
---@field symbol string
---@field native string  as the venue writes it
---@field base string
---@field quote string
---@field trading boolean
---@field tick string
---@field step string
---@field min_qty string
---@field max_qty string
---@field min_notional string?
---@field order_types string[]
---@field raw table

---@class smc.Balance
---@field free string  oanda: what new positions may use; profit and loss of open ones counts
---@field locked string  oanda: the margin in use
---@field total string  what the account owns of it; oanda: the balance, which closed positions move

---@class smc.Account
---@field can_trade boolean
---@field can_withdraw boolean
---@field can_deposit boolean
---@field type string
---@field maker_fee string
---@field taker_fee string
---@field balances table<string, smc.Balance>
---@field updated integer
---@field raw table

---What an account holds of a contract or a currency pair.  Flat ones are left out.
---@class smc.Position
---@field symbol string  "BTC/USDT:USDT" of bybit's linear contracts, "EUR/USD" of oanda
---@field side "long"|"short"
---@field qty string  above zero; oanda: units of the base currency
---@field entry string  average price
---@field mark string?  the price that it is valued at
---@field unrealized string  profit, in the currency of the account
---@field realized string?  since it was opened, where the venue tells
---@field margin string?  what it ties up
---@field leverage string?
---@field liquidation string?  the price at which the venue closes it
---@field raw table

---What a venue object has sent; see smc.Venue:requests.
---@class smc.SentRequest
---@field method string
---@field path string
---@field op string  "place", "account", "get /api/v3/time"
---@field signed boolean
---@field at number  smc.now() when it was sent
---@field elapsed number?  seconds to its end
---@field status integer?  of the answer
---@field failed smc.ErrorClass?  there was no answer

---@class smc.SentFilters
---@field signed? boolean
---@field path? string
---@field method? string
---@field op? string
---@field status? integer
---@field after? number  smc.now() seconds
---@field before? number

---@class smc.OrderSpan
---@field since? integer  ms since the Unix epoch
---@field until_? integer
---@field limit? integer
---@field order_id? string|integer

---An exchange account.  Every call makes one attempt, unless it was told to retry, and every attempt is guarded: see
---bindings/lua/smc/venue/README.md.  Bybit only acknowledges orders and cancels: place, cancel and
---cancel_all look up what became of them, and account asks three times.  Of bybit there is spot only: a symbol like
---"BTC/USDT:USDT" raises.  Of oanda ticker asks twice, and place looks for an order whose answer is missing among the
---account's transactions, for more than ten seconds.  Errors have the classes of smc.ErrorClass, and after an order or
---a cancel whose outcome nobody knows the class is `unknown_outcome`.
---@class smc.Venue
---@field name string
---@field url string  origin of its REST interface
---@field ws_url string  of its market streams: binance their origin, bybit the public socket of spot, oanda the
---origin of its HTTP streams
---@field ws_api_url string?  of the account's stream: binance the WebSocket API, bybit the private socket
---@field key string  oanda: the account's id
---@field secret string  of a sandbox, for a program under test; oanda: the token.  On a testnet the spec is skipped
---@field symbols string[]  some that are always there
---@field ages boolean?  whether a signed request grows too old: then it never takes effect
---@field sandbox smc.Sandbox  on a testnet asking for it skips the spec
---@field breaker smc.Breaker?  that its requests ask for a permit
---@field limiter smc.Limiter?  that its requests wait for
---@field health smc.Health  what its requests and streams have shown of it
local Venue = {}

---Where: scenario, hook.
---@async
---@return number? seconds  that the answer took
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:ping() end

---The venue's clock.  Where: scenario, hook.
---@async
---@return integer? ms  since the Unix epoch
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:time() end

---Measures how far the venue's clock is ahead and signs by it from now on.  Where: scenario, hook.
---@async
---@return integer? ms
---@return smc.Error? err
---@source ../lua/smc/venue/client.lua
function Venue:sync() end

---Where: scenario, hook.
---@async
---@return smc.Instrument[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:instruments() end

---The last 24 hours: last bid bid_qty ask ask_qty open high low volume quote_volume time.  Of oanda, which trades with
---everybody itself, last is the middle of bid and ask and there are no volumes.  Where: scenario, hook.
---@async
---@param symbol string
---@return table?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:ticker(symbol) end

---Where: scenario, hook.
---@async
---@param symbol string
---@param depth? integer  levels a side; default 100; oanda quotes a few at most
---@return smc.Book?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:book(symbol, depth) end

---Oldest first: time open high low close volume quote_volume count; of oanda, no volumes, and count is that of prices.
---Where: scenario, hook.
---@async
---@param symbol string
---@param interval string  "1m", "1h", "1d"
---@param options? { since?: integer, limit?: integer }
---@return table[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:candles(symbol, interval, options) end

---Public trades, oldest first: id price qty side time; side is the taker's.  oanda has none: `invalid_request`, code
---`not_offered`.  Where: scenario, hook.
---@async
---@param symbol string
---@param limit? integer
---@return table[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:trades(symbol, limit) end

---Where: scenario, hook.
---@async
---@return smc.Account?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:account() end

---By asset; assets of which there are none are left out.  Where: scenario, hook.
---@async
---@return table<string, smc.Balance>?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:balances() end

---By symbol.  Spot accounts have balances, not positions: of binance, and of bybit's spot, there are none.
---Where: scenario, hook.
---@async
---@return smc.Position[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:positions() end

---Cancels every open order, then closes every position at the market.  Where: scenario, hook.
---@async
---@param symbol? string  nil: of all symbols
---@return { cancelled: smc.Order[], closed: smc.Order[] }?  closed: the orders that closed positions
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:flatten(symbol) end

---@class smc.PlaceRequest
---@field symbol string
---@field side "buy"|"sell"
---@field type "limit"|"market"|"limit_maker"|"stop"|"stop_limit"|"take_profit"|"take_profit_limit"
---@field qty? string
---@field quote_qty? string  market only: so much of the quote asset
---@field price? string
---@field trigger_price? string  needed by the last four types, which wait for it: a stop for a price that gets
---worse, a take profit for one that gets better; then they go on as a market or a limit order
---@field reduce_only? boolean  only where there are positions: never opens one
---@field time_in_force? "gtc"|"ioc"|"fok"  limit only; default "gtc"; oanda: ioc and fok are of a market order, default
---"fok"
---@field client_id? string  made when it is not given
---@field self_trade? string  the venue's mode, e.g. "expire_taker"

---Places an order.  On failure err.client_id is the id that was sent.  A limit_maker that would take is refused by
---binance; bybit accepts it and then rejects it: the order comes back with status "rejected".  oanda has limit, market,
---stop and take_profit, and no quote_qty; an order that it accepts and cancels at once, for want of margin or because
---the market is closed, is an error with err.order_id.
---
---Raises: unknown keys, amounts that are no strings, a word or a symbol that is not ours, a price of what goes to the
---market.  Where: scenario, hook.
---@async
---@param request smc.PlaceRequest
---@return smc.Order?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:place(request) end

---@class smc.AmendRequest
---@field symbol string
---@field id? string|integer  this or client_id
---@field client_id? string
---@field qty? string
---@field price? string
---@field trigger_price? string

---Changes an open order.  qty is the new total.  binance keeps order and place in the queue where only the quantity
---shrinks, and replaces it by a new order with a new id and client_id otherwise; bybit changes the order; oanda always
---replaces it, under the same client_id.
---Errors: `unknown_order`, whatever place can fail with.  Where: scenario, hook.
---@async
---@param change smc.AmendRequest
---@return smc.Order?  as it is now
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:amend(change) end

---Where: scenario, hook.
---@async
---@param which { symbol: string, id?: string|integer, client_id?: string }
---@return smc.Order?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:cancel(which) end

---Where: scenario, hook.
---@async
---@param which { symbol: string, id?: string|integer, client_id?: string }
---@return smc.Order?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:order(which) end

---Where: scenario, hook.
---@async
---@param symbol? string  nil: all
---@return smc.Order[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:open_orders(symbol) end

---Ended ones too, oldest first.  Where: scenario, hook.
---@async
---@param symbol string
---@param options? smc.OrderSpan
---@return smc.Order[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:orders(symbol, options) end

---The account's own fills, oldest first.  Where: scenario, hook.
---@async
---@param symbol string
---@param options? smc.OrderSpan
---@return smc.Fill[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:fills(symbol, options) end

---Cancels every open order.  Where: scenario, hook.
---@async
---@param symbol? string  nil: of all symbols
---@return smc.Order[]? cancelled  may be empty
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:cancel_all(symbol) end

---What a stream is told beside what it is to carry.
---@class smc.StreamOptions
---@field reconnect? boolean  make a lost connection anew; default true.  false: recv fails for good then
---@field stale_after? number  seconds of silence after which a connection is taken for dead; default 30, oanda 10.
---When two thirds of it have passed the venue is asked for a sign of life, if it can be asked
---@field first_delay? number  seconds of the first wait for another connection, default 0.5, oanda 2; each further one
---is twice as long, and up to half of each is left to chance.  The first attempt is made at once, oanda's waits
---@field longest_delay? number  default 30

---The channels as a list, options by name.
---@class smc.MarketStreamOptions: smc.StreamOptions, string[]
---@field depth? integer  levels a side that local books hold at least: binance up to 5000, default 1000; bybit up to
---1000, default 50; oanda tells three and takes no depth

---@class smc.UserStreamOptions: smc.StreamOptions
---@field symbols? string[]  where to look for missed fills, beside the symbols that this object has placed orders in,
---that the stream has told of, and that have open orders; oanda knows by itself

---Market data as it happens.  Channels: "trade:SYMBOL", "book:SYMBOL", "ticker:SYMBOL".
---
---A connection that is lost, goes silent, is announced to end or is 23 hours old (binance) is replaced: everything is
---subscribed anew, books start over, and an event of kind "reconnected" stands between what the two connections told.
---A stream that is left open is a leak: declare it with <close>.
---Raises: unknown channels and options.  Where: scenario, hook.
---@async
---@param channels smc.MarketStreamOptions  { "trade:BTC/USDT", stale_after = 10 }
---@return smc.MarketStream?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/init.lua
function Venue:stream(channels) end

---What happens to the account.
---
---A lost connection is replaced as a market stream's.  Then REST is asked what was missed: fills first, then orders,
---then balances; they follow the "reconnected" event and are marked `reconciled`.  No fill is told twice, and no state
---of an order after a later one.  While REST can't be asked the attempt counts as failed.  With reconnect the venue's
---time and the open orders are asked for at the beginning, too.
---A stream that is left open is a leak.  Raises: unknown options.  Where: scenario, hook.
---@async
---@param options? smc.UserStreamOptions
---@return smc.UserStream?
---@return smc.Error? err
---@source ../lua/smc/venue/account_stream.lua
function Venue:user_stream(options) end

---Everything else that the venue offers.  Returns the decoded answer (of bybit the whole envelope) and its headers
---(names in lower case).  Parameters are percent-encoded in order of their names, of bybit's POST
---a JSON object; signed = true adds key, clock and signature.
---Where: scenario, hook.
---@async
---@param path string  "/api/v3/time"
---@param params? table<string, string|integer|boolean|table>
---@param options? { signed?: boolean }
---@return table? answer
---@return table<string, string>|smc.Error headers_or_err
---@source ../lua/smc/venue/client.lua
function Venue:get(path, params, options) end

---@async
---@param path string
---@param params? table
---@param options? { signed?: boolean }
---@return table? answer
---@return table<string, string>|smc.Error headers_or_err
---@source ../lua/smc/venue/client.lua
function Venue:post(path, params, options) end

---@async
---@param path string
---@param params? table
---@param options? { signed?: boolean }
---@return table? answer
---@return table<string, string>|smc.Error headers_or_err
---@source ../lua/smc/venue/client.lua
function Venue:put(path, params, options) end

---@async
---@param path string
---@param params? table
---@param options? { signed?: boolean }
---@return table? answer
---@return table<string, string>|smc.Error headers_or_err
---@source ../lua/smc/venue/client.lua
function Venue:patch(path, params, options) end

---@async
---@param path string
---@param params? table
---@param options? { signed?: boolean }
---@return table? answer
---@return table<string, string>|smc.Error headers_or_err
---@source ../lua/smc/venue/client.lua
function Venue:delete(path, params, options) end

---What this object has sent, oldest first.  Raises: an unknown filter.  Where: scenario, hook.
---@param filters? smc.SentFilters
---@return smc.SentRequest[]
---@source ../lua/smc/venue/wire.lua
function Venue:requests(filters) end

---A fault from now on: see smc.Sandbox.  On a testnet link faults act, too, on connections that are made from the first
---one on; for on, path, method, close_mid_body, tls_* and venue faults the spec is skipped there.
---@param fault smc.VenueFault|smc.LinkFault
---@source ../lua/smc/venue/client.lua
function Venue:fault(fault) end

---Ends all faults of the venue's sandbox, or those of one name.
---@param name? string
---@return true? ok
---@return smc.Error? err
---@source ../lua/smc/venue/client.lua
function Venue:heal(name) end

---@class smc.MarketEvent
---@field channel string
---@field kind "trade"|"book"|"ticker"
---@field symbol string
---@field time integer  ms since the Unix epoch
---@field raw table

---Another connection took the place of a lost one.  What happened between `since` and now may never be told, except to
---an account's stream.
---@class smc.ReconnectedEvent
---@field kind "reconnected"
---@field reason smc.Error  why the old one was given up; code "stale", "ends", "aged", or what became of the connection
---@field since integer  ms since the Unix epoch, when the old one was heard last
---@field down number  seconds without a connection, from when it was noticed
---@field attempts integer
---@field time integer

---Events of a channel are missing just before the next one.  A book with a gap is made live again by itself.  Trades of
---binance are counted, also over a reconnect, and those that were told are dropped; bybit's ids can't be counted: of
---its trades only "reconnected" tells.
---@class smc.GapEvent
---@field kind "gap"
---@field channel string
---@field symbol string
---@field after integer|string  id of the last event before the gap
---@field before integer|string  id of the first one after it
---@field missed integer?  how many events, where they can be counted
---@field time integer

---@class smc.MarketStream
---@field reconnects integer  how often a lost connection was replaced
local MarketStream = {}

---The next event, in order of arrival.  Here a lost connection is noticed and made anew; while there is none, recv
---fails with `timeout`, code "reconnecting".  An attempt that has begun may take longer than the timeout.
---Errors: `timeout`; `network` without reconnect; `auth`, `permission`, `invalid_request` when the venue refuses for
---good; `cancelled` once it was closed and what had come before is read.  Raises: no number of seconds; another task
---waits for this stream already.  Where: scenario, hook.
---@async
---@param timeout? number  seconds; default 30
---@return smc.MarketEvent|smc.ReconnectedEvent|smc.GapEvent|nil
---@return smc.Error? err
---@source ../lua/smc/venue/events.lua
function MarketStream:recv(timeout) end

---Whether there is a connection, as far as recv and top have noticed.
---@return boolean
---@source ../lua/smc/venue/events.lua
function MarketStream:connected() end

---What the venue says this connection is subscribed to, in its own names.  Where: scenario, hook.
---@async
---@return string[]?
---@return smc.Error? err
---@source ../lua/smc/venue/binance/stream.lua
function MarketStream:subscriptions() end

---The local book, with all that has arrived; it may be asked for beside a task that waits in recv.  Errors: no
---connection, as recv; `timeout`, code "not_live", or why its snapshot could not be had.  Raises: no such
---book; no number of levels.  Where: scenario, hook.
---@async
---@param n integer  levels a side
---@param symbol? string  needed when the stream has several books
---@return smc.Book?
---@return smc.Error? err
---@source ../lua/smc/venue/market_stream.lua
function MarketStream:top(n, symbol) end

---Closes the connection with code 1000.  Closing twice is fine.  Where: scenario, hook.
---@async
---@source ../lua/smc/venue/closing.lua
function MarketStream:close() end

---@class smc.UserEvent
---@field kind "order"|"fill"|"balance"|"transfer"
---@field order smc.Order?  a fill of bybit, or a reconciled one, comes without it; an order event follows
---@field fill smc.Fill?
---@field execution string?  "new", "trade", "canceled", "expired", "trade_prevention"; of a reconciled order its status
---@field balances table<string, { free: string, locked: string }>?  of the assets that were touched; reconciled: of all
---@field reconciled boolean?  it was missed, and asked for over REST
---@field time integer
---@field raw table

---@class smc.UserStream
---@field reconnects integer  how often a lost connection was replaced
---@field subscription integer|string  the venue's name of it
local UserStream = {}

---The next event, in order of arrival; as smc.MarketStream:recv.  Where: scenario, hook.
---@async
---@param timeout? number  seconds; default 30
---@return smc.UserEvent|smc.ReconnectedEvent|nil
---@return smc.Error? err
---@source ../lua/smc/venue/events.lua
function UserStream:recv(timeout) end

---Whether there is a connection, as far as recv has noticed.
---@return boolean
---@source ../lua/smc/venue/events.lua
function UserStream:connected() end

---Closes the connection with code 1000.  Closing twice is fine.  Where: scenario, hook.
---@async
---@source ../lua/smc/venue/closing.lua
function UserStream:close() end
