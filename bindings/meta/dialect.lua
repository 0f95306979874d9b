---@meta smc.dialect

---Venues of one's own.  `smc.venue "NAME"` finds the client half in venue/NAME.lua and the server half in
---sandbox/NAME.lua, both beside the scenario; each returns what is made here.
---@class smc.dialect
local dialect = {}

---A request before it is sent.  GET and DELETE carry their parameters as a query, everything else as JSON.
---@class smc.dialect.Asked
---@field method string
---@field path string
---@field params table
---@field bytes string  the query or the body, exactly as it will be sent; sign may replace it
---@field headers table<string, string>  sign adds to them

---Who signs.
---@class smc.dialect.Signer
---@field key string  the account's API key
---@field now integer  ms since the Unix epoch, by the venue's clock as far as sync() has measured it
---@field sign fun(payload: string): string  with the account's secret

---@class smc.dialect.VenueDef
---@field name string
---@field sign fun(asked: smc.dialect.Asked, who: smc.dialect.Signer)
---@field testnet? string  origin of its public test venue; the host policy refuses hosts that it does not know
---@field credentials? { key: string, secret: string }  the variables that hold them
---@field symbols? string[]  some that are always there
---@field refused? fun(answer: table): any, string  code and message of an answer that says no
---@field limits? table<string, smc.BudgetOptions>  what its clients wait for: each request costs one of each
---@field class_of? fun(http: integer, code: any, message: string): smc.ErrorClass?  nil: by the HTTP status

---@class smc.dialect.VenueHalf
---@field calls table  the calls of the venue are added here, as methods; they have
---`self:ask(op, method, path, params, { signed?, mutation? })` -> answer, headers | nil, err

---The client half.  Raises: a key that is unknown, missing or of another type; a testnet without credentials.
---Where: the file venue/NAME.lua.
---@param def smc.dialect.VenueDef
---@return smc.dialect.VenueHalf
---@source ../lua/smc/dialect.lua
function dialect.venue(def) end

---Raises at the line that called place when what place was given is wrong.
---@param given smc.PlaceRequest
---@param types table<string, any>  the order types that the venue has, as keys
---@param positions? boolean  reduce_only means something here
---@source ../lua/smc/venue/client.lua
function dialect.check_place(given, types, positions) end

---Raises two lines up when `given` does not name one order.
---@param what string
---@param given { symbol: string, id?: string|integer, client_id?: string }
---@source ../lua/smc/venue/client.lua
function dialect.check_one(what, given) end

---@class smc.dialect.Call
---@field method string
---@field path string
---@field query table<string, string>  decoded
---@field raw_query string  as it arrived
---@field body any  decoded JSON; nil without a body
---@field raw_body string
---@field account integer?  of a signed request
---@field key table?
---@field header fun(name: string): string?

---@class smc.dialect.Route
---@field signed? boolean  identify is asked first
---@field handle fun(sb: table, call: smc.dialect.Call): any, table?  a value to send as JSON, or nil and
---{ status, .. }

---@class smc.dialect.SandboxDef
---@field name string
---@field symbols { name: string, base: string, quote: string, tick: string, step: string, start: string }[]
---@field routes table<string, smc.dialect.Route>  by method and path, as "GET /time"
---@field identify? fun(sb: table, call: smc.dialect.Call): table?, table?  a record of sb.keys, or nil and
---{ status, .. }
---@field refuse? fun(no: table): table  the body of an answer that says no
---@field assume? table<string, any>  switches, with their values; commission_bps is always there
---@field funds? [string, string][]  what each account owns at the start

---The server half.  What handlers get as sb: `market` (the engine: core/market/README.md), `keys` by name, `by_name`
---and `by_symbol`, `assume`, `now()`.  Raises: a key that is unknown, missing or of another type,
---also in symbols, funds and routes.  Where: the file sandbox/NAME.lua.
---@param def smc.dialect.SandboxDef
---@return table half
---@source ../lua/smc/dialect.lua
function dialect.sandbox(def) end
