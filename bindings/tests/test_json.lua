local json = require "smc.json"
local cjson = require "cjson"
local rng = require "smc.core.rng"

--- Asserts that text is refused as JSON, with a message that holds `pattern`.
local function refused(text, pattern)
  local value, err = json.decode(text)
  assert.is_nil(value)
  assert.equal("protocol", err.class)
  assert.equal("parse", err.code)
  assert.truthy(err.message:find(pattern, 1, true), err.message)
end

--- Asserts that encoding raises, at this file, with a message that holds `pattern`.
local function raises(pattern, value)
  local ok, message = pcall(function()
    local text = json.encode(value)
    return text
  end)
  assert.is_false(ok)
  assert.truthy(message:find("test_json.lua:", 1, true), message)
  assert.truthy(message:find(pattern, 1, true), message)
end

local function nested(depth)
  return ("["):rep(depth) .. ("]"):rep(depth)
end

describe("json.decode", function()
  it("keeps every 64-bit integer exact", function()
    for _, text in ipairs { "9223372036854775807", "-9223372036854775808", "9007199254740993", "0" } do
      local value = json.decode(text)
      assert.equal("integer", math.type(value))
      assert.equal(text, tostring(value))
    end
  end)

  it("makes floats of numbers with a fraction or an exponent", function()
    assert.equal("float", math.type(json.decode "1.0"))
    assert.equal("float", math.type(json.decode "1e3"))
    assert.equal(0.1, json.decode "0.1")
  end)

  it("reads strings with escapes, NUL and characters beyond the BMP", function()
    assert.equal("a\"\\/\b\f\n\r\t\0\u{e9}\u{1f600}", json.decode [["a\"\\\/\b\f\n\r\t\u0000é\ud83d\ude00"]])
  end)

  it("reads null as json.null, which is cjson.null", function()
    assert.equal(json.null, json.decode "null")
    assert.equal(cjson.null, json.null)
    assert.equal(json.null, json.decode('{"a":null}').a)
    assert.equal(3, #json.decode "[1,null,3]")
  end)

  it("reads true, false, objects and arrays", function()
    assert.same({ a = { 1, true, { b = "c" } }, d = false }, json.decode '{"a":[1,true,{"b":"c"}],"d":false}')
  end)

  it("refuses what is not one JSON value", function()
    refused("", "line 1, column 0")
    refused("[1,2", "line 1, column 4")
    refused('{"a":1}\n x', "line 2, column 2")
    refused("[1] [2]", "line 1, column 5")
    refused("{'a':1}", "line 1")
    refused("[01]", "line 1")
    refused("NaN", "line 1")
    refused("[1.5\0]", "byte 5 is a NUL")
    refused('{"a":true,"b":"é"\n\0}', "line 2")
    refused("1.5\0 ", "byte 4 is a NUL")
    refused("7\0", "byte 2 is a NUL")
    refused('["\0","é"]', "line 1, column")
  end)

  it("refuses duplicate keys", function()
    refused('{"a":1,\n"a":2}', "line 2, column 3: duplicate object key")
  end)

  it("does not quote the text that it refuses", function()
    local _, err = json.decode '{"secret":"hunter2" "x"}'
    assert.is_nil(err.message:find("hunter2", 1, true))
    assert.is_nil(err.message:find("near", 1, true))
  end)

  it("refuses invalid UTF-8", function()
    refused('"\xff"', "line 1")
    refused('"\xc0\x80"', "line 1")
    refused('"\xed\xa0\x80"', "line 1")
    refused([["\ud800"]], "line 1")
  end)

  it("refuses numbers beyond their range", function()
    refused("9223372036854775808", "too big integer")
    refused("-9223372036854775809", "too big negative integer")
    refused("1e999", "overflow")
  end)

  it("reads 100 levels and names the place of the 101st", function()
    assert.is_table(json.decode(nested(100)))
    refused(nested(101), "line 1, column 101: nested deeper than 100")
    refused('["[[é\\"",\n' .. nested(100) .. "]", "line 2, column 100: nested deeper than 100")
    refused('{"a":' .. nested(100) .. "}", "column 105: nested deeper than 100")
  end)

  -- Usual texts are read another way than all others; a fraction in them, at the end, is not usual.
  it("reads the usual and the unusual alike, right or wrong", function()
    local random, read = rng.new(1, "json"), 0
    local function pick(list) return list[random:int(1, #list)] end
    local blank = { "", "", "", " ", "\n", "\t\r " }
    local function draw(depth)
      local kind, out = random:int(depth > 3 and 3 or 1, 6), {}
      local n = random:int(1, 9) == 1 and random:int(60, 140) or random:int(0, 4)
      for i = 1, kind < 3 and n or 0 do
        local key = kind == 1 and ('"k%d"%s:'):format(random:int(1, 60) == 1 and 1 or i, pick(blank)) or ""
        out[i] = pick(blank) .. key .. draw(depth + (n > 9 and 3 or 1)) .. pick(blank)
      end
      if kind == 1 then return "{" .. table.concat(out, ",") .. "}" end
      if kind == 2 then return "[" .. table.concat(out, ",") .. "]" end
      return pick { "true", "false", "null", "0", "-0", "12", "-7", "01", "1e2", "1.5", "999999999999999999",
        "9223372036854775807", "9223372036854775808", '""', '"BTCUSDT"', '"\\u00e9"', '"\195\169"', '"\195"', '"\127"',
        '"a\\"b"' }
    end
    for _ = 1, 3000 do
      local text = draw(0)
      if random:int(1, 4) == 1 and text ~= "" then
        local at = random:int(1, #text)
        text = text:sub(1, at - 1) .. pick { "", "]", "}", ",", '"', ":", "\0", "x", "\1" } .. text:sub(at + 1)
      end
      local value, long = json.decode(text), json.decode("[" .. text .. ",0.5]")
      if value == nil then
        assert.is_true(long == nil or #long ~= 2, text) -- "1,2" is one value more
      else
        read = read + 1
        assert.equal(json.encode(long[1]), json.encode(value), text)
        assert.same(long[1], value)
      end
    end
    assert.is_true(read > 1000)
  end)

  it("raises unless it is given a string", function()
    assert.has_error(function()
      return json.decode {}
    end)
  end)
end)

describe("json.encode", function()
  it("sorts the keys of plain tables by their bytes", function()
    local value = { aa = 3, b = 4, ["é"] = 5, a = 2, A = 1, [""] = 0 }
    assert.equal('{"":0,"A":1,"a":2,"aa":3,"b":4,"é":5}', json.encode(value))
  end)

  it("keeps the keys of nested tables apart", function()
    local many = {}
    local texts = {}
    for i = 1, 100 do
      many[("k%03d"):format(i)] = { b = i, a = { y = true, x = false } }
      texts[i] = ('"k%03d":{"a":{"x":false,"y":true},"b":%d}'):format(i, i)
    end
    assert.equal("{" .. table.concat(texts, ",") .. "}", json.encode(many))
  end)

  it("writes declared order, in both forms of json.object", function()
    assert.equal('{"z":1,"a":2}', json.encode(json.object("z", 1, "a", 2)))
    assert.equal('{"z":1,"a":{"y":[],"x":null}}',
      json.encode(json.object { { "z", 1 }, { "a", json.object("y", json.array(), "x", json.null) } }))
    assert.equal("{}", json.encode(json.object()))
    assert.equal("{}", json.encode(json.object {}))
  end)

  it("leaves out the keys of json.object whose value is nil", function()
    assert.equal('{"b":2}', json.encode(json.object("a", nil, "b", 2)))
    assert.equal('{"b":2}', json.encode(json.object { { "a" }, { "b", 2 } }))
  end)

  it("writes lists, and empty tables as objects unless marked", function()
    assert.equal("[1,[2],{}]", json.encode { 1, { 2 }, {} })
    assert.equal("[]", json.encode(json.array()))
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("[[]]", json.encode { json.decode "[]" })
  end)

  it("fills an array with an explicit length with null", function()
    assert.equal("[null,2,null]", json.encode(json.array { nil, 2, nil, n = 3 }))
    assert.equal("[1,null]", json.encode(json.array(table.pack(1, nil))))
  end)

  it("writes integers exactly", function()
    assert.equal("[9223372036854775807,-9223372036854775808,0,-1]",
      json.encode { math.maxinteger, math.mininteger, 0, -1 })
  end)

  it("writes the shortest float that reads back the same", function()
    assert.equal("[0.1,1.0,-0.0,1e+300,0.30000000000000004]", json.encode { 0.1, 1.0, -0.0, 1e300, 0.1 + 0.2 })
    for _, value in ipairs { 5e-324, 0x1.fffffffffffffp+1023, 1 / 3, 123456789.123456789 } do
      assert.equal(value, json.decode(json.encode(value)))
    end
  end)

  it("escapes only what must be escaped", function()
    assert.equal([["a/\"\\\b\f\n\r\t\u0001\u001f]] .. "\x7f\u{e9}\u{1f600}\"",
      json.encode "a/\"\\\b\f\n\r\t\1\x1f\x7f\u{e9}\u{1f600}")
    assert.equal([["\u0000"]], json.encode "\0")
  end)

  it("embeds raw JSON as it is", function()
    assert.equal('{"a":0.10,"b":[1, 2]}', json.encode(json.object("a", json.raw "0.10", "b", json.raw "[1, 2]")))
  end)

  it("raises for what JSON has no word for, and names the path", function()
    raises("a nil", nil)
    raises("a function at .a[2].b", { a = { 1, { b = print } } })
    raises("not finite at [1]", { 1 / 0 })
    raises("not finite at .x", json.object("x", 0 / 0))
    raises("neither a string nor a position", { [true] = 1 })
    raises("neither a string nor a position", { [0] = 1 })
    raises("neither a string nor a position", { [1.5] = 1 })
  end)

  it("raises for strings and keys that are not UTF-8", function()
    for _, bad in ipairs { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80", "\xe2\x82", "\x80" } do
      raises("not UTF-8", bad)
      raises("not UTF-8", { [bad] = 1 })
    end
  end)

  it("raises for tables that are neither list nor object", function()
    local function ends_in(text, value)
      local _, message = pcall(json.encode, value)
      assert.equal(text, message:sub(-#text))
    end
    raises("names and positions at .t", { t = { 1, a = 2 } })
    ends_in("names and positions at .t", { t = { 1, a = 2 } })
    ends_in("json.encode: a list with holes", { 1, nil, 3 })
    ends_in("json.encode: a list with holes at [2]", { 0, { 1, nil, 3 } })
    raises("an array with holes and no n", json.array { 1, nil, 3 })
    raises("an array whose n is not its length", json.array { 1, 2, n = 1 })
    raises("an array whose n is not its length", json.array { n = "2" })
    raises("an array that has names", json.array { 1, a = 2 })
  end)

  it("raises for more than 100 levels and for a table that holds itself", function()
    assert.equal(nested(100), json.encode(json.decode(nested(100))))
    raises("nested deeper than 100", { json.decode(nested(100)) })
    local t = {}
    t.t = t
    raises("holds itself", t)
  end)

  it("raises for more names than there is room for on Lua's stack", function()
    local value = {}
    for i = 1, 2000 do value["k" .. i] = 0 end
    local function encode_above(...) return json.encode(value), ... end
    local ok, message = pcall(function() encode_above(table.unpack({}, 1, 998500)) end)
    assert.is_false(ok)
    assert.truthy(message:find("json.encode: too many names at once", 1, true), message)
  end)

  it("works again after it has raised", function()
    raises("a function", { a = { b = { c = print } } })
    assert.equal('{"a":1}', json.encode { a = 1 })
  end)

  it("gives back what it was given, through decode", function()
    local value = { a = { 1, 2.5, "x", json.null, true }, b = json.array(), c = { d = {} }, e = -1 }
    local text = json.encode(value)
    assert.same(value, json.decode(text))
    assert.equal(text, json.encode(json.decode(text)))
  end)

  it("is not changed by the collector", function()
    local value = {}
    for i = 1, 2000 do
      value["key" .. i] = { tostring(i), i }
    end
    local text = json.encode(value)
    collectgarbage()
    assert.same(value, json.decode(text))
  end)
end)

describe("json in the middle of itself", function()
  local ITEM = '{"a":1.5,"b":"\\u00e9","c":[1.25,{"d":"\\n","n":2}]}'
  local finalized

  -- Each collection makes a finalizer of the scenario's use json.
  before_each(function()
    finalized = 0
    local function arm()
      setmetatable({}, { __gc = function()
        finalized = finalized + 1
        assert(json.decode(ITEM))
        json.encode { x = "é", y = { 1.5, { z = 2 } }, a = json.array { n = 3 } }
        if finalized < 1e6 then arm() end
      end })
    end
    arm()
  end)

  after_each(function() finalized = 1e6 end)

  it("decodes", function()
    repeat -- how many rounds it takes depends on what ran before
      local value = assert(json.decode("[" .. (ITEM .. ","):rep(2000) .. "0]"))
      assert.equal(2001, #value)
      for i = 1, 2000 do
        if value[i].a ~= 1.5 or value[i].b ~= "é" or value[i].c[2].d ~= "\n" then error("item " .. i) end
      end
    until finalized >= 3
  end)

  it("encodes", function()
    local value, want, long = {}, {}, ("long"):rep(100)
    for i = 1, 2000 do
      value[i] = { a = 1, [long] = "x", c = json.array { n = 1 }, [long .. "er"] = { e = i } }
      want[i] = ('{"a":1,"c":[null],"%s":"x","%ser":{"e":%d}}'):format(long, long, i)
    end
    want = "[" .. table.concat(want, ",") .. "]"
    repeat
      assert.is_true(json.encode(value) == want)
    until finalized >= 3
  end)
end)

describe("json.object and json.array", function()
  it("raise when they are given something else", function()
    for _, call in ipairs {
      function() return json.object("a") end,
      function() return json.object(1, 2) end,
      function() return json.object { { 1, 2 } } end,
      function() return json.object { "a", 1 } end,
      function() return json.array(1) end,
      function() return json.array(setmetatable({}, {})) end,
      function() return json.raw(1) end,
    } do
      assert.is_false(pcall(call))
    end
  end)

  it("marks the table it is given", function()
    local list = { 1 }
    assert.equal(list, json.array(list))
    assert.equal(list, json.array(list))
  end)
end)
