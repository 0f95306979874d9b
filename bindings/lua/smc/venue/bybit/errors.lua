--- What an answer of Bybit means: its retCode as a class, and whether the same call may be sent again.
local outcome = require "smc.venue.outcome"

local M = {}

-- Nothing of what was asked for has happened, and asking again will not help.
local NEVER = {
  auth = { 10003, 10004, 10007, 33004, -2015 },
  permission = {
    10005, 10008, 10009, 10010, 10024, 10027, 10028, 10029, 30133, 30134, 30135, 30136, 100028, 110062, 110065,
    110067, 110068, 110069, 110070, 110071, 110080, 110087, 110088, 110096, 110097, 110100, 110101, 110102, 110104,
    110105, 110106, 110107, 110110, 110111, 110112, 110113, 110119, 110123, 110124, 110125, 110132, 110135, 110136,
    170031, 170036, 170037, 170209, 170215, 170216, 170219, 170220, 170223, 170224, 170226, 170227, 170230, 170241,
    170344, 170346, 170348, 170355, 170358, 170359, 170360, 170709 },
  clock_skew = { 10002 },
  filter = {
    30208, 30209, 110003, 110009, 110011, 110013, 110017, 110020, 110034, 110039, 110040, 110046, 110048, 110058,
    110061, 110064, 110085, 110086, 110089, 110090, 110092, 110093, 110094, 110116, 110120, 110121, 170010, 170011,
    170019, 170124, 170132, 170133, 170134, 170136, 170137, 170140, 170148, 170192, 170193, 170194, 170195, 170196,
    170197, 170198, 170199, 170200, 170203, 170204, 170210, 170217, 170218, 170228, 170229, 170313, 170341, 170371,
    170372, 170381, 170382, 170810 },
  insufficient_funds = {
    30256, 110004, 110006, 110007, 110012, 110014, 110044, 110045, 110047, 110051, 110052, 110053, 110131, 170033,
    170034, 170131, 170207 },
  unknown_order = { 40004, 110001, 110008, 110010, 170139, 170142, 170143, 170190, 170213 },
  duplicate_order = { 10014, 12141, 20006, 110030, 110072, 170141 },
  market_closed = {
    30228, 110021, 110022, 110023, 110042, 110074, 110095, 110098, 110099, 110103, 110137, 170151, 170157, 170159,
    170206 },
  invalid_request = {
    10001, 10017, 10404, 20001, 34040, 110005, 110015, 110018, 110019, 110024, 110025, 110026, 110027, 110028, 110029,
    110031, 110032, 110033, 110036, 110037, 110038, 110041, 110043, 110049, 110050, 110054, 110055, 110056, 110057,
    110059, 110060, 110073, 110076, 110077, 110078, 110082, 110083, 110108, 110109, 110115, 110117, 170003, 170105,
    170115, 170116, 170117, 170121, 170130, 170145, 170201, 170202, 170221, 170312, 181000, 181001, 181002, 181003,
    181004, 181005, 181017 },
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
