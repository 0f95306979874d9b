---@meta smc.sign

---Signatures and secrets.  A secret goes in and never comes out again: not into Lua, not into a transcript, not into a
---core dump.
---@class smc.sign
---@field secret smc.secret
local sign = {}

---@alias smc.KeyKind
---| "hmac"     # HMAC-SHA256, hex in lower case
---| "rsa"      # RSASSA-PKCS1-v1_5 with SHA-256, base64
---| "ed25519"  # Ed25519, base64

---A secret.  It has no methods and no fields; `tostring` gives "smc.secret: ***".
---@class smc.SecretHandle: userdata

---Makes secret handles.
---@class smc.secret
local secret = {}

---Keeps a secret; from now on no transcript shows it, in plain or coded.
---The string that it was made from stays yours.
---
---Raises: shorter than 4 bytes.
---Where: everywhere.
---@nodiscard
---@param text string
---@return smc.SecretHandle? handle
---@return smc.Error? err
---@source ../lua/smc/sign.lua
function secret.from(text) end

---A secret of 64 letters and digits that nobody knows: for proving that a wrong one is refused.
---Drawn from the spec's seed.  Where: scenario, hook.
---@nodiscard
---@return smc.SecretHandle? handle
---@return smc.Error? err
---@source ../lua/smc/sign.lua
function secret.random() end

---A key that signs, or, from the PEM text of a public key, only checks.
---
---Errors: class `auth`, code `bad_key`: no PEM, encrypted, or a key of another kind.
---Raises: an unknown kind; an HMAC secret shorter than 4 bytes.
---Where: everywhere.
---@nodiscard
---@param kind smc.KeyKind
---@param material smc.SecretHandle|string  the secret of an HMAC, else PEM; a string is hidden from transcripts as well
---@return smc.SignKey? key
---@return smc.Error? err
---@source ../smcb_sign.c
function sign.key(kind, material) end

---Whether a signature belongs to a payload: hex in either case for HMAC, else strict base64.
---
---A key or a secret handle is fast; a string is read anew each time.
---Errors: code `bad_key`.  Raises: an unknown kind; a key of another kind.
---Where: everywhere.
---@nodiscard
---@param kind smc.KeyKind
---@param material smc.SignKey|smc.SecretHandle|string
---@param payload string
---@param signature string
---@return boolean? valid
---@return smc.Error? err
---@source ../smcb_sign.c
function sign.verify(kind, material, payload, signature) end

---@class smc.SignKey
local SignKey = {}

---Signs the payload byte for byte.
---
---Errors: code `bad_key`: a public key.
---@nodiscard
---@param payload string
---@return string? signature
---@return smc.Error? err
---@source ../smcb_sign.c
function SignKey:sign(payload) end

return sign
