---@meta smc.ws

---@class smc.ws
---WebSocket connections below venues.  Only the venues' testnets and loopback can be reached.
local ws = {}

---@class smc.WsOptions
---@field headers? table<string, string>|string[][]  extra ones for the upgrade request: by name, or a list as it comes
---@field timeout? number  seconds to connect and upgrade, default 10
---@field protocol? string  subprotocols to offer, comma-separated
---@field deflate? boolean  offers permessage-deflate
---@field ca? string  trust this one certificate (PEM) and no other; default: the system's, of a testnet that was
---moved to this machine SMCRUN_CA_FILE
---@field max_queue? integer  messages that wait to be read, default 1000; then the server meets back-pressure

---Connects and upgrades; waits until the connection is open.
---A connection that is still open at the end of its spec is a leak and fails the spec;
---`local c <close> = ...` drops it.
---
---Errors: `network`, `timeout`; `protocol` when the upgrade is refused (err.sys is the HTTP status); `invalid_request`
---(URL, header, a host that is not allowed).
---Raises: bad options.  Where: scenario, hook.  Spec: RFC 6455 4, RFC 7692.
---@async
---@nodiscard
---@param url string  "ws://" or "wss://"
---@param options? smc.WsOptions
---@return smc.Ws? connection
---@return smc.Error? err
function ws.connect(url, options) end

---@class smc.WsMessage
---@field data string
---@field binary boolean

---@class smc.WsError: smc.Error
---@field close_code integer?  once the connection is gone: as smc.Ws.close_code
---@field reason string?  of the server's Close frame

---@class smc.Ws
---@field is_open boolean  false once it is gone
---@field heard number  smc.now() when a message or a pong last arrived, read or not; at first when it opened
---@field protocol string  the subprotocol that the server chose, "" if none
---@field close_code integer?  once it is gone: the server's; 1005 it gave none, 1006 no Close frame came
local Ws = {}

---Sends one message.  When too much is queued already, waits until there is room.
---
---Errors: `network` when it is closed, `timeout` when no room came.  Raises: bad argument; having to wait where that
---can't be.  Where: scenario, hook.
---@async
---@param data string  text must be UTF-8
---@param options? { binary?: boolean, timeout?: number }
---@return true? sent
---@return smc.WsError? err
function Ws:send(data, options) end

---Returns the next message; waits when there is none.
---
---Errors: `timeout`; code `closed` when the connection was closed and every message read; code `reset` when it ended
---without a Close frame.  Where: scenario, hook.
---@async
---@nodiscard
---@param timeout? number  seconds, default 30
---@return smc.WsMessage? message
---@return smc.WsError? err
function Ws:recv(timeout) end

---Sends a ping and waits for the pong that carries the same payload; with a timeout of 0 it only sends.
---
---Errors: `timeout`, `network`.  Where: scenario, hook.
---@async
---@param payload? string  at most 125 bytes; when missing one that was not used before
---@param timeout? number  seconds, default 30
---@return number? seconds  from ping to pong
---@return smc.WsError? err
function Ws:ping(payload, timeout) end

---Closes: sends what is queued and a Close frame, waits for the answer.  Messages that came before it can still be
---read.
---Once closed it says again how.
---
---Errors: `timeout` when no answer came within 5 s; code `reset`.  Raises: a code that may not be sent (1000..1003,
---1007..1011, 3000..4999 may), a reason longer than 123 bytes.  Where: scenario, hook.
---@async
---@param code? integer  default 1000
---@param reason? string
---@return integer? code  of the server's Close frame
---@return string|smc.WsError reason
function Ws:close(code, reason) end
