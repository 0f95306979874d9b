---@meta smc.webhook

---@class smc.InboxOptions
---@field secret? string|smc.SecretHandle  that messages are signed with; default: drawn by the seed, known to nobody
---@field replay_window? number  seconds that a timestamp may be away from the clock, 1..86400; default 300

---A local HTTP server that takes what is posted to its url, and says whether its signature holds.
---
---A message is a POST with a JSON object as its body: `id`, `kind`, `time` (ms since the Unix epoch), and what belongs
---to its kind.  Its headers:
---  X-Smcrun-Id         the id of the event; the same for each attempt to deliver it, so that it is taken once
---  X-Smcrun-Timestamp  Unix seconds of this attempt
---  X-Smcrun-Signature  "sha256=" and, in hex, the HMAC-SHA256 of timestamp .. "." .. body, by the shared secret
---A receiver computes the signature over the bytes that it got, compares it in constant time, refuses a timestamp more
---than 300 s away from its own clock, drops an id that it has seen, and answers with a status below 300.  Any status
---from 500, 408 and 429 is tried again later, Retry-After honoured; any other is not.
---@class smc.Inbox
---@field url string  where to post
---@field secret smc.SecretHandle  for whoever sends
local Inbox = {}

---@class smc.InboxMessage
---@field at number  smc.now() when it arrived
---@field id string?  of the event, from its header
---@field kind string?  of the event
---@field event table?  the decoded body; nil when it is no JSON object
---@field body string
---@field headers table<string, string>  names in lower case
---@field valid_signature boolean
---@field refused string?  why the signature does not hold: "unsigned", "no timestamp", "another scheme",
---"another signature", "too old"
---@field duplicate boolean  its id was taken in before
---@field status integer?  what it was answered; nil: nothing

---@class smc.InboxFilters
---@field valid_signature? boolean
---@field kind? string
---@field id? string
---@field duplicate? boolean
---@field status? integer
---@field after? number  smc.now() seconds
---@field before? number

---What was taken in, oldest first, whatever its signature.  Raises: an unknown filter.  Where: scenario, hook.
---@param filters? smc.InboxFilters
---@return smc.InboxMessage[]
---@source ../lua/smc/webhook.lua
function Inbox:messages(filters) end

---All that arrived, also what was failed.  Raises: an unknown filter.  Where: scenario, hook.
---@param filters? smc.InboxFilters
---@return smc.InboxMessage[]
---@source ../lua/smc/webhook.lua
function Inbox:attempts(filters) end

---@class smc.InboxFailure
---@field status? integer  answer with this, 300..599
---@field reset? boolean  in its place: drop the connection without an answer
---@field count? integer  so many times; default: until heal
---@field retry_after? number  seconds, as a Retry-After header

---Fails what arrives next.  Raises: neither status nor reset, an unknown key.  Where: scenario, hook.
---@param failure smc.InboxFailure
---@source ../lua/smc/webhook.lua
function Inbox:fail(failure) end

---Takes in again what arrives.  Where: scenario, hook.
---@source ../lua/smc/webhook.lua
function Inbox:heal() end

---Stops listening.  What was recorded stays.  Closing twice is fine.  Where: scenario, hook.
---@source ../lua/smc/webhook.lua
function Inbox:close() end
