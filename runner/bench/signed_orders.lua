-- wrk's script: limit orders that cross the spread, buying and selling in turns, each signed when it is sent.
-- KEY, SECRET: of the account.  CHECK: look at every answer; it must be a filled order.
-- luacheck: globals request setup response done filled others example
local ffi = require "ffi"

ffi.cdef [[
typedef struct { long s, us; } timeval_t;
int gettimeofday(timeval_t *now, void *zone);
const void *EVP_sha256(void);
unsigned char *HMAC(const void *md, const void *key, int key_n, const unsigned char *text, size_t n,
                    unsigned char *out, unsigned *out_n);
]]

local KEY, SECRET = os.getenv "KEY", os.getenv "SECRET"
local HEAD = "POST /api/v3/order HTTP/1.1\r\nHost: 127.0.0.1\r\nX-MBX-APIKEY: " .. KEY
  .. "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
local ORDER = "symbol=BTCUSDT&type=LIMIT&timeInForce=GTC&quantity=0.00010&%s&timestamp=%.0f"
local SIDES = { "side=BUY&price=70000.00", "side=SELL&price=50000.00" }

local libcrypto = ffi.C -- wrk is linked with it
local sha256, mac, now = libcrypto.EVP_sha256(), ffi.new "unsigned char[32]", ffi.new "timeval_t"
local hex, digits, sent = {}, {}, 0
for i = 0, 255 do hex[i] = ("%02x"):format(i) end

local function sign(text)
  libcrypto.HMAC(sha256, SECRET, #SECRET, text, #text, mac, nil)
  for i = 1, 32 do digits[i] = hex[mac[i - 1]] end
  return table.concat(digits)
end

function request()
  sent = sent + 1
  ffi.C.gettimeofday(now, nil)
  local ms = tonumber(now.s) * 1000 + math.floor(tonumber(now.us) / 1000)
  local order = ORDER:format(SIDES[sent % 2 + 1], ms)
  local body = order .. "&signature=" .. sign(order)
  return HEAD .. #body .. "\r\n\r\n" .. body
end

if os.getenv "CHECK" then
  local threads = {}
  filled, others, example = 0, 0, ""

  function setup(thread) threads[#threads + 1] = thread end

  function response(status, _, body)
    if status == 200 and body:find('"status":"FILLED"', 1, true) then
      filled = filled + 1
    else
      others, example = others + 1, status .. " " .. body
    end
  end

  function done()
    for _, thread in ipairs(threads) do
      print(("filled %d, others %d %s"):format(thread:get "filled", thread:get "others", thread:get "example"))
    end
  end
end
