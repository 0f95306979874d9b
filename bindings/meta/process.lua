---@meta smc.process

---What `smc.process` is given: the words of the command line, one behind the other, and these.
---@class smc.ProcessOptions
---@field [integer] string  the program, looked for in PATH unless it has a slash, and its arguments
---@field env? table<string, string|number>  beside PATH, HOME and LANG of smcrun, and PYTHONUNBUFFERED=1, which is all
---that it has otherwise; a secret handle is refused
---@field cwd? string  the folder in which it starts, as seen from the scenario's; default: the scenario's own
---@field stdin? string|true  all of its standard input, or what Process:write is given; default: empty
---@field name? string  what transcripts and errors call it; default: the file name of the program
---@field grace? number  seconds between SIGTERM and SIGKILL when it is stopped or goes out of scope, default 2

---@class smc.ProcessExit
---@field status integer?  its exit status
---@field signal string?  the signal that ended it, "TERM"; then it has no status

---A program under test.  It has a process group of its own, no descriptors but 0, 1 and 2, and is not confined: it may
---do what the user may.  What it prints is in the transcript, redacted: `|` standard output, `!` standard error.
---One that still runs at the end of its spec is a leak, and is killed; `local p <close> = ..` stops it before.
---Whatever it has started and left in its group is killed with it, and so is all of it when smcrun itself is killed.
---@class smc.Process
---@field name string
---@field pid integer
---@field running boolean
---@field exit smc.ProcessExit?  nil while it runs
local Process = {}

---What it has printed so far, in the order in which it came; the last 20000 lines, or 8 MiB.
---Raises: another stream.
---@param stream? "stdout"|"stderr"  default: both
---@return string[] lines
function Process:lines(stream) end

---Waits for a line that matches, behind the one that was waited for before.
---
---Errors: `timeout`; code `closed` when it ended without.  Both show its last lines.  Raises: a malformed pattern.
---Where: scenario, hook.
---@async
---@param pattern string  of Lua: "^ready on (%d+)"
---@param options? { within?: number, stream?: "stdout"|"stderr" }  seconds, default 10
---@return string? line
---@return smc.Error|string ...  what the pattern has captured
function Process:wait_for(pattern, options) end

---Waits for its end.  Errors: `timeout`.  Where: scenario, hook.
---@async
---@param options? { within?: number }  seconds, default 10
---@return smc.ProcessExit? exit
---@return smc.Error? err
function Process:wait(options) end

---Queues bytes for its standard input.  Errors: code `closed`; `would_block` when 16 MiB are not read yet.
---Raises: it was started without `stdin = true`.
---@param text string
---@return true? written
---@return smc.Error? err
function Process:write(text) end

---Its standard input ends behind what was written.
function Process:close_stdin() end

---Sends a signal to the program, not to what it has started.  Errors: code `closed` when it has ended.
---Raises: no such signal.
---@param name string  "TERM", "INT", "USR1", ..
---@return true? sent
---@return smc.Error? err
function Process:signal(name) end

---Asks the program and what it has started to end (SIGTERM), waits, and kills what is left (SIGKILL).
---Where: scenario, hook.
---@async
---@param options? { grace?: number }  seconds, default: what smc.process was given
---@return smc.ProcessExit exit
function Process:stop(options) end

---Kills the program and what it has started.  They are gone when this returns.
function Process:kill() end
