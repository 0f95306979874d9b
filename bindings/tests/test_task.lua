-- Tasks, waits and time: who runs when, what a join gives back, what misuse says.
local smc = require "smc"

describe("smc.sleep", function()
  it("takes exactly its time on the clock", function()
    local start, wall = smc.now(), smc.wall()

    smc.sleep(60)

    assert.near(60, smc.now() - start, 0.5)
    assert.near(60000, smc.wall() - wall, 500)
  end)

  it("wakes sleepers by time, and those of one instant in the order they slept", function()
    local order = {}
    local function sleeper(name, seconds)
      return function()
        smc.sleep(seconds)
        order[#order + 1] = name
      end
    end

    smc.all { sleeper("c", 0.3), sleeper("a", 0.1), sleeper("b", 0.1) }

    assert.same({ "a", "b", "c" }, order)
  end)

  it("lets time pass however little it is, so that a loop which waits for an instant ends", function()
    for _, little in ipairs { 1e-14, 1e-9, 0.0004 } do
      local start = smc.now()
      smc.sleep(little)
      assert.is_true(smc.now() > start)
    end
    local instant = smc.now()
    smc.sleep(0)
    assert.near(instant, smc.now(), 0.5)
  end)

  it("refuses what is no duration", function()
    for _, bad in ipairs { -1, 0 / 0, math.huge, "x", {} } do
      assert.has_error(function() smc.sleep(bad) end)
    end
  end)
end)

describe("task", function()
  it("gives its results to everyone who joins it, nils included", function()
    local task = smc.spawn(function()
      smc.sleep(1)
      return 1, nil, 3
    end)

    local first = table.pack(task:join())
    local second = table.pack(task:join())

    assert.same({ 1, nil, 3, n = 3 }, first)
    assert.same(first, second)
    assert.equal("done", task:status())
  end)

  it("gets the arguments of spawn", function()
    local task = smc.spawn(function(a, b) return b, a end, "x", "y")
    assert.same({ "y", "x" }, { task:join() })
  end)

  it("gets as many arguments, and gives as many results, as there are", function()
    local many = {}
    for i = 1, 3000 do many[i] = i end

    local got = table.pack(smc.spawn(function(...) return ... end, table.unpack(many)):join())

    assert.equal(3000, got.n)
    assert.equal(3000, got[3000])
  end)

  it("is nobody's to resume or close but the scheduler's", function()
    local thread
    local task = smc.spawn(function()
      thread = coroutine.running()
      smc.sleep(1)
      return smc.now()
    end)
    smc.sleep(0.5)
    local start = smc.now()

    local _, resumed = pcall(coroutine.resume, thread)
    local _, closed = pcall(coroutine.close, thread)

    assert.matches("not yours to resume", resumed)
    assert.matches("not yours to resume", closed)
    assert.near(0.5, task:join() - start, 0.1)
    assert.is_false(pcall(coroutine.resume, thread))
    assert.is_true(coroutine.resume(coroutine.create(function() end)))
    assert.is_true(coroutine.close(coroutine.create(function() end)))
  end)

  it("raises its error, unchanged, in whoever joins it", function()
    local thrown = setmetatable({}, { __tostring = function() return "mine" end })
    local task = smc.spawn(function() error(thrown) end)

    local ok, err = pcall(task.join, task)

    assert.is_false(ok)
    assert.is_true(rawequal(thrown, err))
    assert.equal("failed", task:status())
  end)

  it("that is cancelled closes its <close> variables and tells its joiners", function()
    local closed = 0
    local task = smc.spawn(function()
      local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
      smc.sleep(1000)
    end)
    smc.sleep(1)

    task:cancel()
    local result, err = task:join()

    assert.equal(1, closed)
    assert.is_nil(result)
    assert.equal("cancelled", err.class)
    assert.equal("cancelled", task:status())
  end)

  it("cancelled twice, or after its end, stays as it was", function()
    local done = smc.spawn(function() return 7 end)
    assert.equal(7, done:join())
    done:cancel()
    assert.equal(7, done:join())
  end)

  it("held by <close> ends with its block", function()
    local task
    do
      local t <close> = smc.spawn(function() smc.sleep(1000) end)
      task = t
      assert.equal("running", t:status())
    end
    assert.equal("cancelled", task:status())
  end)

  it("can be waited for with a limit", function()
    local task <close> = smc.spawn(function() smc.sleep(10) end)
    local start = smc.now()

    local result, err = task:join(2)

    assert.is_nil(result)
    assert.equal("timeout", err.class)
    assert.near(2, smc.now() - start, 0.5)
  end)

  it("refuses to wait for itself and to cancel itself", function()
    local own
    own = smc.spawn(function()
      smc.sleep(0)
      return pcall(own.join, own), pcall(own.cancel, own)
    end)
    local joined, cancelled = own:join()
    assert.is_false(joined)
    assert.is_false(cancelled)
  end)

  it("may end while many wait for it", function()
    local slow = smc.spawn(function()
      smc.sleep(5)
      return "done"
    end)
    local results = smc.all(50, function() return (slow:join()) end)
    assert.equal(50, #results)
    for _, result in ipairs(results) do assert.equal("done", result) end
  end)
end)

describe("smc.all", function()
  it("keeps the order of its functions, not of their ends", function()
    assert.same({ "slow", "fast" }, smc.all {
      function() smc.sleep(2) return "slow" end,
      function() smc.sleep(1) return "fast" end,
    })
  end)

  it("ends the others at the first error and raises it", function()
    local reached = false
    local ok, err = pcall(smc.all, {
      function() smc.sleep(5) reached = true end,
      function() smc.sleep(1) error("first", 0) end,
    })
    smc.sleep(10)
    assert.is_false(ok)
    assert.equal("first", err)
    assert.is_false(reached)
  end)

  it("refuses an empty list", function()
    assert.has_error(function() smc.all {} end)
  end)
end)

describe("smc.race", function()
  it("gives the first one's index and results and ends the others", function()
    local late = false
    local index, result = smc.race {
      function() smc.sleep(2) late = true end,
      function() smc.sleep(1) return "quick" end,
    }
    smc.sleep(5)
    assert.equal(2, index)
    assert.equal("quick", result)
    assert.is_false(late)
  end)
end)

describe("smc.timeout", function()
  it("returns what came in time", function()
    assert.equal("in time", (smc.timeout(5, function() smc.sleep(1) return "in time" end)))
  end)

  it("ends what took too long, with an error of class timeout", function()
    local late = false
    local result, err = smc.timeout(1, function() smc.sleep(2) late = true end)
    smc.sleep(5)
    assert.is_nil(result)
    assert.equal("smc.timeout: timeout: not done within 1 s", tostring(err))
    assert.equal("timeout", err.class)
    assert.is_false(late)
  end)
end)

describe("tasks of smc.all, smc.race and smc.timeout", function()
  it("end with whoever waits for them", function()
    local woke = 0
    local function slow()
      smc.sleep(10)
      woke = woke + 1
    end
    local waiters = {
      function() smc.all(2, slow) end,
      function() smc.race(2, slow) end,
      function() smc.timeout(30, slow) end,
    }
    for _, waiter in ipairs(waiters) do
      local task = smc.spawn(waiter)
      smc.sleep(1)
      task:cancel()
    end

    smc.sleep(20)

    assert.equal(0, woke)
  end)
end)

describe("wrong use of tasks", function()
  it("is blamed on the line that did it", function()
    local done = smc.spawn(function() end)
    local self
    local wrong = {
      { "join: called with a dot", function() local _ = done.join({}) end },
      { "cancel: called with a dot", function() done.cancel(3) end },
      { "seconds must be", function() local _ = done:join("x") end },
      { "seconds must be", function() local _ = smc.timeout(0 / 0, print) end },
      { "a function expected", function() local _ = smc.timeout(3, 3) end },
      { "a function expected", function() local _ = smc.all { print, 3 } end },
      { "list of functions", function() local _ = smc.race "x" end },
      { "wait for itself", function() self:join() end },
      { "cancel itself", function() self:cancel() end },
      { "not inside it", function() it("x", function() end) end },
      { "not inside it", function() before_each(function() end) end },
    }
    for _, case in ipairs(wrong) do
      self = smc.spawn(case[2])
      local ok, message = pcall(self.join, self)
      assert.is_false(ok)
      assert.matches("test_task.lua:%d+: .*" .. case[1], message)
    end
  end)
end)

describe("waiting", function()
  it("works inside pcall, metamethods and iterators", function()
    local lazy = setmetatable({}, { __index = function() smc.sleep(1) return 7 end })
    local function ticks(_, n)
      smc.sleep(1)
      if n < 3 then return n + 1 end
    end
    local start, count = smc.now(), 0

    assert.is_true(pcall(smc.sleep, 1))
    assert.equal(7, lazy.x)
    for _ in ticks, nil, 0 do count = count + 1 end

    assert.equal(3, count)
    assert.near(6, smc.now() - start, 0.5)
  end)

  it("is refused, each with its own words, where nobody could resume it", function()
    local _, in_coroutine = pcall(coroutine.wrap(function() smc.sleep(1) end))
    local _, in_sort = pcall(table.sort, { 3, 2, 1 }, function(a, b)
      smc.sleep(1)
      return a < b
    end)

    assert.matches("smc.spawn", in_coroutine, 1, true)
    assert.matches("C callback", in_sort, 1, true)
  end)
end)

describe("time-outs under many tasks", function()
  it("never lose or double a wake-up", function()
    local woken = 0
    smc.all(500, function(i)
      for round = 1, 10 do
        smc.sleep((i * 7 + round * 13) % 50 / 100)
        woken = woken + 1
      end
    end)
    assert.equal(5000, woken)
  end)
end)

describe("a task that waits", function()
  local function kib()
    for _ = 1, 3 do collectgarbage() end -- what has a finalizer goes in the next round
    return collectgarbage "count"
  end

  it("takes less than 4 KiB", function()
    local n, tasks, before = 1000, {}, kib()
    local function sleep() smc.sleep(1) end
    for i = 1, n do tasks[i] = smc.spawn(sleep) end
    smc.sleep(0.5)
    local each = (kib() - before) / n
    assert.is_true(each > 0.5 and each < 4, ("%.2f KiB"):format(each))
    for _, task in ipairs(tasks) do task:join() end
  end)
end)

describe("a task of the world", function()
  local core = require "smc.core.task"
  local ended = {}

  --- Sleeps for ever, and says when it is ended.
  local function sleeper(name)
    return function()
      local _ <close> = setmetatable({}, { __close = function() ended[#ended + 1] = name end })
      while true do smc.sleep(1) end
    end
  end

  it("may outlive its spec, as may what it starts and opens", function()
    core.as_world(core.spawn, function()
      assert(require("smc.core.server").listen { on_request = function() end })
      smc.spawn(sleeper "child")
      sleeper "parent" ()
    end)
    smc.sleep(0.5)
    assert.same({}, ended)
  end)

  teardown(function() assert.same({ "parent", "child" }, ended) end) -- they ended with it
end)
