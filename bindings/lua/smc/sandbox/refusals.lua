--- How a venue says no, from a table: by name a code, a literal text (with %s for what varies) and, where it is not the
-- usual one, an HTTP status.  For each row there is a function of that name that makes such a refusal:
-- { name, code, msg, status }.
local M = {}

--- rows: name = { code, text [, status] }.
function M.of(rows, usual_status)
  local made = { rows = rows, usual_status = usual_status }
  for name, row in next, rows do
    local code, text, status = row[1], row[2], row[3] or usual_status
    made[name] = function(...)
      return { name = name, code = code, msg = select("#", ...) > 0 and text:format(...) or text, status = status }
    end
  end
  return made
end

return M
