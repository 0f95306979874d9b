--- How Binance says no: an HTTP status, a code and a literal text.
-- A refusal is a plain table { status, code, msg, data }; handlers return `nil, refusal`.
local M = {}

function M.new(code, msg, status, data)
  return { status = status or 400, code = code, msg = msg, data = data }
end

local new = M.new

function M.missing(name)
  return new(-1102, ("Mandatory parameter '%s' was not sent, was empty/null, or malformed."):format(name))
end

function M.missing_both(one, other)
  return new(-1102, ("Param '%s' or '%s' must be sent, but both were empty/null!"):format(one, other))
end

function M.empty(name)
  return new(-1105, ("Parameter '%s' was empty."):format(name))
end

function M.not_required(name)
  return new(-1106, ("Parameter '%s' sent when not required."):format(name))
end

function M.illegal(name, range)
  return new(-1100, ("Illegal characters found in parameter '%s'; legal range is '%s'."):format(name, range))
end

function M.overflow(name)
  return new(-1108, ("Parameter '%s' overflowed."):format(name))
end

function M.precision(name)
  return new(-1111, ("Parameter '%s' has too much precision."):format(name))
end

function M.invalid(name)
  return new(-1130, ("Data sent for parameter '%s' is not valid."):format(name))
end

function M.bad_json(name)
  return new(-1135, ("JSON sent for parameter '%s' is not valid"):format(name))
end

function M.filter(name)
  return new(-1013, "Filter failure: " .. name)
end

--- A filter that only the matching engine can judge: counts and positions.
function M.engine_filter(name)
  return new(-2010, "Filter failure: " .. name)
end

function M.rejected(msg)
  return new(-2010, msg)
end

function M.unsupported(kind)
  return new(-2010, kind .. " orders are not supported for this symbol.")
end

function M.bad_combination()
  return new(-1128, "Combination of optional parameters invalid.")
end

function M.invalid_symbol()
  return new(-1121, "Invalid symbol.")
end

function M.unknown_order()
  return new(-2011, "Unknown order sent.")
end

function M.no_such_order()
  return new(-2013, "Order does not exist.")
end

function M.bad_key_format()
  return new(-2014, "API-key format invalid.", 401)
end

function M.bad_key()
  return new(-2015, "Invalid API-key, IP, or permissions for action.", 401)
end

function M.bad_signature()
  return new(-1022, "Signature for this request is not valid.")
end

return M
