-- Every code that Bybit documents, with the class that it stands for and whether the same call may be sent again: each
-- row of the venue's error tables (v5 documentation, "Error Codes") as the reference sheet of the project sorts them.
local errors = require "smc.venue.bybit.errors"

-- class | codes | again: "no"; "later", reads and mutations; "look first", reads only; "in doubt", reads only, and a
-- mutation has an unknown outcome.
local ROWS = [[
timeout            | -1 10000 170007 170035 170146 170147 170310 170311 | in doubt
server             | 429 10016 170001 170032 170149 170150 170234 | in doubt
invalid_request    | 10001 10017 10404 20001 34040 110019 110024 110028 110032 110036 110038 110108 110109 170003 | no
invalid_request    | 110025 110026 110027 110043 | no
invalid_request    | 170105 170130 170115 170116 170117 170121 170145 170312 181000 181001 181002 | no
clock_skew         | 10002 | no
auth               | 10003 10004 10007 33004 -2015 | no
permission         | 10005 10008 10009 10010 10024 10027 10028 100028 10029 170031 170227 | no
permission         | 110067 110068 110069 110070 110123 110124 110125 110132 | no
rate_limit         | 10006 10403 10429 20003 170005 170222 | later
ip_ban             | 10018 | later
server             | 10019 | later
duplicate_order    | 10014 20006 110030 110072 170141 12141 | no
filter             | 30208 30209 110003 110009 110013 110017 110020 110064 110090 110086 110089 110092 110093 | no
filter             | 110094 110120 110121 170124 170132 170133 170134 | no
filter             | 170136 170137 170140 170148 170192 170193 170194 | no
filter             | 170197 170198 170203 170204 170210 170217 170218 170313 170341 170371 170372 | no
filter             | 170381 170382 170810 | no
filter             | 110118 | later
market_closed      | 30228 110021 110022 110023 110042 110074 110095 110098 110103 170151 170157 170159 | no
market_closed      | 110063 110066 | later
unknown_order      | 40004 110001 110008 110010 170139 170142 170143 170190 170213 | no
server             | 110079 170144 170191 170212 | look first
insufficient_funds | 110004 110006 110007 110012 110014 110044 110045 110051 110052 110053 170033 170131 | no
permission         | 30133 30134 30135 30136 110062 110065 110071 110080 110087 110088 110096 110097 110100 | no
permission         | 110101 110102 110104 110105 110106 110107 110110 110111 110112 110113 110119 110135 | no
permission         | 110136 170036 170037 170209 170215 170216 170219 170220 170223 170224 170226 170230 | no
permission         | 170241 170344 170346 170348 170355 170358 170359 170360 170709 | no
filter             | 110011 110034 110039 110040 110046 110048 110058 110061 110085 110116 170010 170011 | no
filter             | 170019 170195 170196 170199 170200 170228 170229 | no
insufficient_funds | 30256 110047 110131 170034 170207 | no
market_closed      | 110099 110137 170206 | no
invalid_request    | 110005 110015 110018 110029 110031 110033 110037 110041 110049 110050 110054 110055 | no
invalid_request    | 110056 110057 110059 110060 110073 110076 110077 110078 110082 110083 110115 110117 | no
invalid_request    | 170201 170202 170221 181003 181004 181005 181017 | no
]]

local READ_AGAIN = { no = false, later = true, ["look first"] = true, ["in doubt"] = true }

describe("an error code of bybit", function()
  for class, codes, again in ROWS:gmatch "(%S+) +| ([^|]-) | ([^\n]+)" do
    for code in codes:gmatch "%S+" do
      it(("%s is %s, again: %s"):format(code, class, again), function()
        local number = math.tointeger(tonumber(code))
        assert.same({ class, READ_AGAIN[again] }, { errors.classify(200, number, "", false) })
        local mutation = again == "in doubt" and "unknown_outcome" or class
        assert.same({ mutation, again == "later" }, { errors.classify(200, number, "", true) })
      end)
    end
  end

  it("that nobody knows is of class protocol, with the code kept", function()
    for _, mutation in ipairs { false, true } do
      local err = errors.answered({ http = 200, code = 999999, message = "new" }, "place", mutation)
      assert.same({ "protocol", 999999, "new", false }, { err.class, err.code, err.message, err.retryable })
    end
  end)
end)

describe("an answer of bybit without a code", function()
  -- http, text, class of a read, class of a mutation, retryable as a read, retryable as a mutation
  for _, row in ipairs {
    { 403, "403, access too frequent", "ip_ban", "ip_ban", true, true },
    { 403, "Forbidden", "permission", "permission", false, false },
    { 400, "", "invalid_request", "invalid_request", false, false },
    { 401, "", "auth", "auth", false, false },
    { 404, "", "invalid_request", "invalid_request", false, false },
    { 429, "", "rate_limit", "rate_limit", true, true },
    { 500, "", "server", "unknown_outcome", true, false },
    { 502, "", "server", "unknown_outcome", true, false },
  } do
    local http, message, read, mutation, read_again, mutate_again = table.unpack(row, 1, 6)
    it(("is judged by its HTTP status: %d %s"):format(http, message), function()
      assert.same({ read, read_again }, { errors.classify(http, nil, message, false) })
      assert.same({ mutation, mutate_again }, { errors.classify(http, nil, message, true) })
    end)
  end
end)
