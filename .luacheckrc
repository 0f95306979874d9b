-- Our Lua is 5.4 and makes no globals.  The words of a scenario are globals of scenario files and of their tests.
std = "lua54"
max_line_length = 120
unused_args = false
self = false

local words = {
  "describe", "it", "pending", "xfail", "before_each", "after_each", "setup", "teardown", "finally", "insulate",
  "eventually", "assert",
}
for _, folder in ipairs { "scenarios", "bindings/tests", "runner/tests", "runner/bench" } do
  files[folder] = { read_globals = words }
end
-- The API reference declares functions and never fills them.
files["bindings/meta"] = { ignore = { "211", "241" }, globals = words }
