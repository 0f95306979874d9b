---@meta smc.spec

---The words of a scenario file.  While the file loads it only declares; I/O is refused then.

---Groups specs.  `#tag` in a name is a tag of all specs below.  Where: while loading.
---@param name string
---@param fn fun()
function describe(name, fn) end

---As describe: every file has a Lua state, and every spec a world, of its own anyway.
---@param name string
---@param fn fun()
function insulate(name, fn) end

---Declares a spec.  It runs as a task in a fresh world; it must check something, and end what it started.
---@param name string  unique within its block
---@param fn async fun()
function it(name, fn) end

---Declares a spec that is skipped; inside it(), skips the rest of the running one.
---@param name string  or the reason
---@param fn? fun()
function pending(name, fn) end

---Declares a spec that is expected to fail: its failed assertion, or its time that runs out, is the verdict xfail, and
---counts as passed; when it passes, that fails the run.  An error in the script is an error, as everywhere.
---Inside it(): the running spec is expected to fail, and why: `if name == "bybit" then xfail "issue 12" end`.
---@param name string  or the reason
---@param fn? async fun()
function xfail(name, fn) end

---Runs before each spec of the block and of those inside, outermost first, in the spec's own task.
---@param fn async fun()
function before_each(fn) end

---Runs after each spec, innermost first, however the spec ended.
---@param fn async fun()
function after_each(fn) end

---Runs once, before the first spec of the block that is not left out, in a world of its own: a venue opened here does
---not reach the specs.  When it fails, none of the block's specs is run: each ends as an error, of the kind "setup",
---with what setup said and its transcript.  What is skipped in it (pending) skips them all.
---@param fn async fun()
function setup(fn) end

---Runs once, after the last spec of the block, whatever became of its setup.  Its failure is one of the file.
---@param fn async fun()
function teardown(fn) end

---Inside it(): runs at the end of the spec, however it ends, last registered first.
---@param fn async fun()
function finally(fn) end

---Retries fn until it raises no failed assertion; then returns what it returned.
---Raises: the last failure when `within`, or the time of the spec, has passed; at once, an error that is no failure.
---@async
---@param fn async fun(): ...
---@param options? {within: number?, every: number?}  seconds; 5 and 0.1 when missing
---@return any ...
function eventually(fn, options) end
