--- What befalls the connections of one sandbox: the link faults that are in force (link_faults.lua), and whom they hit.
local faults = require "smc.sandbox.link_faults"
local task = require "smc.core.task"
local timeline = require "smc.timeline"

local M = {}
local Links = {}
Links.__index = Links

--- door: the front door: name, ops, server, meets(fault, request), is_down(), and what is known of the venue: tls,
-- served.
function M.new(door)
  return setmetatable({ door = door, faults = {}, aimed = 0 }, Links)
end

-- ---- beginning and ending --------------------------------------------------------------

local function toxic_of(fault)
  local toxic = faults.table[fault.name].toxic(fault.values)
  toxic.kind, toxic.stream, toxic.aimed = fault.name, fault.stream, fault.aimed
  toxic.toxicity, toxic.count = fault.values.toxicity, fault.values.count
  return toxic
end

--- How often a switch of that name is on.
local function count_on(self, name)
  local n = 0
  for _, fault in ipairs(self.faults) do
    if fault.name == name and fault.began and not fault.id then n = n + 1 end
  end
  return n
end

local function turn(self, fault, on)
  if not on and count_on(self, fault.name) > 0 then return true end
  if not on and fault.name == "down" and self.door:is_down() then return true end
  return faults.table[fault.name].switch(self.door.server, on)
end

local function begin(self, fault)
  local server = self.door.server
  fault.began = true
  fault.mark = timeline.fault(self.door.name, "link", fault.name, fault.given.on or fault.given.path)
  if not faults.table[fault.name].toxic then
    fault.committed = 1
    return turn(self, fault, true)
  end
  local err
  fault.id, err = server:add_toxic(toxic_of(fault))
  if not fault.id then return nil, err end
  if fault.aimed then
    self.aimed = self.aimed + 1
    for _, request in ipairs(server:busy()) do
      if self.door.meets(fault, request) then server:aim(request.connection, fault.id, true) end
    end
  end
  return true
end

--- Returns true; nil and why it cannot end.
local function finish(self, fault)
  if fault.timer then fault.timer:cancel() end
  fault.timer = nil
  if not fault.began then return true end
  fault.began = false
  timeline.ended(fault.mark)
  if fault.id then
    self.door.server:remove_toxic(fault.id)
    if fault.aimed then self.aimed = self.aimed - 1 end
    return true
  end
  local ok, err = turn(self, fault, false)
  if not ok then fault.began = true end
  return ok, err
end

local function remove(self, fault)
  for i, each in ipairs(self.faults) do
    if each == fault then return table.remove(self.faults, i) end
  end
end

local function ms(seconds) return math.floor(seconds * 1000 + 0.5) end

--- Ends by itself; a port that was taken meanwhile leaves it in force, where faults() shows it.
local function end_later(self, fault)
  if not fault.values["for"] then return end
  fault.timer = task.after(ms(fault.values["for"]), function()
    fault.timer = nil
    if finish(self, fault) then remove(self, fault) end
  end)
end

-- ---- what doors call --------------------------------------------------------------------

local function refusal(self, name)
  local fault = faults.table[name]
  if fault.needs_tls and not self.door.tls then
    return ("%s: this venue speaks plaintext; %s"):format(name, self.door.served and "start smcrun serve with --tls"
      or "open one with TLS: smc.sandbox(name, { tls = true })")
  end
  if fault.clients and self.door.served then
    return name .. ": clients of smcrun serve look names up themselves; use down"
  end
end

--- From now on, or later, the fault acts.  acts: one that would do nothing is refused; a toxic of Toxiproxy's may begin
-- like that.  Returns the fault, or nil and what is wrong with it.
function Links:add(given, acts)
  local fault, wrong = faults.read(given, self.door.ops)
  wrong = wrong or acts and faults.idle(given) or refusal(self, fault.name)
  if wrong then return nil, wrong end
  fault.on = given.on and self.door.ops[given.on]
  fault.path, fault.method, fault.left = given.path, given.method and given.method:upper(), math.huge
  self.faults[#self.faults + 1] = fault
  local function start()
    fault.timer = nil
    local ok, err = begin(self, fault)
    if not ok then
      remove(self, fault)
      return nil, tostring(err)
    end
    end_later(self, fault)
    return fault
  end
  if fault.values.after == 0 then return start() end
  fault.timer = task.after(ms(fault.values.after), function() start() end)
  return fault
end

--- Changes the numbers of one that acts on bytes: values by name.  Returns true, or nil and what is wrong.
function Links:change(fault, values)
  local given = {}
  for key, value in pairs(fault.given) do given[key] = value end
  for key, value in pairs(values) do given[key] = value end
  local changed, wrong = faults.read(given, self.door.ops)
  if not changed then return nil, wrong end
  fault.given, fault.values = changed.given, changed.values
  if fault.id then return self.door.server:change_toxic(fault.id, toxic_of(fault)) end
  return true
end

--- One request has come: whoever chose it is aimed at its connection, and at no later one.
function Links:meet(ex)
  local server = self.door.server
  for _, fault in ipairs(self.faults) do
    if fault.id and fault.aimed then server:aim(ex.connection, fault.id, self.door.meets(fault, ex)) end
  end
end

--- Ends one.  Returns true; nil and why it cannot.
function Links:remove(fault)
  local ok, err = finish(self, fault)
  if ok then remove(self, fault) end
  return ok, err
end

--- Ends all, or those of one name.  Returns true; nil and why one cannot.
function Links:heal(name)
  local failed
  for _, fault in ipairs { table.unpack(self.faults) } do
    if not name or fault.name == name then
      local ok, err = self:remove(fault)
      if not ok then failed = err end
    end
  end
  return not failed or nil, failed
end

--- Nothing begins or ends by itself any more, and no name stays without an address.
function Links:close()
  for _, fault in ipairs(self.faults) do
    if fault.timer then fault.timer:cancel() end
    fault.timer = nil
  end
  if count_on(self, "dns") > 0 then self.door.server:hide(false) end
end

--- Whether connections are refused.
function Links:is_down() return count_on(self, "down") > 0 end

--- Those in force, oldest first: what was given, and how many connections (requests, where those are chosen) were hit.
function Links:list()
  local out = {}
  for i, fault in ipairs(self.faults) do
    out[i] = { committed = fault.id and self.door.server:toxic_hits(fault.id) or fault.committed or 0 }
    for key, value in pairs(fault.given) do out[i][key] = value end
  end
  return out
end

return M
