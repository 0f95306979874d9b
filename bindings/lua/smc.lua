--- What a scenario gets from `require "smc"`.  Parts are loaded when they are first asked for.

local task = require "smc.task"

local smc = {
  spawn = task.spawn, all = task.all, race = task.race, sleep = task.sleep, timeout = task.timeout,
  now = task.now, wall = task.wall,
}

local lazy = {
  http = function() return require "smc.http" end,
  ws = function() return require "smc.ws" end,
  sign = function() return require "smc.sign" end,
  decimal = function() return require "smc.decimal" end,
  histogram = function() return require "smc.histogram" end,
  json = function() return require "smc.json" end,
  venue = function() return require("smc.venue").open end,
  sandbox = function() return require("smc.sandbox").open end,
  breaker = function() return require("smc.breaker").new end,
  limiter = function() return require("smc.limiter").new end,
  retry = function() return require("smc.retry").new end,
  health = function() return require("smc.health").new end,
  risk = function() return require("smc.risk").new end,
  webhook = function() return require("smc.webhook").open end,
  failover = function() return require("smc.failover").new end,
  load = function() return require("smc.load").run end,
  process = function() return require("smc.process").start end,
  tmp = function() return require("smc.tmp").folder end,
  dialect = function() return require "smc.dialect" end,
  secret = function() return require("smc.sign").secret end,
}

return setmetatable(smc, {
  __names = { lazy },
  __index = function(t, key)
    local load_part = lazy[key]
    if not load_part then
      error(("smc.%s does not exist"):format(tostring(key)), 2)
    end
    local part = load_part()
    rawset(t, key, part)
    return part
  end,
})
