--- What became of the runs of a load that are measured.
local errors = require "smc.error"
local histogram = require "smc.histogram"
local timeline = require "smc.timeline"

local Tally = {}
Tally.__index = Tally

local M = {}

-- Not assert: that one would count as a check of the scenario.
local function must(value, err)
  if not value then error(err, 0) end
  return value
end

--- Class and words of an error; a scenario's own may be a table with a class and a message, too.
local function read(err)
  if type(err) ~= "table" or errors.is(err) then return errors.is(err) and err.class or "error", tostring(err) end
  return type(err.class) == "string" and err.class or "error", tostring(err.message or "a table without a message")
end

function M.new()
  return setmetatable({ histogram = must(histogram.new()), buckets = {}, planned = 0, count = 0, failed = 0,
    dropped = 0, classes = {}, first = {}, behind = 0, in_flight = 0, last = 0 }, Tally)
end

--- A run has ended: `seconds` after the moment at which it was meant to begin, with an error or without, at `now`.
function Tally:add(seconds, err, now)
  seconds = math.max(0, seconds)
  self.count, self.last = self.count + 1, now
  must(self.histogram:record(seconds))
  local bucket = timeline.bucket(seconds)
  self.buckets[bucket] = (self.buckets[bucket] or 0) + 1
  if err == nil then return end
  local class, text = read(err)
  self.failed = self.failed + 1
  self.classes[class] = (self.classes[class] or 0) + 1
  self.first[class] = self.first[class] or text
end

--- One is meant to begin, and is let in or not.
function Tally:plan(let_in, behind)
  self.planned = self.planned + 1
  if not let_in then
    self.dropped = self.dropped + 1
  elseif behind > self.behind then
    self.behind = behind
  end
end

return M
