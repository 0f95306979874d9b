--- Signatures and secrets for scenarios.  A secret goes in and never comes out again: not into Lua, not into a log.

local core = require "smc.core.sign"
local rng = require "smc.core.rng"
local world = require "smc.world"

-- The functions of C stand here as they are, so that wrong use is blamed on the scenario's own line.
local M = {
  --- A signing key.  kind: "hmac" (hex out), "rsa" or "ed25519" (PEM in, base64 out); key:sign(payload) -> signature.
  key = core.key,
  --- Whether a signature belongs to a payload.  material: the secret of an HMAC, else the public key as PEM.
  verify = core.verify,
  --- from(text): a secret handle of a text of your own.
  secret = { from = core.secret },
}

--- A secret that nobody knows: for proving that a wrong one is refused.  The same seed draws the same one.
function M.secret.random()
  local w = world.current("smc.secret.random")
  w.secrets = w.secrets or rng.new(w.seed, "secrets")
  return core.random_secret(w.secrets)
end

return M
