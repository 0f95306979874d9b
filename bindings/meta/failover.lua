---@meta smc.failover

---@class smc.FailoverTrigger
---@field for? number  seconds for which it must hold without a break; looked at whenever a call fails or a member was
---checked.  `for_` is understood, too

---@class smc.FailoverThreshold: smc.FailoverTrigger
---@field over? number  from this value on

---@class smc.FailoverFloor: smc.FailoverTrigger
---@field under? integer  from this score down

---What makes a member go down; false turns one off, true or nothing is its default.
---@class smc.FailoverTriggers
---@field connection? boolean|smc.FailoverTrigger  its last check was not answered; default for = 0
---@field breaker? boolean|smc.FailoverTrigger  its circuit breaker is open; default for = 0
---@field errors? boolean|smc.FailoverThreshold  so many calls in a row have failed, or so many checks.  A check that
---succeeds does not end a row of calls that fail; default over = 5, for = 0
---@field rate_limit? boolean|smc.FailoverThreshold  so many refusals for a limit within a minute; a ban counts as that
---many; default over = 3, for = 0
---@field latency? boolean|smc.FailoverThreshold  seconds, the moving average of its answers; default over = 1, for = 30
---@field stream_stale? boolean|smc.FailoverThreshold  seconds since the group's stream said something; default
---over = 30, for = 0
---@field health? boolean|smc.FailoverFloor  its score; default under = 30, for = 10

---The venues as a list, first choice first, options by name.  Two venues of one name are called "binance" and
---"binance 2" in what follows.
---@class smc.FailoverOptions
---@field [integer] smc.Venue  up to 8
---@field check_every? number  seconds between two checks of a member by its ping; default 5
---@field check_timeout? number  seconds that a check may take; default 2, or check_every when that is less
---@field triggers? smc.FailoverTriggers
---@field select? "order"|"weight"|"health"  who is chosen of those that are up: the first; the heaviest; the one with
---the highest score.  Default "order"
---@field weights? table<string, integer>  by name; those that have none weigh 0
---@field hysteresis? integer  points by which another one's score must be higher before the group fails back to it;
---default 10; needs select = "health"
---@field recover? { score?: integer, for?: number }  a member comes up again once nothing triggers and its score is at
---least so high, for so many seconds; default score = 50, for = 10
---@field cooldown? number  seconds after a switch before the group fails back; default 60
---@field failback? "manual"|{ after: number }  whether the group goes back to a better member by itself, once that has
---been up for so many seconds; default "manual"
---@field symbols? table<string, table<string, string>>  what a symbol is called at a member that has another in its
---place: { ["BTC/USDT"] = { oanda = "XAU/USD" } }
---@field absent_after? number  seconds after which an order that its venue doesn't know has certainly not arrived.
---Default: as long as a signed request is good for and a second more (binance and bybit: 6 s); 10 s elsewhere
---@field alert? string|smc.Inbox|smc.AlertOptions  whom to tell, in the form that smc.Inbox describes: kinds
---`failover.switched` (the active member is another one), `failover.failed` (the target could not be reached),
---`failover.no_venue` (nobody is up any more) and `failover.recovered` (somebody is again), each with `from`, `to`,
---`cause`, `value`, `duration` of the smc.FailoverEvent, `error` and `reason` as text

---One switch, or the moment when there was no venue any more.
---@class smc.FailoverEvent
---@field from string?  name of the member; nil: there was none
---@field to string?  nil: there is none
---@field cause smc.FailoverCause
---@field value number?  what the trigger saw, as its threshold is given; of failback and recovered the target's score
---@field at number  smc.now() when it was decided
---@field duration number  seconds until it was done: the target had answered, and its streams were open
---@field time integer  ms since the Unix epoch when it was done
---@field ok boolean  false: the target could not be reached, and is down
---@field reason smc.Error|string|nil  why not
---@field error smc.Error?  the last error of a member that went down

---@alias smc.FailoverCause
---| "connection"
---| "latency"
---| "errors"
---| "rate_limit"
---| "stream_stale"
---| "breaker"
---| "health"
---| "manual"            by group:switch
---| "failback"          a better member is up again
---| "recovered"         there was none, and now there is
---| "failed"            the switch before did not succeed

---An order of which nobody knows what became of it.
---@class smc.OrderInDoubt
---@field client_id string
---@field symbol string
---@field side string
---@field venue string  where it was sent
---@field since number  smc.now() when it was sent

---Several venues behind the calls of one: those of smc.Venue, made at the active member.  It ends with its spec.
---What belongs to one venue is asked of that: get post put patch delete fault heal requests sync raise here, and
---sandbox, limiter, breaker, health, url and the like are the members'.
---
---What asks for something (ping time instruments ticker book candles trades account balances positions open_orders
---orders fills) goes on to the next member when the active one goes down by failing.  cancel_all and flatten concern
---the active member alone.  order, cancel and amend go to the member that holds the order: `venue` in what they are
---given, else by its client_id or id; orders that the group returns say where they are in `order.venue`.
---
---Errors, beside those of the venue: `no_venue` while nobody is up; `invalid_request`, code "no_symbol", when the
---member does not have the symbol.
---@class smc.Failover: smc.Venue
---@field active smc.Venue?  the member that is used; nil while nobody is up
---@field state "normal"|"failed_over"|"switching"|"no_venue"|"closed"  normal: the first choice is used
---@field venues smc.Venue[]
local Failover = {}

---Places an order at the active member.  Where that goes down and certainly has not got it (it was never sent, or it
---was looked up by its client id and is not there), it goes to the next one under the same client id.  While nobody
---knows, it goes nowhere: `unknown_outcome` names the venue, and the group keeps looking for it; see in_doubt.
---Where the member stays up, an order that is certainly not there is an error of code "not_placed", retryable.
---A look that ends in "not there" takes as long as absent_after.  Where: scenario, hook.
---@async
---@param request smc.PlaceRequest
---@return smc.Order?
---@return smc.Error? err
---@source ../lua/smc/failover/orders.lua
function Failover:place(request) end

---Market data of the active member; at a switch it is opened anew at the next one, and an event of kind "switched"
---stands between what the two told.  A member that can't carry a channel ends it until the next switch.  Declare it
---with <close>: a stream that is left open is a leak.  Where: scenario, hook.
---@async
---@param channels smc.MarketStreamOptions
---@return smc.GroupStream?
---@return smc.Error? err
---@source ../lua/smc/failover/streams.lua
function Failover:stream(channels) end

---What happens to the account at the active member; moves as a stream of market data does.  Where: scenario, hook.
---@async
---@param options? smc.UserStreamOptions
---@return smc.GroupStream?
---@return smc.Error? err
---@source ../lua/smc/failover/streams.lua
function Failover:user_stream(options) end

---Goes to a member by hand, once it has answered; the group does not fail back by itself then until that one goes down.
---Errors: `invalid_request` with code "active" (it is already), "down" or "switching"; what became of its check.
---Raises: no member.  Where: scenario, hook.
---@async
---@param venue smc.Venue|string  a member or its name
---@return true?
---@return smc.Error? err
---@source ../lua/smc/failover.lua
function Failover:switch(venue) end

---Whether a member is up, as far as the group knows.
---@param venue smc.Venue|string
---@return boolean
---@source ../lua/smc/failover.lua
function Failover:is_up(venue) end

---The last thousand switches, oldest first, those that failed too.
---@return smc.FailoverEvent[]
---@source ../lua/smc/failover.lua
function Failover:history() end

---What was sent to the webhook, oldest first.  Where: scenario, hook.
---@return smc.AlertDelivery[]
---@source ../lua/smc/failover.lua
function Failover:alerts() end

---Orders that may or may not have been placed.  The group looks for each whenever its venue answers a check, and takes
---it off this list once it is found or certainly absent; it is never sent again.
---@return smc.OrderInDoubt[]
---@source ../lua/smc/failover.lua
function Failover:in_doubt() end

---Ends checks, switches and streams.  Calls fail with `cancelled` then.  Closing twice is fine; a spec that does not
---close its group leaks nothing.
---@source ../lua/smc/failover.lua
function Failover:close() end

---@class smc.SwitchedEvent
---@field kind "switched"
---@field from string?  name of the member; nil: there was none
---@field to string
---@field cause smc.FailoverCause
---@field duration number  seconds since the switch was decided
---@field time integer

---@class smc.GroupStream
local GroupStream = {}

---The next event, in order of arrival.  While there is no venue it waits for one.
---Errors: `timeout`; `no_venue` when there still is none; why the member can't carry the stream.
---Raises: another task waits for this stream already.  Where: scenario, hook.
---@async
---@param timeout? number  seconds; default 30
---@return smc.MarketEvent|smc.UserEvent|smc.SwitchedEvent|smc.ReconnectedEvent|smc.GapEvent|nil
---@return smc.Error? err
---@source ../lua/smc/failover/streams.lua
function GroupStream:recv(timeout) end

---As smc.MarketStream:top.
---@async
---@param n integer
---@param symbol? string
---@return smc.Book?
---@return smc.Error? err
---@source ../lua/smc/failover/streams.lua
function GroupStream:top(n, symbol) end

---As smc.MarketStream:subscriptions.
---@async
---@return string[]?
---@return smc.Error? err
---@source ../lua/smc/failover/streams.lua
function GroupStream:subscriptions() end

---@return boolean
---@source ../lua/smc/failover/streams.lua
function GroupStream:connected() end

---Closes it with code 1000.  Closing twice is fine.  Where: scenario, hook.
---@async
---@source ../lua/smc/failover/streams.lua
function GroupStream:close() end
