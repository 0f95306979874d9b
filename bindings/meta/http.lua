---@meta smc.http

---@class smc.HttpOptions
---@field headers? table<string, string>|[string, string][]  a map goes sorted by name, a list as is; framing is ours
---@field bearer? smc.SecretHandle  sent as "Authorization: Bearer ..."; shown nowhere
---@field timeout? number  seconds to the end of the reply, of a stream to the end of its head; default 30
---@field max_body? integer  bytes; default 16 MiB, of a stream no limit
---@field ca? string  trust these certificates (PEM) and no others; default: the system's, of a testnet
---that was moved to this machine SMCRUN_CA_FILE

---@class smc.HttpRequest: smc.HttpOptions
---@field method? string  in upper case; default "GET"
---@field url string  "http://127.0.0.1:20001/path?query"; path and query go out byte for byte
---@field body? string

---@class smc.HttpReply
---@field status integer
---@field headers table<string, string>  names in lower case; values of a repeated name joined by ", "
---@field raw_headers [string, string][]  as they arrived
---@field body string
---@field elapsed number  seconds
---@field reused boolean  a kept connection was used

---A reply whose body is read piece by piece.  It closes itself at its end; one that is left open is a leak.
---@class smc.HttpStream
---@field status integer
---@field headers table<string, string>
---@field raw_headers [string, string][]
---@field reused boolean
local HttpStream = {}

---Waits for more of the body.  What arrived since the last call comes as one piece.
---
---Errors: `timeout` (the stream goes on), `network`, `protocol` (also: more than 16 MiB unread), `cancelled`.
---Raises: another task waits already.  Where: scenario, hook.
---@async
---@param timeout? number  seconds; default 30
---@return string? piece  nil without an error: the body has ended
---@return smc.Error? err
---@source ../smcb_http_stream.c
function HttpStream:recv(timeout) end

---Closes the connection; a task that waits in recv gets an error of class `cancelled`.  Closing twice is fine.
---Where: everywhere.
---@source ../smcb_http_stream.c
function HttpStream:close() end

---HTTP/1.1 below venues: one request, one reply, the bytes as they are.
---
---Only the venues' testnets and loopback can be reached; with the virtual clock only servers of this run.  A request is
---sent at most once, redirects are replies, nothing is decompressed, proxies are ignored, certificates are verified.
---@class smc.http
local http = {}

---Sends a request and waits for the whole reply.  A 4xx or 5xx is a reply, not an error.
---
---Errors, each with `sent` (whether the server may have seen the request): `network`, `timeout`, `protocol`,
---`invalid_request` (code `host_refused`: another host; `invalid_argument`: a malformed URL, method or header).
---Raises: wrong types, unknown options.  Where: scenario, hook.
---@async
---@nodiscard
---@param request smc.HttpRequest
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../smcb_http.c
function http.request(request) end

---See http.request.
---@async
---@nodiscard
---@param url string
---@param options? smc.HttpOptions
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../lua/smc/http.lua
function http.get(url, options) end

---See http.request.
---@async
---@nodiscard
---@param url string
---@param options? smc.HttpOptions
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../lua/smc/http.lua
function http.delete(url, options) end

---See http.request.  No Content-Type is sent unless the options name one.
---@async
---@nodiscard
---@param url string
---@param body? string
---@param options? smc.HttpOptions
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../lua/smc/http.lua
function http.post(url, body, options) end

---See http.post.
---@async
---@nodiscard
---@param url string
---@param body? string
---@param options? smc.HttpOptions
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../lua/smc/http.lua
function http.put(url, body, options) end

---See http.post.
---@async
---@nodiscard
---@param url string
---@param body? string
---@param options? smc.HttpOptions
---@return smc.HttpReply? reply
---@return smc.Error? err
---@source ../lua/smc/http.lua
function http.patch(url, body, options) end

---Sends a request and waits for the head of its reply only.  Errors and raises: see http.request.
---Where: scenario, hook.
---@async
---@nodiscard
---@param request smc.HttpRequest
---@return smc.HttpStream? stream
---@return smc.Error? err
---@source ../smcb_http_stream.c
function http.stream(request) end

return http
