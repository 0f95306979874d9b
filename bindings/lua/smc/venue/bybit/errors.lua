--- What an answer of Bybit means: its retCode as a class, and whether the same call may be sent again.
local outcome = require "smc.venue.outcome"

local M = {}

-- Nothing of what was asked for has happened, and asking again will not help.
local NEVER = {
  auth = { 10003, 10004, 10007, 33004, -2015 },
  permission = { 10005, 10008, 10009, 10010, 10024, 10027, 10028, 10029, 100028, 110067, 110068, 110069, 110070, 110123,
    110124, 110125, 110132, 170031, 170227 },
  clock_skew = { 10002 },
  filter = { 30208, 30209, 110003, 110009, 110013, 110017, 110020, 110064, 110086, 110089, 110090, 110092, 110093,
    110094, 110120, 110121, 170124, 170132, 170133, 170134, 170136, 170137, 170140, 170148, 170192, 170193, 170194,
    170197, 170198, 170203, 170204, 170210, 170217, 170218, 170313, 170341, 170371, 170372, 170381, 170382, 170810 },
  insufficient_funds = { 110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 170033,
    170131 },
  unknown_order = { 40004, 110001, 110008, 110010, 170139, 170142, 170143, 170190, 170213 },
  duplicate_order = { 10014, 12141, 20006, 110030, 110072, 170141 },
  market_closed = { 30228, 110021, 110022, 110023, 110042, 110074, 110095, 110098, 110103, 170151, 170157, 170159 },
  invalid_request = { 10001, 10017, 10404, 20001, 34040, 110019, 110024, 110025, 110026, 110027, 110028, 110032, 110036,
    110038, 110043, 110108, 110109, 170003, 170105, 170115, 170116, 170117, 170121, 170130, 170145, 170312, 181000,
    181001, 181002 },
}
-- Nothing has happened; the same call may be sent again later.
local LATER = {
  ip_ban = { 10018 },
  rate_limit = { 10006, 10403, 10429, 20003, 170005, 170222 },
  server = { 10019 },
  market_closed = { 110063, 110066 },
  filter = { 110118 },
}
-- The order is being worked on: it is to be looked up before anything is sent again.
local BUSY = { server = { 110079, 170144, 170191, 170212 } }

-- The venue failed somewhere on the way: a read may be repeated, of an order nobody knows what became.
local FAILED = { 429, 10016, 170001, 170032, 170149, 170150, 170234 }
-- Whatever was asked for may have happened.
local IN_DOUBT = { -1, 10000, 170007, 170035, 170146, 170147, 170310, 170311 }

local known = {} -- by code: class and retryable of a read, then of a mutation

local function know(classes, read_again, mutate_again)
  for class, codes in pairs(classes) do
    for _, code in ipairs(codes) do known[code] = { class, read_again, class, mutate_again } end
  end
end

know(NEVER, false, false)
know(LATER, true, true)
know(BUSY, true, false)
for _, code in ipairs(FAILED) do known[code] = { "server", true, "unknown_outcome", false } end
for _, code in ipairs(IN_DOUBT) do known[code] = { "timeout", true, "unknown_outcome", false } end

local STATUSES = { [401] = "auth", [429] = "rate_limit" }

local function by_status(http, message, mutation)
  if http and http >= 500 then return mutation and "unknown_outcome" or "server", not mutation end
  -- 403 is also what an address in a country that is not served gets.
  if http == 403 then
    local banned = message:find("access too frequent", 1, true) ~= nil
    return banned and "ip_ban" or "permission", banned
  end
  return STATUSES[http] or "invalid_request", http == 429
end

--- class, retryable of an answer that is an error.  mutation: the call could place or cancel an order.
function M.classify(http, code, message, mutation)
  if not code then return by_status(http, message, mutation) end
  local row = known[code]
  if not row then return "protocol", false end -- never a guess
  return row[mutation and 3 or 1], row[mutation and 4 or 2]
end

local outcomes = outcome.of("bybit", M.classify)
M.answered, M.unanswered, M.broken = outcomes.answered, outcomes.unanswered, outcomes.broken

return M
