--- The words that declare specs: describe, it, before_each, ... and the tree that they build.

local check = require "smc.check"

local M = {}

local Skip = { __name = "smc.skip", __tostring = function(self) return self.reason end }

--- Ends the running spec as skipped.  kind: why, for programs; default: "skip".
function M.skip(reason, kind)
  error(setmetatable({ reason = reason, kind = kind or "skip" }, Skip), 0)
end

function M.is_skip(value)
  return getmetatable(value) == Skip
end

local root, block   -- the tree, and the describe that is being declared
local specs, by_id  -- every `it`, in order of declaration
local cleanups      -- of the spec that runs; nil while the file loads
local expected      -- why the spec that runs is expected to fail; nil: it is not
local in_body       -- its before_each are over

local function new_block(parent, name, first, last)
  return { parent = parent, name = name, first = first, last = last,
           before_each = {}, after_each = {}, setup = {}, teardown = {}, specs_left = 0 }
end

--- "failing over #failover #slow" -> "failing over", {"failover", "slow"}
local function split_tags(name)
  local tags = {}
  local bare = name:gsub("%s*#([%w_%-]+)", function(tag)
    tags[#tags + 1] = tag
    return ""
  end)
  return bare, tags
end

local function names_and_tags(name, parent)
  local bare, tags = split_tags(name)
  local names = { bare }
  while parent and parent.name do
    local above, more = split_tags(parent.name)
    table.insert(names, 1, above)
    table.move(more, 1, #more, #tags + 1, tags)
    parent = parent.parent
  end
  return names, tags
end

--- The lines from the call of the word at `level` to the end of its function; nil when it is called in another file.
local function lines_of(fn, level)
  local call = debug.getinfo(level, "Sl")
  if call.source ~= "@" .. M.path then return nil end
  local body = fn and debug.getinfo(fn, "S")
  local inside = body and body.source == call.source
  return call.currentline, inside and math.max(body.lastlinedefined, call.currentline) or call.currentline
end

local function must_load(word, level)
  if cleanups then error(word .. ": specs are declared while the file loads, not inside it()", level or 3) end
end

local function must_be(word, value, wanted, level)
  if type(value) ~= wanted then
    local what = wanted == "string" and "a name" or "a function"
    error(("%s: %s expected, got %s"):format(word, what, type(value)), level or 3)
  end
  if value == "" then error(word .. ": a name expected, got an empty one", level or 3) end
end

--- more: fields of the spec.
local function add_spec(word, name, fn, more)
  must_load(word, 4)
  local names, tags = names_and_tags(name, block)
  if names[#names] == "" then error(word .. ": a name expected, beside tags: it is what runs this one alone", 3) end
  local info = debug.getinfo(3, "Sl")
  local id = M.path .. "::" .. table.concat(names, "::")
  if by_id[id] then
    error(("%s: line %d declares a spec of the same name already: %s"):format(word, by_id[id].line, id), 3)
  end
  local first, last = lines_of(fn, 4)
  local spec = { id = id, name = table.concat(names, " "), tags = table.concat(tags, ","), line = info.currentline,
                 first = first, last = last, block = block, fn = fn }
  for key, value in pairs(more or {}) do spec[key] = value end
  specs[#specs + 1] = spec
  by_id[id] = spec
end

local words = {}

function words.describe(name, fn)
  must_load("describe")
  must_be("describe", name, "string")
  must_be("describe", fn, "function")
  local outer = block
  block = new_block(outer, name, lines_of(fn, 3))
  fn()
  block = outer
end

words.insulate = words.describe -- every file has a state, and every spec a world, of its own

function words.it(name, fn)
  must_be("it", name, "string")
  must_be("it", fn, "function")
  add_spec("it", name, fn)
end

function words.pending(name, fn)
  if cleanups then M.skip(name or "pending") end
  must_be("pending", name, "string")
  if fn ~= nil then must_be("pending", fn, "function") end
  add_spec("pending", name, fn, { pending = true })
end

function words.xfail(name, fn)
  if not cleanups then
    must_be("xfail", name, "string")
    must_be("xfail", fn, "function")
    add_spec("xfail", name, fn, { xfail = true })
    return
  end
  if type(name) ~= "string" then error("xfail: inside it() it wants the reason, as in: xfail \"known bug\"", 2) end
  expected = name
end

for _, hook in ipairs { "before_each", "after_each", "setup", "teardown" } do
  words[hook] = function(fn)
    must_load(hook)
    must_be(hook, fn, "function")
    table.insert(block[hook], fn)
  end
end

function words.finally(fn)
  if not cleanups then error("finally: only inside it()", 2) end
  must_be("finally", fn, "function")
  cleanups[#cleanups + 1] = fn
end

--- Puts the words into the globals and forgets earlier declarations.  path: as shown in ids.
function M.declare_into(globals, path)
  M.path = path
  root = new_block(nil, nil)
  block = root
  specs, by_id = {}, {}
  for word, fn in pairs(words) do globals[word] = fn end
  globals.assert = check.assert
  globals.eventually = require "smc.eventually"
  return specs
end

function M.has_tag(spec, tag)
  return ("," .. spec.tags .. ","):find("," .. tag .. ",", 1, true) ~= nil
end

--- The blocks from the file down to the spec's own.
function M.chain(spec)
  local chain, b = {}, spec.block
  while b do
    table.insert(chain, 1, b)
    b = b.parent
  end
  return chain
end

--- How many lines it has, when this one is among them.
local function span_at(thing, line)
  return thing.first and thing.first <= line and line <= thing.last and thing.last - thing.first or nil
end

--- The specs at a line, as a set: those of what encloses it most closely, a spec or a describe.
local function specs_at(line)
  local spans, least = {}, nil -- of each spec: those around the line, its own and of its blocks
  for _, s in ipairs(specs) do
    spans[s] = { span_at(s, line) }
    local b = s.block
    while b do
      table.insert(spans[s], span_at(b, line))
      b = b.parent
    end
    for _, span in ipairs(spans[s]) do least = math.min(least or span, span) end
  end
  local found = {}
  for s, its in pairs(spans) do
    for _, span in ipairs(its) do found[s] = found[s] or span == least end
  end
  return found
end

--- Which of these lines name each spec, as "12,40"; nothing for a spec at none of them.
function M.at_lines(lines)
  local found = {}
  for _, line in ipairs(lines) do
    for s, at in pairs(specs_at(line)) do
      if at then found[s] = (found[s] and found[s] .. "," or "") .. line end
    end
  end
  return found
end

function M.begin(spec)
  cleanups = {}
  expected = spec and spec.xfail and "" or nil
  in_body = false
  return cleanups
end

--- From here on a failure may be the expected one.
function M.enter_body()
  in_body = true
end

--- Why the running spec is expected to fail, "" when it does not say; nil when it is not, or had not begun.
function M.expectation()
  return in_body and expected or nil
end

function M.finish()
  cleanups = nil
end

return M
