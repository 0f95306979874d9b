--- Signatures and secrets for scenarios.  A secret goes in and never comes out again: not into Lua, not into a log.

local core = require "smc.core.sign"
local rng = require "smc.core.rng"
local world = require "smc.world"

local M = { secret = {} }

--- A secret handle of a text of your own.
function M.secret.from(text)
  return core.secret(text)
end

--- A secret that nobody knows: for proving that a wrong one is refused.  The same seed draws the same one.
function M.secret.random()
  local w = world.current("smc.secret.random")
  w.secrets = w.secrets or rng.new(w.seed, "secrets")
  return core.random_secret(w.secrets)
end

--- A signing key.  kind: "hmac" (hex out), "rsa" or "ed25519" (PEM in, base64 out); key:sign(payload) -> signature.
function M.key(kind, material)
  return core.key(kind, material)
end

--- Whether a signature belongs to a payload.  material: the secret of an HMAC, else the public key as PEM.
function M.verify(kind, material, payload, signature)
  return core.verify(kind, material, payload, signature)
end

return M
