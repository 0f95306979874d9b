--- Bytes as no honest server would send them: what faults put on the wire in place of an answer or a frame.
local M = {}

-- ---- WebSocket frames ---------------------------------------------------------------------

local TEXT, CLOSE = 0x81, 0x88

--- The head of a frame that says of itself to hold n bytes.  first: its first byte (default: a whole text).
local function head(n, first)
  if n < 126 then return string.char(first or TEXT, n) end
  if n < 65536 then return string.pack(">BBI2", first or TEXT, 126, n) end
  return string.pack(">BBI8", first or TEXT, 127, n)
end

--- A frame that holds `payload`, and says that it holds `n` bytes.
function M.frame(payload, n, first) return head(n or #payload, first) .. payload end

--- A Close frame with any code, also those that must not be sent.
function M.close(code) return M.frame(string.pack(">I2", code), 2, CLOSE) end

-- By kind: bytes that break the protocol, in place of the text of a frame.
local RESERVED_BITS, RESERVED_OPCODE, CONTINUATION, FRAGMENT_OF_PING, MASK = 0xb1, 0x83, 0x80, 0x09, 0x80
M.broken = {
  json = function(text) return M.frame(text:sub(1, #text // 2)) end,
  reserved_bits = function(text) return M.frame(text, nil, RESERVED_BITS) end,
  opcode = function(text) return M.frame(text, nil, RESERVED_OPCODE) end,
  continuation = function(text) return M.frame(text, nil, CONTINUATION) end,
  control = function() return M.frame("", nil, FRAGMENT_OF_PING) end,
  masked = function() return string.char(TEXT, MASK | 2) .. "\0\0\0\0{}" end,
  utf8 = function() return M.frame '{"e":"\xff\xfe"}' end,
  oversized = function(text) return M.frame(text, 1 << 62) end,
}

-- The same for a stream of lines: what is written where the next line would have been; chunk: outside of all chunks.
local ENDLESS = 1 << 20
M.broken_line = {
  json = function(line) return line:sub(1, #line // 2) .. "\n" end,
  utf8 = function() return '{"type":"\xff\xfe"}\n' end,
  oversized = function() return ("x"):rep(ENDLESS) end,
  chunk = function(line) return "zz\r\n" .. line end,
}

-- ---- HTTP -----------------------------------------------------------------------------------

--- A whole answer as bytes.
function M.answer(status, headers, body)
  local out = { ("HTTP/1.1 %d -\r\n"):format(status) }
  for _, header in ipairs(headers or {}) do out[#out + 1] = ("%s: %s\r\n"):format(header[1], header[2]) end
  out[#out + 1] = ("Content-Length: %d\r\n\r\n"):format(#body)
  out[#out + 1] = body
  return table.concat(out)
end

-- ---- gzip, without compression (RFC 1952, RFC 1951 3.2.4) --------------------------------------

local POLYNOMIAL = 0xedb88320
local table_of

local function crc32(bytes)
  if not table_of then
    table_of = {}
    for i = 0, 255 do
      local c = i
      for _ = 1, 8 do c = c & 1 == 1 and (c >> 1) ~ POLYNOMIAL or c >> 1 end
      table_of[i] = c
    end
  end
  local crc = 0xffffffff
  for i = 1, #bytes do crc = (crc >> 8) ~ table_of[(crc ~ bytes:byte(i)) & 0xff] end
  return crc ~ 0xffffffff
end

local HEAD = "\x1f\x8b\x08\0\0\0\0\0\0\xff"
local STORED, BAD_BLOCK = 1, 7

local function gzip(body, last_block, crc)
  local out = { HEAD }
  for first = 1, math.max(1, #body), 0xffff do
    local piece = body:sub(first, first + 0xfffe)
    local last = first + #piece > #body
    out[#out + 1] = string.pack("<BI2I2", last and last_block or 0, #piece, #piece ~ 0xffff) .. piece
  end
  out[#out + 1] = string.pack("<I4I4", crc or crc32(body), #body & 0xffffffff)
  return table.concat(out)
end

--- By damage: the body as a gzip stream.
M.gzip = {
  none = function(body) return gzip(body, STORED) end,
  crc = function(body) return gzip(body, STORED, crc32(body) ~ 1) end,
  cut = function(body)
    local whole = gzip(body, STORED)
    return whole:sub(1, #whole // 2)
  end,
  block = function(body) return gzip(body, BAD_BLOCK) end,
  plain = function(body) return body end,
}

return M
