---@meta smc.risk

---When trading has to stop.  At its limit a value is still fine.  Money and shares of it are exact decimals.
---@class smc.RiskLimits
---@field max_drawdown? string|false  share of the highest equity that is lost, above 0 and at most "1"
---@field max_daily_loss? string|false  loss since the first look of the day (UTC), in the guard's currency
---@field max_exposure? string|false  sum of the positions' absolute values
---@field max_concentration? string|false  the largest position as a share of equity; with leverage it may be above "1"
---@field max_var? number|string|false  value at risk: the loss that 95 % of the returns stay above; a return is the
---change of equity from one regular look to the next; judged from 20 of them on, by the last 1000
---@field max_correlation? number|string|false  largest absolute correlation of the returns of two assets that are held,
---from 20 on; one asset held at two venues is one
---@field max_consecutive_losses? integer|false  losing trades in a row; a trade is an order that makes a position
---smaller, reckoned from the fills by average cost, fees in its quote currency counted
---@field max_error_rate? number|string|false  share of the venues' requests within error_window that got no answer, a
---status from 500, 403, 418 or 429; from 10 on; the guard's own requests count

---@class smc.AlertOptions
---@field url string  on this machine: 127.0.0.1, localhost or [::1]
---@field secret? string|smc.SecretHandle  needed, but for the url of an inbox of smc.webhook
---@field limit? integer  messages within `per` seconds, default 10; what is more is summed up in one
---@field per? integer  seconds; default 60
---@field attempts? integer  to deliver one; default 8, apart by 0.5 s and more

---@class smc.RiskOptions: smc.RiskLimits
---@field venues smc.Venue[]  whose accounts are one: their equity is added up
---@field alert? string|smc.Inbox|smc.AlertOptions  whom to tell; see smc.Inbox for the form of messages
---@field currency? string  that everything is valued in; default "USD"
---@field par? string[]|false  currencies that count as one another; default { "USD", "USDT", "USDC" }; false: none do
---@field assets? string[]  only these assets of balances count; default all.  Each costs a request a look
---@field sell_assets? boolean  true: assets of spot accounts are positions, and a trip sells them; default false: they
---stay what they are, and count in equity alone
---@field check_every? number  seconds between regular looks; default 1
---@field trial? number  seconds that a half-open guard has to see no violation; default 60
---@field stale_after? number  seconds for which the last look at a venue that can't be read will do; default 5
---@field error_window? number  seconds; default 60
---@field close_within? number  seconds after a trip within which attempts to get flat begin; default 120

---@alias smc.RiskState
---| "closed"     orders may be placed
---| "open"       a limit was passed: only what makes a position smaller may be placed
---| "half_open"  on trial after a reset: orders may be placed, and a violation opens it again
---| "stopped"    by an emergency stop: nothing may be placed

---@alias smc.RiskCause
---| "drawdown"
---| "daily_loss"
---| "exposure"
---| "concentration"
---| "var"
---| "correlation"
---| "losses"
---| "error_rate"
---| "data"           something can't be read: an account, a price

---What a look saw, by cause: of the limits that are on, and these.
---@class smc.RiskFigures
---@field equity string?  nil before the first look that could read everything
---@field peak string?
---@field day_start string?
---@field drawdown string?  18 decimals, rounded up
---@field daily_loss string?
---@field exposure string?
---@field concentration string?
---@field var number?
---@field correlation number?
---@field losses number?
---@field error_rate number?
---@field data string?  why nothing can be said

---@class smc.RiskClosing
---@field flat boolean  all of them, read again at the venues
---@field elapsed number  seconds
---@field venues smc.RiskVenueClosing[]

---@class smc.RiskVenueClosing
---@field venue string
---@field flat boolean
---@field attempts integer
---@field cancelled integer  orders
---@field closed smc.Order[]  the orders that closed positions or sold assets
---@field errors string[]  what the venue, or the way to it, refused
---@field left string?  what the last attempt left
---@field elapsed number  seconds

---@class smc.RiskEvent
---@field kind smc.RiskState|"flatten"  what the guard has come to; flatten: it was asked for
---@field at number  smc.now() seconds
---@field time integer  ms since the Unix epoch
---@field causes smc.RiskCause[]?  of "open"
---@field seen smc.RiskFigures
---@field limits smc.RiskLimits
---@field reason string?  of a stop or a reset
---@field by string?  of a reset
---@field closing smc.RiskClosing?  of what closes positions, once that has ended

---Watches accounts at several venues, one look every check_every seconds until the spec ends.
---
---When a limit is passed it opens: every order is cancelled and every position closed on every venue, all venues at
---once, each again and again until it is flat or close_within is over; flat means: no position and no open order, read
---at the venue after the last attempt; of a spot account, no open order, and with sell_assets nothing left that is
---enough for an order.  One alert of kind `risk.open` tells of it, and one of kind `risk.not_flat` when that was not
---reached.
---While it is open the venue objects that it guards place only what makes a position smaller: reduce_only orders, and
---market orders that sell for money what a spot account owns.  place and amend fail with class `circuit_open`, code
---`risk_guard`; cancels work, raw requests are not looked at.  An order that was let through before, and that a limiter
---or a refusal has kept since, is judged once more when it is to be sent; closing waits for those that are under way.
---Closing waits at the venue's limiter with priority critical, and for no breaker that failures have opened: its
---requests are probes at once (smc.Breaker:ask_urgently), so what comes of them closes the breaker, or leaves it open
---for everybody else.  Holds after 429, bans, and a breaker that is forced open it obeys.
---A venue that can't be read, a price that is not there: the last look will do for stale_after seconds, then that is a
---violation of its own, `data`.
---It opens by itself and never closes by itself: reset makes it half-open.
---@class smc.RiskGuard
---@field state smc.RiskState
---@field violations smc.RiskCause[]  as of the last look
---@field is_closing boolean  positions are being closed
local Guard = {}

---Looks now, beside the regular looks.  Errors: those of a venue that can't be read, judged all the same; `cancelled`
---when the guard is closed.
---Where: scenario, hook.
---@async
---@return smc.RiskFigures?
---@return smc.Error? err
---@source ../lua/smc/risk.lua
function Guard:check() end

---What the last look saw.  Where: scenario, hook.
---@return smc.RiskFigures
---@source ../lua/smc/risk.lua
function Guard:figures() end

---Whether the order would be placed now.  Errors: `circuit_open`.  Where: scenario, hook.
---@param order smc.PlaceRequest
---@return true? ok
---@return smc.Error? err
---@source ../lua/smc/risk.lua
function Guard:may_place(order) end

---@class smc.RiskReset
---@field by? string  who; for the history
---@field reason? string
---@field rebase? boolean  begin anew: peak, start of the day, returns and lost trades are forgotten.  Without it a
---drawdown persists until it is made good

---Looks once more, and lets trade on trial.  Errors, class `circuit_open`: code `violation_persists`, with what is
---beyond its limit; `closing`: positions are still being closed; `nothing_to_reset`.  `cancelled` when it is closed.
---Where: scenario, hook.
---@async
---@param how? smc.RiskReset
---@return true? ok
---@return smc.Error? err
---@source ../lua/smc/risk.lua
function Guard:reset(how) end

---Emergency stop: as a trip, but nothing at all may be placed until a reset; the alert is of kind `risk.stopped`.
---Raises: no reason; the guard is closed.  Where: scenario, hook.
---@param reason string
---@return boolean first  false: it was stopped before
---@source ../lua/smc/risk.lua
function Guard:stop(reason) end

---Gets every account flat, in any state, and waits for it.  Errors: `cancelled` when the guard is closed.
---Where: scenario, hook.
---@async
---@return smc.RiskClosing?
---@return smc.Error? err
---@source ../lua/smc/risk.lua
function Guard:flatten() end

---Other limits, from the next look on; those that are not named stay, false takes one away.  Raises: as smc.risk.
---Where: scenario, hook.
---@param limits smc.RiskLimits
---@source ../lua/smc/risk.lua
function Guard:set_limits(limits) end

---What it has come to so far, oldest first.  Where: scenario, hook.
---@return smc.RiskEvent[]
---@source ../lua/smc/risk.lua
function Guard:history() end

---@class smc.AlertDelivery
---@field id string
---@field kind string
---@field at number  smc.now() seconds
---@field attempts integer
---@field delivered boolean
---@field said integer|string?  the last status, or why there was none
---@field elapsed number?

---What was sent to the webhook, oldest first.  Where: scenario, hook.
---@return smc.AlertDelivery[]
---@source ../lua/smc/risk.lua
function Guard:alerts() end

---Stops watching and closing, and lets every order through.  Closing twice is fine.  Where: scenario, hook.
---@source ../lua/smc/risk.lua
function Guard:close() end
