-- smc.core.text: its codings are tested in core/tests/test_text.c.
local text = require "smc.core.text"

local function refused(what, result, err)
  assert.is_nil(result)
  assert.equal("protocol", err.class)
  assert.equal("parse", err.code)
  assert.equal("the text is not " .. what, err.message)
end

describe("text", function()
  it("codes bytes, zeros too", function()
    local bytes = "\0\255a/+ =\u{FF11}"
    assert.equal("00ff612f2b203defbc91", text.hex(bytes))
    assert.equal("AP9hLysgPe+8kQ==", text.base64(bytes))
    assert.equal("%00%FFa%2F%2B%20%3D%EF%BC%91", text.percent_encode(bytes))
    assert.equal(bytes, text.hex_decode(text.hex(bytes)))
    assert.equal(bytes, text.base64_decode(text.base64(bytes)))
    assert.equal(bytes, text.percent_decode(text.percent_encode(bytes)))
  end)

  it("codes nothing as nothing", function()
    for name, fn in pairs(text) do
      if not name:find "^form_" and name ~= "without" and name ~= "serial" then assert.equal("", fn("")) end
    end
  end)

  it("refuses what is malformed", function()
    refused("hex", text.hex_decode("0g"))
    refused("base64", text.base64_decode("Zg="))
    refused("percent-encoded", text.percent_decode("100%"))
  end)

  it("takes a pair out of a form, with one & beside it, and leaves every other byte", function()
    for _, row in ipairs { { "a=1&b=2&c=3", "a=1&c=3" }, { "b=2&a=1", "a=1" }, { "a=1&b=", "a=1" }, { "b=2", "" },
      { "ab=2&c", "ab=2&c" }, { "&b=2&a", "&a" }, { "a=%20+b=&&b=1&b=2", "a=%20+b=&&b=2" }, { "b", "b" }, { "", "" },
      { "&&", "&&" }, { "a&b=\0x&c", "a&c" } } do
      assert.equal(row[2], text.without(row[1], "b"))
    end
  end)

  it("takes the zeros at the end of decimals away", function()
    for given, expected in pairs { ["0.50000000"] = "0.5", ["60000.00"] = "60000", ["-0.0"] = "-0", ["100"] = "100",
      ["100."] = "100", ["1.01"] = "1.01", [".00"] = "", [""] = "" } do
      assert.equal(expected, text.minimal(given))
    end
  end)

  it("numbers things", function()
    assert.equal("id-00ff", text.serial("id-", 255, 4))
    assert.equal("7fffffffffffffff", text.serial("", math.maxinteger, 16))
    assert.equal("2345", text.serial("", 0x12345, 4))
    for _, wrong in ipairs { { "x", -1, 4 }, { "x", 1, 0 }, { "x", 1, 17 }, { ("x"):rep(60), 1, 5 } } do
      assert.has_error(function() text.serial(table.unpack(wrong)) end)
    end
  end)

  local function form(raw)
    local values, count, twice = text.form_decode(raw)
    return { values, count, twice }
  end

  it("takes a form apart", function()
    assert.same({ {}, 0, false }, form "")
    assert.same({ { a = "1", ["b c"] = "x=y", d = "", e = "" }, 4, false }, form "a=1&&b+c=x=y&d=&e&")
    assert.same({ { ["ü"] = "+ %", [""] = "z" }, 2, false }, form "%C3%BC=%2B+%25&=z")
    assert.same({ { ["%g"] = "50%", a = "+%" }, 2, false }, form "%g=50%&a=+%")
  end)

  it("takes the first of two values of a name", function()
    assert.same({ { a = "1", b = "2" }, 2, true }, form "a=1&b=2&%61=3")
  end)

  local function as_text(name, value) return ("<%s %s>"):format(name, value) end

  it("puts a form together, in order of the names", function()
    assert.equal("", text.form_encode({}, as_text))
    assert.equal("=z&a=1&a-b=&ab=%2B%20%25&b%20c=x%3Dy&%C3%BC=-7",
      text.form_encode({ ["ü"] = -7, ab = "+ %", ["b c"] = "x=y", a = 1, [""] = "z", ["a-b"] = "" }, as_text))
    assert.equal("1=x&a=%3Ca%200.5%3E&b=%3Cb%20true%3E", text.form_encode({ b = true, a = 0.5, "x" }, as_text))
    assert.has_error(function() text.form_encode({ [true] = 1 }, as_text) end)
  end)

  it("orders names as Lua does", function()
    local names, values, expected = {}, {}, {}
    for i = 1, 300 do
      local name = text.hex_decode(("%06x"):format(i * 0x9e3779 & 0xffffff)):sub(1, 1 + i % 3)
      if not values[name] then names[#names + 1] = name end
      values[name] = i
    end
    table.sort(names)
    for i, name in ipairs(names) do expected[i] = text.percent_encode(name) .. "=" .. values[name] end
    assert.equal(table.concat(expected, "&"), text.form_encode(values, as_text))
  end)

  it("leaves out what a finalizer takes away meanwhile", function()
    for _ = 1, 100 do
      local values = {}
      for i = 10, 49 do
        values["k" .. i] = "v"
        setmetatable({}, { __gc = function() values["k" .. i] = nil end })
      end
      for _ = 1, 30 do
        local last = ""
        for name, value in text.form_encode(values, as_text):gmatch "([^&=]*)=([^&]*)" do
          assert.is_true(last < name and value == "v", name)
          last = name
        end
      end
    end
  end)

  it("carries long texts", function()
    local long = ("x/"):rep(100000)
    assert.equal(long, text.percent_decode(text.percent_encode(long)))
    assert.equal("a%2F", text.percent_encode("a/"))
  end)
end)
