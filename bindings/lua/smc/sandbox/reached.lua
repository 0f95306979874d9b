--- What of the sandboxes somebody has reached: endpoints, streams, filters, errors.  Tests compare it with what the
-- dialects' tables say there is (catalogue.lua).
local M = {}

local marks = {} -- venue -> kind -> name -> how often

local function below(t, key)
  local v = t[key]
  if not v then
    v = {}
    t[key] = v
  end
  return v
end

--- kind: a section of the venue's catalogue; name: its entry there.
function M.mark(venue, kind, name)
  local names = below(below(marks, venue), kind)
  names[name] = (names[name] or 0) + 1
end

--- A refusal was sent.
function M.refused(venue, no)
  M.mark(venue, "errors", no.name)
  local filter = no.msg:match "^Filter failure: (%S+)$"
  if filter then M.mark(venue, "filters", filter) end
end

--- How often each entry of a section was reached, by name.
function M.of(venue, kind) return below(below(marks, venue), kind) end

return M
