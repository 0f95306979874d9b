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
    for _, fn in pairs(text) do assert.equal("", fn("")) end
  end)

  it("refuses what is malformed", function()
    refused("hex", text.hex_decode("0g"))
    refused("base64", text.base64_decode("Zg="))
    refused("percent-encoded", text.percent_decode("100%"))
  end)

  it("carries long texts", function()
    local long = ("x/"):rep(100000)
    assert.equal(long, text.percent_decode(text.percent_encode(long)))
    assert.equal("a%2F", text.percent_encode("a/"))
  end)
end)
