---@meta smc.json

---Reads and writes JSON without changing a value: integers are exact over 64 bits, numbers with a fraction or an
---exponent are floats, key order is the one declared, and what is not JSON is refused.
---@class smc.json
---@field null lightuserdata  JSON null, the same value as `cjson.null`; it is true in a condition
local json = {}

---@class smc.json.Array  a table that is written as `[...]` even when it is empty
---@class smc.json.Object  an opaque object with a declared key order
---@class smc.json.Raw  ready JSON text

---Reads one JSON value.  An array comes with the marker of `json.array`, an object is a plain table.
---
---Errors: class `protocol`, code `parse`, with line and column: text that is not JSON, invalid UTF-8, a duplicate key,
---a key that holds U+0000, an integer beyond 64 bits, a number beyond a double, more than 100 levels, anything behind
---the value.
---@nodiscard
---@param text string
---@return any value  `json.null` for null
---@return smc.Error? err
---@source ../smcb_json.c
function json.decode(text) end

---Writes one value.
---
---A table with a marker is written as the marker says; a table that holds only positions 1..n is an array; any other is
---an object whose keys are sorted by their bytes.  Floats are the shortest text that reads back the same and always
---look like floats.  Strings are escaped only where JSON demands it.
---
---Raises, with the path to the value: nil, a function, a number that is not finite, a string that is not UTF-8, a list
---with holes, a table with names and positions, more than 100 levels (so also a table that holds itself).
---@nodiscard
---@param value any
---@return string text
---@source ../smcb_json_write.c
function json.encode(value) end

---Marks a table as an array, in place.  With a field `n` (as `table.pack` makes) the array has that length and what is
---missing is null.
---
---Raises: a table that has another metatable.
---@param list? table  default: a new, empty one
---@return smc.json.Array
---@source ../smcb_json.c
function json.array(list) end

---Makes an object whose keys are written in the order given: `json.object("a", 1, "b", 2)`, the faster form, or
---`json.object{{"a", 1}, {"b", 2}}`.  A nil value leaves its key out.
---
---Raises: a key that is not a string, a key without a value.  Whether keys are distinct is not checked.
---@param ... any
---@return smc.json.Object
---@source ../smcb_json.c
function json.object(...) end

---Embeds text that is JSON already, as it is: `json.raw "0.10"`.  It is not checked.
---@param text string
---@return smc.json.Raw
---@source ../smcb_json.c
function json.raw(text) end

---The function that makes JSON of records: always the same names in the same order, and as `json.raw`.
---
---An item is `{ name, key }`: the name on the wire, and the key in the record.  Where the record has none, an item
---`{ name, key, inner, field, form }` takes `record[inner][field]`, or the result of `field(record[inner], record)`, in
---its form: a number of decimals ("0.5" with 8 is "0.50000000"; more are cut off), or "upper".  nil is left out.
---
---By name an item may have `needs`, a field of the inner record without which (nil or "") there is no value; `plus`,
---the key of an integer of the record that is added to an integer; `default`, an integer or a string
---in place of no value; `each`, the shape that makes an array of the record's value where that is a list of C records.
---
---Inner records may also be C records of the engine; of a list of those a shape makes an array.
---
---Raises: a name with quotes or backslashes, an unknown form, an `each` that is no shape, a function without an inner
---record, more than 64 items.
---@param items any[][]
---@return fun(record: table): smc.json.Raw
---@source ../smcb_json_shape.c
function json.shape(items) end

return json
