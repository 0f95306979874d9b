--- Suites: the paths, from this folder on, that `smcrun --suite NAME` runs.  Add your own.
-- A path is what smcrun takes: a folder, a file, a quoted glob, "file.lua:LINE", a spec's id.  `filter` is an
-- expression as that of -k: smoke = { "connection", filter = "not #virtual-time" }

return {
  basic = { "connection" },
  ["rate-limiting"] = { "rate_limiting" },
  ["error-handling"] = { "error_handling" },
  ["circuit-breaker"] = { "circuit_breaker" },
  failover = { "failover" },
  agent = { "agent" }, -- programs under test: wants --allow-process; without it they are skipped, here and in full
  performance = { "performance" },
  full = { "." },
}
